"""When mails are written by themselves: each kind at its moment, and none where it is not ours to send."""

import pytest
from django.urls import reverse

from customers.services import profile, ranks
from oms.kernel.services.outbox import deliver_due
from orders.channel_order import PaymentMethod, PaymentState
from orders.decide.catalogue import CATALOGUE
from orders.decide.inquiries import QUESTIONS
from orders.models import Mail, MailPolicy, MailTemplate, Order, PaperSettings, PaymentGate, Refund
from orders.queries.mails import mail_page
from orders.services import mail as mailing
from orders.services import mail_stages, payment, refunds
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import TOKYO_PARTY, changed, make_channel_order, make_shop, make_sku, mapped
from tests.orders.payments.builders import own_shop, unpaid

pytestmark = pytest.mark.django_db
ACCOUNT = "みどり銀行 本店 普通 1234567"


@pytest.fixture(autouse=True)
def _templates(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mailing.ensure_standard_templates()


def kinds(order: Order) -> list[str]:
    return list(order.mails.order_by("pk").values_list("event", flat=True))


# ---- asking for money


def test_a_request_without_an_account_waits_for_a_person_and_with_one_it_goes(mailoutbox):
    first = unpaid()
    deliver_due()
    waiting = Mail.objects.get(order=first, event="payment_request")
    assert waiting.state == "draft" and "payment.account" in waiting.reason
    MailPolicy.objects.create(shop=first.shop, bank_account=ACCOUNT)
    second = unpaid(number=1, shop=first.shop)
    deliver_due()
    assert Mail.objects.get(order=second, event="payment_request").state == "sent"
    assert ACCOUNT in mailoutbox[-1].body


def test_the_account_on_the_shops_papers_serves_where_its_mails_have_none(mailoutbox):
    shop = own_shop()
    PaperSettings.objects.create(shop=shop, bank_account=ACCOUNT)
    unpaid(shop=shop)
    deliver_due()
    assert ACCOUNT in mailoutbox[-1].body


def test_what_the_mall_collects_it_asks_for_itself():
    shop = own_shop()
    PaymentGate.objects.create(shop=shop, method="bank_transfer", collector="channel", ships_when="paid")
    assert kinds(unpaid(shop=shop)) == ["order_received"]


# ---- a payment that failed


def failing(shop, **fields):
    bought = make_channel_order(payment_method=PaymentMethod.CARD, **fields)
    take_in(shop, [bought], sku_of=mapped(make_sku(stock_units=9)))
    return bought, Order.objects.get(channel_order_no=bought.channel_order_no)


def test_a_card_refused_at_an_own_shop_makes_one_draft_that_asks_for_another_way():
    _bought, order = failing(own_shop(), payment_state=PaymentState.FAILED)
    assert kinds(order) == ["order_received", "payment_change_request"]
    assert order.mails.get(event="payment_change_request").state == "draft"
    mail_stages.payment_failed([order.pk])
    assert kinds(order).count("payment_change_request") == 1


def test_a_card_refused_later_makes_the_draft_then():
    shop = own_shop()
    bought, order = failing(shop, payment_state=PaymentState.AUTHORIZED)
    assert "payment_change_request" not in kinds(order)
    take_in(shop, [changed(bought, payment_state=PaymentState.FAILED)], sku_of=mapped(make_sku()))
    assert kinds(order).count("payment_change_request") == 1


def test_a_mall_asks_for_another_way_of_paying_itself():
    _bought, order = failing(make_shop(), payment_state=PaymentState.FAILED)
    assert "payment_change_request" not in kinds(order)


# ---- money that went back


def test_each_refund_is_told_with_its_own_amount(aoi, mailoutbox):
    actor, order = Actor(by=aoi), unpaid()
    payment.record_payments([order.pk], actor=actor)
    line = order.lines.get()
    wishes = [refunds.Wish(quantities={}, goodwill=300), refunds.Wish(quantities={line.pk: 1})]
    for number, wish in enumerate(wishes):
        refunds.open_refund(order.pk, key=f"r{number}", wish=wish, reason="x", actor=actor)
    done = refunds.complete(list(Refund.objects.values_list("pk", flat=True)), actor=actor)
    assert len(done) == 2
    mailoutbox.clear()
    deliver_due()
    told = [message.body for message in mailoutbox if "ご返金額" in message.body]
    amounts = [f"¥{amount:,}" for amount in Refund.objects.order_by("pk").values_list("amount", flat=True)]
    assert len(told) == 2
    assert all(amount in body for amount, body in zip(amounts, told, strict=True))


# ---- afterwards


def test_the_follow_up_goes_when_the_order_is_completed_and_only_where_it_is_switched_on():
    order = Order.objects.get(pk=unpaid().pk)
    moves = [(order.pk, "shipped", "completed")]
    mail_stages.follow(moves)
    assert "delivered_follow" not in kinds(order)
    MailTemplate.objects.filter(event="delivered_follow").update(active=True)
    mail_stages.follow([(order.pk, "", "completed")])
    assert "delivered_follow" not in kinds(order), "history that is moved in is followed by nothing"
    mail_stages.follow(moves)
    mail_stages.follow(moves)
    assert kinds(order).count("delivered_follow") == 1


def test_a_higher_rank_by_hand_is_told_once_and_only_where_it_is_switched_on():
    order = Order.objects.get(pk=unpaid().pk)
    for level, code in enumerate(("silver", "gold"), start=1):
        ranks.save(None, ranks.Wanted(code, f"{code}会員", level, is_vip=False), by=None)

    def give(code: str, source: str = "") -> list[str]:
        profile.change({order.member_id: {"rank": code}}, by=None, source=source)
        return [mail.extra["member.rank"] for mail in order.mails.filter(event="rank_up").order_by("pk")]

    assert give("silver") == []
    MailTemplate.objects.filter(event="rank_up").update(active=True)
    assert give("gold") == ["gold会員"]
    assert give("silver") == give("gold") == ["gold会員"], "a lower rank is no news, nor one that was told"
    profile.change({order.member_id: {"rank": ""}}, by=None)
    assert give("silver", source="members.csv") == ["gold会員"], "what is moved in is known to the member"


# ---- what a person writes


def test_a_kind_that_is_switched_off_is_not_begun_and_says_why(client_of, aoi):
    order, client = unpaid(), client_of(aoi)
    url = reverse("orders:mail-new", args=[order.pk])
    page = client.post(url, {"event": "merge_notice"}).content.decode()
    assert "テンプレートが使われない設定です" in page and not order.mails.filter(event="merge_notice").exists()
    client.post(reverse("orders:mail-switch", args=[order.pk]), {"event": "delay_notice"})
    assert "この受注には送らない設定の種類です" in client.post(url, {"event": "delay_notice"}).content.decode()
    client.post(reverse("orders:mail-switch", args=[order.pk]), {"event": "delay_notice", "on": "1"})
    assert client.post(url, {"event": "delay_notice"}).status_code == 302
    assert list(order.events.filter(kind__in=["mail_off", "mail_on"]).values_list("kind", flat=True)) == [
        "mail_off",
        "mail_on",
    ]


def test_an_inquiry_begins_with_what_the_orders_reasons_ask(client_of, aoi):
    assert QUESTIONS.keys() <= CATALOGUE.keys()
    order = unpaid(recipients=(changed(TOKYO_PARTY, phone="12", address="三軒茶屋"),))
    asked = [
        code
        for code in order.reasons.filter(state="open").order_by("pk").values_list("code", flat=True)
        if code in QUESTIONS
    ]
    assert set(asked) >= {"street_no_missing", "phone_invalid"}
    client, url = client_of(aoi), reverse("orders:mail-new", args=[order.pk])
    message = client.get(f"{url}?event=inquiry").context["form"]["message"].value()
    assert message.splitlines() == [QUESTIONS[code] for code in asked]
    assert not client.get(f"{url}?event=delay_notice").context["form"]["message"].value()
    client.post(url, {"event": "inquiry", "message": message})
    assert message in mail_page(order.mails.get(event="inquiry"))["body"]


def test_a_draft_whose_template_was_switched_off_is_kept_and_says_what_to_do(client_of, aoi):
    order, client = unpaid(), client_of(aoi)
    draft = mailing.draft("delay_notice", order.pk, key="1")
    MailTemplate.objects.filter(event="delay_notice").update(active=False)
    page = client.post(reverse("orders:mail-approve", args=[draft.pk]), follow=True).content.decode()
    draft.refresh_from_db()
    assert "テンプレートが使われない設定です" in page and draft.state == "draft"
    mailing.rewrite(draft.pk, subject="お詫び", body="遅れます")
    client.post(reverse("orders:mail-approve", args=[draft.pk]))
    draft.refresh_from_db()
    assert draft.state == "scheduled"


def test_a_template_that_nobody_changed_has_a_history_without_versions(client_of, aoi):
    page = client_of(aoi).get(reverse("orders:mail-template-versions", args=["shipped"]))
    assert page.status_code == 200 and "まだ変更されていません" in page.content.decode()
