"""In the browser: a colleague is asked, a rule asks about a place, the administrator says how long data stays."""

import pytest
from playwright.sync_api import expect

from oms.kernel.models import User
from orders.models import Order, PrivacyEvent, Retention
from orders.services import labels, privacy
from orders.services.intake import take_in
from orders.services.journal import SYSTEM, Actor
from tests.orders.builders import make_channel_order, make_location, make_shop, make_sku, mapped
from tests.orders.test_privacy import ended

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def test_a_question_is_asked_from_the_list_and_answered_on_a_card(browser_page, aoi, screenshot):
    page = browser_page
    take_in(make_shop(), [make_channel_order(number="Q-1")], sku_of=mapped(make_sku(stock_units=9)))
    User.objects.create_user("ken", display_name="鈴木 健太")
    page.goto("/orders/")
    page.locator("[data-row-select]").first.check()
    button = page.get_by_role("button", name="社内に聞く")
    if not button.is_visible():  # in the menu behind the bar
        page.locator("[data-selection-bar] summary").last.click()
    button.click()
    dialog = page.locator("#bulk-dialog")
    dialog.get_by_label("たずねる相手").select_option(label="鈴木 健太")
    dialog.get_by_label("たずねること").fill("のし紙の在庫はありますか。")
    screenshot(page, "question-dialog")
    dialog.get_by_label("たずねること").press("Control+Enter")
    expect(dialog).to_contain_text("1件について社内にたずねました。")
    page.goto("/orders/inbox/?reason=question_to_colleague")
    expect(page.locator("main")).to_contain_text("のし紙の在庫はありますか。")
    screenshot(page, "question-card")
    order = Order.objects.get()
    assert (order.stage, order.assignee.username) == ("review", "ken")


def test_a_rule_asks_about_the_stock_of_a_place(browser_page, screenshot):
    page = browser_page
    make_location("S1", name="世田谷店", kind="store")
    page.goto("/orders/rules/new/")
    page.locator("button[value='add-condition:if']").click()
    page.select_option("select[name='field-if.0']", "least_stock")
    page.locator("select[name='arg-if.0']").wait_for()
    page.select_option("select[name='arg-if.0']", "S1")
    page.select_option("select[name='op-if.0']", "gt")
    page.fill("input[name='value-if.0']", "10")
    page.locator("button[name='refresh']").last.click()
    expect(page.locator(".rule-sentence").first).to_contain_text("世田谷店")
    screenshot(page, "rule-place", full_page=True)


def test_days_are_set_an_order_is_exempted_and_the_record_tells_it(browser_page, aoi, screenshot):
    page, shop = browser_page, make_shop()
    kept = ended(shop)
    ended(shop)
    page.goto("/orders/privacy/")
    row = page.locator("#privacy-shops tbody tr")
    expect(row).to_contain_text("無期限")
    row.get_by_label("保存する日数").fill("3")
    row.locator("form").evaluate("form => form.noValidate = true")
    row.get_by_role("button", name="保存").click()
    expect(page.locator("[role=alert]").first).to_contain_text("7 日から")
    row.get_by_label("保存する日数").fill("90")
    row.get_by_role("button", name="保存").click()
    expect(row).to_contain_text("90日間")
    page.get_by_label("受注番号").fill(kept.channel_order_no)
    page.get_by_label("消去しない理由").fill("係争中")
    page.get_by_role("button", name="消去しない受注に加える").click()
    expect(page.locator("main")).to_contain_text("係争中")
    assert privacy.erase_due(actor=SYSTEM) == 1
    privacy.set_days(shop.pk, 120, actor=Actor(aoi))
    page.goto("/orders/privacy/")
    expect(page.locator("#privacy-events")).to_contain_text("終わって 90日を過ぎた受注")
    screenshot(page, "privacy", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, "privacy-390", full_page=True)
    assert Retention.objects.get().days == 120 and PrivacyEvent.objects.count() == 4


def test_the_record_of_deeds_is_searched(browser_page, aoi, screenshot):
    page = browser_page
    take_in(make_shop(), [make_channel_order(number=f"H-{n}") for n in range(2)], sku_of=mapped(make_sku()))
    for order in Order.objects.all():
        labels.add_tag([order.pk], f"急ぎ {order.channel_order_no}", actor=Actor(aoi))
    page.goto("/orders/history/")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("内容に含む言葉").fill("H-1")
    page.get_by_role("button", name="絞り込む").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    screenshot(page, "history")
