"""In the browser: a refund beyond one's limit is asked for, approved by somebody else, and who looked is on record."""

import pytest
from django.urls import reverse

from orders.models import Order, RefundRequest
from orders.services import mail as mailing
from orders.services.intake import take_in
from tests.conftest import person
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _templates():
    mailing.ensure_standard_templates()


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_cancellation_beyond_the_limit_is_asked_for_and_approved_by_somebody_else(page_as, aoi, screenshot):
    operator = person("oki", "沖 おき", role="operator")
    make_location()
    take_in(make_shop(), [make_channel_order(make_line(price=48_000))], sku_of=mapped(make_sku(stock_units=1)))
    order = Order.objects.get()

    page = page_as(operator)
    page.goto(reverse("orders:cancel", args=[order.pk]))
    page.get_by_role("button", name="キャンセルする").click()
    page.get_by_text("承認されるまで実行されません", exact=False).wait_for()
    screenshot(page, "approval-asked", full_page=True)
    page.goto(reverse("orders:refund-requests"))
    assert page.get_by_role("button", name="承認する").count() == 0
    page.get_by_text("自分の申請").wait_for()

    approver = page_as(aoi)
    approver.goto("/")
    approver.get_by_role("link", name="返金の承認待ち").click()
    screenshot(approver, "approvals", full_page=True)
    approver.set_viewport_size({"width": 390, "height": 844})
    screenshot(approver, "approvals-narrow", full_page=True)
    assert fits(approver)
    approver.get_by_role("button", name="却下する").click()
    approver.get_by_text("却下する理由を入力してください。").wait_for()
    approver.get_by_label("メモ（却下するときは必須）").fill("お客様に電話で確認済み")
    approver.get_by_role("button", name="承認する").click()
    approver.get_by_text("承認しました。").wait_for()
    order.refresh_from_db()
    assert order.cancelled_at and RefundRequest.objects.get().decided_by == aoi

    approver.set_viewport_size({"width": 1280, "height": 900})
    approver.goto(reverse("orders:detail", args=[order.pk]))
    approver.get_by_role("link", name="誰が見たか").click()
    approver.get_by_role("cell", name="沖 おき").wait_for()
    screenshot(approver, "personal-views", full_page=True)
    approver.set_viewport_size({"width": 390, "height": 844})
    screenshot(approver, "personal-views-narrow", full_page=True)
    assert fits(approver)


def test_administrators_set_limits_and_shops_of_a_person(page_as, aoi, screenshot):
    make_location()
    shop = make_shop()
    make_shop("yahoo-1", name="ヤフー店", channel="yahoo", channel_label="Yahoo!ショッピング")
    operator = person("oki", "沖 おき", role="operator")
    page = page_as(aoi)
    page.goto(reverse("orders:refund-limits"))
    page.get_by_label("受注担当").fill("50000")
    page.get_by_role("button", name="保存する").click()
    page.get_by_text("返金の上限を保存しました。").wait_for()
    screenshot(page, "refund-limits", full_page=True)

    page.goto(reverse("pages:person", args=[operator.pk]))
    page.get_by_label(str(shop)).check()
    screenshot(page, "person-limits", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, "person-limits-narrow", full_page=True)
    assert fits(page)
    page.get_by_role("button", name="保存する").click()
    page.get_by_text("を保存しました", exact=False).wait_for()
    operator.refresh_from_db()
    assert operator.shop_ids == [shop.pk]
