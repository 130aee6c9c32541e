"""Amazon's own Python SDK talks to the simulator: what both understand is not our own idea of the wire."""

import gzip
import json
from typing import Any

import pytest
import requests

from channels.sandbox.amazon.feeds import LISTINGS
from channels.sandbox.amazon.reports import ALL_ORDERS
from channels.sandbox.amazon.simulator import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from channels.sandbox.numbers import AMAZON_MARKETPLACE_ID as JAPAN
from channels.sandbox.numbers import AMAZON_SELLER_ID as SELLER
from tests.channels.amazon.conftest import START, Shop

pytest.importorskip("spapi", reason="Amazon's SDK (amzn-sp-api, a development dependency) is not installed")

from spapi import ApiClient, SPAPIClient, SPAPIConfig
from spapi.api.fba_inventory_v1.fba_inventory_api import FbaInventoryApi
from spapi.api.feeds_v2021_06_30.feeds_api import FeedsApi
from spapi.api.listings_items_v2021_08_01.listings_api import ListingsApi
from spapi.api.notifications_v1.notifications_api import NotificationsApi
from spapi.api.orders_v0.orders_v0_api import OrdersV0Api
from spapi.api.orders_v2026_01_01.get_order_api import GetOrderApi
from spapi.api.orders_v2026_01_01.search_orders_api import SearchOrdersApi
from spapi.api.reports_v2021_06_30.reports_api import ReportsApi
from spapi.api.sellers_v1.sellers_api import SellersApi
from spapi.api.tokens_v2021_03_01.tokens_api import TokensApi
from spapi.rest import ApiException


def sdk(shop: Shop, **wrong: str) -> ApiClient:
    address = shop.running.addresses()["amazon"]
    told = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN, **wrong}
    if "scope" in told:
        del told["refresh_token"]
    client = SPAPIClient(
        SPAPIConfig(**told, region="FE"), oauth_endpoint=f"{address['auth_url']}/auth/o2/token",
        endpoint=address["base_url"],
    )  # fmt: skip
    return client.api_client


def wire(model: Any) -> Any:
    return ApiClient.sanitize_for_serialization(ApiClient(), model)


def test_orders_are_searched_page_by_page_and_read(shop: Shop) -> None:
    placed = {shop.world.place_order("amazon").number for _ in range(7)}
    shop.time.pass_minutes(3)
    api, found, token = SearchOrdersApi(sdk(shop)), set(), None
    while True:
        more = {"pagination_token": token} if token else {}
        page = api.search_orders(
            last_updated_after=START.isoformat(), marketplace_ids=[JAPAN], max_results_per_page=3,
            included_data=["BUYER", "RECIPIENT", "PROCEEDS", "FULFILLMENT", "PROMOTION", "EXPENSE"], **more,
        )  # fmt: skip
        found |= {order.order_id for order in page.orders}
        token = page.pagination.next_token if page.pagination else None
        if not token:
            break
    assert found == placed and page.last_updated_before
    number = min(placed)
    order = GetOrderApi(sdk(shop)).get_order(number, included_data=["RECIPIENT", "FULFILLMENT", "PROCEEDS"]).order
    truth = shop.world.order("amazon", number)
    assert order.recipient.delivery_address.name == truth.destination.recipient.name
    assert order.fulfillment.fulfillment_status == "UNSHIPPED"
    assert order.proceeds.grand_total.amount == str(truth.amount_due)


def test_a_shipment_is_confirmed_and_its_number_corrected(shop: Shop) -> None:
    order, api = shop.place(), OrdersV0Api(sdk(shop))
    for tracking in ("470000000011", "470000000022"):
        api.confirm_shipment(
            order.number,
            {
                "marketplaceId": JAPAN,
                "packageDetail": {
                    "packageReferenceId": "1",
                    "carrierCode": "YAMATO",
                    "shippingMethod": "宅急便",
                    "trackingNumber": tracking,
                    "shipDate": shop.time.now().isoformat(),
                    "orderItems": [{"orderItemId": line.line_id, "quantity": line.quantity} for line in order.lines],
                },
            },
        )
    told = GetOrderApi(sdk(shop)).get_order(order.number, included_data=["PACKAGES"]).order.packages
    assert [(one.package_reference_id, one.tracking_number) for one in told] == [("1", "470000000022")]


def test_listings_are_searched_read_and_patched(shop: Shop) -> None:
    api, (sku,) = ListingsApi(sdk(shop)), shop.stocked(1)
    page = api.search_listings_items(
        SELLER, [JAPAN], page_size=20, included_data=["summaries", "fulfillmentAvailability"]
    )
    assert len(page.items) == 20 and page.number_of_results > 20 and page.pagination.next_token
    value = {"fulfillment_channel_code": "DEFAULT", "quantity": 37}
    patch = {"op": "merge", "path": "/attributes/fulfillment_availability", "value": [value]}
    answer = api.patch_listings_item(SELLER, sku, [JAPAN], {"productType": "PRODUCT", "patches": [patch]})
    assert answer.status == "ACCEPTED" and answer.issues == []
    shop.time.pass_minutes(5)
    item = api.get_listings_item(SELLER, sku, [JAPAN], included_data=["fulfillmentAvailability"])
    assert [(one.fulfillment_channel_code, one.quantity) for one in item.fulfillment_availability] == [("DEFAULT", 37)]


