"""No payload breaks an import: it is read, or said to be unreadable."""

import json

import pytest

from channels.connectors.futureshop.parse import parse_order
from tests.channels.futureshop.payloads import order, product, shipment
from tests.channels.fuzz import survives, without_each_key

RICH = order(
    couponName="夏のクーポン",
    couponList=[{"id": 31, "name": "夏のクーポン"}],
    productCouponDiscountTotal=300,
    shipmentList=[
        shipment(products=[product(optionList=[{"name": "のし", "selectionItem": "御祝"}])], giftWrappingLabel="花柄"),
        shipment(2, [product(optionPriceList=[{"name": "名入れ", "selectionName": "あり", "price": 330}])]),
    ],
)
WRAPPED = {"cancelRequested": False, "order": RICH}
NEEDED = {"order", "orderNo", "date", "shipmentList", "productList", "count", "price"}


@pytest.mark.parametrize("seed", range(4))
def test_varied_payloads_are_read_or_refused(seed: int):
    read, refused = survives(parse_order, WRAPPED, runs=700, seed=seed)
    assert read > 100 and refused > 20


def test_no_single_missing_key_but_the_needed_ones_stops_an_order():
    for path, payload in without_each_key(WRAPPED):
        if path.rpartition(".")[2] not in NEEDED:
            assert parse_order(payload).channel_order_no == RICH["orderNo"], path


@pytest.mark.parametrize("key", ["type", "status", "paymentStatus", "receiptDate", "dateLastUpdated", "couponList"])
@pytest.mark.parametrize("value", ["?", "NEW_CODE", 123456789, ["x"], {"x": 1}, True])
def test_a_strange_optional_value_stops_nothing(key: str, value: object):
    assert parse_order(json.dumps({"order": order(**{key: value})})).lines
