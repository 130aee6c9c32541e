"""Memos, payments, fewer pieces, late cancellations, relative stock, numbers: over HTTP, also when answers get lost."""

from datetime import timedelta

import pytest

from channels.connectors.contract import ChannelDown, CredentialsRefused, Refused, StockAdjust
from channels.connectors.yahoo import fetch
from channels.connectors.yahoo.changes import company_code, shipment_fields
from orders.channel_order import ChannelState, PaymentState
from tests.channels.yahoo.test_changes import now_at_mall, order_of, parcel


def with_extra(mall, placed):
    return {**order_of(placed), "extra": now_at_mall(mall, placed).extra}


def break_first(mall, monkeypatch, connector, name, fault):
    """The fault meets the first call of this name."""
    real, broken = connector.api.order_call, []

    def call(called, request, *, idempotent):
        if called == name and not broken:
            broken.append(name)
            mall.breaks(f"yahoo:{fault}")
        return real(called, request, idempotent=idempotent)

    monkeypatch.setattr(connector.api, "order_call", call)


def test_a_memo_stands_at_yahoo_and_is_read_back(mall):
    placed = mall.sells()
    mall.connector().write_memo(order_of(placed), "電話済み <午後> & のし変更")
    assert now_at_mall(mall, placed).shop_memo == "電話済み <午後> & のし変更"
    mall.connector().write_memo(order_of(placed), "電話済み <午後> & のし変更")
    assert len(mall.told("change")) == 1
    mall.connector().write_memo(order_of(placed), "")
    assert now_at_mall(mall, placed).shop_memo == ""


def test_a_memo_that_does_not_fit_is_refused_before_it_is_sent(mall):
    placed = mall.sells()
    with pytest.raises(Refused) as caught:
        mall.connector().write_memo(order_of(placed), "長" * 251)
    assert "250文字" in caught.value.cause
    assert mall.told("change") == []


def test_a_bank_transfer_is_marked_paid_and_may_ship(mall):
    placed = mall.sells(payment="bank")
    assert now_at_mall(mall, placed).payment_state is PaymentState.UNPAID
    for _ in range(2):
        mall.connector().report_payment(order_of(placed), mall.time.now())
    order = now_at_mall(mall, placed)
    assert (order.payment_state, order.state) == (PaymentState.PAID, ChannelState.OPEN)
    assert order.paid_at is not None and order.pay_by is None
    assert len(mall.told("payment")) == 1


def test_cash_that_came_after_delivery_completes_the_order(mall):
    placed = mall.sells(payment="cod")
    mall.connector().ship(order_of(placed), [parcel()])
    assert now_at_mall(mall, placed).channel_state == "2/3/0"
    mall.connector().report_payment(order_of(placed), mall.time.now() + timedelta(days=2))
    assert now_at_mall(mall, placed).channel_state == "5/3/1"
    assert len(mall.told("complete")) == 1


def test_a_card_cannot_be_marked_paid_by_the_shop_after_shipping_failed(mall):
    mall.simulator.authorization_ended = True
    placed = mall.sells()
    with pytest.raises(Refused) as caught:
        mall.connector().ship(order_of(placed), [parcel()])
    assert "代金を受け取れていません" in caught.value.cause
    order = now_at_mall(mall, placed)
    assert (order.state, order.payment_state) == (ChannelState.SHIPPED, PaymentState.FAILED)
    assert mall.told("complete") == []
    with pytest.raises(Refused):
        mall.connector().report_payment(order_of(placed), mall.time.now())


def test_fewer_pieces_stand_at_yahoo_and_twice_takes_nothing_more(mall):
    placed = mall.sells((mall.keys[0], 3), (mall.keys[1], 1))
    before = mall.world.shown("yahoo", mall.keys[0]).quantity
    order = with_extra(mall, placed)
    for _ in range(2):
        mall.connector().cancel_lines(order, {"1": 2}, "out_of_stock")
    assert [(line.line_id, line.quantity) for line in now_at_mall(mall, placed).lines] == [("1", 1), ("2", 1)]
    assert len(mall.told("quantity")) == 1
    assert mall.world.shown("yahoo", mall.keys[0]).quantity == before + 2
    mall.connector().cancel_lines(with_extra(mall, placed), {"2": 1}, "out_of_stock")
    assert [line.line_id for line in now_at_mall(mall, placed).lines] == ["1"]


def test_all_pieces_cancel_the_order(mall):
    placed = mall.sells((mall.keys[0], 2))
    mall.connector().cancel_lines(with_extra(mall, placed), {"1": 2}, "out_of_stock")
    order = now_at_mall(mall, placed)
    assert (order.state, order.cancel_reason) == (ChannelState.CANCELLED, "ストア都合：欠品")


@pytest.mark.parametrize("quantities", [{"9": 1}, {"1": 5}, {"1": -1}])
def test_pieces_that_are_not_there_are_refused(mall, quantities):
    placed = mall.sells((mall.keys[0], 2))
    with pytest.raises(Refused):
        mall.connector().cancel_lines(with_extra(mall, placed), quantities, "buyer")
    assert mall.told("quantity") == []