def test_a_feed_goes_its_whole_way(shop: Shop) -> None:
    api, (sku,) = FeedsApi(sdk(shop)), shop.stocked(1)
    kind = "application/json; charset=UTF-8"
    document = api.create_feed_document({"contentType": kind})
    value = [{"fulfillment_channel_code": "DEFAULT", "quantity": 5}]
    patches = [{"op": "merge", "path": "/attributes/fulfillment_availability", "value": value}]
    messages = [
        {"messageId": n, "sku": code, "operationType": "PATCH", "productType": "PRODUCT", "patches": patches}
        for n, code in ((1, sku), (2, "GONE-1"))
    ]
    body = {"header": {"sellerId": SELLER, "version": "2.0", "issueLocale": "ja_JP"}, "messages": messages}
    sent = requests.put(document.url, data=json.dumps(body).encode(), headers={"Content-Type": kind}, timeout=10)
    assert sent.status_code == 200
    feed = {"feedType": LISTINGS, "marketplaceIds": [JAPAN], "inputFeedDocumentId": document.feed_document_id}
    feed_id = api.create_feed(feed).feed_id
    assert api.get_feed(feed_id).processing_status == "IN_QUEUE"
    shop.time.pass_minutes(2)
    done = api.get_feed(feed_id)
    result = api.get_feed_document(done.result_feed_document_id)
    report = json.loads(gzip.decompress(requests.get(result.url, timeout=10).content))
    assert (done.processing_status, result.compression_algorithm) == ("DONE", "GZIP")
    assert report["summary"]["messagesInvalid"] == 1 and report["issues"][0]["sku"] == "GONE-1"
    assert [one.feed_id for one in api.get_feeds(feed_types=[LISTINGS]).feeds] == [feed_id]


def test_reports_stock_and_sellers(shop: Shop) -> None:
    placed, api = shop.place(), ReportsApi(sdk(shop))
    specification = {"reportType": ALL_ORDERS, "marketplaceIds": [JAPAN], "dataStartTime": START.isoformat()}
    report_id = api.create_report(specification).report_id
    shop.time.pass_minutes(2)
    document = api.get_report_document(api.get_report(report_id).report_document_id)
    answer = requests.get(document.url, timeout=10)
    assert placed.number in gzip.decompress(answer.content).decode("cp932")
    stock = FbaInventoryApi(sdk(shop)).get_inventory_summaries("Marketplace", JAPAN, [JAPAN], details=True)
    assert stock.payload.inventory_summaries[0].inventory_details.fulfillable_quantity > 0
    (entry,) = SellersApi(sdk(shop)).get_marketplace_participations().payload
    assert entry.marketplace.id == JAPAN and entry.participation.is_participating


def test_notifications_take_the_applications_own_token(shop: Shop) -> None:
    own = NotificationsApi(sdk(shop, scope="sellingpartnerapi::notifications"))
    (destination,) = own.get_destinations().payload
    assert destination.resource.sqs.arn.startswith("arn:aws:sqs:")
    sellers = NotificationsApi(sdk(shop))
    kept = sellers.get_subscription("ORDER_CHANGE").payload
    assert kept.destination_id == destination.destination_id
    own.delete_subscription_by_id(kept.subscription_id, "ORDER_CHANGE")
    body = {"payloadVersion": "1.0", "destinationId": destination.destination_id}
    assert sellers.create_subscription("ORDER_CHANGE", body).payload.subscription_id
    for refused in (lambda: sellers.create_subscription("ORDER_CHANGE", body), sellers.get_destinations):
        with pytest.raises(ApiException) as told:
            refused()
        assert told.value.status in (403, 409)
    # The SDK sends an empty body along with DELETE, which its own model does not know.
    shop.mall.exchanges = [one for one in shop.mall.exchanges if one.method != "DELETE"]


def test_restricted_data_tokens_follow_their_rules(shop: Shop) -> None:
    api = TokensApi(sdk(shop))
    resource = {"method": "GET", "path": "/orders/v0/orders", "dataElements": ["buyerInfo"]}
    assert api.create_restricted_data_token({"restrictedResources": [resource]}).restricted_data_token
    for wrong in (
        {**resource, "path": "/orders/v0/orders/"},
        {**resource, "dataElements": "buyerInfo"},
        {**resource, "method": "POST"},
    ):
        with pytest.raises(ApiException) as told:
            api.create_restricted_data_token({"restrictedResources": [wrong]})
        assert told.value.status == 400 and "InvalidInput" in str(told.value.body)
    shop.mall.exchanges.clear()  # wrong on purpose


def test_refusals_have_the_shape_the_sdk_expects(shop: Shop) -> None:
    with pytest.raises(ApiException) as unknown:
        GetOrderApi(sdk(shop)).get_order("503-9999999-9999999")
    assert unknown.value.status == 404 and json.loads(unknown.value.body)["errors"][0]["code"] == "NotFound"
    with pytest.raises(ApiException) as both:
        SearchOrdersApi(sdk(shop)).search_orders(created_after=START.isoformat(), last_updated_after=START.isoformat())
    assert both.value.status == 400
    with pytest.raises(ApiException) as elsewhere:
        SearchOrdersApi(sdk(shop)).search_orders(created_after=START.isoformat(), marketplace_ids=["ATVPDKIKX0DER"])
    assert elsewhere.value.status == 403
    client = sdk(shop)
    shop.fault("429:1")
    with pytest.raises(ApiException) as fast:
        SellersApi(client).get_marketplace_participations()
    assert fast.value.status == 429
    client.configuration.access_token_cache.get_lwa_access_token = lambda: "Atza|unknown"
    with pytest.raises(ApiException) as stranger:
        SellersApi(client).get_marketplace_participations()
    assert stranger.value.status == 403


@pytest.mark.parametrize("wrong", ["client_secret", "refresh_token"])
def test_wrong_credentials_are_refused_at_the_token(shop: Shop, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setattr("spapi.auth.lwa_request.time.sleep", lambda seconds: None)  # the SDK tries even this again
    with pytest.raises(Exception, match="Token request failed"):
        SellersApi(sdk(shop, **{wrong: "wrong"})).get_marketplace_participations()
