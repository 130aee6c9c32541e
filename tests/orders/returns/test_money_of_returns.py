"""What a return does to money that nobody has entered, that is still owed, or that pays for other goods."""

import random

import pytest

from fulfillment.models import Shipment
from fulfillment.services import stop
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.printing import record_printed
from fulfillment.services.reopen import parcel_returned
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import Balance
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.models import IssuedDocument, Mail, Order, OrderTask, PaperSettings, PaymentEntry, Refund, ReturnCase
from orders.services import exchange, payment, refunds, returns
from orders.services.cancel import cancel_orders
from orders.services.journal import Actor
from orders.services.returns import Refused, Settlement
from tests.orders.builders import make_line, make_location, make_shop, make_sku
from tests.orders.payments.builders import own_shop
from tests.orders.returns.test_returns import ACTOR, again, all_is_true, shipped

pytestmark = pytest.mark.django_db


def cash(shop, *lines, skus, **fields) -> Order:
    told = {"payment_method": PaymentMethod.COD, "payment_state": PaymentState.UNPAID, "payment_name": "代金引換"}
    return shipped(shop, *lines, skus=skus, **(told | fields))


def came_back(order, pieces=None, *, reason="customer", received=None, actor=ACTOR) -> ReturnCase:
    """A case of these pieces (all), inspected."""
    wanted = pieces or {line.pk: line.quantity for line in order.lines.all()}
    case = returns.open_case(order.pk, wanted, reason=reason, key=f"k{ReturnCase.objects.count()}", actor=actor)
    returns.approve(case.pk, actor=actor)
    return arrived(case, received, actor=actor)


def arrived(case, received=None, *, actor=ACTOR) -> ReturnCase:
    counts = {line.pk: line.quantity if received is None else received for line in case.lines.all()}
    returns.receive(case.pk, counts, actor=actor)
    grades = {(sku, "good"): count for sku, count in returns.received_units(again(case)).items()}
    returns.inspect(case.pk, grades, location_id=make_location().pk, actor=actor)
    return again(case)


def everything(case) -> dict[int, int]:
    return dict(case.lines.values_list("line", "received"))


# ---- cash on delivery


def test_cash_that_the_driver_took_goes_back_by_transfer():
    order = cash(own_shop(), make_line("CHAIR", 2), skus=[make_sku(stock_units=2)])
    case = came_back(order, {order.lines.get().pk: 1})
    returns.settle(case.pk, Settlement({order.lines.get().pk: 1}), actor=ACTOR)
    refund = Refund.objects.get()
    assert (refund.amount, refund.way, again(order).payment_state) == (1000, "bank", "refund_due")
    assert [(e.kind, e.amount) for e in order.payments.all()] == [("carrier", 2500)]
    assert OrderTask.objects.filter(key=f"refund:{refund.pk}", done_at=None).exists()
    refunds.complete([refund.pk], actor=ACTOR)
    assert again(order).paid_amount == 1500
    all_is_true()


def test_cash_that_was_refused_at_the_door_was_never_paid():
    cash(own_shop(), skus=[make_sku(stock_units=1)])
    case = parcel_returned(Shipment.objects.get().pk, actor=ACTOR)
    arrived(case)
    returns.settle(case.pk, Settlement(everything(case)), actor=ACTOR)
    assert not Refund.objects.exists() and not PaymentEntry.objects.exists() and again(case).state == "settled"
    all_is_true()


@pytest.mark.parametrize(("reason", "asked"), [("refused", False), ("too_late", True)])
def test_goods_nobody_asked_to_return_may_never_have_been_paid_for(reason, asked):
    order = cash(own_shop(), skus=[make_sku(stock_units=1)])
    case = came_back(order, reason=reason)
    if asked:
        with pytest.raises(Refused, match="入金を登録"):
            returns.settle(case.pk, Settlement(everything(case)), actor=ACTOR)
    returns.settle(case.pk, Settlement(everything(case), note="受取拒否"), actor=ACTOR)
    assert not Refund.objects.exists() and not PaymentEntry.objects.exists()
    all_is_true()


def test_cash_of_an_order_that_left_in_part_is_asked_for_first():
    chair, desk = make_sku("CHAIR", stock_units=1), make_sku("DESK", stock_units=1)
    order = cash(own_shop(), make_line("CHAIR"), make_line("DESK"), skus=[chair, desk])
    Order.objects.filter(pk=order.pk).update(fulfillment_state="partially_shipped")
    line = order.lines.first()
    case = came_back(order, {line.pk: 1})
    with pytest.raises(Refused, match="入金を登録"):
        returns.settle(case.pk, Settlement({line.pk: 1}), actor=ACTOR)
    assert again(case).state == "inspected"
    payment.record_payments([order.pk], amount=1500, actor=ACTOR)
    returns.settle(case.pk, Settlement({line.pk: 1}), actor=ACTOR)
    assert Refund.objects.get().amount == 1000


