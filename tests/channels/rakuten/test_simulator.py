"""The simulator refuses what the real RMS refuses, so that a careless connector cannot pass."""

import base64
import json
from typing import Any

import pytest
import requests

from tests.channels.rakuten.conftest import Mall

GOOD = "application/json; charset=utf-8"
PERIOD = {"startDatetime": "2026-08-01T00:00:00+0900", "endDatetime": "2026-08-03T00:00:00+0900"}
PAGING = {"PaginationRequestModel": {"requestRecordsAmount": 1000, "requestPage": 1}}


def call(mall: Mall, path: str, body: Any = None, *, method: str = "POST", media: str = GOOD) -> requests.Response:
    """As a client without our connector's care; waits so that the limit stays out of the way."""
    mall.time.skip(seconds=2)
    known = mall.simulator.credentials()
    token = base64.b64encode(f"{known['service_secret']}:{known['license_key']}".encode()).decode()
    return requests.request(
        method,
        mall.simulator.base_url(mall.root) + path,
        data=None if body is None else json.dumps(body),
        headers={"Authorization": f"ESA {token}", "Content-Type": media},
        timeout=10,
    )


def search(mall: Mall, **changes: Any) -> requests.Response:
    return call(mall, "/es/2.0/order/searchOrder/", {"dateType": 1, **PERIOD, **PAGING, **changes})


def codes(answer: requests.Response) -> list[str]:
    return [row["messageCode"].rpartition("_")[2] for row in answer.json()["MessageModelList"]]


def test_zero_hits_have_null_paging(mall: Mall):
    answer = search(mall)
    assert answer.status_code == 200
    assert codes(answer) == ["102"]
    assert answer.json()["orderNumberList"] == []
    assert set(answer.json()["PaginationResponseModel"].values()) == {None}


@pytest.mark.parametrize("literal", ["2026-08-01T00:00:00+09:00", "2026-08-01T00:00:00Z", "2026-08-01T00:00:00", "", 1])
def test_only_one_time_literal_is_taken(mall: Mall, literal: Any):
    answer = search(mall, startDatetime=literal)
    assert (answer.status_code, codes(answer)) == (400, ["011"])
    assert answer.json()["orderNumberList"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"startDatetime": "2026-05-01T00:00:00+0900"},
        {"startDatetime": "2024-01-01T00:00:00+0900", "endDatetime": "2024-01-02T00:00:00+0900"},
        {"endDatetime": "2026-07-01T00:00:00+0900"},
        {"PaginationRequestModel": {"requestRecordsAmount": 1001, "requestPage": 1}},
        {"PaginationRequestModel": None},
        {"dateType": 9},
    ],
)
def test_searches_outside_the_limits_are_refused(mall: Mall, changes: dict[str, Any]):
    assert search(mall, **changes).status_code == 400


@pytest.mark.parametrize("slash", ["", "/"])
def test_both_slash_forms_are_accepted(mall: Mall, slash: str):
    assert call(mall, f"/es/2.0/order/searchOrder{slash}", {"dateType": 1, **PERIOD, **PAGING}).status_code == 200


def test_media_type_method_path_and_key_are_checked(mall: Mall):
    path = "/es/2.0/order/getOrder/"
    assert call(mall, path, {}, media="application/json").status_code == 415
    assert call(mall, path, method="GET").status_code == 405
    assert call(mall, "/es/2.0/order/getOrders/", {}).status_code == 404
    refused = requests.post(mall.simulator.base_url(mall.root) + path, timeout=10)
    assert (refused.status_code, refused.json()["Results"]["errorCode"]) == (401, "ES04-01")


@pytest.mark.parametrize("version", [None, 1, 2, 11, "x"])
def test_getorder_wants_a_living_version(mall: Mall, version: Any):
    body = {"orderNumberList": [mall.sells().number], "version": version}
    assert call(mall, "/es/2.0/order/getOrder/", body).status_code == 400


