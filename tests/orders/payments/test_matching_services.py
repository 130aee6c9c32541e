"""Bank files, matches, and undoing them."""

from datetime import date

import pytest

from oms.kernel import clock
from orders.models import (
    BankLine,
    BankMatch,
    Mail,
    MailTemplate,
    Order,
    OrderTask,
    PayerAlias,
    PaymentEntry,
    Refund,
    ReviewReason,
)
from orders.queries import matching as page
from orders.services import audit, bank_files, matching
from orders.services.journal import Actor
from tests.orders.payments.builders import NAMES, notice, own_shop, statement, unpaid

pytestmark = pytest.mark.django_db


def load(content: bytes, account: str = "") -> bank_files.Loaded:
    read = bank_files.read(content)
    return bank_files.load(read.lines, name="a.txt", layout=read.layout, account=account or read.account, actor=Actor())


def accept_sure(actor: Actor) -> int:
    pairs = page.sure_pairs(list(BankLine.objects.values_list("pk", flat=True)))
    for line, amounts in pairs:
        matching.accept(line, amounts, actor=actor)
    return len(pairs)


def test_story_06_a_bank_file_loaded_twice_books_once_and_a_wrong_match_is_undone(aoi):
    orders = [unpaid(name, price=1000 + 10 * at, number=at) for at, name in enumerate(NAMES)]
    assert {order.stage for order in orders} == {"awaiting_payment"} and len(orders) == 40
    today = clock.today()
    content = notice([(today, order.total, order.buyer_kana) for order in orders])
    first = load(content)
    assert (first.fresh, first.known) == (40, 0)
    actor = Actor(by=aoi, action="t")
    assert accept_sure(actor) == 40
    second = load(content)
    assert (second.fresh, second.known) == (0, 40)
    assert accept_sure(actor) == 0
    assert BankMatch.objects.filter(undone_at=None).count() == 40
    assert PaymentEntry.objects.count() == 40, "nothing was paid twice"
    assert set(Order.objects.values_list("payment_state", flat=True)) == {"paid"}
    assert not Order.objects.filter(stage="awaiting_payment").exists()
    assert audit.violations() == []

    wrong = BankMatch.objects.order_by("pk").first()
    matching.undo([wrong.pk], actor=actor)
    matching.undo([wrong.pk], actor=actor)
    order = Order.objects.get(pk=wrong.order_id)
    assert (order.stage, order.payment_state, order.paid_amount, order.paid_at) == (
        "awaiting_payment",
        "unpaid",
        0,
        None,
    )
    assert BankLine.objects.get(pk=wrong.line_id).state == "open"
    assert audit.violations() == []
    assert accept_sure(actor) == 1, "the right match is made after all"
    assert BankMatch.objects.filter(undone_at=None).count() == 40


def test_two_equal_transfers_of_one_day_are_two_lines_and_a_longer_file_brings_only_the_second(db):
    day = date(2026, 11, 20)
    morning, evening = [(day, 3000, "ヤマダ タロウ")], [(day, 3000, "ヤマダ タロウ")] * 2
    assert load(notice(morning)).fresh == 1
    assert load(notice(evening)).fresh == 1
    assert load(notice(evening)).fresh == 0


def test_the_same_transfer_in_the_other_layout_is_known(db):
    day = date(2026, 11, 20)
    assert load(notice([(day, 3000, "ヤマダ タロウ")])).fresh == 1
    assert load(statement([(day, 3000, "ヤマダ タロウ", "1"), (day, 900, "デンキ", "2")])).fresh == 0


def line_of(amount: int, payer: str) -> BankLine:
    load(notice([(clock.today(), amount, payer)]))
    return BankLine.objects.order_by("-pk").first()


def test_a_short_transfer_stops_the_order_with_a_reason_and_the_second_one_lets_it_go(aoi):
    order, actor = unpaid(price=1000), Actor(by=aoi)
    matching.accept(line_of(1000, "ヤマダ ハナコ").pk, {order.pk: 1000}, actor=actor)
    order.refresh_from_db()
    reason = ReviewReason.objects.get(order=order, code="paid_short")
    assert (order.payment_state, order.stage, reason.state) == ("partially_paid", "review", "open")
    assert "¥500" in reason.evidence
    matching.accept(line_of(500, "ヤマダ ハナコ").pk, {order.pk: 500}, actor=actor)
    order.refresh_from_db()
    reason.refresh_from_db()
    assert (order.payment_state, reason.state) == ("paid", "auto_resolved")
    assert order.stage not in {"review", "awaiting_payment"}
    assert audit.violations() == []


def test_too_much_money_ships_and_says_so(aoi):
    order = unpaid(price=1000)
    matching.accept(line_of(2000, "ヤマダ ハナコ").pk, {order.pk: 2000}, actor=Actor(by=aoi))
    order.refresh_from_db()
    assert order.payment_state == "overpaid" and order.stage not in {"review", "awaiting_payment"}
    assert ReviewReason.objects.get(order=order, code="paid_over").level == "warn"


