"""Confirming, telling parcels, cancelling: once each, whatever happens to the answer."""

from datetime import UTC, datetime
from typing import Any

import pytest

from channels.connectors.contract import ChannelDown, Parcel, Refused
from channels.sandbox.model import SandboxOrder
from orders.channel_order import ChannelState
from tests.channels.rakuten.conftest import Mall

SENT = datetime(2026, 8, 4, 16, 0, tzinfo=UTC)  # the fifth of August in Tokyo


def ref(order: SandboxOrder) -> dict[str, Any]:
    return {"no": order.number, "extra": {}, "ordered_at": order.ordered_at}


def parcel(number: str, *line_ids: str, carrier: str = "yamato", reference: int = 1, name: str = "") -> Parcel:
    return Parcel(carrier, number, SENT, dict.fromkeys(line_ids, 1), reference, name)


def rows(mall: Mall, order: SandboxOrder) -> list[dict[str, Any]]:
    """What the mall holds."""
    return list(mall.world.order("rakuten", order.number).extra.get("shipping", []))


# ---- confirm ---------------------------------------------------------------------------------------------------------


def test_confirming_lets_the_order_go_on(mall: Mall):
    order = mall.sells()
    mall.connector().confirm(ref(order))
    assert mall.world.order("rakuten", order.number).state in ("ready", "confirmed")
    assert mall.read(order.number).confirmed_at is not None


def test_confirming_twice_is_success(mall: Mall):
    order = mall.sells()
    mall.connector().confirm(ref(order))
    mall.connector().confirm(ref(order))
    assert [told.accepted for told in mall.told("confirm")] == [True, False]


def test_a_cancelled_order_cannot_be_confirmed(mall: Mall):
    order = mall.sells()
    mall.world.cancel("rakuten", order.number, by="buyer")
    with pytest.raises(Refused, match="キャンセル"):
        mall.connector().confirm(ref(order))


def test_an_order_without_postage_cannot_be_confirmed(mall: Mall):
    order = mall.sells()
    mall.world.annotate("rakuten", order.number, wire={"postagePrice": -9999, "requestPrice": -9999})
    assert mall.read(order.number).totals is None
    with pytest.raises(Refused, match="送料"):
        mall.connector().confirm(ref(order))


def test_an_unknown_order_cannot_be_confirmed(mall: Mall):
    with pytest.raises(Refused):
        mall.connector().confirm({"no": "401122-20260803-0000000001"})


@pytest.mark.parametrize("fault", ["cut:1", "reset:1", "500:1", "503:1"])
def test_confirming_over_a_bad_line_ends_well(mall: Mall, fault: str):
    order = mall.sells()
    mall.breaks(f"rakuten:{fault}")
    try:
        mall.connector().confirm(ref(order))
    except ChannelDown as down:
        assert not down.uncertain
        mall.connector().confirm(ref(order))
    assert [told.accepted for told in mall.told("confirm")].count(True) == 1


def test_a_morning_of_orders_is_confirmed_in_one_call_and_looked_at_in_another(mall: Mall):
    placed = [mall.sells((mall.keys[n], 1)) for n in range(12)]
    begin = mall.time.now()
    assert mall.connector().confirm_all([ref(order) for order in placed]) == {}
    assert (mall.time.now() - begin).total_seconds() < 3  # RMS allows one call a second
    assert {mall.world.order("rakuten", order.number).state for order in placed} <= {"ready", "confirmed"}


def test_of_many_each_order_is_judged_for_itself(mall: Mall):
    good, gone, postage = (mall.sells((mall.keys[n], 1)) for n in range(3))
    mall.world.cancel("rakuten", gone.number, by="buyer")
    mall.world.annotate("rakuten", postage.number, wire={"postagePrice": -9999, "requestPrice": -9999})
    unknown = {"no": "401122-20260803-0000000000", "extra": {}, "ordered_at": good.ordered_at}
    troubles = mall.connector().confirm_all([ref(good), ref(gone), ref(postage), unknown])
    assert troubles.keys() == {gone.number, postage.number, unknown["no"]}
    assert "キャンセル" in troubles[gone.number].cause and "送料" in troubles[postage.number].cause
    assert isinstance(troubles[unknown["no"]], ChannelDown)  # RMS may leave it out just then: it comes again alone
    assert "見つかりません" in mall.connector().confirm_all([unknown])[unknown["no"]].cause


