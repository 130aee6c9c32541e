"""The bar of chosen rows: few buttons, one menu for the rest, keys for both, and the whole of it without scripts."""

import pytest
from playwright.sync_api import expect

from orders import actions
from orders.models import Order
from orders.models.order import Stage
from tests.orders.desk_board import fill_board

BROWSER = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def in_browser(test):
    for mark in BROWSER:
        test = mark(test)
    return test


@pytest.fixture
def board(transactional_db):
    return fill_board()


@pytest.mark.django_db
def test_six_buttons_stand_on_the_bar_and_every_other_action_under_a_heading(aoi):
    offered = actions.offered_to(aoi)
    bar = actions.bar(offered, also=[actions.Group.PAPER])
    assert [one.code for one in bar.buttons] == ["accept", "instruct", "print", "hold", "add_tag", "mail"]
    in_menu = [one for _heading, _code, own in bar.menu for one in own]
    assert len(bar.buttons) + len(in_menu) == len(offered) and all(heading for heading, _code, _own in bar.menu)
    assert [one.code for one in in_menu if one.danger] == ["cancel_short", "cancel"], "what destroys stands last"


@pytest.mark.django_db
def test_who_may_do_little_has_all_of_it_on_the_bar(person_with, client_of):
    accountant = person_with("accounting")
    bar = actions.bar(actions.offered_to(accountant), also=[actions.Group.PAPER])
    assert {one.code for one in bar.buttons} == {"print", "pay", "invoice", "remind", "receipt"} and not bar.menu
    shown = client_of(accountant).get("/orders/").content.decode()
    assert "bar-menu" not in shown and 'data-key="e"' in shown, "the export is a button then"


@in_browser
def test_the_bar_is_one_line_and_its_menu_stays_inside_the_window(board, page_as, aoi):
    page = page_as(aoi)
    page.goto("/orders/")
    page.locator("[data-row-select]").first.check()
    bar = page.locator("[data-selection-bar]")
    assert bar.bounding_box()["height"] < 70
    page.keyboard.press("i")
    expect(page.locator(".bar-menu[open]")).to_be_visible()
    box = page.locator(".bar-menu > .menu-panel").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 1440 and box["y"] >= 0
    phone = page_as(aoi, width=390, height=844)
    phone.goto("/orders/")
    phone.locator("[data-row-select]").first.check()
    phone.locator(".bar-menu > summary").click()
    box = phone.locator(".bar-menu > .menu-panel").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] >= 0
    last = phone.locator(".bar-menu .menu-item").last
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()


@in_browser
def test_the_menu_works_by_keys_and_its_closed_items_keep_their_own(board, browser_page):
    page = browser_page
    page.goto("/orders/?stage=on_hold")
    for key in ("j", "x", "Shift+h"):
        page.keyboard.press(key)
    dialog = page.locator("#bulk-dialog")
    expect(dialog).to_contain_text("選択した 1件のうち 1件が対象です。")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("i")
    menu = page.locator(".bar-menu")
    expect(menu).to_have_attribute("open", "")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".bar-menu .menu-item").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(page.locator("[data-selection-bar]")).to_contain_text("1 件選択")
    page.keyboard.press("i")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("保留解除")
    expect(menu).not_to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator(".bar-menu > summary")).to_be_focused()
    page.keyboard.press("w")
    page.keyboard.press("o")
    page.wait_for_url("**/orders/")


@in_browser
def test_without_scripts_the_menu_unfolds_and_its_actions_run(board, aoi, browser, live_server, client_of):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False, locale="ja-JP")
    client = client_of(aoi)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto("/orders/?stage=on_hold")
    page.locator("tr:has-text('R-0007') [data-row-select]").check()
    page.get_by_text("その他の操作").click()
    page.get_by_role("button", name="保留解除").click()
    expect(page.locator("main")).to_contain_text("選択した 1件のうち 1件が対象です。")
    page.get_by_role("button", name="保留解除（1件）").click()
    expect(page.locator("main")).to_contain_text("1件の保留を解除しました。")
    assert Order.objects.get(channel_order_no="R-0007").stage == Stage.AWAITING_STOCK
    context.close()
