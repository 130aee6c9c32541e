"""What answers mean, where calls go, and what the simulator refuses."""

from typing import Any

import pytest
import requests

from channels.connectors.amazon.money import money_yen
from channels.connectors.amazon.tokens import classify_token, token_url
from channels.connectors.amazon.transport import NotFound, TokenRefused, classify, classify_storage
from channels.connectors.contract import ChannelDown, CredentialsRefused, RateLimited, Refused, Unreadable
from tests.channels.amazon.conftest import START, Shop


def answer(status: int, body: str = "", *, method: str = "GET") -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = status, body.encode()
    response.request = requests.Request(method, "http://amazon.test/").prepare()
    return response


def error(code: str, details: str = "") -> str:
    return f'{{"errors":[{{"code":"{code}","message":"m","details":"{details}"}}]}}'


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, '{"orders":[]}', None),
        (200, '{"payload":[],"errors":[]}', None),
        (204, "", None),
        (200, error("InternalFailure"), ChannelDown),
        (200, error("InvalidInput"), Refused),
        (200, "<html></html>", ChannelDown),
        (200, "", ChannelDown),
        (200, "[]", ChannelDown),
        (400, error("InvalidInput"), Refused),
        (400, "<html></html>", Refused),
        (401, error("Unauthorized"), CredentialsRefused),
        (403, error("Unauthorized"), CredentialsRefused),
        (403, error("Unauthorized", "The access token you provided has expired."), TokenRefused),
        (403, error("Unauthorized", "The access token is revoked, malformed or invalid."), TokenRefused),
        (404, error("NotFound"), NotFound),
        (413, "", Refused),
        (429, error("QuotaExceeded"), RateLimited),
        (429, "", RateLimited),
        (500, error("InternalFailure"), ChannelDown),
        (503, "<html>Service Unavailable</html>", ChannelDown),
    ],
)
def test_answers_become_kinds(status: int, body: str, kind: type | None) -> None:
    found = classify(answer(status, body))
    assert found is None if kind is None else type(found) is kind


def test_a_failed_write_may_have_been_done() -> None:
    lost = classify(answer(500, method="POST"))
    assert lost is not None and lost.uncertain
    read = classify(answer(500))
    assert read is not None and not read.uncertain


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, '{"access_token":"Atza|x","expires_in":3600}', None),
        (400, '{"error":"invalid_grant","error_description":"…"}', CredentialsRefused),
        (401, '{"error":"invalid_client"}', CredentialsRefused),
        (400, '{"error":"temporarily_unavailable"}', ChannelDown),
        (500, '{"error":"server_error"}', ChannelDown),
        (503, "<html></html>", ChannelDown),
        (429, "", ChannelDown),
        (200, "{}", ChannelDown),
    ],
)
def test_token_errors_have_another_shape(status: int, body: str, kind: type | None) -> None:
    found = classify_token(answer(status, body))
    assert found is None if kind is None else type(found) is kind


def test_storage_errors_are_not_json() -> None:
    assert classify_storage(answer(200, "anything")) is None
    assert type(classify_storage(answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>"))) is Refused
    assert type(classify_storage(answer(503))) is ChannelDown


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("", "https://api.amazon.com/auth/o2/token"),
        ("http://127.0.0.1:9100/amazon", "http://127.0.0.1:9100/amazon/auth/o2/token"),
        ("http://127.0.0.1:9100/amazon/", "http://127.0.0.1:9100/amazon/auth/o2/token"),
        ("https://lwa.example/auth/o2/token", "https://lwa.example/auth/o2/token"),
    ],
)
def test_the_token_address(given: str, used: str) -> None:
    assert token_url(given) == used


@pytest.mark.parametrize(
    ("money", "yen"),
    [
        (None, None),
        ({}, None),
        ({"amount": "2980", "currencyCode": "JPY"}, 2980),
        ({"amount": "2980.00", "currencyCode": "JPY"}, 2980),
        ({"amount": "-300", "currencyCode": "JPY"}, -300),
        ({"amount": 1200, "currencyCode": "JPY"}, 1200),
        ({"amount": "99.5"}, 100),
    ],
)
def test_amounts_are_whole_yen(money: Any, yen: int | None) -> None:
    assert money_yen(money) == yen


def test_another_currency_is_not_yen() -> None:
    with pytest.raises(Unreadable):
        money_yen({"amount": "10", "currencyCode": "USD"})


# ---- the simulator is strict ---------------------------------------------------------------------------------------


def ask(shop: Shop, path: str, *, method: str = "GET", token: str | None = None, **options: Any) -> requests.Response:
    token = shop.mall.tokens.issue() if token is None else token
    wanted = {"x-amz-access-token": token, "User-Agent": "Test/1.0", **options.pop("headers", {})}
    return requests.request(method, shop.running.root + "/amazon" + path, headers=wanted, timeout=5, **options)


