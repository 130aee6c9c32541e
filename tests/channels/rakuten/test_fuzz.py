"""No payload breaks an import: it is read, or said to be unreadable."""

import json

import pytest

from channels.connectors.rakuten.parse import parse_order
from channels.sandbox.rakuten.render import order_model
from tests.channels.fuzz import survives, without_each_key
from tests.channels.rakuten.conftest import Mall
from tests.channels.rakuten.payloads import item, order, package, sender

RICH = order(
    WrappingModel1={"title": 1, "name": "花柄", "price": 220, "includeTaxFlag": 1, "deleteWrappingFlag": 0},
    CouponModelList=[
        {"couponName": "店舗", "couponCapitalCode": 1, "couponTotalPrice": 300, "itemDetailId": 5101, "itemId": 1}
    ],
    ChangeReasonModelList=[{"changeType": 0, "changeReasonDetail": 1, "changeCmplDatetime": None}],
    DueDateModelList=[{"dueDateType": 0, "dueDate": "2026-10-21"}],
    PackageModelList=[
        package(
            items=[item(selectedChoice="のし：御祝\n名入れ:あり"), item(5102)],
            ShippingModelList=[{"shippingDetailId": 1, "shippingNumber": "1", "shippingDate": "2026-10-20"}],
            DeliveryCvsModel={"storeCode": "1", "storeName": "京都店"},
            SocialGiftModel={"sgMngNumber": "S1", "inputFlag": 1, "inputDueDate": "2026-10-30"},
        ),
        package(5200, [item(5201)], SenderModel=sender(familyName="林"), noshi="御祝"),
    ],
)
NEEDED = {"orderNumber", "orderDatetime", "PackageModelList", "ItemModelList", "itemDetailId", "units", "price"}


@pytest.mark.parametrize("seed", range(4))
def test_varied_payloads_are_read_or_refused(seed: int):
    read, refused = survives(parse_order, RICH, runs=700, seed=seed)
    assert read > 100 and refused > 20


def test_no_single_missing_key_but_the_needed_ones_stops_an_order():
    for path, payload in without_each_key(RICH):
        if path.rpartition(".")[2] not in NEEDED:
            assert parse_order(payload).channel_order_no == RICH["orderNumber"], path


@pytest.mark.parametrize("key", ["deliveryDate", "shippingTerm", "orderProgress", "subStatusId", "cautionDisplayType"])
@pytest.mark.parametrize("value", ["?", "new-code", 123456789, ["x"], {"x": 1}, True])
def test_a_strange_optional_value_stops_nothing(key: str, value: object):
    assert parse_order(json.dumps(order(**{key: value}))).lines


@pytest.mark.parametrize("version", range(3, 11))
def test_every_version_of_the_model_is_read_alike(mall: Mall, version: int):
    placed = mall.sells_ready()
    model = order_model(placed, "relay@pc.fw.rakuten.ne.jp", mall.time.now(), version)
    got = parse_order(json.dumps(model))
    assert (got.totals.total, got.state.value, len(got.lines)) == (placed.amount_due, "open", 1)
