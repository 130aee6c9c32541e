"""Telling shipments, and what cannot be told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from channels.connectors.contract import ChannelDown, Parcel, Refused
from channels.sandbox.model import SandboxOrder
from orders.channel_order import ChannelState
from tests.channels.futureshop.conftest import Mall

SENT = datetime(2026, 8, 4, 16, 0, tzinfo=UTC)  # the fifth of August in Tokyo


def ref(order: SandboxOrder) -> dict[str, Any]:
    return {"no": order.number, "extra": {}, "ordered_at": order.ordered_at}


def parcel(number: str, reference: int = 1, **lines: int) -> Parcel:
    return Parcel(
        "yamato", number, SENT, {key.replace("_", "-").lstrip("-"): count for key, count in lines.items()}, reference
    )


def held(mall: Mall, order: SandboxOrder, shipment: int = 1) -> dict[str, str]:
    """What the shop holds."""
    return dict(mall.world.order("futureshop", order.number).extra.get("shipments", {}).get(str(shipment), {}))


def test_a_parcel_is_told_with_number_and_day(mall: Mall):
    order = mall.sells()
    mall.connector().ship(ref(order), [parcel("400000000001", _1_1=1)])
    assert held(mall, order) == {"invoiceNo": "400000000001", "expectedArrival": "", "shippingDate": "2026-08-05"}
    got = mall.read(order.number)
    assert (got.state, got.tracking_nos) == (ChannelState.SHIPPED, ("400000000001",))


def test_telling_again_writes_nothing(mall: Mall):
    order = mall.sells()
    mall.connector().ship(ref(order), [parcel("400000000001")])
    mall.connector().ship(ref(order), [parcel("400000000001")])
    assert len(mall.told("ship")) == 1
    assert mall.told("correct_parcel") == []


def test_several_parcels_share_the_field_and_the_last_one_brings_the_day(mall: Mall):
    order = mall.sells((mall.keys[0], 2), (mall.keys[1], 1))
    first, second = parcel("400000000001", _1_1=2), parcel("400000000002", 2, _1_2=1)
    mall.connector().ship(ref(order), [first])
    assert held(mall, order)["shippingDate"] == ""
    assert mall.world.order("futureshop", order.number).state == "ready"
    mall.connector().ship(ref(order), [first, second])
    assert held(mall, order) == {
        "invoiceNo": "400000000001 400000000002",
        "expectedArrival": "",
        "shippingDate": "2026-08-05",
    }
    assert mall.world.order("futureshop", order.number).state == "shipped"


def test_two_destinations_are_told_apart_and_the_other_one_is_not_touched(mall: Mall):
    order = mall.world.place_order("futureshop", traits=["several_recipients"], payment="card")
    assert len({line.destination for line in order.lines}) == 2
    mall.connector().ship(ref(order), [parcel("1", _1_1=9, _1_2=9, _1_3=9)])
    assert held(mall, order, 1)["invoiceNo"] == "1"
    assert held(mall, order, 2) == {}
    mall.connector().ship(ref(order), [parcel("1", _1_1=9, _1_2=9, _1_3=9), parcel("2", 2, _2_1=9, _2_2=9, _2_3=9)])
    assert (held(mall, order, 1)["invoiceNo"], held(mall, order, 2)["invoiceNo"]) == ("1", "2")
    assert mall.world.order("futureshop", order.number).state == "shipped"


def test_a_corrected_number_keeps_the_expected_arrival(mall: Mall):
    order = mall.sells()
    mall.connector().ship(ref(order), [parcel("111")])
    kept = {**held(mall, order), "expectedArrival": "2026-08-07"}
    mall.world.annotate("futureshop", order.number, shipments={"1": kept})
    mall.connector().ship(ref(order), [parcel("222")])
    assert held(mall, order) == {"invoiceNo": "222", "expectedArrival": "2026-08-07", "shippingDate": "2026-08-05"}


def test_numbers_are_kept_whole_within_the_fields_bytes(mall: Mall):
    order = mall.sells()
    mall.connector().ship(ref(order), [parcel(f"4000000000{n:02d}", n) for n in range(1, 12)])
    numbers = held(mall, order)["invoiceNo"].split()
    assert numbers == [f"4000000000{n:02d}" for n in range(1, 8)]


def test_a_locked_order_may_be_tried_later(mall: Mall):
    order = mall.sells()
    mall.simulator.locked = {order.number}
    with pytest.raises(ChannelDown, match="ロック") as locked:
        mall.connector().ship(ref(order), [parcel("1")])
    assert locked.value.retry_after_s == 300
    mall.simulator.locked = set()
    mall.connector().ship(ref(order), [parcel("1")])
    assert held(mall, order)["invoiceNo"] == "1"


def test_a_store_pickup_is_left_to_a_person(mall: Mall):
    order = mall.sells()
    mall.simulator.store_pickup = {order.number}
    with pytest.raises(Refused, match="店舗受取"):
        mall.connector().ship(ref(order), [parcel("1")])


def test_a_cancelled_order_cannot_be_shipped(mall: Mall):
    order = mall.sells()
    mall.world.cancel("futureshop", order.number, by="buyer")
    with pytest.raises(Refused, match="注文取消"):
        mall.connector().ship(ref(order), [parcel("1")])


@pytest.mark.parametrize("fault", ["cut:1", "reset:1", "500:1", "503:1", "429:2"])
def test_shipping_over_a_bad_line_is_told_once(mall: Mall, fault: str):
    order = mall.sells()
    connector = mall.connector()
    connector.check()
    mall.breaks(f"futureshop:{fault}")
    connector.ship(ref(order), [parcel("400000000001")])
    assert held(mall, order)["invoiceNo"] == "400000000001"
    assert len(mall.told("ship")) == 1


def test_an_unknown_order_is_refused(mall: Mall):
    with pytest.raises(Refused):
        mall.connector().ship({"no": "999999999999"}, [parcel("1")])


def test_cancelling_is_a_task_for_the_admin(mall: Mall):
    order = mall.sells()
    assert not mall.connector().capabilities.cancel
    with pytest.raises(Refused, match="管理画面"):
        mall.connector().cancel(ref(order), "欠品")


def test_there_is_nothing_to_confirm(mall: Mall):
    order = mall.sells()
    mall.connector().confirm(ref(order))
    assert mall.world.journal(channel="futureshop") == []


# ---- 処理済 ----------------------------------------------------------------------------------------------------------


def status(mall: Mall, order: SandboxOrder) -> str:
    return mall.read(order.number).channel_state


def test_an_order_is_completed_with_its_last_parcel_where_the_shop_wants_it(mall: Mall):
    order = mall.sells((mall.keys[0], 2), (mall.keys[1], 1))
    first, second = parcel("400000000001", _1_1=2), parcel("400000000002", 2, _1_2=1)
    mall.connector(complete="はい").ship(ref(order), [first])
    assert status(mall, order) == "AWAITING_PAYMENT"
    for _ in range(2):
        mall.connector(complete="はい").ship(ref(order), [first, second])
    assert status(mall, order) == "COMPLETED" and len(mall.told("complete")) == 1


@pytest.mark.parametrize("answer", ["", "いいえ"])
def test_an_order_is_left_open_where_the_shop_does_not_ask_for_it(mall: Mall, answer: str):
    order = mall.sells()
    mall.connector(complete=answer).ship(ref(order), [parcel("400000000001")])
    assert status(mall, order) == "AWAITING_PAYMENT" and not mall.told("complete")


@pytest.mark.parametrize("fault", ["cut:3", "reset:3", "500:3", "unapplied:2"])
def test_completing_comes_through_trouble(mall: Mall, fault: str):
    order = mall.sells()
    mall.connector().ship(ref(order), [parcel("400000000001")])
    mall.sandbox.inject(f"futureshop:{fault}")
    for _try in range(6):
        try:
            mall.connector(complete="yes").ship(ref(order), [parcel("400000000001")])
            break
        except ChannelDown as trouble:
            mall.time.skip(seconds=trouble.retry_after_s or 20)
    assert status(mall, order) == "COMPLETED" and held(mall, order)["invoiceNo"] == "400000000001"


def test_an_order_that_cannot_be_completed_says_that_its_shipment_stands(mall: Mall):
    order = mall.sells()
    mall.connector().ship(ref(order), [parcel("400000000001")])
    mall.simulator.store_pickup = {order.number}
    with pytest.raises(Refused, match="出荷を登録しましたが") as caught:
        mall.connector(complete="はい").ship(ref(order), [parcel("400000000001")])
    assert "管理画面" in caught.value.cause
