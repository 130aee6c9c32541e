"""The papers' screens in a real browser: from an order to its receipt, the search, and printing options."""

import pytest
from playwright.sync_api import expect

from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from orders.documents.bill import BillKind
from orders.models import IssuedDocument
from orders.services.journal import Actor
from tests.orders.builders import make_sku
from tests.orders.test_papers import bought, issue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_receipt_is_issued_from_the_orders_page_and_found_again(page_as, aoi, screenshot):
    order = bought()
    page = page_as(aoi)
    page.goto(f"/orders/{order.pk}/")
    panel = page.locator(f"#order-{order.pk}-papers")
    panel.get_by_role("link", name="領収書を発行").click()
    page.get_by_label("宛名").fill("株式会社山田商店")
    screenshot(page, "papers-issue")
    page.get_by_role("button", name="発行する").click()
    document = IssuedDocument.objects.get()
    expect(page.locator("h1")).to_have_text("領収書")
    page.get_by_role("button", name="リンクを作る").click()
    expect(page.get_by_text("リンクを作りました。")).to_be_visible()
    screenshot(page, "papers-one", full_page=True)
    issue(bought(), BillKind.INVOICE)
    page.goto("/orders/papers/")
    page.get_by_label("取引先・番号").fill("山田商店")
    page.get_by_label("取引先・番号").press("Enter")
    expect(page.locator("#papers-table tbody tr")).to_have_count(1)
    expect(page.locator("#papers-table")).to_contain_text(document.number)
    page.goto("/orders/papers/")
    screenshot(page, "papers-list")
    page.goto(f"/orders/papers/shops/{order.shop_id}/")
    screenshot(page, "papers-settings", full_page=True)
    page.goto(f"/orders/{order.pk}/papers/credit-note/")
    screenshot(page, "papers-credit", full_page=True)


def test_printing_options_stand_beside_the_chosen_shipments(page_as, aoi, screenshot):
    order = bought()
    make_sku("CHAIR", stock_units=9)
    allocate_waiting()
    instruct_orders([order.pk], actor=Actor())
    page = page_as(aoi)
    page.goto("/fulfillment/")
    page.locator("input[name=ids]").first.check()
    page.get_by_text("印刷の設定").click()
    expect(page.get_by_label("並び順")).to_be_visible()
    screenshot(page, "papers-print-options")
    with page.expect_popup() as popup:
        page.get_by_role("button", name="集荷リスト").click()
    popup.value.close()
