"""What becomes of a mail: review, pulling back, holes, trouble, addresses that get none, bounces."""

import smtplib
from email.message import EmailMessage
from textwrap import dedent

import pytest
from django.core import mail as django_mail
from django.urls import reverse

from oms.kernel import mailer
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from oms.kernel.services.outbox import deliver_due
from orders import mail_actions
from orders.models import BulkRun, Mail, MailPolicy, MailStop, MailTemplate, Order, ReviewReason
from orders.queries.mails import mail_page
from orders.services import bounces, bulk, cancel, labels, mail_addresses, mail_send, mail_templates
from orders.services import mail as mailing
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.review import accept
from tests.orders.builders import TOKYO_PARTY, changed, make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
HOLE = "{{ buyer.name }} 様 {{ order.release_date }}"


@pytest.fixture(autouse=True)
def _templates(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mailing.ensure_standard_templates()


def take(number: str = "", **fields) -> Order:
    bought = make_channel_order(number=number, **fields)
    take_in(make_shop(), [bought], sku_of=mapped(make_sku(stock_units=9)))
    return Order.objects.get(channel_order_no=bought.channel_order_no)


def sent() -> list[EmailMessage]:
    deliver_due()
    return django_mail.outbox


def reasons(order: Order) -> list[tuple[str, str]]:
    return list(order.reasons.filter(code__startswith="mail_").values_list("code", "state"))


# ---- holes and review


def test_a_missing_value_stops_the_mail_into_review_instead_of_sending_a_hole():
    MailTemplate.objects.filter(event="order_received").update(body=HOLE)
    order = take()
    assert sent() == []
    mail = Mail.objects.get(order=order)
    assert mail.state == "draft" and "order.release_date" in mail.reason
    assert Effect.objects.get(kind="mail").state == "done", "nobody tries again by himself"
    assert mail_page(mail)["holes"] == ["order.release_date"]


def test_a_person_rewrites_approves_and_the_mail_goes_out_once_as_written():
    MailTemplate.objects.filter(event="order_received").update(body=HOLE)
    mail = Mail.objects.get(order=take())
    sent()
    assert mailing.rewrite(mail.pk, subject="お礼", body="手で書いた文 {{ これはそのまま }}")
    assert mailing.send_draft(mail.pk) and not mailing.send_draft(mail.pk)
    (message,) = sent()
    assert (message.subject, message.body) == ("お礼", "手で書いた文 {{ これはそのまま }}")
    assert Mail.objects.get().state == "sent" and len(sent()) == 1


def test_a_template_that_asks_for_review_makes_drafts():
    MailTemplate.objects.filter(event="order_received").update(review=True)
    order = take()
    assert sent() == [] and Mail.objects.get(order=order).state == "draft"
    assert not Effect.objects.filter(kind="mail").exists()
    assert mailing.send_draft(Mail.objects.get().pk) and len(sent()) == 1


def test_one_form_makes_one_mail_whatever_became_of_it_and_another_form_keeps_its_own_words(client_of, aoi):
    order, client = take(), client_of(aoi)
    url = reverse("orders:mail-new", args=[order.pk])
    typed = {"event": "inquiry", "message": "のしの名入れをお知らせください。"}

    def form() -> dict[str, str]:
        return typed | {"key": client.get(url).context["form"]["key"].value()}

    first = form()
    assert client.post(url, first).url == client.post(url, first).url, "a double click"
    draft = Mail.objects.get(event="inquiry")
    assert draft.state == "draft" and typed["message"] in mail_page(draft)["body"]
    assert list(client.get(url).context["waiting"]) == [draft], "the page tells what waits already"
    other = client.post(url, form() | {"message": "お色をお知らせください。"})
    assert other.url != reverse("orders:mail", args=[draft.pk])
    assert [mail.extra["mail.message"] for mail in Mail.objects.filter(event="inquiry").order_by("pk")] == [
        typed["message"],
        "お色をお知らせください。",
    ]
    mailing.send_draft(draft.pk)
    sent()
    assert client.post(url, first).url == reverse("orders:mail", args=[draft.pk]), "sent meanwhile: none is made"
    assert Mail.objects.filter(event="inquiry").count() == 2


def test_what_somebody_approves_while_a_worker_holds_it_waits_for_the_worker():
    MailTemplate.objects.filter(event="order_received").update(body=HOLE)
    mail = Mail.objects.get(order=take())
    sent()
    Effect.objects.filter(kind="mail").update(state="running")
    assert not mailing.send_draft(mail.pk) and Mail.objects.get().state == "draft"


# ---- the window, pulling back, cancelling


def test_a_mail_waits_sixty_seconds_unless_template_or_shop_say_otherwise(settings):
    settings.MAIL_DELAY_S = 60
    first = Mail.objects.get(order=take())
    assert (first.due_at - first.created_at).total_seconds() == 60 and sent() == []
    MailPolicy.objects.create(shop=make_shop(), send_delay_s=300)
    second = Mail.objects.get(order=take())
    assert (second.due_at - second.created_at).total_seconds() == 300
    MailTemplate.objects.filter(event="order_received").update(delay_s=0)
    third = Mail.objects.get(order=take())
    assert len(sent()) == 1 and Mail.objects.get(state="sent") == third


def test_a_mail_is_pulled_back_while_it_waits_and_not_after(settings):
    settings.MAIL_DELAY_S = 60
    mail = Mail.objects.get(order=take())
    assert mailing.withdraw(Mail.objects.filter(pk=mail.pk), reason="取消") == 1
    Effect.objects.update(next_try_at=mail.created_at)
    assert sent() == [] and Mail.objects.get().state == "suppressed" and Effect.objects.get().state == "cancelled"
    assert mailing.withdraw(Mail.objects.filter(pk=mail.pk), reason="取消") == 0


def test_cancelling_in_the_window_pulls_the_thanks_back_and_only_the_cancellation_goes_out(settings):
    settings.MAIL_DELAY_S = 60
    order = take()
    cancel.cancel_orders([order.pk], reason="顧客都合", actor=Actor())
    Effect.objects.filter(kind="mail", state="waiting").update(next_try_at=order.imported_at)
    assert [message.subject for message in sent()] == [
        f"【楽天市場店】ご注文のキャンセルを承りました（{order.channel_order_no}）"
    ]
    assert dict(Mail.objects.values_list("event", "state")) == {"order_received": "suppressed", "cancelled": "sent"}


def test_pulled_back_between_the_servers_yes_and_the_text_it_is_not_sent(monkeypatch):
    mail = Mail.objects.get(order=take())

    def slow(message, *, last_word, relay=""):
        mailing.withdraw(Mail.objects.filter(pk=mail.pk), reason="間に合いました")
        last_word()
        raise AssertionError("this went out")

    monkeypatch.setattr(mailer, "deliver", slow)
    deliver_due()
    assert Mail.objects.get().state == "suppressed"


def test_thanks_wait_until_the_reasons_are_cleared_where_the_shop_wishes_so():
    MailPolicy.objects.create(shop=make_shop(), wait_for_review=True)
    order = take(remarks="色を選べますか？")
    assert order.blocking_reasons and sent() == []
    waiting = Mail.objects.get()
    assert (waiting.state, waiting.reason) == ("scheduled", "確認理由がなくなるのを待っています。")
    accept([order.pk], actor=Actor())
    Effect.objects.filter(kind="mail").update(next_try_at=order.imported_at)
    assert len(sent()) == 1 and Mail.objects.get().reason == ""


def test_one_mail_that_fails_keeps_no_other_from_going_out():
    order = take(buyer=changed(TOKYO_PARTY, email="a b@@example.com"))
    assert sent() == [] and Mail.objects.get().state == "failed"
    Order.objects.filter(pk=order.pk).update(buyer_email="megumi@example.com")
    mailing.schedule_for([order.pk], "delay_notice", draft=False, suffix=":x")
    mailing.send_draft(Mail.objects.get(event="delay_notice").pk)
    assert [message.to for message in sent()] == [["megumi@example.com"]]


# ---- uncertain


class DiesAfterHandover:
    def __call__(self, message, *, last_word, relay=""):
        last_word()
        raise ConnectionResetError


def test_a_connection_lost_while_the_text_is_under_way_leaves_the_mail_to_a_person(monkeypatch):
    monkeypatch.setattr(mailer, "deliver", DiesAfterHandover())
    order = take()
    deliver_due()
    mail = Mail.objects.get(order=order)
    assert mail.state == "uncertain" and Effect.objects.get(kind="mail").state == "done"
    assert reasons(order) == [("mail_failed", "open")]
    assert mailing.was_sent(mail.pk) and not mailing.was_sent(mail.pk)
    assert Mail.objects.get().state == "sent"


def test_a_connection_lost_before_is_tried_again(monkeypatch):
    def refuse(message, *, last_word, relay=""):
        raise ConnectionRefusedError

    monkeypatch.setattr(mailer, "deliver", refuse)
    take()
    deliver_due()
    assert Mail.objects.get().state == "scheduled" and Effect.objects.get(kind="mail").state == "waiting"


def test_a_mail_found_in_sending_is_never_sent_by_itself():
    take()
    Mail.objects.update(state="sending")
    assert sent() == [] and Mail.objects.get().state == "uncertain"
    assert mailing.send_again(Mail.objects.get().pk) and len(sent()) == 1


def test_a_server_that_refuses_the_text_has_not_taken_it(monkeypatch):
    def refuse(message, *, last_word, relay=""):
        last_word()
        raise smtplib.SMTPDataError(451, b"try later")

    monkeypatch.setattr(mailer, "deliver", refuse)
    take()
    deliver_due()
    assert Mail.objects.get().state == "scheduled" and Effect.objects.get(kind="mail").state == "waiting"


def test_when_trying_ends_the_order_says_so_and_a_mail_that_gets_through_closes_it(
    monkeypatch, django_capture_on_commit_callbacks
):
    def refuse(message, *, last_word, relay=""):
        raise smtplib.SMTPAuthenticationError(535, b"no")

    with monkeypatch.context() as patched:
        patched.setattr(mailer, "deliver", refuse)
        order = take()
        deliver_due()
    assert Mail.objects.get().state == "failed" and reasons(order) == [("mail_failed", "open")]
    assert mailing.send_again(Mail.objects.get().pk)
    with django_capture_on_commit_callbacks(execute=True):
        assert len(sent()) == 1
    assert reasons(order) == [("mail_failed", "auto_resolved")]


def test_the_outbox_page_s_retry_sends_a_failed_mail_to_the_corrected_address():
    order = take(buyer=changed(TOKYO_PARTY, email="a b@@example.com"))
    sent()
    Order.objects.filter(pk=order.pk).update(buyer_email="megumi@example.com")
    outbox.retry(Effect.objects.filter(kind="mail").values_list("pk", flat=True))
    assert [message.to for message in sent()] == [["megumi@example.com"]]


# ---- addresses that get nothing


def test_a_box_that_does_not_exist_bounces_and_gets_nothing_until_the_stop_is_lifted(monkeypatch):
    def refuse(message, *, last_word, relay=""):
        raise smtplib.SMTPRecipientsRefused({message.to[0]: (550, b"5.1.1 user unknown")})

    with monkeypatch.context() as patched:
        patched.setattr(mailer, "deliver", refuse)
        order = take()
        deliver_due()
    assert Mail.objects.get().state == "bounced" and reasons(order) == [("mail_bounced", "open")]
    stop = MailStop.objects.get()
    assert (stop.address, stop.kind) == ("megumi@example.com", "bounced")
    later = take()
    assert (
        Mail.objects.get(order=later).state == "suppressed" and "届かなかった" in Mail.objects.get(order=later).reason
    )
    assert mail_addresses.lift(stop.pk)
    assert mailing.send_again(Mail.objects.get(order=later).pk) and len(sent()) == 1


def test_a_server_that_dislikes_the_text_says_nothing_about_the_address(monkeypatch):
    def refuse(message, *, last_word, relay=""):
        raise smtplib.SMTPRecipientsRefused({message.to[0]: (554, b"5.7.1 policy")})

    monkeypatch.setattr(mailer, "deliver", refuse)
    order = take()
    deliver_due()
    assert Mail.objects.get().state == "failed" and reasons(order) == [("mail_failed", "open")]
    assert not MailStop.objects.exists()


def test_who_opted_out_gets_what_concerns_the_order_and_no_advertising(client, settings):
    settings.PUBLIC_URL = "https://oms.example.jp"
    MailTemplate.objects.filter(event="delivered_follow").update(active=True)
    order = take()
    mailing.schedule_for([order.pk], "delivered_follow")
    _thanks, follow = sent()
    url = follow.extra_headers["List-Unsubscribe"].strip("<>")
    assert url in follow.body and "List-Unsubscribe" not in _thanks.extra_headers
    path = url.removeprefix("https://oms.example.jp")
    assert client.get(path).status_code == 200 and not MailStop.objects.exists(), "looking in changes nothing"
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert MailStop.objects.get().kind == "opt_out"
    assert client.post(path + "x").status_code == 404
    mailing.schedule_for([order.pk], "delivered_follow", suffix=":2")
    mailing.schedule_for([order.pk], "payment_received")
    assert len(sent()) == 3
    assert Mail.objects.get(key__endswith=":2").state == "suppressed"


def test_what_came_between_the_writing_and_the_sending_still_keeps_a_mail_back(client_of, aoi, settings):
    settings.MAIL_DELAY_S = 60
    MailTemplate.objects.filter(event="delivered_follow").update(active=True)
    MailPolicy.objects.create(shop=make_shop(), quiet_marks=["電話済"])
    stopped, marked, free = take(), take(), take()
    Order.objects.filter(pk=free.pk).update(buyer_email="free@example.com")
    mailing.schedule_for([stopped.pk, free.pk], "delivered_follow")
    draft = mailing.draft("inquiry", marked.pk, key="1", message="x")
    mail_addresses.stop("megumi@example.com", MailStop.Kind.OPT_OUT, reason="x")
    labels.add_tag([marked.pk], "電話済", actor=Actor(by=aoi))
    page = client_of(aoi).post(reverse("orders:mail-approve", args=[draft.pk]), follow=True).content.decode()
    assert "「電話済」の付いた受注には送らない設定です" in page
    assert "「電話済」の付いた受注には" in (
        client_of(aoi).post(reverse("orders:mail-send", args=[draft.pk]), follow=True).content.decode()
    )
    Effect.objects.filter(kind="mail").update(next_try_at=stopped.imported_at)
    sent()
    states = {mail.key: (mail.state, mail.reason) for mail in Mail.objects.all()}
    assert states[f"delivered_follow:{stopped.pk}"] == ("suppressed", "受信者が配信を停止しています。")
    assert states[f"delivered_follow:{free.pk}"][0] == states[f"order_received:{stopped.pk}"][0] == "sent"
    assert states[f"order_received:{marked.pk}"][0] == "suppressed" and states[draft.key][0] == "draft"


def test_a_draft_sent_from_the_orders_page_is_written_down_under_the_persons_name(client_of, aoi):
    order = take()
    draft = mailing.draft("inquiry", order.pk, key="1", message="x")
    client_of(aoi).post(reverse("orders:mail-send", args=[draft.pk]))
    assert order.events.get(kind="mail_approved").by == aoi


def test_a_kind_switched_off_for_an_order_stays_off_until_switched_on():
    order = take()
    mailing.switch_off(order.pk, "shipped", reason="電話で伝えました")
    mailing.schedule_for([order.pk], "shipped", suffix=":1")
    assert Mail.objects.get(key__endswith=":1").reason == "電話で伝えました"
    mailing.switch_on(order.pk, "shipped")
    mailing.schedule_for([order.pk], "shipped", suffix=":2")
    assert Mail.objects.get(key__endswith=":2").state == "scheduled"


def test_a_shops_wishes_keep_kinds_and_marked_orders_quiet():
    MailPolicy.objects.create(shop=make_shop(), off_events=["shipped"], quiet_marks=["vip"])
    plain, marked = take(), take(flags=("vip",))
    mailing.schedule_for([plain.pk, marked.pk], "shipped")
    states = dict(Mail.objects.values_list("key", "state"))
    assert states[f"order_received:{plain.pk}"] == "scheduled"
    assert states[f"order_received:{marked.pk}"] == states[f"shipped:{plain.pk}"] == "suppressed"


def test_where_a_mall_takes_mail_through_its_relay_alone_nothing_leaves_by_ours(settings):
    settings.EMAIL_BACKEND = "oms.kernel.mailer.Backend"
    shop = make_shop(capabilities={"mail": "relay", "mail_relay_server": True})
    with pytest.raises(outbox.GiveUp, match="MAIL_RELAYS"):
        mail_send.relay_of(shop)
    settings.MAIL_RELAYS = {shop.code: "smtp://user:secret@relay.example.jp:587"}
    assert mail_send.relay_of(shop).startswith("smtp://user")


# ---- reports that come back


def dsn(message_id: str, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    return dedent(f"""\
        From: MAILER-DAEMON@example.com
        To: bounce@example.com
        Subject: Undelivered Mail Returned to Sender
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

        --b1
        Content-Type: text/plain

        Sorry.

        --b1
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example.com

        Final-Recipient: rfc822; megumi@example.com
        Action: {action}
        Status: {status}
        Diagnostic-Code: smtp; 550 {status} user unknown

        --b1
        Content-Type: text/rfc822-headers

        From: shop@example.com
        Message-ID: {message_id}
        Subject: x

        --b1--
        """).encode()


def test_a_report_of_a_mail_that_came_back_marks_mail_order_and_address():
    order = take()
    sent()
    report = bounces.read(dsn(Mail.objects.get().message_id))
    assert (report.kind, report.recipient, report.status) == ("bounced", "megumi@example.com", "5.1.1")
    assert bounces.take(report) == "bounced" and bounces.take(report) == ""
    assert Mail.objects.get().state == "bounced" and reasons(order) == [("mail_bounced", "open")]
    assert MailStop.objects.filter(kind="bounced").count() == 1
    assert "@" not in ReviewReason.objects.get(code="mail_bounced").evidence, "the reason quotes no personal data"


@pytest.mark.parametrize(("status", "stopped"), [("5.1.1", True), ("5.2.1", True), ("5.2.2", False), ("5.7.1", False)])
def test_only_a_dead_address_is_stopped_a_full_box_is_not(status, stopped):
    take()
    sent()
    assert bounces.take(bounces.read(dsn(Mail.objects.get().message_id, status=status))) == "bounced"
    assert MailStop.objects.exists() is stopped


def test_a_delay_a_strangers_report_and_an_answer_by_a_person_change_nothing():
    take()
    sent()
    ours = Mail.objects.get().message_id
    for raw in (
        dsn(ours, action="delayed", status="4.4.7"),
        dsn("<somebody.else@example.com>"),
        b"From: a@example.jp\r\nIn-Reply-To: " + ours.encode() + b"\r\n\r\nthank you",
        b"\xff\xfe not a mail at all",
        b"",
    ):
        assert bounces.take(bounces.read(raw)) == ""
    assert Mail.objects.get().state == "sent" and not MailStop.objects.exists()


def test_a_complaint_ends_advertising_to_that_address():
    take()
    sent()
    raw = (
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n--b\n'
        "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: megumi@example.com\n\n--b\n"
        f"Content-Type: message/rfc822\n\nMessage-ID: {Mail.objects.get().message_id}\n\ntext\n--b--\n"
    ).encode()
    assert bounces.take(bounces.read(raw)) == "complaint"
    assert MailStop.objects.get().kind == "opt_out" and Mail.objects.get().state == "sent"


# ---- templates


def test_a_text_is_tried_on_the_last_real_orders_and_names_those_with_a_hole(client_of, aoi):
    order = take()
    holes, tried = mail_templates.holes_in("order_received", None, HOLE)
    assert tried == 1 and [(hole.name, hole.orders) for hole in holes] == [
        ("order.release_date", [order.channel_order_no])
    ]
    client, url = client_of(aoi), reverse("orders:mail-template", args=["order_received"])
    form = {"subject": "x", "body": HOLE, "active": "on"}
    asked = client.post(url, form)
    assert asked.status_code == 200 and order.channel_order_no in asked.content.decode()
    assert MailTemplate.objects.get(event="order_received").body != HOLE
    assert client.post(url, form | {"anyway": "1"}).status_code == 302
    assert MailTemplate.objects.get(event="order_received").body == HOLE


def test_versions_show_what_changed_and_going_back_is_a_new_version(client_of, aoi):
    def saved(body: str) -> MailTemplate:
        return mail_templates.save_template("shipped", None, by=aoi, subject="件名", body=body)

    template = saved("一\n二")
    saved("一\n三")
    saved("一\n三")
    rows = mail_templates.versions_of(template)
    assert [row.version.number for row in rows] == [3, 2, 1] and rows[0].current
    assert ("-", "二") in rows[0].lines and ("+", "三") in rows[0].lines
    back = reverse("orders:mail-template-back", args=["shipped"])
    assert client_of(aoi).post(back, {"number": "2"}).status_code == 302
    template.refresh_from_db()
    assert template.body == "一\n二" and template.versions.count() == 4
    client_of(aoi).post(back, {"number": "99"})
    assert template.versions.count() == 4


def test_a_test_mail_goes_to_oneself_once(client_of, aoi):
    order = take()
    sent()
    django_mail.outbox.clear()
    aoi.email = "aoi@example.jp"
    aoi.save(update_fields=["email"])
    url = reverse("orders:mail-template-test", args=["shipped"])
    for _twice in range(2):
        client_of(aoi).post(url, {"key": "k1"})
    (message,) = sent()
    assert message.to == ["aoi@example.jp"] and message.subject.startswith("[テスト]")
    assert order.channel_order_no in message.subject


# ---- many at once


def test_a_bulk_mail_skips_who_got_it_and_the_same_run_again_writes_none():
    orders = [take(), take()]
    ids = [order.pk for order in orders]
    params = {"event": "delay_notice", "message": "入荷が遅れています。", "draft": False, "again": False}
    MailTemplate.objects.filter(event="delay_notice").update(review=False)
    plan = mail_actions.plan_mail(ids, params)
    assert plan.will == ids and list(plan.notes) == ids
    for order in orders:
        assert order.channel_order_no in plan.notes[order.pk] and "入荷が遅れています。" in plan.notes[order.pk]
    one, two = Actor(action="run1"), Actor(action="run2")
    assert mail_actions.run_mail(ids[:1], params, one).done == ids[:1]
    assert mail_actions.run_mail(ids[:1], params, one).done == ids[:1]
    second = mail_actions.run_mail(ids, params, two)
    assert second.done == ids[1:] and "送信済み" in second.skipped[ids[0]]
    again = mail_actions.run_mail(ids, params | {"again": True}, Actor(action="run3"))
    assert again.done == ids and Mail.objects.filter(event="delay_notice").count() == 4


def test_a_bulk_mail_is_taken_back_where_it_has_not_left(client_of, aoi, settings):
    settings.MAIL_DELAY_S = 60
    MailTemplate.objects.filter(event="delay_notice").update(review=False)
    waits, left = take(), take()
    draft = bulk.draft("mail", [waits.pk, left.pk], by=aoi)
    bulk.start(draft, {"event": "delay_notice", "message": "x", "draft": False, "again": False})
    own = Mail.objects.get(order=left, event="delay_notice")
    Effect.objects.filter(key=f"mail:{own.pk}").update(next_try_at=left.imported_at)
    assert len(sent()) == 1
    assert client_of(aoi).post(f"/orders/bulk/{draft.pk}/undo/").status_code == 302
    run = BulkRun.objects.get(pk=draft.pk)
    assert run.undone == [waits.pk] and "すでに送信した" in run.undo_skipped[str(left.pk)]
    states = dict(Mail.objects.filter(event="delay_notice").values_list("order", "state"))
    assert states == {waits.pk: "suppressed", left.pk: "sent"}
    assert Mail.objects.filter(event="order_received", state="scheduled").count() == 2, "other kinds go on"


# ---- who may


def test_only_who_may_send_and_see_the_buyer_decides_about_mails(client_of, aoi, ben, chie, person_with):
    order = take()
    draft = mailing.draft("inquiry", order.pk, key="1", message="x")
    posts = [
        reverse("orders:mails-approve"),
        *(
            reverse(f"orders:mail-{verb}", args=[draft.pk])
            for verb in ("approve", "withdraw", "again", "was-sent", "edit")
        ),
        reverse("orders:mail-new", args=[order.pk]),
        reverse("orders:mail-switch", args=[order.pk]),
        reverse("orders:mail-stops"),
        reverse("orders:mail-stop-lift", args=[1]),
        *(reverse(f"orders:mail-template-{verb}", args=["shipped"]) for verb in ("back", "test")),
        reverse("orders:mail-policy", args=[order.shop.code]),
    ]
    for who in (ben, chie, person_with("warehouse")):
        client = client_of(who)
        for url in posts:
            assert client.post(url).status_code == 403, url
    for url in (posts[0], *posts[1:5], posts[7], posts[9], *posts[10:12]):
        assert client_of(aoi).get(url).status_code == 405, url
    assert Mail.objects.get(pk=draft.pk).state == "draft"


def test_drafts_are_approved_together_and_those_with_holes_stay(client_of, aoi):
    whole, hollow = take(), take()
    good = mailing.draft("inquiry", whole.pk, key="1", message="質問")
    bad = mailing.draft("inquiry", hollow.pk, key="1")
    page = client_of(aoi).post(reverse("orders:mails-approve"), {"mail": [good.pk, bad.pk]}, follow=True)
    assert "1通を送ります" in page.content.decode() and "承認待ちのまま" in page.content.decode()
    assert [Mail.objects.get(pk=one.pk).state for one in (good, bad)] == ["scheduled", "draft"]


def test_an_html_mail_is_shown_in_a_frame_that_may_do_nothing(client_of, aoi):
    order = take()
    sent()
    answer = client_of(aoi).get(reverse("orders:mail-html", args=[Mail.objects.get(order=order).pk]))
    assert "sandbox" in answer["Content-Security-Policy"] and "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN" and "佐藤 恵 様" in answer.content.decode()


def test_a_bank_transfer_is_asked_for_and_thanked_for(client_of, aoi):
    from orders.channel_order import PaymentMethod, PaymentState  # noqa: PLC0415
    from orders.services.payment import record_payments  # noqa: PLC0415

    order = take(payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.UNPAID)
    assert order.stage == "awaiting_payment"
    assert set(order.mails.values_list("event", flat=True)) == {"order_received", "payment_request"}
    record_payments([order.pk], actor=Actor())
    assert order.mails.filter(event="payment_received").count() == 1
