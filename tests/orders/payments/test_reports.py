"""A channel that the connector cannot tell of a payment is told by a person, and told again when it was none."""

import pytest

from oms.kernel import clock
from oms.kernel.models import Effect
from orders.models import BankLine, BankMatch, Mail, OrderTask, PaymentGate
from orders.services import bank_files, matching, payment, tasks
from orders.services import mail as mailing
from orders.services.journal import Actor
from tests.orders.payments.builders import notice, own_shop, unpaid

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _templates():
    mailing.ensure_standard_templates()


def reports() -> list[tuple[str, bool]]:
    rows = OrderTask.objects.filter(kind="report").order_by("pk")
    return [(task.text.rpartition("、")[2], task.done_at is not None) for task in rows]


def pay(order, aoi) -> None:
    payment.record_payments([order.pk], actor=Actor(by=aoi))


def undo(order, aoi) -> None:
    entry = order.payments.filter(kind="recorded").last()
    assert payment.undo_entry(order.pk, entry.pk, actor=Actor(by=aoi))


def test_a_payment_asks_a_person_to_tell_the_channel_on_its_own_page(aoi):
    order = unpaid()
    pay(order, aoi)
    task = OrderTask.objects.get(kind="report")
    assert order.channel_order_no in task.text and "¥1,500" in task.text
    assert task.link == f"https://shop.example.com/orders/{order.channel_order_no}"
    assert not Effect.objects.filter(kind="channel_payment").exists()
    payment.follow([order.pk], actor=Actor())
    assert OrderTask.objects.filter(kind="report").count() == 1


def test_a_payment_that_was_none_withdraws_what_nobody_said_yet(aoi):
    order = unpaid()
    pay(order, aoi)
    undo(order, aoi)
    assert reports() == []
    pay(order, aoi)
    assert len(reports()) == 1


def test_what_a_person_said_is_taken_back_by_a_person_and_once(aoi):
    order = unpaid()
    pay(order, aoi)
    tasks.finish(OrderTask.objects.get(kind="report").pk, actor=Actor(by=aoi))
    undo(order, aoi)
    payment.follow([order.pk], actor=Actor())
    assert [done for _text, done in reports()] == [True, False] and "入金前に戻す" in reports()[1][0]


def test_what_the_connector_said_is_taken_back_by_a_person_and_what_waits_is_not_said(aoi):
    shop = own_shop(capabilities={"mail": "free", "own_payments": True, "payment_report": True})
    order = unpaid(shop=shop)
    pay(order, aoi)
    undo(order, aoi)
    assert Effect.objects.get(kind="channel_payment").state == "cancelled" and reports() == []
    other = unpaid(number=1, shop=shop)
    pay(other, aoi)
    Effect.objects.filter(kind="channel_payment", state="waiting").update(state="done")
    undo(other, aoi)
    assert len(reports()) == 1 and "入金前に戻す" in reports()[0][0]


def test_what_the_mall_collects_it_knows_by_itself(aoi):
    shop = own_shop()
    PaymentGate.objects.create(shop=shop, method="bank_transfer", collector="channel", ships_when="paid")
    pay(unpaid(shop=shop), aoi)
    assert reports() == []


def test_undoing_a_match_pulls_the_thanks_back_and_the_true_payment_is_thanked_for(aoi, settings):
    settings.MAIL_DELAY_S = 60
    order = unpaid()
    read = bank_files.read(notice([(clock.today(), 1500, "ヤマダ ハナコ")]))
    bank_files.load(read.lines, name="a.txt", layout=read.layout, account="", actor=Actor())
    line = BankLine.objects.get()
    actor = Actor(by=aoi)
    matching.accept(line.pk, {order.pk: 1500}, actor=actor)
    first = Mail.objects.get(event="payment_received")
    assert first.state == "scheduled"
    matching.undo([BankMatch.objects.get().pk], actor=actor)
    first.refresh_from_db()
    assert first.state == "suppressed" and Effect.objects.get(key=f"mail:{first.pk}").state == "cancelled"
    matching.accept(line.pk, {order.pk: 1500}, actor=actor)
    assert Mail.objects.filter(event="payment_received").order_by("pk").last().state == "scheduled"
    assert Mail.objects.filter(event="payment_received").count() == 2
