"""Seller check, sending and cancelling over HTTP, also when the answer is lost."""

from datetime import date

import pytest

from channels.connectors.contract import ChannelDown, Parcel, Refused
from channels.connectors.qoo10 import changes
from channels.connectors.qoo10.changes import planned_date, sendings
from orders.channel_order import ChannelState


def parcel(mall, placed, number="4000-0000-0001", *, lines=(1,), carrier="yamato", reference=1, **given):
    units = {line.line_id: line.quantity for line in placed.lines if line.line_no in lines}
    return Parcel(
        carrier=carrier, tracking_no=number, shipped_at=mall.time.now(), lines=units, reference=reference, **given
    )


def test_confirming_checks_all_lines_with_a_planned_day(mall):
    placed = mall.sells((mall.keys[0], 1), (mall.keys[1], 1))
    mall.connector().confirm(mall.for_connector(placed.number))
    order = mall.seen(placed.number)
    assert (order.state, order.ship_by.date()) == (ChannelState.OPEN, date(2026, 8, 6))
    assert len(mall.told("confirm")) == 1


def test_confirming_twice_is_success(mall):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    for _ in range(2):
        mall.connector().confirm(order)
    assert mall.seen(placed.number).state is ChannelState.OPEN


def test_an_unpaid_order_cannot_be_confirmed(mall):
    placed = mall.sells(payment="konbini")
    with pytest.raises(Refused) as caught:
        mall.connector().confirm(mall.for_connector(placed.number))
    assert "配送要請" in caught.value.cause


def test_many_baskets_are_checked_in_one_call_and_each_is_judged_for_itself(mall):
    first, second = mall.sells(), mall.sells((mall.keys[0], 1), (mall.keys[1], 1))
    unpaid = mall.sells(payment="konbini")
    wanted = [mall.for_connector(placed.number) for placed in (first, second, unpaid)]
    asked = []
    connector = mall.connector()
    send, connector.api.call = (
        connector.api.call,
        lambda method, *args, **given: (
            asked.append(method),
            send(method, *args, **given),
        )[1],
    )
    troubles = connector.confirm_all([*wanted, {"no": "9", "extra": {}, "ordered_at": mall.time.now()}])
    assert asked.count(changes.codes.SELLER_CHECK) == 1
    assert troubles.keys() == {unpaid.number, "9"} and "配送要請" in troubles[unpaid.number].cause
    assert {mall.seen(placed.number).state for placed in (first, second)} == {ChannelState.OPEN}


@pytest.mark.parametrize(
    ("extra", "planned"),
    [
        ({"paid_on": "2026-08-05"}, (date(2026, 8, 10), "1")),
        ({"paid_on": "2026-08-06"}, (date(2026, 8, 11), "1")),
        ({"paid_on": "2026-07-01"}, (date(2026, 8, 8), "1")),
        ({}, (date(2026, 8, 12), "1")),
        ({"paid_on": "2026-08-03", "available_on": "2026-09-10"}, (date(2026, 9, 10), "4")),
        ({"available_on": "2026-08-01"}, (date(2026, 8, 8), "4")),
        ({"paid_on": "2026-08-05", "wish_on": "2026-08-20"}, (date(2026, 8, 18), "3")),
        ({"paid_on": "2026-08-05", "wish_on": "2026-08-11"}, (date(2026, 8, 10), "1")),
    ],
)
def test_planned_days(extra, planned):
    assert planned_date(extra, date(2026, 8, 7)) == planned


def test_a_sent_basket_carries_its_tracking(mall):
    placed = mall.sells((mall.keys[0], 2), (mall.keys[1], 1))
    order = mall.for_connector(placed.number)
    mall.connector().confirm(order)
    mall.connector().ship(order, [parcel(mall, placed, lines=(1, 2))])
    seen = mall.seen(placed.number)
    assert (seen.state, seen.tracking_nos) == (ChannelState.SHIPPED, ("400000000001",))
    assert [line.shipped_quantity for line in seen.lines] == [2, 1]
    assert mall.told("ship")[0].payload["ShippingCorp"] == "ヤマト宅急便"


def test_two_parcels_one_after_the_other(mall):
    placed = mall.sells((mall.keys[0], 1), (mall.keys[1], 1))
    order = mall.for_connector(placed.number)
    mall.connector().confirm(order)
    first, second = parcel(mall, placed), parcel(mall, placed, "5000000000", lines=(2,), carrier="sagawa", reference=2)
    mall.connector().ship(order, [first])
    assert mall.seen(placed.number).state is ChannelState.OPEN
    mall.connector().ship(order, [first, second])
    seen = mall.seen(placed.number)
    assert (seen.state, seen.tracking_nos) == (ChannelState.SHIPPED, ("400000000001", "5000000000"))
    assert len(mall.told("ship")) == 2


