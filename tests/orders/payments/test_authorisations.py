"""Money that is held: asked for anew when it ends or is too little, taken lower or whole when the goods leave."""

from datetime import timedelta

import pytest

from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState
from orders.models import Order, OrderTask, PaymentEntry, Refund, ReviewReason
from orders.services import audit, authorisations, change_lines, ledger, payment_method, refunds, review, tasks
from orders.services.audit_money import violations as money_violations
from orders.services.cancel import Ask, cancel_orders, cancel_pieces
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped
from tests.orders.payments.builders import own_shop

pytestmark = pytest.mark.django_db
ACTOR = Actor()


def card(pieces=2, *, shop=None, days=30, state=PaymentState.AUTHORIZED) -> Order:
    told = make_channel_order(
        make_line(quantity=pieces),
        payment_method=PaymentMethod.CARD,
        payment_state=state,
        authorized_until=clock.now() + timedelta(days=days),
    )
    take_in(shop or own_shop(), [told], sku_of=mapped(make_sku(stock_units=20)))
    return fresh(Order.objects.get(channel_order_no=told.channel_order_no))


def fresh(order: Order) -> Order:
    return Order.objects.select_related("shop").get(pk=order.pk)


def goods_to(order: Order, pieces: int) -> Order:
    line = order.lines.get().pk
    wanted = change_lines.Wanted(fresh(order).version, {line: pieces}, ask=Ask(key=str(pieces)))
    change_lines.change(order.pk, wanted, actor=ACTOR)
    return fresh(order)


def asked() -> list[str]:
    return list(OrderTask.objects.filter(kind="reauthorize", done_at=None).values_list("text", flat=True))


def open_codes(order: Order) -> set[str]:
    return set(order.reasons.filter(state="open").values_list("code", flat=True))


def next_month():
    return clock.today() + timedelta(days=30)


def test_an_authorisation_that_ends_too_soon_is_asked_for_once_and_renewed_on_the_orders_page(client, aoi, ben):
    order, mall = card(days=2), card(days=2, shop=make_shop())
    assert "auth_expiring" in open_codes(order) and "auth_expiring" in open_codes(mall)
    assert authorisations.ask_renewals() == 1 and authorisations.ask_renewals() == 0, "a mall renews by itself"
    task = OrderTask.objects.get(kind="reauthorize")
    assert task.order == order and "¥2,500 の与信を取り直す" in task.text and task.due_at == order.authorized_until
    url = f"/orders/{order.pk}/payment/held/"
    client.force_login(ben)
    assert client.get(url).status_code == client.post(url).status_code == 403
    client.force_login(aoi)
    assert url in client.get(f"/orders/{order.pk}/payment/").content.decode()
    assert "今日より前" in client.post(url, {"until": "2020-01-01"}).content.decode()
    client.post(url, {"until": next_month().isoformat()})
    order = fresh(order)
    assert clock.in_tokyo(order.authorized_until).date() == next_month() and order.payment_state == "authorized"
    assert "auth_expiring" not in open_codes(order) and asked() == []
    assert order.events.get(kind="authorized_anew").by == aoi


def test_a_higher_total_asks_for_a_new_authorisation_and_then_the_order_goes_on():
    order = goods_to(card(), 3)
    assert order.stage == "review" and "amount_increased" in open_codes(order)
    authorisations.ask_renewals()
    assert "¥3,500 の与信" in asked()[0]
    authorisations.renew(order.pk, next_month(), actor=ACTOR)
    assert asked() == [] and open_codes(order) == set() and fresh(order).stage == "awaiting_stock"


def test_what_is_gone_is_not_asked_for():
    order = goods_to(card(), 3)
    authorisations.ask_renewals()
    cancel_orders([order.pk], reason="顧客都合", actor=ACTOR)
    authorisations.ask_renewals()
    assert asked() == []
    with pytest.raises(authorisations.NotHeld):
        authorisations.renew(order.pk, next_month(), actor=ACTOR)


def test_a_failed_card_may_be_held_later_but_not_what_a_mall_collects():
    failed, mall = card(state=PaymentState.FAILED), card(shop=make_shop())
    authorisations.renew(failed.pk, next_month(), actor=ACTOR)
    assert fresh(failed).payment_state == "authorized" and "auth_failed" not in open_codes(failed)
    with pytest.raises(authorisations.NotHeld, match="決済会社"):
        authorisations.renew(mall.pk, next_month(), actor=ACTOR)


def test_a_lower_total_is_captured_lower_and_what_comes_back_later_is_refunded_whole():
    order = card(3)
    line = order.lines.get().pk
    cancel_pieces(order.pk, {line: 1}, ask=Ask(key="k"), actor=ACTOR)
    order = fresh(order)
    assert (order.total, order.payment_state) == (2500, "authorized")
    assert not Refund.objects.exists(), "nothing was taken that could go back"
    assert refunds.money_left(order) == 2500
    Order.objects.filter(pk=order.pk).update(shipped_at=clock.now(), fulfillment_state="shipped")
    authorisations.ask_capture([order.pk])
    task = OrderTask.objects.get(kind="capture")
    assert "¥2,500 の売上を確定する" in task.text
    tasks.finish(task.pk, actor=ACTOR)
    order = fresh(order)
    assert (order.payment_state, order.paid_amount) == ("paid", 2500)
    assert PaymentEntry.objects.get().kind == "channel"
    refund = refunds.open_refund(order.pk, key="r", wish=refunds.Wish({line: 2}), reason="返品", actor=ACTOR)
    assert refund.amount == 2000
    assert [*audit.violations(), *money_violations()] == []