SEARCH = "/orders/2026-01-01/orders?"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "createdAfter=2026-11-19T00:00:00Z&lastUpdatedAfter=2026-11-19T00:00:00Z",
        "lastUpdatedAfter=2026-11-19T00:00:00Z&createdBefore=2026-11-19T01:00:00Z",
        "lastUpdatedAfter=2026-11-19T00:00:00Z&lastUpdatedBefore=2026-11-18T00:00:00Z",
        "lastUpdatedAfter=2026-11-19T00:00:00Z&lastUpdatedBefore=2026-11-20T00:59:30Z",
        "lastUpdatedAfter=2026-11-19",
        "lastUpdatedAfter=2026-11-19T00:00:00Z&maxResultsPerPage=101",
        "lastUpdatedAfter=2026-11-19T00:00:00Z&includedData=EVERYTHING",
        "lastUpdatedAfter=2026-11-19T00:00:00Z&fulfillmentStatuses=Unshipped",
        "lastUpdatedAfter=2026-11-19T00:00:00Z&paginationToken=nonsense",
    ],
)
def test_a_wrong_search_is_refused(shop: Shop, query: str) -> None:
    found = ask(shop, SEARCH + query)
    assert found.status_code == 400 and found.json()["errors"][0]["code"] == "InvalidInput"
    shop.mall.exchanges.clear()  # the questions were wrong on purpose


def test_blocks_that_were_not_asked_for_stay_away(shop: Shop) -> None:
    shop.place()
    after = START.strftime("%Y-%m-%dT%H:%M:%SZ")
    bare = ask(shop, f"{SEARCH}lastUpdatedAfter={after}").json()["orders"][0]
    assert not {"fulfillment", "proceeds", "buyer", "recipient", "payment", "packages"} & bare.keys()
    assert "price" not in bare["orderItems"][0]["product"]


@pytest.mark.parametrize(("token", "says"), [("", "missing"), ("Atza|made-up", "malformed")])
def test_without_a_good_token_nothing_is_answered(shop: Shop, token: str, says: str) -> None:
    found = ask(shop, SEARCH, token=token)
    assert found.status_code == 403 and says in found.json()["errors"][0]["details"]
    assert "x-amzn-RateLimit-Limit" not in found.headers
    shop.mall.exchanges.clear()


def test_the_usage_plan_is_enforced(shop: Shop) -> None:
    path = f"{SEARCH}lastUpdatedAfter=2026-11-19T00:00:00Z"
    answers = [ask(shop, path) for _ in range(21)]
    assert [found.status_code for found in answers] == [200] * 20 + [429]
    assert answers[0].headers["x-amzn-RateLimit-Limit"] == "0.0056"
    assert "x-amzn-RateLimit-Limit" not in answers[-1].headers


def test_a_page_token_is_bound_to_its_question_and_its_day(shop: Shop) -> None:
    shop.place(), shop.place()
    query = "lastUpdatedAfter=2026-11-19T00:00:00Z&maxResultsPerPage=1"
    token = ask(shop, SEARCH + query).json()["pagination"]["nextToken"]
    assert ask(shop, f"{SEARCH}{query}&paginationToken={token}").status_code == 200
    assert ask(shop, f"{SEARCH}{query}&fulfilledBy=MERCHANT&paginationToken={token}").status_code == 400
    shop.time.pass_minutes(24 * 60 + 1)
    assert ask(shop, f"{SEARCH}{query}&paginationToken={token}").status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"packageReferenceId": 1},
        {"packageReferenceId": "A-1"},
        {"carrierCode": "NEKO"},
        {"carrierCode": "Other"},
        {"trackingNumber": ""},
        {"shipDate": "2026-11-19"},
        {"shipDate": "2027-01-01T00:00:00Z"},
        {"orderItems": {"orderItemId": "1", "quantity": 1}},
        {"orderItems": [{"orderItemId": "unknown", "quantity": 1}]},
        {"orderItems": []},
    ],
)
def test_a_wrong_shipment_is_refused(shop: Shop, change: dict[str, Any]) -> None:
    order = shop.place()
    detail = {
        "packageReferenceId": "1",
        "carrierCode": "YAMATO",
        "trackingNumber": "470000000011",
        "shipDate": shop.time.now().isoformat(),
        "orderItems": [{"orderItemId": order.lines[0].line_id, "quantity": 1}],
        **change,
    }
    body = {"marketplaceId": "A1VC38T7YXB528", "packageDetail": detail}
    found = ask(shop, f"/orders/v0/orders/{order.number}/shipmentConfirmation", method="POST", json=body)
    assert found.status_code == 400
    assert shop.world.order("amazon", order.number).state == "ready"
    shop.mall.exchanges.clear()


def test_an_upload_wants_its_type_and_no_token(shop: Shop) -> None:
    made = ask(shop, "/feeds/2021-06-30/documents", method="POST", json={"contentType": "text/xml; charset=UTF-8"})
    url, right = made.json()["url"], {"Content-Type": "text/xml; charset=UTF-8"}
    assert requests.put(url, b"<x/>", headers={"Content-Type": "text/xml"}, timeout=5).status_code == 403
    assert requests.put(url, b"<x/>", headers={**right, "x-amz-access-token": "t"}, timeout=5).status_code == 403
    assert requests.put(url, b"<x/>", headers=right, timeout=5).status_code == 200
    shop.time.pass_minutes(6)
    assert requests.put(url, b"<x/>", headers=right, timeout=5).status_code == 403
