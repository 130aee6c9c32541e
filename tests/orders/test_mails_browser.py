"""Mails in the browser: a text is changed, tried and saved; a draft is read, rewritten and sent."""

import pytest
from django.urls import reverse

from oms.kernel.services.outbox import deliver_due
from orders.models import Mail, MailStop, MailTemplate
from orders.services import mail as mailing
from orders.services import mail_addresses
from orders.services.journal import Actor
from tests.orders.payments.builders import own_shop, unpaid

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _templates(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.MAIL_DELAY_S = 60
    mailing.ensure_standard_templates()


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_text_is_changed_tried_on_a_real_order_saved_and_taken_back(page_as, aoi, screenshot):
    order = unpaid()
    page = page_as(aoi)
    page.goto(reverse("orders:mail-templates"))
    page.locator(".panel", has_text="受注確認（サンキューメール）").get_by_role("link", name="編集").first.click()
    body = page.get_by_label("本文")
    body.fill("{{ buyer.name }} 様\n番号 {{ order.numbr }}")
    page.get_by_role("button", name="保存", exact=True).click()
    page.get_by_text("使えない差し込みがあります: {{ order.numbr }}").wait_for()
    assert not MailTemplate.objects.filter(body__contains="numbr").exists()
    body.fill("{{ buyer.name }} 様\n番号 {{ order.number }} を承りました。")
    page.get_by_role("button", name="試し表示").click()
    page.get_by_text(f"番号 {order.channel_order_no} を承りました。").first.wait_for()
    screenshot(page, "mail-editor", full_page=True)
    page.get_by_role("button", name="保存", exact=True).click()
    page.get_by_text("テンプレートを保存しました。").wait_for()
    assert "を承りました。" in MailTemplate.objects.get(event="order_received").body
    page.goto(reverse("orders:mail-template-versions", args=["order_received"]))
    screenshot(page, "mail-versions", full_page=True)
    page.get_by_role("button", name="この版に戻す").click()
    page.get_by_text("版 1 の内容に戻しました。").wait_for()
    assert "誠にありがとうございます" in MailTemplate.objects.get(event="order_received").body


def test_a_text_with_a_hole_asks_before_it_is_saved(page_as, aoi, screenshot):
    unpaid()
    page = page_as(aoi)
    page.goto(reverse("orders:mail-template", args=["order_received"]))
    page.get_by_label("本文").fill("発売日 {{ order.release_date }}")
    page.get_by_role("button", name="保存", exact=True).click()
    page.get_by_text("次の差し込みが空になります").wait_for()
    screenshot(page, "mail-hole", full_page=True)
    page.get_by_role("button", name="このまま保存").click()
    page.get_by_text("テンプレートを保存しました。").wait_for()


def test_a_draft_is_written_read_rewritten_and_approved(page_as, aoi, screenshot):
    order = unpaid()
    page = page_as(aoi)
    page.goto(reverse("orders:mail-new", args=[order.pk]))
    page.get_by_label("添える文").fill("のしの名入れをお知らせください。")
    screenshot(page, "mail-new", full_page=True)
    page.get_by_role("button", name="下書きを作る").click()
    page.get_by_text("のしの名入れをお知らせください。").wait_for()
    screenshot(page, "mail-draft", full_page=True)
    page.get_by_role("link", name="文面を直す").click()
    page.get_by_label("本文").fill("のしはいかがなさいますか。")
    screenshot(page, "mail-edit", full_page=True)
    page.get_by_role("button", name="保存").click()
    page.get_by_text("文面を保存しました。承認すると送信します。").wait_for()
    page.get_by_role("button", name="承認して送る").click()
    page.get_by_text("メールを送ります。").wait_for()
    deliver_due()
    mail = Mail.objects.get(event="inquiry")
    assert (mail.state, mail.body) == ("sent", "のしはいかがなさいますか。")


def test_the_mail_screens_hold_on_a_phone_and_a_desk(page_as, aoi, screenshot):
    shop = own_shop()
    first, second = unpaid(shop=shop), unpaid(number=1, shop=shop)
    mailing.draft("delay_notice", first.pk, key="1", message="入荷が遅れています。", actor=Actor(by=aoi))
    mailing.draft("inquiry", second.pk, key="1")
    mail_addresses.stop("taro@example.jp", MailStop.Kind.BOUNCED, reason="宛先のメールアドレスが存在しません。")
    places = [
        ("mails", reverse("orders:mails")),
        ("mail-drafts", f"{reverse('orders:mails')}?state=draft"),
        ("mail-templates", reverse("orders:mail-templates")),
        ("mail-template", reverse("orders:mail-template", args=["shipped"])),
        ("mail-policies", reverse("orders:mail-policies")),
        ("mail-policy", reverse("orders:mail-policy", args=[shop.code])),
        ("mail-stops", reverse("orders:mail-stops")),
        ("mail-thanks", reverse("orders:mail", args=[Mail.objects.filter(event="order_received").first().pk])),
        ("mail-new", reverse("orders:mail-new", args=[first.pk])),
        ("mail-opt-out", reverse("orders:mail-opt-out", args=[token_for("hanako@example.jp")])),
    ]
    for width in (1440, 390):
        page = page_as(aoi, width=width)
        for name, url in places:
            assert page.goto(url).ok, name
            screenshot(page, f"{name}-{width}", full_page=True)
            assert fits(page), (name, width)


def token_for(address: str) -> str:
    from django.core import signing  # noqa: PLC0415

    return signing.dumps(address, salt=mail_addresses.SALT)