# ---- sent before payment


def sent_unpaid(**fields) -> Order:
    order = shipped(own_shop(), make_line("CHAIR", 2), skus=[make_sku(stock_units=2)], **fields)
    Order.objects.filter(pk=order.pk).update(payment_method="bank_transfer", payment_state="unpaid", ships_unpaid=True)
    return again(order)


def test_goods_that_were_not_paid_yet_lower_what_is_owed():
    order = sent_unpaid()
    line = order.lines.get().pk
    case = came_back(order, {line: 1})
    returns.settle(case.pk, Settlement({line: 1}, deduction=300), actor=ACTOR)
    assert not Refund.objects.exists()
    assert [(e.kind, e.amount) for e in order.payments.all()] == [("credited", 700)]
    assert again(order).payment_state == "partially_paid"
    payment.record_payments([order.pk], actor=ACTOR)
    assert again(order).payment_state == "paid"
    assert order.payments.get(kind="recorded").amount == 1800, "two pieces and shipping, less what came back"
    all_is_true()


def test_goodwill_that_lowers_what_is_owed_is_not_paid_out_on_top():
    order = sent_unpaid()
    line = order.lines.get().pk
    payment.record_payments([order.pk], amount=500, actor=ACTOR)
    case = came_back(order, {line: 1})
    returns.settle(case.pk, Settlement({line: 1}, goodwill=400), actor=ACTOR)
    assert order.payments.get(kind="credited").amount == 1400 and not Refund.objects.exists()
    payment.record_payments([order.pk], actor=ACTOR)
    assert sum(entry.amount for entry in order.payments.exclude(kind="credited")) == order.total - 1400
    all_is_true()


def test_of_an_order_paid_in_part_only_what_is_over_goes_back():
    order = sent_unpaid()
    line = order.lines.get().pk
    payment.record_payments([order.pk], amount=1000, actor=ACTOR)
    case = came_back(order)
    returns.settle(case.pk, Settlement({line: 2}), actor=ACTOR)
    refund = Refund.objects.get()
    assert (refund.amount, refund.deduction) == (500, 1500)
    assert order.payments.get(kind="credited").amount == 1500
    refunds.complete([refund.pk], actor=ACTOR)
    assert again(order).paid_amount == order.total - 500, "what stands is the shipping, and it is paid"
    all_is_true()


# ---- exchanges


def exchanged(price: int, *, paid=1000, quantity=1, ship_first=False, shop=None, **fields) -> ReturnCase:
    """Goods for `paid` each, for which a desk of this price is sent."""
    chair, desk = make_sku("CHAIR", stock_units=quantity), make_sku("DESK", stock_units=3)
    line = make_line("CHAIR", quantity, price=paid)
    order = shipped(shop or make_shop(), line, skus=[chair], **fields)
    pieces = {order.lines.get().pk: quantity}
    case = returns.open_case(order.pk, pieces, reason="not_as_expected", key="x", kind="exchange", actor=ACTOR)
    return exchange.approve(case.pk, [exchange.Item(desk.pk, 1, price)], ship_first=ship_first, actor=ACTOR)


def test_goods_that_pay_for_dearer_ones_are_not_paid_back_as_well():
    case = arrived(exchanged(1500))
    with pytest.raises(Refused, match="交換・再送の受注"):
        returns.settle(case.pk, Settlement(everything(case)), actor=ACTOR)
    returns.settle(case.pk, Settlement({}, note="交換のため返金なし"), actor=ACTOR)
    assert not Refund.objects.exists() and again(case.exchange_order).total == 500
    all_is_true()


def test_what_a_cheaper_exchange_saves_goes_back_with_its_tax_and_paper():
    shop = make_shop(registration_no="T1234567890123")
    PaperSettings.objects.create(shop=shop, credit_notes="always", issuers={"": "we"})
    case = arrived(exchanged(700, shop=shop))
    assert exchange.difference(case) == 300
    returns.settle(case.pk, Settlement({}, difference=300), actor=ACTOR)
    refund = Refund.objects.get()
    assert (refund.amount, refund.difference, refund.goods) == (300, 300, 0)
    assert refund.tax_by_rate == [[10, 300, 27]]
    assert IssuedDocument.objects.get(kind="credit_note").amount == 300
    all_is_true()