def test_getorder_tells_younger_keys_only_to_younger_versions(mall: Mall):
    number = mall.sells().number
    seven, ten = (
        call(mall, "/es/2.0/order/getOrder", {"orderNumberList": [number], "version": version}).json()
        for version in (7, 10)
    )
    old, new = seven["OrderModelList"][0], ten["OrderModelList"][0]
    assert "oneDayOperationFlag" not in old and "isTaxRecalc" in old
    assert "socialGiftFlag" in new and "dropOffFlag" in new["PackageModelList"][0]
    assert "dropOffFlag" not in old["PackageModelList"][0]


def test_an_unknown_order_is_an_info_row_with_http_200(mall: Mall):
    answer = call(mall, "/es/2.0/order/getOrder/", {"orderNumberList": ["401122-20260101-0000000009"], "version": 9})
    assert (answer.status_code, codes(answer)) == (200, ["102"])
    assert answer.json()["OrderModelList"] == []


def test_the_same_shipping_row_sent_twice_is_kept_twice(mall: Mall):
    order = mall.sells_ready()
    row = {"deliveryCompany": "1001", "shippingNumber": "1", "shippingDate": "2026-08-03"}
    basket = {"basketId": int(order.destination.destination_id), "ShippingModelList": [row]}
    body = {"orderNumber": order.number, "BasketidModelList": [basket]}
    for _ in range(2):
        assert codes(call(mall, "/es/2.0/order/updateOrderShipping/", body)) == ["101"]
    assert len(mall.world.order("rakuten", order.number).extra["shipping"]) == 2


@pytest.mark.parametrize(
    "row", [{"shippingDate": "2026/08/03"}, {"deliveryCompany": "ヤマト運輸"}, {"deliveryCompany": 1001}]
)
def test_badly_written_shipping_rows_are_refused(mall: Mall, row: dict[str, Any]):
    order = mall.sells_ready()
    basket = {"basketId": int(order.destination.destination_id), "ShippingModelList": [row]}
    answer = call(
        mall, "/es/2.0/order/updateOrderShipping/", {"orderNumber": order.number, "BasketidModelList": [basket]}
    )
    assert (answer.status_code, codes(answer)) == (400, ["011"])


def test_an_asynchronous_result_is_not_there_yet(mall: Mall):
    order = mall.sells_ready()
    basket = {"basketId": int(order.destination.destination_id), "ShippingModelList": [{"shippingDate": "2026-08-03"}]}
    sent = call(
        mall,
        "/es/2.0/order/updateOrderShippingAsync/",
        {"OrderShippingModelList": [{"orderNumber": order.number, "BasketidModelList": [basket]}]},
    )
    body = {"requestId": sent.json()["MessageModelList"][0]["requestId"]}
    found = [
        call(mall, "/es/2.0/order/getResultUpdateOrderShippingAsync/", body).json()["ResultShippingModelList"]
        for _ in range(3)
    ]
    assert [len(one) for one in found] == [0, 0, 1]


def upsert(mall: Mall, *rows: dict[str, Any], version: str = "2.1") -> requests.Response:
    return call(mall, f"/es/{version}/inventories/bulk-upsert", {"inventories": list(rows)})


def stock_row(key: str, quantity: Any, mode: str = "ABSOLUTE", **more: Any) -> dict[str, Any]:
    manage, variant = key.split("/")
    return {"manageNumber": manage, "variantId": variant, "mode": mode, "quantity": quantity, **more}


def test_stock_is_written_without_a_body_and_all_or_nothing(mall: Mall):
    one, two = mall.keys[:2]
    before = mall.world.shown("rakuten", one).quantity
    good = upsert(mall, stock_row(two, 3))
    assert (good.status_code, good.content) == (204, b"")
    bad = upsert(mall, stock_row(one, 77), stock_row(two, -1))
    assert bad.status_code == 400
    assert bad.json()["errors"][0]["metadata"]["propertyPath"] == "inventories[1].quantity"
    assert mall.world.shown("rakuten", one).quantity == before


