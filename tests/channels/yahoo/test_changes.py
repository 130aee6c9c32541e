"""Shipment and cancellation over HTTP, also when the answer is lost."""

from datetime import UTC, datetime

import pytest

from channels.connectors.contract import ChannelDown, Parcel, Refused
from channels.connectors.yahoo.changes import shipment_fields
from orders.channel_order import ChannelState, PaymentState


def parcel(number="4901-2345-6789", *, carrier="yamato", reference=1, **given):
    at = datetime(2026, 8, 3, 16, 30, tzinfo=UTC)
    return Parcel(carrier=carrier, tracking_no=number, shipped_at=at, lines={"1": 1}, reference=reference, **given)


def order_of(placed):
    return {"no": placed.number, "extra": {}, "ordered_at": placed.ordered_at}


def now_at_mall(mall, placed):
    connector = mall.connector()
    return connector.parse(connector.fetch_order(placed.number).payload)


def test_a_shipped_order_is_captured_and_completed(mall):
    placed = mall.sells()
    mall.connector().ship(order_of(placed), [parcel()])
    order = now_at_mall(mall, placed)
    assert (order.state, order.payment_state) == (ChannelState.SHIPPED, PaymentState.PAID)
    assert order.tracking_nos == ("4901-2345-6789",)
    assert order.channel_state == "5/3/1"
    (told,) = mall.told("ship")
    assert (told.payload["ShipCompanyCode"], told.payload["ShipDate"]) == ("1001", "20260804")
    assert len(mall.told("complete")) == 1


def test_cash_on_delivery_is_shipped_and_stays_open(mall):
    placed = mall.sells(payment="cod")
    mall.connector().ship(order_of(placed), [parcel()])
    assert now_at_mall(mall, placed).channel_state == "2/3/0"


def test_two_parcels_of_one_carrier(mall):
    placed = mall.sells()
    mall.connector().ship(order_of(placed), [parcel("111122223333"), parcel("444455556666", reference=2)])
    assert now_at_mall(mall, placed).tracking_nos == ("111122223333", "444455556666")


def test_a_third_parcel_goes_into_the_notes():
    fields = shipment_fields(
        [parcel("1111"), parcel("3333", reference=3, carrier="sagawa"), parcel("2222", reference=2)]
    )
    assert (fields["ShipInvoiceNumber1"], fields["ShipInvoiceNumber2"]) == ("1111", "2222")
    assert fields["ShipNotes"] == "佐川急便 3333"


def test_telling_a_shipment_twice_is_harmless(mall):
    placed = mall.sells()
    for _ in range(2):
        mall.connector().ship(order_of(placed), [parcel()])
    assert len(mall.told("ship")) == 1


def test_a_corrected_number_replaces_the_old_one(mall):
    placed = mall.sells(payment="cod")
    mall.connector().ship(order_of(placed), [parcel()])
    mall.connector().ship(order_of(placed), [parcel("4900-0000-0001")])
    assert now_at_mall(mall, placed).tracking_nos == ("4900-0000-0001",)


@pytest.mark.parametrize("fault", ["cut:1", "500:1", "reset:1"])
def test_a_lost_answer_is_looked_up_before_telling_again(mall, fault, monkeypatch):
    placed = mall.sells()
    connector = mall.connector()
    real, broken = connector.api.order_call, []

    def call(name, request, *, idempotent):
        if name == "orderShipStatusChange" and not broken:
            broken.append(name)
            mall.breaks(f"yahoo:{fault}")
        return real(name, request, idempotent=idempotent)

    monkeypatch.setattr(connector.api, "order_call", call)
    connector.ship(order_of(placed), [parcel()])
    assert len(mall.told("ship")) == 1
    assert now_at_mall(mall, placed).channel_state == "5/3/1"


def test_completion_waits_for_the_settlement(mall):
    mall.simulator.settles_after_s = 4
    placed = mall.sells()
    mall.connector().ship(order_of(placed), [parcel()])
    assert now_at_mall(mall, placed).channel_state == "5/3/1"


def test_a_refused_completion_says_so_and_can_be_repeated(mall):
    mall.simulator.settles_after_s = 1000
    placed = mall.sells()
    with pytest.raises(Refused) as caught:
        mall.connector().ship(order_of(placed), [parcel()])
    assert "出荷は通知できました" in caught.value.cause
    mall.time.skip(seconds=1000)
    mall.connector().ship(order_of(placed), [parcel()])
    assert (len(mall.told("ship")), len(mall.told("complete"))) == (1, 1)


def test_full_width_and_long_dashes_become_a_number():
    assert shipment_fields([parcel("４９０１ー２３４５‐６７８９")])["ShipInvoiceNumber1"] == "4901-2345-6789"
    assert shipment_fields([parcel("1234-5678-9012", carrier="japanpost")])["ShipInvoiceNumber1"] == "123456789012"


@pytest.mark.parametrize(("number", "carrier"), [("12A4", "yamato"), ("123", "japanpost"), ("伝票なし", "sagawa")])
def test_an_impossible_number_is_refused_before_it_is_sent(number, carrier):
    with pytest.raises(Refused):
        shipment_fields([parcel(number, carrier=carrier)])


def test_without_tracking_a_reason_is_given(mall):
    placed = mall.sells()
    mall.connector().ship(order_of(placed), [parcel("", carrier="other")])
    (told,) = mall.told("ship")
    assert told.payload["ShipInvoiceNumberEmptyReason"] == "105"


def test_in_the_buyers_minutes_nothing_is_shipped(mall):
    placed = mall.sells(settled=False)
    with pytest.raises(Refused) as caught:
        mall.connector().ship(order_of(placed), [parcel()])
    assert "od91102" in caught.value.cause
    assert mall.told("ship") == []


def test_an_unknown_order_is_refused(mall):
    with pytest.raises(Refused):
        mall.connector().ship({"no": "akari-store-1"}, [parcel()])


def test_cancelling_says_why_and_twice_is_harmless(mall):
    placed = mall.sells()
    for _ in range(2):
        mall.connector().cancel(order_of(placed), "out_of_stock")
    order = now_at_mall(mall, placed)
    assert (order.state, order.cancel_reason) == (ChannelState.CANCELLED, "ストア都合：欠品")
    assert len(mall.told("cancel")) == 1


def test_free_words_are_recorded_as_other(mall):
    placed = mall.sells()
    mall.connector().cancel(order_of(placed), "お客様のご依頼")
    assert "お客様のご依頼" in now_at_mall(mall, placed).cancel_reason


def test_a_shipped_order_cannot_be_cancelled(mall):
    placed = mall.sells()
    mall.connector().ship(order_of(placed), [parcel()])
    with pytest.raises(Refused):
        mall.connector().cancel(order_of(placed), "buyer")


def test_a_lasting_outage_leaves_the_outcome_open(mall):
    placed = mall.sells()
    connector = mall.connector()
    connector.check()
    mall.breaks("yahoo:500")
    with pytest.raises(ChannelDown):
        connector.ship(order_of(placed), [parcel()])


def test_confirming_has_no_step_here(mall):
    placed = mall.sells()
    mall.connector().confirm(order_of(placed))
    assert not mall.connector().capabilities.confirm
    assert mall.world.journal(channel="yahoo") == []