def test_many_that_are_all_refused_come_again_one_by_one(mall: Mall):
    placed = [mall.sells((mall.keys[n], 1)) for n in range(2)]
    for order in placed:
        mall.connector().confirm(ref(order))
    troubles = mall.connector().confirm_all([ref(order) for order in placed])
    assert {type(trouble) for trouble in troubles.values()} == {ChannelDown} and len(troubles) == 2
    for order in placed:
        mall.connector().confirm(ref(order))


@pytest.mark.parametrize("fault", ["cut", "reset"])
def test_many_without_an_answer_are_read_back(mall: Mall, fault: str):
    placed = [mall.sells((mall.keys[n], 1)) for n in range(3)]
    mall.sandbox.inject(f"rakuten:{fault}:1")
    troubles = mall.connector().confirm_all([ref(order) for order in placed])
    done = [mall.world.order("rakuten", order.number).state in ("ready", "confirmed") for order in placed]
    assert all(done) is (not troubles) and all(isinstance(one, ChannelDown) for one in troubles.values())


# ---- ship ------------------------------------------------------------------------------------------------------------


def test_a_parcel_is_told_with_company_number_and_day(mall: Mall):
    order = mall.sells_ready()
    mall.connector().ship(ref(order), [parcel("4901-2345-6789", order.lines[0].line_id)])
    (row,) = rows(mall, order)
    assert (row["deliveryCompany"], row["shippingNumber"], row["shippingDate"]) == (
        "1001",
        "4901-2345-6789",
        "2026-08-05",
    )
    assert mall.world.order("rakuten", order.number).state == "shipped"
    mall.time.skip(minutes=1)
    assert mall.read(order.number).state is ChannelState.SHIPPED
    assert mall.read(order.number).tracking_nos == ("4901-2345-6789",)


def test_telling_again_adds_nothing(mall: Mall):
    order = mall.sells_ready()
    told = [parcel("490123456789", order.lines[0].line_id)]
    mall.connector().ship(ref(order), told)
    mall.connector().ship(ref(order), told)
    assert len(rows(mall, order)) == 1
    assert len(mall.told("ship")) == 1


def test_several_parcels_of_one_order_each_get_a_row(mall: Mall):
    order = mall.sells_ready((mall.keys[0], 1), (mall.keys[1], 1))
    first, second = (line.line_id for line in order.lines)
    told = [parcel("111111111111", first), parcel("222222222222", second, carrier="sagawa", reference=2)]
    mall.connector().ship(ref(order), told[:1])
    mall.connector().ship(ref(order), told)
    assert [(row["shippingNumber"], row["deliveryCompany"]) for row in rows(mall, order)] == [
        ("111111111111", "1001"),
        ("222222222222", "1002"),
    ]


def test_two_destinations_get_their_own_parcels(mall: Mall):
    order = mall.world.place_order("rakuten", traits=["several_recipients"], payment="card")
    mall.world.confirm("rakuten", order.number)
    mall.world.fire("cleared", [order.number])
    lines: dict[int, list[str]] = {}
    for line in order.lines:
        lines.setdefault(line.destination, []).append(line.line_id)
    assert len(lines) == 2
    told = [parcel(f"{no}00000000000", *ids, reference=no) for no, ids in lines.items()]
    mall.connector().ship(ref(order), told[:1])
    assert mall.world.order("rakuten", order.number).state == "partially_shipped"
    mall.connector().ship(ref(order), told)
    assert mall.world.order("rakuten", order.number).state == "shipped"
    assert {row["basketId"]: row["shippingNumber"] for row in rows(mall, order)} == {
        place.destination_id: f"{place.no}00000000000" for place in order.destinations
    }


def test_a_corrected_number_replaces_the_old_one(mall: Mall):
    order = mall.sells_ready()
    line = order.lines[0].line_id
    mall.connector().ship(ref(order), [parcel("111111111111", line)])
    mall.connector().ship(ref(order), [parcel("333333333333", line, carrier="japanpost")])
    (row,) = rows(mall, order)
    assert (row["shippingNumber"], row["deliveryCompany"]) == ("333333333333", "1003")


