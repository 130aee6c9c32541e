"""Every kind of mail: what happens in the shop leads to it, in the state it has where nobody changed anything."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from customers.services import profile, ranks
from fulfillment.models import Shipment
from fulfillment.services import merge
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from fulfillment.services.split import split_off
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services.outbox import deliver_due
from orders import mail_actions
from orders.channel_order import PaymentMethod, PaymentState
from orders.documents.bill import BillKind
from orders.models import IssuedDocument, Mail, MailPolicy, MailTemplate, Order, ReasonSetting, Refund, ReturnCase, Shop
from orders.models.mail import MailEvent
from orders.services import cancel, document_links, documents, payment, refunds, release_days, reminders, returns
from orders.services import mail as mailing
from orders.services import stage as stages
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.review import accept
from tests.orders.builders import make_channel_order, make_line, make_sku, mapped
from tests.orders.payments.builders import own_shop, unpaid

pytestmark = pytest.mark.django_db
ACTOR = Actor(action="hand")
AUTO, REVIEW, OFF = "scheduled", "draft", "off"  # by hand: a draft, like what waits for review

# Their flows are no part of the product yet: they have texts only.
LATER = {"pickup_ready", "pickup_reminder", "pickup_expired", "locker_ready", "points_expiring"}


def shop() -> Shop:
    return own_shop(channel="futureshop", capabilities={"mail": "free", "own_payments": True, "partial_shipment": True})


def taken(*lines, **fields) -> Order:
    skus = [make_sku(stock_units=9), make_sku("DESK", stock_units=9)]
    bought = make_channel_order(*lines, **{"ordered_at": clock.now()} | fields)
    take_in(shop(), [bought], sku_of=mapped(*skus))
    allocate_waiting()
    return Order.objects.get(channel_order_no=bought.channel_order_no)


def shipped() -> Order:
    return _ship(taken())


def _ship(order: Order) -> Order:
    done = instruct_orders([order.pk], actor=ACTOR).shipments
    confirm_shipments([Departure(pk, "yamato", "471203984414") for pk in done[:1]], actor=ACTOR)
    return order


def in_parts() -> Order:
    order = taken(make_line(), make_line("DESK"))
    whole = Shipment.objects.get(recipient__order=order)
    split_off(whole.pk, {order.lines.get(sku__code="DESK").pk: 1}, actor=ACTOR)
    return _ship(order)


def reviewed() -> Order:
    order = taken(remarks="色を選べますか？")
    accept([order.pk], actor=ACTOR)
    return order


def late(days: int) -> Order:
    order = unpaid(shop=shop(), ordered_at=clock.now() - timedelta(days=days))
    reminders.send_due()
    reminders.send_due()
    return order


def paid() -> Order:
    order = unpaid(shop=shop())
    payment.record_payments([order.pk], actor=ACTOR)
    return order


def refused() -> Order:
    return taken(payment_method=PaymentMethod.CARD, payment_state=PaymentState.FAILED)


def asked() -> Order:
    order = taken()
    mailing.draft("inquiry", order.pk, key=uuid4().hex, message="お色をお知らせください。", actor=ACTOR)
    return order


def delayed() -> Order:
    order = taken()
    mail_actions.run_mail([order.pk], {"event": "delay_notice", "message": "入荷が遅れています。"}, ACTOR)
    return order


def moved() -> Order:
    vase = make_sku("VASE", release_date=clock.today() + timedelta(days=20), preorder_limit=9)
    bought = make_channel_order(make_line("VASE"), ordered_at=clock.now())
    take_in(shop(), [bought], sku_of=mapped(vase))
    release_days.move(vase.pk, vase.release_date + timedelta(days=9), key=uuid4(), draft=False, actor=ACTOR)
    return Order.objects.get(channel_order_no=bought.channel_order_no)


def merged() -> Order:
    one, two = taken(), taken()
    merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    return one


def followed() -> Order:
    order = shipped()
    Shop.objects.update(follow_up_days=0)
    stages.recompute([order.pk])
    return order


def cancelled() -> Order:
    order = taken()
    cancel.cancel_orders([order.pk], reason="顧客都合", actor=ACTOR)
    return order


def refunded() -> Order:
    order = paid()
    refunds.open_refund(order.pk, key="r", wish=refunds.Wish(quantities={}, goodwill=300), reason="x", actor=ACTOR)
    refunds.complete(list(Refund.objects.values_list("pk", flat=True)), actor=ACTOR)
    return order


def coming_back() -> Order:
    order = shipped()
    line = order.lines.get()
    returns.open_case(order.pk, {line.pk: 1}, reason="size", key="k", actor=ACTOR)
    return order


def answered() -> Order:
    order = coming_back()
    returns.approve(ReturnCase.objects.get(order=order).pk, answer="元払いでお送りください。", actor=ACTOR)
    return order


def linked() -> Order:
    order = paid()
    documents.issue([order.pk], BillKind.RECEIPT, actor=ACTOR)
    receipt = IssuedDocument.objects.get(order=order)
    document_links.make_link(receipt, site="https://oms.example.jp", actor=ACTOR, send=True)
    return order


def raised() -> Order:
    order = taken()
    code = f"gold{order.pk}"
    ranks.save(None, ranks.Wanted(code, f"ゴールド{order.pk}", order.pk, is_vip=False), by=None)
    profile.change({order.member_id: {"rank": code}}, by=None)
    return order


KINDS: dict[str, tuple[Callable[[], Order], str]] = {
    "order_received": (taken, AUTO),
    "order_confirmed": (reviewed, OFF),
    "payment_request": (lambda: unpaid(shop=shop()), AUTO),
    "payment_reminder": (lambda: late(4), REVIEW),
    "payment_final": (lambda: late(6), REVIEW),
    "payment_received": (paid, AUTO),
    "payment_change_request": (refused, REVIEW),
    "inquiry": (asked, REVIEW),
    "delay_notice": (delayed, REVIEW),
    "preorder_update": (moved, REVIEW),
    "merge_notice": (merged, OFF),
    "shipped": (shipped, AUTO),
    "partially_shipped": (in_parts, AUTO),
    "delivered_follow": (followed, OFF),
    "cancelled": (cancelled, AUTO),
    "document_link": (linked, AUTO),
    "refund_done": (refunded, AUTO),
    "return_received": (coming_back, AUTO),
    "return_answered": (answered, AUTO),
    "rank_up": (raised, OFF),
}


def test_every_kind_is_led_to_or_belongs_to_a_later_flow():
    assert set(KINDS) | LATER == set(MailEvent.values) and not set(KINDS) & LATER


@pytest.mark.parametrize("event", KINDS)
def test_what_happens_leads_to_its_mail_in_its_usual_state_and_the_mail_can_be_sent_as_it_is(
    event, mailoutbox, settings
):
    settings.MAIL_DELAY_S, settings.PUBLIC_URL = 60, "https://oms.example.jp"
    mailing.ensure_standard_templates()
    ReasonSetting.objects.create(code="duplicate_suspect", active=False, level="block")  # the same goods, twice
    MailPolicy.objects.create(shop=shop(), bank_account="みどり銀行 本店 普通 1234567")
    cause, usual = KINDS[event]
    if usual == OFF:
        assert not Mail.objects.filter(order=cause(), event=event).exists()
        MailTemplate.objects.filter(event=event).update(active=True)
    mail = Mail.objects.get(order=cause(), event=event)
    assert (mail.state, mail.reason) == (AUTO if usual == OFF else usual, "")
    if usual == REVIEW:
        deliver_due()
        mail.refresh_from_db()
        assert mail.state == REVIEW, "it waits for a person"
        assert mailing.send_draft(mail.pk)
    else:
        Effect.objects.filter(key=f"mail:{mail.pk}").update(next_try_at=mail.created_at)
    deliver_due()
    mail.refresh_from_db()
    assert (mail.state, mail.reason) == ("sent", "")
    (message,) = [one for one in mailoutbox if one.extra_headers["Message-ID"] == mail.message_id]
    ((html, kind),) = message.alternatives
    assert message.to == [mail.order.buyer_email] and kind == "text/html"
    assert "{{" not in message.body + html and "{%" not in message.body + html and "様" in message.body
    assert ("List-Unsubscribe" in message.extra_headers) == (
        event in {"delivered_follow", "rank_up", "points_expiring"}
    )