def test_more_than_ten_lines_go_in_two_calls(mall):
    placed = mall.sells(*((key, 2) for key in mall.keys[:12]))
    mall.connector().cancel_lines(with_extra(mall, placed), {str(line): 1 for line in range(1, 13)}, "buyer")
    assert [len(told.payload) for told in mall.told("quantity")] == [10, 2]
    assert {line.quantity for line in now_at_mall(mall, placed).lines} == {1}


def test_a_shipped_order_keeps_its_pieces(mall):
    placed = mall.sells((mall.keys[0], 2))
    order = with_extra(mall, placed)
    mall.connector().ship(order_of(placed), [parcel()])
    with pytest.raises(Refused):
        mall.connector().cancel_lines(order, {"1": 1}, "buyer")


def test_a_cancellation_that_yahoo_does_later_is_waited_for(mall):
    mall.simulator.cancels_after_s = 6
    placed = mall.sells()
    mall.connector().cancel(order_of(placed), "out_of_stock")
    assert now_at_mall(mall, placed).state is ChannelState.CANCELLED


def test_a_cancellation_that_takes_long_is_asked_for_again(mall):
    mall.simulator.cancels_after_s = 600
    placed = mall.sells()
    with pytest.raises(ChannelDown) as caught:
        mall.connector().cancel(order_of(placed), "out_of_stock")
    assert caught.value.uncertain and "まだ反映していません" in caught.value.cause
    mall.time.skip(seconds=600)
    assert now_at_mall(mall, placed).state is ChannelState.CANCELLED


def test_a_wish_to_cancel_is_answered_on_yahoos_page(mall):
    placed = mall.sells()
    with pytest.raises(Refused) as caught:
        mall.connector().answer_cancel(order_of(placed), accept=True, message="")
    assert placed.number in caught.value.cause


@pytest.mark.parametrize("fault", ["cut:1", "reset:1", "500:1", "503:1", "unapplied:1"])
@pytest.mark.parametrize("verb", ["memo", "payment", "lines", "cancel"])
def test_a_lost_or_forgotten_change_is_looked_up_and_stands_once(mall, monkeypatch, verb, fault):
    placed = mall.sells((mall.keys[0], 3), payment="bank")
    order, connector = with_extra(mall, placed), mall.connector()
    calls = {
        "memo": ("orderChange", "change", lambda: connector.write_memo(order, "済")),
        "payment": ("orderPayStatusChange", "payment", lambda: connector.report_payment(order, mall.time.now())),
        "lines": ("orderChange", "quantity", lambda: connector.cancel_lines(order, {"1": 2}, "buyer")),
        "cancel": ("orderStatusChange", "cancel", lambda: connector.cancel(order, "buyer")),
    }
    name, kind, run = calls[verb]
    break_first(mall, monkeypatch, connector, name, fault)
    run()
    now = now_at_mall(mall, placed)
    assert {
        "memo": now.shop_memo == "済",
        "payment": now.payment_state is PaymentState.PAID,
        "lines": sum(line.quantity for line in now.lines) == 1,
        "cancel": now.state is ChannelState.CANCELLED,
    }[verb]
    assert len([told for told in mall.told(kind) if told.accepted]) == 1


def test_a_shipment_that_was_accepted_and_forgotten_is_sent_again(mall, monkeypatch):
    placed = mall.sells()
    connector = mall.connector()
    break_first(mall, monkeypatch, connector, "orderShipStatusChange", "unapplied:1")
    connector.ship(order_of(placed), [parcel()])
    assert now_at_mall(mall, placed).channel_state == "5/3/1"
    assert [told.accepted for told in mall.told("ship")] == [False, True]


def test_a_change_that_never_shows_says_so(mall, monkeypatch):
    placed = mall.sells()
    mall.breaks("yahoo:unapplied")
    with pytest.raises(ChannelDown) as caught:
        mall.connector().write_memo(order_of(placed), "済")
    assert caught.value.uncertain and "反映されていません" in caught.value.cause


# ---- carriers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"),
    [("西濃運輸", "1004"), ("ＤＨＬ Express", "1018"), ("福山通運", "1006"), ("近所の便", "1000"), ("", "1000")],
)
def test_other_carriers_go_by_yahoos_numbers(name, code):
    assert company_code(parcel(carrier="other", carrier_name=name)) == code


def test_two_parcels_of_one_other_carrier_stand_beside_each_other():
    fields = shipment_fields(
        [
            parcel("111", carrier="other", carrier_name="西濃運輸"),
            parcel("222", carrier="other", carrier_name="西濃運輸", reference=2),
            parcel("333", carrier="other", carrier_name="福山通運", reference=3),
        ]
    )
    assert (fields["ShipCompanyCode"], fields["ShipInvoiceNumber1"], fields["ShipInvoiceNumber2"]) == (
        "1004",
        "111",
        "222",
    )
    assert fields["ShipNotes"] == "福山通運 333"


# ---- numbers, terms ------------------------------------------------------------------------------------------------


