"""The fee of a payment method follows the goods: more, fewer and other ones, shown before and undone by hand alone."""

import pytest

from oms.kernel.clock import now
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.decide.payment_fees import FeeTable
from orders.models import Cancellation, Mail, Order, OrderTask, Refund
from orders.services import adjustments, audit, change_lines, payment, payment_fees, payment_method
from orders.services.audit_money import violations as money_violations
from orders.services.cancel import Ask, cancel_pieces
from orders.services.change_lines import Wanted
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped
from tests.orders.payments.builders import own_shop

pytestmark = pytest.mark.django_db
ACTOR = Actor()
RISING = FeeTable(((0, 330), (10_000, 440)))
FREE_ABOVE = FeeTable(((0, 330), (10_000, 0)))


def cash(price=4_000, pieces=2, *, shop=None, fee=330, method=PaymentMethod.COD, **fields) -> Order:
    """So many chairs and 500 for shipping, by cash on delivery unless said otherwise."""
    goods = price * pieces
    told = make_channel_order(
        make_line(quantity=pieces, price=price),
        payment_method=method,
        payment_state=fields.pop("payment_state", PaymentState.UNPAID),
        totals=Totals(goods=goods, shipping=500, fees=fee, total=goods + 500 + fee, tax=(goods + 500 + fee) // 11),
        **fields,
    )
    take_in(shop or own_shop(), [told], sku_of=mapped(make_sku(stock_units=20)))
    return fresh(Order.objects.get(channel_order_no=told.channel_order_no))


def fresh(order: Order) -> Order:
    return Order.objects.select_related("shop").get(pk=order.pk)


def goods_to(order: Order, pieces: int, **ask) -> Order:
    seen = fresh(order)
    wanted = Wanted(seen.version, {seen.lines.get().pk: pieces}, ask=Ask(key=f"to{pieces}", **ask))
    change_lines.change(order.pk, wanted, actor=ACTOR)
    return fresh(order)


def take(order: Order, pieces: int, **ask) -> Order:
    cancel_pieces(order.pk, {order.lines.get().pk: pieces}, ask=Ask(key=f"less{pieces}", **ask), actor=ACTOR)
    return fresh(order)


def table(steps=RISING, method="cod", shop=None):
    payment_fees.save_table(shop or own_shop(), method, steps)


def all_is_well() -> bool:
    return not [*audit.violations(), *money_violations()]


def test_more_goods_reach_the_next_step_ask_the_buyer_and_tell_the_carts_page():
    table()
    order = goods_to(cash(), 3)
    assert (order.fees, order.total) == (440, 12_940)
    assert order.tax == 12_940 // 11, "rounded once for the whole"
    draft = Mail.objects.get(order=order, event="inquiry")
    assert draft.state == Mail.State.DRAFT
    assert "¥330 から ¥440" in draft.extra["mail.message"] and "¥12,940" in draft.extra["mail.message"]
    assert "手数料 ¥330 → ¥440" in OrderTask.objects.get(order=order).text
    event = order.events.get(kind="lines_changed")
    assert ("fees", "¥330", "¥440") in {(v.field, v.before, v.after) for v in event.values.all()}
    assert all_is_well()


def test_fewer_goods_fall_to_the_step_before_and_nobody_is_asked():
    table()
    order = take(cash(pieces=3, fee=440), 1)
    assert (order.fees, order.total) == (330, 8_830)
    assert Cancellation.objects.get().amount == 4_110
    assert not Mail.objects.filter(event="inquiry").exists() and not Refund.objects.exists()
    assert "手数料を ¥330 に、合計を ¥8,830 に変える" in OrderTask.objects.get(key__startswith="fee:").text
    assert all_is_well()


def test_a_fee_that_came_back_because_goods_went_is_asked_of_the_buyer():
    table(FREE_ABOVE)
    order = take(cash(pieces=3, fee=0), 1)
    assert (order.fees, order.total) == (330, 8_830)
    assert "¥0 から ¥330" in Mail.objects.get(event="inquiry").extra["mail.message"]


def test_a_person_may_leave_the_fee_as_it_is():
    table()
    assert goods_to(cash(), 3, keep_fee=True).fees == 330
    assert take(cash(pieces=3, fee=440), 1, keep_fee=True).fees == 440


def test_a_malls_total_binds_and_without_a_table_the_fee_stays():
    mall = make_shop()
    table(shop=mall)
    assert take(cash(pieces=3, fee=440, shop=mall), 1).fees == 440
    assert goods_to(cash(), 3).fees == 330
    table(method="deferred")
    assert goods_to(cash(), 4).fees == 330, "another method's table"


def test_a_fee_that_a_rule_put_on_stays_beside_the_methods_own():
    table()
    order = cash()
    adjustments.put_on([adjustments.New(order.pk, adjustments.FEE, "ギフト", 100, "r:1")])
    assert fresh(order).fees == 430
    order = goods_to(order, 3)
    assert (order.fees, order.total) == (540, 13_040)
    payment_fees.save_table(own_shop(), "bank_transfer", FeeTable(((0, 0),)))
    payment_method.change([order.pk], "bank_transfer", actor=ACTOR)
    assert fresh(order).fees == 100


def test_what_was_paid_for_a_fee_that_fell_goes_back_with_the_pieces():
    table(method="convenience")
    order = cash(pieces=3, fee=440, method=PaymentMethod.CONVENIENCE)
    payment.record_payments([order.pk], actor=ACTOR)
    order = take(order, 1)
    refund = Refund.objects.get()
    assert (order.total, refund.goods, refund.surplus, refund.amount) == (8_830, 4_000, 110, 4_110)
    assert order.paid_amount - refund.amount == order.total and all_is_well()


def test_a_fee_that_rose_is_kept_from_the_refund_of_the_pieces():
    table(FREE_ABOVE, method="convenience")
    order = cash(pieces=3, fee=0, method=PaymentMethod.CONVENIENCE)
    payment.record_payments([order.pk], actor=ACTOR)
    order = take(order, 1)
    refund = Refund.objects.get()
    assert (refund.amount, refund.deduction) == (3_670, 330)
    assert order.paid_amount - refund.amount == order.total == 8_830 and all_is_well()


def test_goods_that_make_the_fee_free_give_back_what_they_do_not_use():
    table(FREE_ABOVE, method="convenience")
    order = cash(price=9_400, pieces=1, method=PaymentMethod.CONVENIENCE)
    payment.record_payments([order.pk], actor=ACTOR)
    sticker = make_sku("STICKER", stock_units=3, price=100)
    item = change_lines.Item(sticker.pk, sticker.code, sticker.name, 10, 1, 100)
    change_lines.change(order.pk, Wanted(fresh(order).version, {}, [item]), actor=ACTOR)
    order, refund = fresh(order), Refund.objects.get()
    assert (order.fees, order.total, refund.amount, order.payment_state) == (0, 10_000, 230, "refund_due")
    assert all_is_well()


def test_money_that_others_hold_does_not_reach_a_dearer_order():
    table(method="card")
    order = cash(method=PaymentMethod.CARD, payment_state=PaymentState.AUTHORIZED, authorized_until=now())
    order = goods_to(order, 3)
    assert order.total == 12_940 and order.stage == "review"
    assert "¥12,940" in order.reasons.get(code="amount_increased").evidence


def test_the_preview_shows_the_fee_before_anything_is_saved(client, aoi):
    table()
    order = cash()
    client.force_login(aoi)
    url, line = f"/orders/{order.pk}/lines/", order.lines.get()
    typed = {"version": order.version, "key": "k", "asked_by": "customer", f"line-{line.pk}": 3, "step": "preview"}
    rows = {f"new-{n}-{name}": "" for n in range(3) for name in ("sku", "quantity", "price")}
    page = client.post(url, typed | rows).content.decode()
    assert "¥440" in page and "¥12,940" in page and "確認メールを下書き" in page
    assert fresh(order).fees == 330
    kept = client.post(url, typed | rows | {"keep_fee": "on"}).content.decode()
    assert "¥12,830" in kept and "確認メールを下書き" not in kept
    client.post(url, typed | rows | {"step": "save"})
    assert fresh(order).total == 12_940
    assert "手数料を今の ¥440 のままにする" in client.get(f"/orders/{order.pk}/cancel/").content.decode()
