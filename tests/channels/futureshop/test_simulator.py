"""The simulator refuses what the real API refuses, so that a careless connector cannot pass."""

from typing import Any

import pytest
import requests

from tests.channels.futureshop.conftest import Mall

JSON = "application/json; charset=UTF-8"


def token(mall: Mall, **changes: Any) -> requests.Response:
    mall.time.skip(seconds=2)
    known = {**mall.simulator.credentials(), **changes}
    return requests.post(
        mall.simulator.base_url(mall.root) + "/oauth/token",
        data={"grant_type": changes.get("grant_type", "client_credentials")},
        auth=(known["client_id"], known["client_secret"]),
        headers={"X-SHOP-KEY": known["shop_key"]},
        timeout=10,
    )


def call(mall: Mall, method: str, path: str, **given: Any) -> requests.Response:
    """As a client without our connector's care; waits so that the limit stays out of the way."""
    bearer = token(mall).json()["access_token"]
    mall.time.skip(seconds=2)
    sent = {"Authorization": f"Bearer {bearer}", "X-SHOP-KEY": "akari", **given.pop("headers", {})}
    if "json" in given:
        sent.setdefault("Content-Type", JSON)
    url = mall.simulator.base_url(mall.root) + f"/admin-api/v1/{path}"
    return requests.request(method, url, headers=sent, timeout=10, **given)


def codes(answer: requests.Response) -> list[str]:
    return [row["code"] for row in answer.json()["errors"]]


def test_the_token_call_checks_client_shop_and_grant(mall: Mall):
    assert token(mall).json()["expires_in"] == 3600
    assert token(mall, client_secret="x").json()["error"] == "invalid_client"
    assert token(mall, shop_key="x").status_code == 401
    assert token(mall, grant_type="password").status_code == 400


def test_data_calls_want_the_shop_key_too(mall: Mall):
    answer = call(mall, "GET", "shipping", headers={"X-SHOP-KEY": "another"})
    assert (answer.status_code, codes(answer)) == (401, ["Unauthorized"])


def test_list_and_detail_name_things_differently(mall: Mall):
    order = mall.sells()
    row = call(mall, "GET", "shipping").json()["orderList"][0]
    detail = call(mall, "GET", f"orders/{order.number}")
    place, other = row["shipmentList"][0], detail.json()["shipmentList"][0]
    assert "postalCode" in place["addressInfo"] and "zipCode" in other["addressInfo"]
    assert "shippingInfo" in place and "invoiceNo" in other
    assert "productNo" not in place["productList"][0] and "productNo" in other["productList"][0]
    assert detail.text.count('"sbpsTrackingId"') == 2


@pytest.mark.parametrize(
    "query",
    [
        {"updateDateStart": "2026-06-01T00:00:00", "updateDateEnd": "2026-07-30T00:00:00"},
        {"orderDateStart": "2026-06-01T00:00:00+09:00"},
        {"orderDateStart": "2026/06/01"},
        {"shippingStatus": "SHIPPED"},
        {"pageSize": "10"},
    ],
)
def test_searches_outside_the_rules_are_refused(mall: Mall, query: dict[str, str]):
    assert call(mall, "GET", "shipping", params=query).status_code == 400


def test_a_write_with_one_bad_row_fails_as_a_whole_but_the_others_are_done(mall: Mall):
    good, locked = mall.sells(), mall.sells((mall.keys[1], 1))
    mall.simulator.locked = {locked.number}
    info = {"invoiceNo": "1", "expectedArrival": "", "shippingDate": "2026-08-03"}
    rows = [
        {"orderNo": number, "shipmentList": [{"shipmentNo": 1, "shippingInfo": info}]}
        for number in (good.number, locked.number, "000000000000")
    ]
    answer = call(mall, "POST", "shipping/status", json={"orderList": rows}).json()
    assert answer["status"] == "failed"
    assert [row.get("errorCode") for row in answer["results"]] == [None, "OrderLocked", "OrderNotFound"]
    assert mall.world.order("futureshop", good.number).state == "shipped"


def test_all_three_shipping_fields_must_be_sent_and_empty_ones_erase(mall: Mall):
    order = mall.sells()

    def write(info: dict[str, str]) -> requests.Response:
        rows = [{"orderNo": order.number, "shipmentList": [{"shipmentNo": 1, "shippingInfo": info}]}]
        return call(mall, "POST", "shipping/status", json={"orderList": rows})

    assert codes(write({"invoiceNo": "1"})) == ["Required"]
    write({"invoiceNo": "1", "expectedArrival": "2026-08-05", "shippingDate": "2026-08-03"})
    write({"invoiceNo": "2", "expectedArrival": "", "shippingDate": ""})
    shown = call(mall, "GET", f"orders/{order.number}").json()["shipmentList"][0]
    assert (shown["invoiceNo"], shown["expectedArrival"], shown["shippingDate"]) == ("2", "", "")


def test_more_than_a_hundred_rows_are_too_many(mall: Mall):
    assert codes(call(mall, "POST", "order/complete", json={"orderList": [{"orderNo": "1"}] * 101})) == ["TooMany"]


def test_closing_and_payment_marks_show_on_the_order(mall: Mall):
    order = mall.sells(payment="bank")
    call(mall, "POST", "payment/status", json={"orderList": [{"orderNo": order.number, "receiptDate": "2026-08-03"}]})
    assert call(mall, "GET", f"orders/{order.number}").json()["paymentStatus"] == "RECEIVED"
    for _ in range(2):
        answer = call(mall, "POST", "order/complete", json={"orderList": [{"orderNo": order.number}]})
        assert answer.json()["status"] == "success"
    assert call(mall, "GET", f"orders/{order.number}").json()["status"] == "COMPLETED"


@pytest.mark.parametrize(("count", "expected"), [(12, 12), ("12", 12), ("+5", 25), ("-5", 15)])
def test_a_sign_makes_a_count_a_change(mall: Mall, count: Any, expected: int):
    product, vertical, horizontal = mall.keys[0].split("/")
    mall.world.set_stock("futureshop", mall.keys[0], 20)
    row = {"verticalNo": vertical, "horizontalNo": horizontal, "count": count}
    body = {"productList": [{"productNo": product, "inventoryInfo": {"regular": {"inventoryList": [row]}}}]}
    assert call(mall, "POST", "inventory", json=body).json()["status"] == "success"
    assert mall.world.shown("futureshop", mall.keys[0]).quantity == expected


def test_stock_types_must_be_named(mall: Mall):
    assert codes(call(mall, "GET", "inventory")) == ["Required"]


def test_a_burst_of_calls_is_refused(mall: Mall):
    url = mall.simulator.base_url(mall.root) + "/admin-api/v1/shipping"
    answers = [requests.get(url, timeout=10).status_code for _ in range(5)]
    assert answers.count(429) == 3


def test_a_body_in_another_encoding_is_refused(mall: Mall):
    bearer = token(mall).json()["access_token"]
    shop_key = mall.simulator.credentials()["shop_key"]
    headers = {
        "Authorization": f"Bearer {bearer}",
        "X-SHOP-KEY": shop_key,
        "Content-Type": "application/json; charset=UTF-8",
    }
    url = f"{mall.simulator.base_url(mall.root)}/admin-api/v1/payment/status"
    answer = requests.post(url, data='{"orderList": []}'.encode("utf-16"), headers=headers, timeout=5)
    assert (answer.status_code, codes(answer)) == (400, ["InvalidValue"])