def test_stock_rows_are_counted_compared_and_bounded(mall: Mall):
    key = mall.keys[0]
    many = [stock_row(f"item-{n}/v", 1) for n in range(401)]
    assert upsert(mall, *many).json()["errors"][0]["code"] == "IE0121"
    assert upsert(mall, stock_row(key, 1), stock_row(key, 2)).json()["errors"][0]["code"] == "IE1102"
    assert upsert(mall, stock_row("none/none", 1, "RELATIVE")).json()["errors"][0]["code"] == "IE0500"
    assert upsert(mall, stock_row(key, -99_999, "RELATIVE")).json()["errors"][0]["code"] == "IE0117"


def test_the_newer_stock_call_forgets_lead_times_and_keeps_capitals(mall: Mall):
    key = mall.keys[0]
    upsert(mall, stock_row(key, 1, operationLeadTime={"normalDeliveryTimeId": 3}))
    upsert(mall, stock_row(key, 2), version="2.0")
    assert mall.world.recall("rakuten", f"held:{key}") == {"operationLeadTime": {"normalDeliveryTimeId": 3}}
    upsert(mall, stock_row(key, 3))
    assert mall.world.recall("rakuten", f"held:{key}") == {}
    upsert(mall, stock_row("item/Big", 1))
    upsert(mall, stock_row("item/Big", 2), version="2.0")
    assert (mall.world.recall("rakuten", "orphan:item/Big"), mall.world.recall("rakuten", "orphan:item/big")) == (1, 2)


def test_a_burst_of_calls_is_refused(mall: Mall):
    known = mall.simulator.credentials()
    token = base64.b64encode(f"{known['service_secret']}:{known['license_key']}".encode()).decode()
    url = mall.simulator.base_url(mall.root) + "/es/2.0/items/search"
    answers = [requests.get(url, headers={"Authorization": f"ESA {token}"}, timeout=10).status_code for _ in range(6)]
    assert answers.count(429) == 3


# ---- memo, sub-status, filters, encoding -----------------------------------------------------------------------------


def order_call(mall: Mall, name: str, body: dict[str, Any]) -> requests.Response:
    return call(mall, f"/es/2.0/order/{name}/", body)


@pytest.mark.parametrize(
    "changes",
    [{"memo": "あ" * 1001}, {"operator": "1234567"}, {"deliveryDate": "2026/08/09"}, {"subStatusId": 999}],
)
def test_a_memo_outside_its_bounds_is_refused(mall: Mall, changes: dict[str, Any]):
    order = mall.sells()
    answer = order_call(mall, "updateOrderMemo", {"orderNumber": order.number, **changes})
    assert (answer.status_code, codes(answer)) == (400, ["011"])


def test_a_sub_status_is_set_only_at_its_own_step(mall: Mall):
    order = mall.sells()
    body = {"orderNumberList": [order.number], "subStatusId": 301}
    assert order_call(mall, "updateOrderSubStatus", body).status_code == 400
    assert order_call(mall, "updateOrderSubStatus", {**body, "subStatusId": 101}).status_code == 200
    assert mall.read(order.number).sub_state == "確認中"


def test_searches_can_be_narrowed_and_bad_filters_are_refused(mall: Mall):
    card, cod = mall.sells(), mall.sells(payment="cod")
    today = {"endDatetime": "2026-08-03T23:00:00+0900"}
    assert search(mall, **today, settlementMethod=2).json()["orderNumberList"] == [cod.number]
    assert set(search(mall, **today, orderTypeList=[1]).json()["orderNumberList"]) == {card.number, cod.number}
    assert search(mall, subStatusIdList=[-1]).status_code == 400
    assert search(mall, subStatusIdList=[-1], orderProgressList=[100]).status_code == 200
    assert search(mall, orderProgressList=[150]).status_code == 400


def test_a_body_in_another_encoding_is_refused(mall: Mall):
    url = f"{mall.simulator.base_url(mall.root)}/es/2.0/order/updateOrderMemo/"
    key = mall.connector()._rms._headers["Authorization"]
    body = '{"orderNumber": "1", "memo": "電話済み"}'
    for encoding in ("cp932", "utf-16"):
        answer = requests.post(
            url, data=body.encode(encoding), headers={"Authorization": key, "Content-Type": GOOD}, timeout=5
        )
        assert answer.status_code == 400