@pytest.mark.parametrize(("name", "code"), [("西濃運輸", "1004"), ("福山通運", "1006"), ("町の便利屋", "1000")])
def test_other_carriers_are_told_by_name_where_rakuten_knows_them(mall: Mall, name: str, code: str):
    order = mall.sells_ready()
    mall.connector().ship(ref(order), [parcel("55", order.lines[0].line_id, carrier="other", name=name)])
    assert rows(mall, order)[0]["deliveryCompany"] == code


def test_more_than_twenty_parcels_go_in_several_calls(mall: Mall):
    order = mall.sells_ready()
    line = order.lines[0].line_id
    mall.connector().ship(ref(order), [parcel(f"7000{n:08d}", line, reference=n) for n in range(1, 24)])
    assert len(rows(mall, order)) == 23


def test_a_cancelled_order_cannot_be_shipped(mall: Mall):
    order = mall.sells_ready()
    mall.world.cancel("rakuten", order.number, by="buyer")
    with pytest.raises(Refused, match="キャンセル"):
        mall.connector().ship(ref(order), [parcel("1", order.lines[0].line_id)])


def test_an_order_that_is_not_ready_is_refused_with_the_code(mall: Mall):
    order = mall.sells()
    with pytest.raises(Refused, match="103"):
        mall.connector().ship(ref(order), [parcel("1", order.lines[0].line_id)])


def test_a_lost_answer_is_read_back_and_not_told_twice(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    """The row is written, the connection breaks, and nobody may write it again."""
    order = mall.sells_ready()
    connector = mall.connector()
    _cut_after(mall, connector, monkeypatch, "updateOrderShipping")
    connector.ship(ref(order), [parcel("490123456789", order.lines[0].line_id)])
    assert len(rows(mall, order)) == 1


def test_a_request_that_never_arrived_may_come_again(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    order = mall.sells_ready()
    connector = mall.connector()
    _cut_after(mall, connector, monkeypatch, "updateOrderShipping", fault="reset:1")
    told = [parcel("490123456789", order.lines[0].line_id)]
    with pytest.raises(ChannelDown) as down:
        connector.ship(ref(order), told)
    assert down.value.retry and not down.value.uncertain
    with pytest.raises(ChannelDown, match="反映"):  # it may still be on its way
        mall.connector().ship(ref(order), told)
    mall.time.skip(minutes=4)
    mall.connector().ship(ref(order), told)
    assert len(rows(mall, order)) == 1


def _cut_after(mall: Mall, connector: Any, monkeypatch: pytest.MonkeyPatch, name: str, fault: str = "cut:1") -> None:
    """Break exactly the call of this name."""
    rms = connector._rms
    send = rms.order

    def order(called: str, body: Any, *, idempotent: bool) -> Any:
        if called == name:
            mall.breaks(f"rakuten:{fault}")
        return send(called, body, idempotent=idempotent)

    monkeypatch.setattr(rms, "order", order)


# ---- cancel ----------------------------------------------------------------------------------------------------------


def test_cancelling_is_asked_and_settles_later(mall: Mall):
    order = mall.sells_ready()
    shown = mall.world.shown("rakuten", mall.keys[0]).quantity
    mall.connector().cancel(ref(order), "欠品")
    waiting = mall.read(order.number)
    mall.time.skip(minutes=5)
    settled = mall.read(order.number)
    assert (waiting.channel_state, waiting.state) == ("800", ChannelState.PROVISIONAL)
    assert (settled.channel_state, settled.state) == ("900", ChannelState.CANCELLED)
    assert settled.cancel_reason == "在庫切れ"
    assert mall.world.shown("rakuten", mall.keys[0]).quantity == shown


def test_cancelling_twice_asks_once(mall: Mall):
    order = mall.sells()
    mall.connector().cancel(ref(order), "お客様都合")
    mall.connector().cancel(ref(order), "お客様都合")
    assert len(mall.told("cancel")) == 1


def test_a_lost_answer_to_a_cancellation_is_read_back(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    order = mall.sells()
    connector = mall.connector()
    _cut_after(mall, connector, monkeypatch, "cancelOrder")
    connector.cancel(ref(order), "")
    assert len(mall.told("cancel")) == 1


def test_a_shipped_order_is_not_cancelled_from_here(mall: Mall):
    order = mall.sells_ready()
    mall.connector().ship(ref(order), [parcel("1", order.lines[0].line_id)])
    mall.time.skip(minutes=5)
    with pytest.raises(Refused, match="RMS"):
        mall.connector().cancel(ref(order), "")