def test_an_exchange_waits_for_a_person_when_not_everything_came_back(client_of, aoi):
    case = exchanged(1500, quantity=2)
    client = client_of(aoi)
    line = case.lines.get()
    page = client.post(f"/orders/returns/{case.pk}/receive/", {f"piece-{line.pk}": "1"}, follow=True).content.decode()
    assert "保留のままです" in page and again(case.exchange_order).stage == "on_hold"
    assert exchange.missing_value(ReturnCase.objects.get(pk=case.pk)) == 1000
    all_is_true()


def test_once_its_exchange_is_cancelled_the_goods_are_paid_back():
    case = exchanged(1500)
    cancel_orders([case.exchange_order_id], reason="交換をやめる", actor=ACTOR)
    case = arrived(case)
    returns.settle(case.pk, Settlement(everything(case)), actor=ACTOR)
    assert Refund.objects.get(order=case.order_id).amount == 1000
    all_is_true()


@pytest.mark.parametrize("seed", range(6))
def test_an_exchange_costs_what_its_goods_cost(seed):
    dice = random.Random(seed)
    paid, quantity, new = dice.randint(100, 3000), dice.randint(1, 3), dice.randint(0, 6000)
    off, points = dice.randint(0, 90), dice.choice([0, 50])
    totals = Totals(
        goods=paid * quantity, shipping=500, discount=off, points=points, total=paid * quantity + 500 - off - points
    )
    case = arrived(exchanged(new, paid=paid, quantity=quantity, totals=totals))
    worth = sum(exchange.return_money.value_by_rate(case).values())
    back = exchange.difference(case)
    returns.settle(case.pk, Settlement({}, difference=back, note="交換"), actor=ACTOR)
    given = sum(Refund.objects.values_list("amount", flat=True))
    assert case.exchange_order.total - back == new - worth, "one or the other, and never both"
    assert not (case.exchange_order.total and back)
    assert given == min(back, totals.total), "never more than was paid"
    all_is_true()


# ---- goods that never come


def test_withdrawing_a_return_cancels_what_was_to_be_sent_instead():
    case = exchanged(1000)
    desk = Balance.objects.get(sku__code="DESK", location=None)
    assert desk.reserved == 1
    assert exchange.withdraw(case.pk, note="お客様が使い続ける", actor=ACTOR).orders == [case.exchange_order_id]
    assert again(case.exchange_order).stage == "cancelled" and again(desk).reserved == 0
    assert again(case).state == "withdrawn" and not Mail.objects.filter(event="cancelled").exists()
    with pytest.raises(Refused):
        exchange.withdraw(case.pk, actor=ACTOR)
    all_is_true()


def test_what_is_being_packed_instead_is_asked_to_stop():
    case = exchanged(1000, ship_first=True)
    allocate_waiting()
    parcel = instruct_orders([case.exchange_order_id], actor=ACTOR).shipments[0]
    record_printed([parcel], "pick_printed", by=None)
    assert exchange.withdraw(case.pk, note="不要", actor=ACTOR).waiting == [case.exchange_order_id]
    stop.stopped(parcel, actor=ACTOR)
    assert again(case.exchange_order).stage == "cancelled"
    all_is_true()


def sent_first(price: int) -> ReturnCase:
    case = exchanged(price, ship_first=True)
    if price > 1000:
        payment.record_payments([case.exchange_order_id], actor=ACTOR)
    allocate_waiting()
    parcel = instruct_orders([case.exchange_order_id], actor=ACTOR).shipments[0]
    confirm_shipments([Departure(parcel, "yamato", "471203984425")], actor=ACTOR)
    return ReturnCase.objects.get(pk=case.pk)


def test_what_was_sent_first_is_charged_or_a_note_says_why_not():
    case = sent_first(1000)
    with pytest.raises(Refused, match="請求"):
        exchange.withdraw(case.pk, actor=ACTOR)
    assert again(case).state == "approved"
    exchange.withdraw(case.pk, note="お詫びとして差し上げる", actor=ACTOR)
    assert again(case).state == "withdrawn" and again(case.exchange_order).payment_state == "paid"
    all_is_true()


@pytest.mark.parametrize(("price", "owed"), [(1000, 1000), (700, 700), (1500, 1000)])
def test_goods_that_never_come_leave_what_was_sent_to_be_paid(price, owed):
    case = sent_first(price)
    exchange.withdraw(case.pk, charge=True, actor=ACTOR)
    sent = again(case.exchange_order)
    assert sent.total - sent.paid_amount == owed and sent.stage == "shipped"
    assert sent.payment_state == ("partially_paid" if price > 1000 else "unpaid")
    draft = Mail.objects.get(order=sent, event="payment_request", state="draft")
    assert draft.order_id == sent.pk
    payment.record_payments([sent.pk], actor=Actor())
    assert again(sent).payment_state == "paid"
    all_is_true()