def test_sending_twice_is_told_once(mall):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    for _ in range(2):
        mall.connector().ship(order, [parcel(mall, placed)])
    assert len(mall.told("ship")) == 1


@pytest.mark.parametrize("fault", ["cut:1", "500:1", "reset:1"])
def test_a_lost_answer_is_looked_up_before_sending_again(mall, fault, monkeypatch):
    placed = mall.sells((mall.keys[0], 1), (mall.keys[1], 1))
    order = mall.for_connector(placed.number)
    real, broken = changes._bulk, []

    def bulk(api, method, *given, **options):
        if not broken:
            broken.append(method)
            mall.breaks(f"qoo10:{fault}")
        return real(api, method, *given, **options)

    monkeypatch.setattr(changes, "_bulk", bulk)
    mall.connector().ship(order, [parcel(mall, placed, lines=(1, 2))])
    assert len(mall.told("ship")) == 2
    assert mall.seen(placed.number).state is ChannelState.SHIPPED


def test_a_number_used_within_the_basket_is_refused_for_the_second_line(mall):
    mall.simulator.strict_tracking = True
    placed = mall.sells((mall.keys[0], 1), (mall.keys[1], 1))
    with pytest.raises(Refused) as caught:
        mall.connector().ship(mall.for_connector(placed.number), [parcel(mall, placed, lines=(1, 2))])
    assert "すでに使われています" in caught.value.cause
    assert [line.shipped_quantity for line in mall.seen(placed.number).lines] == [1, 0]


def test_another_number_for_a_sent_line_is_refused(mall):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    mall.connector().ship(order, [parcel(mall, placed)])
    with pytest.raises(Refused) as caught:
        mall.connector().ship(order, [parcel(mall, placed, "400000000002")])
    assert "別の送り状番号" in caught.value.cause


def test_an_order_whose_buyer_wants_to_cancel_is_not_sent(mall):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    mall.world.request_cancel("qoo10", placed.number, "不要")
    with pytest.raises(Refused) as caught:
        mall.connector().ship(order, [parcel(mall, placed)])
    assert "申請中" in caught.value.cause
    assert mall.told("ship") == []


def test_carrier_names_are_the_shops_own(mall):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    with pytest.raises(Refused) as caught:
        mall.connector(carrier_yamato="クロネコ").ship(order, [parcel(mall, placed)])
    assert "配送会社名" in caught.value.cause
    mall.connector(carrier_yamato="ネコポス").ship(order, [parcel(mall, placed)])
    assert mall.told("ship")[0].payload["ShippingCorp"] == "ネコポス"


def test_another_carrier_is_told_by_its_name(mall):
    placed = mall.sells()
    (row,) = sendings({}, [parcel(mall, placed, carrier="other", carrier_name="西濃運輸")])
    assert row["ShippingCorp"] == "西濃運輸"
    with pytest.raises(Refused):
        sendings({}, [parcel(mall, placed, number=" - ")])


def test_cancelling_is_told_once_per_line(mall):
    placed = mall.sells((mall.keys[0], 1), (mall.keys[1], 1))
    order = mall.for_connector(placed.number)
    for _ in range(2):
        mall.connector().cancel(order, "お客様のご依頼")
    assert mall.seen(placed.number).state is ChannelState.CANCELLED
    assert len(mall.told("cancel")) == 2


def test_a_sent_order_cannot_be_cancelled(mall):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    mall.connector().ship(order, [parcel(mall, placed)])
    with pytest.raises(Refused):
        mall.connector().cancel(order, "お客様のご依頼")


def test_a_lost_cancellation_is_looked_up(mall, monkeypatch):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    connector = mall.connector()
    real = connector.api.call

    def call(method, fields, **given):
        if method.endswith("SetCancelProcess"):
            mall.breaks("qoo10:cut:1")
        return real(method, fields, **given)

    monkeypatch.setattr(connector.api, "call", call)
    connector.cancel(order, "delay")
    assert len(mall.told("cancel")) == 1


def test_a_lasting_outage_leaves_the_outcome_open(mall):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    mall.breaks("qoo10:500")
    with pytest.raises(ChannelDown):
        mall.connector().ship(order, [parcel(mall, placed)])


def test_without_order_numbers_nothing_is_told(mall):
    with pytest.raises(Refused):
        mall.connector().confirm({"no": "1", "extra": {}})