def test_one_transfer_pays_several_orders_and_all_are_undone_apart(aoi):
    first, second = unpaid(price=1000), unpaid(price=2000)
    line = line_of(4000, "ヤマダ ハナコ")
    (card,) = page.matching_page(personal=True)["likely"]
    assert {c.id: c.share for c in card.orders} == {first.pk: 1500, second.pk: 2500}
    matching.accept(line.pk, {first.pk: 1500, second.pk: 2500}, actor=Actor(by=aoi))
    line.refresh_from_db()
    assert line.state == "matched"
    matching.undo([BankMatch.objects.get(order=first).pk], actor=Actor(by=aoi))
    first.refresh_from_db()
    second.refresh_from_db()
    line.refresh_from_db()
    assert (first.payment_state, second.payment_state, line.state) == ("unpaid", "paid", "open")


def test_undoing_once_more_leaves_the_line_to_the_match_that_came_after(aoi):
    order, line = unpaid(price=1000), line_of(1500, "ヤマダ ハナコ")
    matching.accept(line.pk, {order.pk: 1500}, actor=Actor(by=aoi))
    wrong = BankMatch.objects.get().pk
    matching.undo([wrong], actor=Actor(by=aoi))
    matching.accept(line.pk, {order.pk: 1500}, actor=Actor(by=aoi))
    matching.undo([wrong], actor=Actor(by=aoi))
    line.refresh_from_db()
    assert line.state == "matched" and matching.rest_of(line) == 0 and not audit.violations()


def test_the_same_line_is_accepted_once_and_never_for_more_than_it_is(aoi):
    order, line = unpaid(price=1000), line_of(1500, "ヤマダ ハナコ")
    with pytest.raises(matching.CannotMatch):
        matching.accept(line.pk, {order.pk: 1501}, actor=Actor(by=aoi))
    matching.accept(line.pk, {order.pk: 1500}, actor=Actor(by=aoi))
    with pytest.raises(matching.CannotMatch):
        matching.accept(line.pk, {order.pk: 1500}, actor=Actor(by=aoi))
    order.refresh_from_db()
    assert order.paid_amount == 1500


def test_accepting_teaches_the_name_and_undoing_forgets_it(aoi):
    order = unpaid("ヤマダ ハナコ", price=1000)
    line = line_of(1500, "ベツノ メイギ")
    matching.accept(line.pk, {order.pk: 1500}, actor=Actor(by=aoi))
    later = unpaid("ヤマダ ハナコ", price=7000)
    unpaid("ホカノ ヒト", price=7000, number=7)
    line_of(7500, "ベツノ メイギ")
    (card,) = page.matching_page(personal=True)["likely"]
    assert [c.id for c in card.orders] == [later.pk] and order.member_id == later.member_id
    matching.undo([BankMatch.objects.get().pk], actor=Actor(by=aoi))
    assert not PayerAlias.objects.exists()


def test_money_for_a_cancelled_order_is_booked_and_asked_back(aoi):
    order = unpaid(price=1000)
    from orders.services.cancel import cancel_orders  # noqa: PLC0415 - named where it is used

    cancel_orders([order.pk], reason="未入金", actor=Actor(by=aoi))
    matching.accept(line_of(1500, "ヤマダ ハナコ").pk, {order.pk: 1500}, actor=Actor(by=aoi))
    order.refresh_from_db()
    refund = Refund.objects.get(order=order)
    assert (refund.amount, refund.way, refund.state, order.payment_state) == (1500, "bank", "due", "refund_due")
    assert set(OrderTask.objects.filter(order=order).values_list("kind", flat=True)) == {"refund", "cancel"}
    assert order.stage == "cancelled"


def test_the_buyer_is_thanked_where_a_template_is_in_use(aoi):
    MailTemplate.objects.create(event="payment_received", subject="入金 {{ order.number }}", body="どうも", shop=None)
    order = unpaid(price=1000, shop=own_shop())
    matching.accept(line_of(1500, "ヤマダ ハナコ").pk, {order.pk: 1500}, actor=Actor(by=aoi))
    assert Mail.objects.filter(order=order, event="payment_received").count() == 1


def test_a_line_is_parked_and_set_aside_but_not_when_it_pays_something(aoi):
    actor, line = Actor(by=aoi), line_of(1500, "デンキ ダイ")
    assert matching.set_aside([line.pk], "other", actor=actor) == 1
    assert matching.set_aside([line.pk], "open", actor=actor) == 1
    order = unpaid(price=500)
    matching.accept(line.pk, {order.pk: 1000}, actor=actor)
    assert matching.set_aside([line.pk], "other", actor=actor) == 0
