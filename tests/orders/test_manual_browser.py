"""An order taken by telephone, and a copy, in a real browser; and the same without JavaScript."""

import pytest
from playwright.sync_api import expect

from orders.models import Order
from orders.services.intake import take_in
from tests.conftest import cookie, session_of
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_telephone_order_is_typed_with_the_keyboard_alone(page_as, aoi, screenshot):
    chair = make_sku("CHAIR-01", stock_units=5)
    make_sku("DESK-01", stock_units=1)
    take_in(make_shop(), [make_channel_order()], sku_of=mapped(chair))
    page = page_as(aoi)
    page.goto("/orders/")
    page.keyboard.press("Shift+N")
    expect(page.locator("#member-q")).to_be_focused()
    page.keyboard.type("サトウ")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="佐藤 恵").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("番地・建物").first).to_have_value("三軒茶屋2-14-3 メゾン青葉402")
    page.locator("[name=line-0-sku]").focus()
    page.keyboard.type("CHAIR-01")
    page.keyboard.press("Tab")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    expect(page.locator("#line-0-info")).to_contain_text("¥2,000")
    page.locator("[name=line-1-sku]").fill("DESK-01")
    page.locator("[name=line-1-quantity]").fill("3")
    page.locator("[name=shipping]").fill("600")
    page.locator("[name=shipping]").press("Tab")
    expect(page.locator("#manual-sums")).to_contain_text("¥5,600")
    expect(page.locator("#line-1-info")).to_contain_text("引当待ちになります")
    page.get_by_label("支払方法").select_option("cod")
    screenshot(page, "manual", full_page=True)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("登録しました")
    order = Order.objects.get(shop__channel="manual")
    assert (order.total, order.quantity, order.payment_method) == (5600, 5, "cod")
    screenshot(page, "manual-order", full_page=True)


def test_a_postal_code_fetches_the_address_while_one_goes_on(page_as, aoi, screenshot):
    page = page_as(aoi, width=390, height=844)
    page.goto("/orders/new/")
    page.locator("[name=buyer_postal_code]").fill("154-0024")
    page.locator("[name=buyer_postal_code]").press("Tab")
    expect(page.locator("[name=buyer_city]")).to_have_value("世田谷区")
    page.get_by_label("注文者と別の住所へ送る").check()
    expect(page.locator("[name=to_name]")).to_be_visible()
    page.get_by_role("button", name="受注を登録").click()
    expect(page.locator("[role=alert]")).to_contain_text("入力を確かめてください")
    expect(page.locator("[name=buyer_city]")).to_have_value("世田谷区")
    screenshot(page, "manual-390", full_page=True)


def test_a_copy_is_made_from_the_order_page(page_as, aoi, screenshot):
    take_in(make_shop(), [make_channel_order()], sku_of=mapped(make_sku(stock_units=5)))
    first = Order.objects.get()
    page = page_as(aoi)
    page.goto(f"/orders/{first.pk}/")
    page.get_by_text("その他の操作").click()
    page.get_by_role("link", name="受注を複写").click()
    page.get_by_label("再送").check()
    page.get_by_label("無償で送る").check()
    expect(page.locator("#manual-sums")).to_contain_text("無償で送ります")
    screenshot(page, "manual-copy", full_page=True)
    page.get_by_role("button", name="受注を登録").click()
    expect(page.locator("h1")).to_contain_text(f"{first.channel_order_no}-C")
    expect(page.get_by_role("link", name=first.channel_order_no, exact=True).first).to_be_visible()


def test_without_javascript_the_same_form_goes_all_the_way(browser, live_server, aoi):
    make_sku("CHAIR-01", stock_units=5)
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies([cookie(live_server.url, "sessionid", session_of(aoi))])
    page = context.new_page()
    page.goto("/orders/new/")
    page.locator("[name=buyer_name]").fill("山田 花")
    page.locator("[name=buyer_phone]").fill("03-1234-5678")
    page.locator("[name=buyer_postal_code]").fill("154-0024")
    page.locator("#buyer-place").get_by_role("button", name="住所を入れる").click()
    expect(page.locator("[name=buyer_city]")).to_have_value("世田谷区")
    page.locator("[name=buyer_address]").fill("三軒茶屋2-14-3")
    page.locator("[name=line-0-sku]").fill("CHAIR-01")
    page.locator("[name=line-0-sku]").press("Enter")
    expect(page.locator("#manual-sums")).to_contain_text("¥1,000")
    page.get_by_role("button", name="受注を登録").click()
    expect(page.locator("h1")).to_contain_text("TEL-")
    context.close()
