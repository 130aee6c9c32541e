"""Both sides against Amazon's own models: every operation once, and the judge itself."""

import json
from datetime import timedelta

import pytest
import requests

from channels.connectors.amazon import cancel, feeds, reports, stock
from channels.connectors.amazon.numbers import REPORT
from channels.connectors.amazon.times import iso
from channels.connectors.amazon.transport import Api
from channels.connectors.contract import Parcel, StockPush
from channels.sandbox.amazon.feed_work import ListingsFeed
from tests.channels.amazon import models
from tests.channels.amazon.conftest import Shop

pytestmark = pytest.mark.skipif(not models.FOLDER.is_dir(), reason=models.ABSENT)

ALL = {
    "searchOrders",
    "getOrder",
    "confirmShipment",
    "patchListingsItem",
    "getListingsItem",
    "searchListingsItems",
    "createFeedDocument",
    "createFeed",
    "getFeed",
    "getFeeds",
    "getFeedDocument",
    "getMarketplaceParticipations",
    "getInventorySummaries",
    "createReport",
    "getReport",
    "getReportDocument",
    "getSubscription",
    "createSubscription",
    "getSubscriptionById",
    "deleteSubscriptionById",
    "getDestinations",
    "createDestination",
    "getDestination",
    "deleteDestination",
    "createRestrictedDataToken",
    "cancelFeed",
}


def test_every_operation_follows_amazons_models(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop fixture judges each exchange; here each operation is made to happen, in good and in bad."""
    monkeypatch.setattr(stock, "PATCH_MOST", 2)
    connector = shop.connect()
    connector.check()
    shop.world.generate(80)
    shop.world.advance()
    order, other = shop.place(), shop.place()
    shop.fetch()
    lines = {line.line_id: line.quantity for line in order.lines}
    connector.ship(shop.known(order.number), [Parcel("yamato", "470000000011", shop.time.now(), lines)])
    connector.cancel(shop.known(other.number), "buyer")
    connector.fetch_order("503-9999999-9999999")
    shop.fetch()
    next(iter(connector.list_listings()))
    connector.read_stock(["A,B", *shop.stocked(2)])
    list(connector.push_stock([StockPush(code, 3) for code in (*shop.stocked(1), "GONE-1")]))
    list(connector.push_stock([StockPush(code, 3) for code in shop.stocked(4)]))
    connector.api.call(
        "GET", "/feeds/2021-06-30/feeds", "getFeeds", query={"feedTypes": stock.FEED_TYPE, "pageSize": 10}
    )
    shop.place()
    shop.time.pass_minutes(20)
    start, end = shop.time.now() - timedelta(hours=2), shop.time.now() - timedelta(minutes=15)
    list(reports.rows(connector.api, REPORT, start, end))
    list(connector.order_numbers(start, end))
    connector.read_stock(
        [f"AMAZON_JP|{one.key}" for one in shop.world.listings("amazon") if one.fulfilled_by != "shop"]
    )
    start_over_with_notices(shop)
    ask_what_the_connector_needs_not(connector.api)
    faults = [fault for exchange in shop.mall.exchanges for fault in models.judge(exchange)]
    assert faults == []
    assert {models.operation_name(exchange) for exchange in shop.mall.exchanges} == ALL


def start_over_with_notices(shop: Shop) -> None:
    """Subscribed, undone, and subscribed again."""
    with_queue = shop.connect(sqs_region="us-west-2")
    with_queue.check()
    api, paths = with_queue.api, "/notifications/v1"
    subscription = api.call("GET", f"{paths}/subscriptions/ORDER_CHANGE", "getSubscription")["payload"]
    destination = subscription["destinationId"]
    by_id = f"{paths}/subscriptions/ORDER_CHANGE/{subscription['subscriptionId']}"
    for method, path in (
        ("GET", by_id), ("DELETE", by_id), ("GET", f"{paths}/destinations/{destination}"),
        ("DELETE", f"{paths}/destinations/{destination}"),
    ):  # fmt: skip
        api.call(method, path, "getSubscription", grantless=True)
    with_queue.check()


def ask_what_the_connector_needs_not(api: Api) -> None:
    """Restricted data needs a token of its own for the old reads only; feeds are never called back."""
    resource = {"method": "GET", "path": "/orders/v0/orders", "dataElements": ["buyerInfo", "shippingAddress"]}
    body = {"restrictedResources": [resource]}
    told = api.call("POST", "/tokens/2021-03-01/restrictedDataToken", "createRestrictedDataToken", body=body)
    assert told["restrictedDataToken"] and told["expiresIn"] > 0
    document = json.dumps(stock.feed_document(api.seller_id, {"TEA-1": 3})).encode()
    feed_id = feeds.submit(api, stock.FEED_TYPE, document, stock.CONTENT_TYPE)
    path = f"/feeds/2021-06-30/feeds/{feed_id}"
    token = {"x-amz-access-token": api._tokens.current()}
    body_of_delete = requests.delete(api.base_url + path, headers=token, timeout=10)
    assert body_of_delete.status_code == 200


def test_the_judge_finds_faults() -> None:
    """Without this the test above could pass by never looking."""
    search = models.Exchange("GET", "/orders/2026-01-01/orders", {"createdAfter": "x"}, None, 200, {"orders": [{}]})
    assert any("orderId" in fault for fault in models.judge(search))
    wrong_query = models.Exchange("GET", "/orders/2026-01-01/orders", {"statuses": "X"}, None, 200, {"orders": []})
    assert models.judge(wrong_query) == ["searchOrders: unknown parameter statuses"]
    number = {"packageReferenceId": 1, "carrierCode": "Y", "trackingNumber": "1", "shipDate": "x", "orderItems": []}
    body = {"marketplaceId": "A1VC38T7YXB528", "packageDetail": number}
    path = "/orders/v0/orders/1/shipmentConfirmation"
    assert any("not of type" in fault for fault in models.judge(models.Exchange("POST", path, {}, body, 204, None)))
    assert models.judge(models.Exchange("GET", "/nowhere", {}, None, 200, {}))


def test_the_listings_feed_follows_its_schema(shop: Shop) -> None:
    document = stock.feed_document("A2SANDBOXSHOP9", {"TEA-1": 3, "棚/白": 0})
    assert models.judge_document("listings-feed-schema-v2.json", document) == []
    wrong = {**document, "messages": [{**document["messages"][0], "operationType": "REPLACE"}]}
    assert models.judge_document("listings-feed-schema-v2.json", wrong)
    for content in (json.dumps(document).encode(), b"no json"):
        _, report, _ = ListingsFeed(shop.mall.listings)("5087", content)
        assert models.judge_document("listings-feed-processing-report-schema-v2.json", json.loads(report)) == []


def test_the_cancel_document_has_the_layout_of_the_feed(shop: Shop) -> None:
    order = shop.place()
    ids = [line.line_id for line in order.lines]
    document = cancel.cancel_document("A2SANDBOXSHOP9", order.number, ids, "BuyerCanceled").decode()
    assert document.startswith("<?xml") and iso(shop.time.now()).endswith("Z")
    for part in ("<DocumentVersion>1.01<", "<MessageType>OrderAcknowledgement<", "<StatusCode>Failure<", ids[0]):
        assert part in document
