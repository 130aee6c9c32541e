"""Payments in the browser: from the bank's file to an order that may ship, and back."""

from datetime import timedelta

import pytest
from django.urls import reverse

from oms.kernel import clock
from orders.models import BankMatch, Order, OrderTask
from orders.services import mail as mailing
from orders.services import payment, refunds
from orders.services.journal import Actor
from tests.orders.payments.builders import notice, own_shop, unpaid

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _templates():
    mailing.ensure_standard_templates()


def stage_of(order: Order) -> str:
    return Order.objects.get(pk=order.pk).stage


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_story_06_in_the_browser_a_bank_file_is_matched_the_gate_opens_and_a_wrong_match_is_undone(
    page_as, aoi, screenshot
):
    sure, likely = unpaid("ヤマダ ハナコ"), unpaid("スズキ タロウ", 2000, number=1)
    today = clock.today()
    lines = [(today, 1500, "ヤマダ ハナコ"), (today, 2500, "サトウ ジロウ"), (today, 77, "ﾅｿﾞ")]
    bank_file = {"name": "nyukin.txt", "mimeType": "text/plain", "buffer": notice(lines)}
    page = page_as(aoi)
    page.goto(reverse("orders:payments"))
    screenshot(page, "payments", full_page=True)
    page.get_by_role("link", name="入金消込").click()
    page.get_by_label("銀行のファイル").set_input_files(bank_file)
    page.get_by_role("button", name="読み込む").click()
    page.get_by_text("3件の入金を取り込みました").wait_for()
    screenshot(page, "matching", full_page=True)
    page.get_by_role("button", name="1件（¥1,500）をすべて消し込む").click()
    page.get_by_text("1件を消し込みました。").wait_for()
    assert stage_of(sure) != "awaiting_payment" and stage_of(likely) == "awaiting_payment"

    page.get_by_role("row", name="サトウ ジロウ").get_by_role("button", name="消し込む", exact=False).first.click()
    page.get_by_text("消し込みました。", exact=True).wait_for()
    assert stage_of(likely) != "awaiting_payment"
    screenshot(page, "matching-done", full_page=True)
    page.keyboard.press("u")
    page.get_by_text("消込を取り消しました。受注は入金前に戻りました。").wait_for()
    assert stage_of(likely) == "awaiting_payment" and BankMatch.objects.filter(undone_at=None).count() == 1

    page.reload()
    page.get_by_text("銀行の明細を読み込む").click()
    page.get_by_label("銀行のファイル").set_input_files(bank_file)
    page.get_by_role("button", name="読み込む").click()
    page.get_by_text("3件は取込済みのため飛ばしました").wait_for()
    page.get_by_role("row", name="¥77").get_by_role("link", name="受注を探す").click()
    page.get_by_role("searchbox").first.wait_for()
    screenshot(page, "matching-search", full_page=True)


def test_the_payment_screens_hold_on_a_phone_and_a_desk(page_as, aoi, screenshot):
    shop, actor = own_shop(), Actor(by=aoi)
    orders = [unpaid(number=number, shop=shop, price=1000 + 500 * number) for number in range(4)]
    Order.objects.filter(pk=orders[0].pk).update(
        pay_by=clock.now() - timedelta(days=9), ordered_at=clock.now() - timedelta(days=16)
    )
    payment.record_payments([orders[1].pk, orders[2].pk], actor=actor)
    refunds.open_refund(orders[1].pk, key="r", wish=refunds.Wish(), reason="初期不良のため", actor=actor)
    line = orders[2].lines.get().pk
    for width in (1440, 390):
        page = page_as(aoi, width=width)
        for name in ("payments", "payments-expired", "matching", "refunds", "payment-terms"):
            page.goto(reverse(f"orders:{name}"))
            screenshot(page, f"{name}-{width}", full_page=True)
            assert fits(page), (name, width)
        for name in ("payment", "refund-new", "payment-record"):
            page.goto(reverse(f"orders:{name}", args=[orders[2].pk]))
            if name == "refund-new":
                page.locator(f"[name=piece-{line}]").fill("1")
                page.get_by_label("理由").fill("色違い")
                page.get_by_role("button", name="金額を見る").click()
                page.get_by_text("返金の内訳").wait_for()
            screenshot(page, f"{name}-{width}", full_page=True)
            assert fits(page), (name, width)
        page.goto(reverse("orders:payment-terms-edit", args=[shop.code]))
        screenshot(page, f"terms-edit-{width}", full_page=True)
        assert fits(page), width


def test_a_reminder_is_previewed_sent_and_a_task_is_ticked_off(page_as, aoi, screenshot):
    order = unpaid()
    page = page_as(aoi)
    page.goto(reverse("orders:payments"))
    page.get_by_label(order.channel_order_no).check()
    page.get_by_role("button", name="督促する").click()
    page.locator("#dialog-root dialog").wait_for()
    screenshot(page, "remind", full_page=True)

    payment.record_payments([order.pk], actor=Actor(by=aoi))
    page.goto(reverse("orders:refunds"))
    page.get_by_text("受注画面で入金済みにする").wait_for()
    screenshot(page, "money-tasks", full_page=True)
    page.get_by_role("button", name="完了").click()
    page.get_by_text("作業を完了しました。").wait_for()
    assert OrderTask.objects.get(kind="report").done_by == aoi
