"""Mails that cannot be sent say so in plain words, at once, and nothing of the buyer's text gets into the headers."""

import smtplib

import pytest
from django.core import mail as django_mail
from django.core.mail import EmailMessage

from oms.kernel.models import Effect
from oms.kernel.services.outbox import deliver_due
from orders.models import Mail
from orders.services.intake import take_in
from orders.services.mail import ensure_standard_templates
from tests.orders.builders import TOKYO_PARTY, changed, make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _templates(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    ensure_standard_templates()


def receive(**buyer) -> None:
    party = changed(TOKYO_PARTY, **buyer)
    take_in(make_shop(), [make_channel_order(buyer=party)], sku_of=mapped(make_sku(stock_units=1)))
    deliver_due()


def test_a_line_break_in_a_name_does_not_break_the_subject():
    make_shop(letterhead_name="楽天\nBcc: evil@example.com 市場店")
    receive()
    number = Mail.objects.get().order.channel_order_no
    (message,) = django_mail.outbox
    assert message.subject == f"【楽天 Bcc: evil@example.com 市場店】ご注文ありがとうございます（{number}）"


@pytest.mark.parametrize("address", ["a@example.com, b@example.com", "a b@@example.com", "@"])
def test_an_address_no_mail_can_go_to_is_named_in_plain_words(address):
    receive(email=address)
    mail = Mail.objects.get()
    assert mail.state == "failed" and "メールアドレス" in mail.reason and not django_mail.outbox


def test_an_address_that_the_server_refuses_is_not_tried_eight_times(monkeypatch):
    def refuse(self, **_):
        raise smtplib.SMTPRecipientsRefused({self.to[0]: (550, b"user unknown")})

    monkeypatch.setattr(EmailMessage, "send", refuse)
    receive()
    assert Effect.objects.get(kind="mail").attempts == 1
    assert Mail.objects.get().state == "bounced" and "受け取り" in Mail.objects.get().reason


def test_a_mailbox_that_is_busy_is_tried_again(monkeypatch):
    def defer(self, **_):
        raise smtplib.SMTPRecipientsRefused({self.to[0]: (450, b"try later")})

    monkeypatch.setattr(EmailMessage, "send", defer)
    receive()
    assert Effect.objects.get(kind="mail").state == "waiting"