def test_a_capture_that_was_withdrawn_is_asked_again_once_the_goods_have_left():
    order = card()
    tasks.ask(authorisations.capture_tasks([order]))
    tasks.withdraw([authorisations.capture_key(order.pk)])
    Order.objects.filter(pk=order.pk).update(shipped_at=clock.now(), fulfillment_state="shipped")
    assert authorisations.ask_capture([order.pk]) == 1 and authorisations.ask_capture([order.pk]) == 0
    task = OrderTask.objects.get(kind="capture")
    assert task.done_at is None
    tasks.finish(task.pk, actor=ACTOR)
    assert fresh(order).payment_state == "paid" and authorisations.ask_capture([order.pk]) == 0


@pytest.mark.parametrize("called_off", ["cancelled", "paid otherwise"])
def test_money_that_is_not_wanted_any_more_is_not_taken(called_off):
    order = card()
    tasks.ask(authorisations.capture_tasks([order]))
    if called_off == "cancelled":
        cancel_orders([order.pk], reason="顧客都合", actor=ACTOR)
    else:
        assert payment_method.change([order.pk], PaymentMethod.BANK_TRANSFER, actor=ACTOR) == [order.pk]
    task = OrderTask.objects.get(kind="capture")
    assert task.done_at and not tasks.finish(task.pk, actor=ACTOR)
    assert fresh(order).paid_amount == 0
    assert OrderTask.objects.filter(kind="void", done_at=None).count() == 1


def test_the_task_to_take_held_money_names_the_total_that_stands():
    order = card(3)
    tasks.ask(authorisations.capture_tasks([order]))
    cancel_pieces(order.pk, {order.lines.get().pk: 1}, ask=Ask(key="k"), actor=ACTOR)
    task = OrderTask.objects.get(kind="capture")
    assert "¥2,500 の売上を確定する" in task.text
    tasks.finish(task.pk, actor=ACTOR)
    assert (fresh(order).payment_state, fresh(order).paid_amount) == ("paid", 2500)


def test_what_was_to_be_released_of_money_that_was_taken_goes_back_as_money():
    order = card()
    refund = refunds.open_refund(order.pk, key="r", wish=refunds.Wish({}, goodwill=500), reason="お詫び", actor=ACTOR)
    assert refund.way == Refund.Way.VOID
    Order.objects.filter(pk=order.pk).update(shipped_at=clock.now(), fulfillment_state="shipped")
    authorisations.ask_capture([order.pk])
    tasks.finish(OrderTask.objects.get(kind="capture").pk, actor=ACTOR)
    task = OrderTask.objects.get(key=f"refund:{refund.pk}")
    assert task.kind == "refund" and task.done_at is None
    tasks.finish(task.pk, actor=ACTOR)
    assert Refund.objects.get().state == "done" and fresh(order).paid_amount == 2000
    assert money_violations() == []


def test_a_capture_that_is_told_twice_is_money_once():
    order = card()
    Order.objects.filter(pk=order.pk).update(shipped_at=clock.now(), fulfillment_state="shipped")
    authorisations.ask_capture([order.pk])
    task = OrderTask.objects.get(kind="capture")
    assert tasks.finish(task.pk, actor=ACTOR) and not tasks.finish(task.pk, actor=ACTOR)
    authorisations.captured(task, ACTOR)
    assert fresh(order).paid_amount == 2500


@pytest.mark.parametrize("when", ["before it is asked for", "while it is asked for"])
def test_a_part_that_was_let_go_of_is_not_taken(when):
    order = card()
    if when == "while it is asked for":
        tasks.ask(authorisations.capture_tasks([order]))
    refund = refunds.open_refund(order.pk, key="r", wish=refunds.Wish({}, goodwill=500), reason="お詫び", actor=ACTOR)
    refunds.complete([refund.pk], actor=ACTOR)
    Order.objects.filter(pk=order.pk).update(shipped_at=clock.now(), fulfillment_state="shipped")
    authorisations.ask_capture([order.pk])
    task = OrderTask.objects.get(kind="capture")
    assert "¥2,000 の売上を確定する" in task.text
    tasks.finish(task.pk, actor=ACTOR)
    order = fresh(order)
    assert (order.payment_state, ledger.received(order), refunds.money_left(order)) == ("paid", 2000, 2000)
    back = refunds.open_refund(order.pk, key="all", wish=refunds.Wish(), reason="返品", actor=ACTOR)
    assert back.amount == 2000, "no more than was taken"
    assert [*audit.violations(), *money_violations()] == []


def test_what_went_with_its_cause_is_asked_for_when_it_comes_back_but_not_what_a_person_has_done(aoi):
    order = goods_to(card(), 3)
    assert authorisations.ask_renewals() == 1
    review.close_from_above([order.pk], "amount_increased")
    assert authorisations.ask_renewals() == 0 and asked() == []
    ReviewReason.objects.filter(order=order, code="amount_increased").update(state="open")
    assert authorisations.ask_renewals() == 1 and len(asked()) == 1
    tasks.finish(OrderTask.objects.get(kind="reauthorize").pk, actor=Actor(by=aoi))
    assert authorisations.ask_renewals() == 0 and asked() == []