def test_the_numbers_of_a_day_are_told_with_few_calls(mall, monkeypatch):
    monkeypatch.setattr(fetch, "ROWS", 2)
    since = mall.time.now()
    placed = [mall.sells(settled=False) for _ in range(3)]
    mall.time.skip(seconds=2)
    late = mall.sells()
    mall.world.cancel("yahoo", placed[0].number, by="buyer")
    until = placed[-1].ordered_at + timedelta(seconds=1)
    pages = list(mall.connector().order_numbers(since - timedelta(seconds=1), until))
    told = [pair for page in pages for pair in page]
    assert [no for no, _at in told] == [one.number for one in placed]
    assert all(abs((at - one.ordered_at).total_seconds()) < 1 for (_, at), one in zip(told, placed, strict=True))
    assert late.number not in dict(told)


def test_what_ends_is_declared(mall):
    connector = mall.connector()
    assert connector.credential_terms["refresh_token"].days == 28
    assert connector.credential_terms["public_key"].days == 365
    can = connector.capabilities
    assert can.captures and can.memo and can.payment_report and can.partial_cancel and can.relative_stock
    assert can.cannot


@pytest.mark.parametrize("code", ["px-04303", "px-04306", "px-04307", "px-14303"])
def test_a_missing_permission_stops_the_shop_and_says_which(mall, code):
    mall.simulator.refuses = code
    with pytest.raises(CredentialsRefused) as caught:
        mall.connector().check()
    assert code in caught.value.detail


# ---- relative stock ------------------------------------------------------------------------------------------------


def adjust(mall, *pairs, connector=None):
    items = [StockAdjust(code, delta) for code, delta in pairs]
    return list((connector or mall.connector()).adjust_stock(items))


def shown(mall, key):
    return mall.world.shown("yahoo", key).quantity


def test_stock_goes_up_and_down_by_pieces(mall):
    first, second = mall.keys[:2]
    before = shown(mall, first), shown(mall, second)
    results = adjust(mall, (first, 3), (second, -2), (first, 1), ("no-such-item", 1), ("a b", 1))
    by_code = {one.listing_code: one for one in results}
    assert len(results) == 5
    assert (by_code[first].ok, by_code[first].confirmed) == (True, before[0] + 4)
    assert (by_code[second].ok, by_code[second].confirmed) == (True, before[1] - 2)
    assert not by_code["no-such-item"].ok and not by_code["a b"].ok
    assert (shown(mall, first), shown(mall, second)) == (before[0] + 4, before[1] - 2)


def test_no_more_is_taken_than_is_shown(mall):
    key = mall.keys[0]
    (result,) = adjust(mall, (key, -(shown(mall, key) + 50)))
    assert (result.ok, result.confirmed, shown(mall, key)) == (True, 0, 0)


@pytest.mark.parametrize("fault", ["cut:1", "reset:1", "500:1", "partial:1"])
def test_a_lost_adjustment_is_read_back_and_made_once(mall, monkeypatch, fault):
    first, second = mall.keys[:2]
    before = shown(mall, first), shown(mall, second)
    connector = mall.connector()
    real, broken = connector.api.form, []

    def form(name, fields, *, idempotent):
        if name == "setStock" and not broken:
            broken.append(name)
            mall.breaks(f"yahoo:{fault}")
        return real(name, fields, idempotent=idempotent)

    monkeypatch.setattr(connector.api, "form", form)
    results = adjust(mall, (first, 3), (second, -1), connector=connector)
    good = [one.ok for one in results]
    assert good == ([False, True] if fault.startswith("partial") else [True, True])
    assert (shown(mall, first), shown(mall, second)) == (before[0] + 3 * good[0], before[1] - 1)


def test_a_sum_that_cannot_be_explained_is_not_made_again(mall, monkeypatch):
    key = mall.keys[0]
    before = shown(mall, key)
    connector = mall.connector()
    real = connector.api.form

    def form(name, fields, *, idempotent):
        if name == "setStock":
            mall.breaks("yahoo:cut:1")
            try:
                return real(name, fields, idempotent=idempotent)
            finally:
                mall.sells((key, 1), settled=False)  # a sale between our call and our look
        return real(name, fields, idempotent=idempotent)

    monkeypatch.setattr(connector.api, "form", form)
    (result,) = adjust(mall, (key, 5), connector=connector)
    assert not result.ok and "送り直して" in result.error
    assert shown(mall, key) == before + 4


def test_an_adjustment_that_cannot_be_looked_at_is_told_as_unknown_and_raises_nothing(mall, monkeypatch):
    key = mall.keys[0]
    before = shown(mall, key)
    connector = mall.connector()
    real = connector.api.form

    def form(name, fields, *, idempotent):
        if name == "setStock":
            mall.breaks("yahoo:cut:1")
            try:
                return real(name, fields, idempotent=idempotent)
            finally:
                mall.breaks("yahoo:503")
        return real(name, fields, idempotent=idempotent)

    monkeypatch.setattr(connector.api, "form", form)
    (result,) = adjust(mall, (key, 5), connector=connector)
    assert not result.ok and "確認できません" in result.error
    assert shown(mall, key) == before + 5
