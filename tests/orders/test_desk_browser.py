"""受注一覧 in a real browser: keys, selection, bulk dialog, refresh, phone."""

import pytest
from playwright.sync_api import expect

from orders.models import BulkRun, Order
from orders.models.order import Stage
from orders.services import bulk, bulk_undo
from orders.services.hold import hold_orders
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped, store_copies
from tests.orders.desk_board import fill_board

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
POLL = "document.querySelectorAll('#desk-live').forEach(element => htmx.trigger(element, 'seen'))"
TOO_SMALL = """() => [...document.querySelectorAll('main :is(button, .button, .tile, .chip, input.input)')]
    .filter(e => e.getClientRects().length && Math.round(e.getBoundingClientRect().height * 10) < 440)
    .map(e => e.outerHTML.slice(0, 80))"""


@pytest.fixture
def board(transactional_db):
    return fill_board()


@pytest.fixture
def page(board, browser_page):
    refused = []
    browser_page.on("console", lambda line: "Content Security" in line.text and refused.append(line.text))
    browser_page.goto("/orders/")
    yield browser_page
    assert refused == []


def stages(*numbers: str) -> list[str]:
    return [Order.objects.get(channel_order_no=number).stage for number in numbers]


def press(page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def current(page) -> str:
    return page.evaluate("document.querySelector('.is-current a')?.textContent ?? ''")


def test_orders_are_held_with_keys_alone_and_the_list_follows(page):
    press(page, "j x j x")
    expect(page.locator("[data-selection-bar]")).to_contain_text("2 件選択")
    press(page, "h")
    dialog = page.locator("#bulk-dialog")
    expect(dialog).to_contain_text("選択した 2件のうち 2件が対象です。")
    expect(page.locator("#bulk-dialog input[name=reason]")).to_be_focused()
    page.keyboard.type("在庫を数え直す")
    press(page, "Control+Enter")
    expect(dialog).to_contain_text("2件を保留にしました。")
    expect(page.locator("#desk-rows")).to_contain_text("保留を解除する（在庫を数え直す）")
    press(page, "Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("[data-selection-bar]")).to_be_hidden()
    assert stages("R-0001", "R-0002") == [Stage.ON_HOLD, Stage.ON_HOLD]


def test_story_05_in_the_browser_five_thousand_orders_get_a_tag_then_undo_and_the_log_has_both(page, board):
    seed = board["R-0001"]
    store_copies(seed, (f"T-{n}" for n in range(5000 - len(board))))
    page.goto("/orders/")
    press(page, "a")
    press(page, "t")
    dialog = page.locator("#bulk-dialog")
    expect(dialog).to_contain_text("5,000件")
    dialog.locator("input[name=tag]").fill("年末便")
    press(page, "Control+Enter")
    expect(dialog.locator("progress")).to_be_visible()
    run = BulkRun.objects.get()
    bulk.work(run.key)  # what the worker does
    expect(dialog).to_contain_text("5,000件にタグを付けました。")
    assert Order.objects.filter(tags__contains=["年末便"]).count() == 5000
    press(page, "u")
    expect(dialog.locator("progress")).to_be_visible()
    bulk_undo.work(run.key)
    expect(dialog).to_contain_text("5,000件を元に戻しました。")
    assert not Order.objects.filter(tags__contains=["年末便"]).exists()
    page.goto("/orders/bulk/log/")
    expect(page.locator("main")).to_contain_text("タグを付ける")
    expect(page.locator("main")).to_contain_text("（5,000件）")


def test_unticking_a_reason_counts_anew_before_anything_happens(page):
    page.goto("/orders/?stage=review")
    press(page, "a c")
    dialog = page.locator("#bulk-dialog")
    expect(dialog).to_contain_text("選択した 4件のうち 3件が対象です。")
    dialog.get_by_label("備考あり（2件）").uncheck()
    expect(dialog).to_contain_text("選択した 4件のうち 2件が対象です。")
    assert set(stages("R-0002", "Y-0002")) == {Stage.REVIEW}


def test_a_refresh_keeps_the_selection_and_the_row_one_stands_on(page):
    press(page, "j j x")
    assert current(page) == "R-0002"
    take_in(make_shop(), [make_channel_order(number="R-9999")], sku_of=mapped(make_sku()))
    page.evaluate(POLL)
    expect(page.locator("#desk-rows")).to_contain_text("R-9999")
    assert current(page) == "R-0002"
    assert page.locator("tr:has-text('R-0002') [data-row-select]").is_checked()
    assert page.locator("[data-row-select]:checked").count() == 1
    press(page, "j")
    assert current(page) == "R-0003"


def test_the_tiles_follow_without_a_reload(page, board):
    tile = page.locator("#desk-tiles a.tile", has_text="保留")
    expect(tile).to_contain_text("1")
    hold_orders([board["R-0001"].pk], reason="確認", actor=Actor())
    page.evaluate(POLL)
    expect(tile).to_contain_text("2")


def test_a_tile_narrows_the_list_and_the_address_and_back_returns(page):
    page.locator("#desk-tiles a.tile", has_text="入金待ち").click()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    assert page.url.endswith("/orders/?stage=awaiting_payment")
    take_in(make_shop(), [make_channel_order(number="R-9999")], sku_of=mapped(make_sku()))
    page.evaluate(POLL)
    expect(page.locator("#desk-tiles a.tile").first).to_contain_text("10")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.keyboard.press("]")
    expect(page).to_have_url(page.url.replace("awaiting_payment", "awaiting_stock"))
    page.go_back()
    page.go_back()
    expect(page.locator("tr[data-row]")).to_have_count(9)
    page.evaluate(POLL)
    expect(page.locator("tr[data-row]")).to_have_count(10)


def test_enter_opens_the_order_beside_the_list_and_what_is_done_there_shows_at_once(page):
    press(page, "j j Enter")
    drawer = page.locator("#drawer-root aside")
    expect(drawer).to_contain_text("R-0002")
    assert page.url.endswith("/orders/")
    drawer.locator("[data-key='c']").first.click()
    expect(page.locator("tr:has-text('R-0002')")).to_contain_text("在庫の引当を待つ")
    press(page, "Escape")
    expect(drawer).to_have_count(0)
    assert current(page) == "R-0002"


def test_the_search_field_keeps_the_filter_and_a_chip_takes_it_off(page):
    page.goto("/orders/?stage=review")
    page.locator("#desk-q").fill("山田")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    expect(page.locator("#desk-q")).to_have_value("山田")
    page.get_by_role("link", name="ステータス: 確認待ち").click()
    expect(page.locator(".chips .chip")).to_have_count(1)
    assert "stage" not in page.url and "q=" in page.url


def test_the_filter_panel_opens_by_key_and_leads_to_the_list(page):
    page.keyboard.press("f")
    drawer = page.locator("#desk-filter")
    expect(drawer.get_by_label("銀行振込")).to_be_hidden()
    drawer.get_by_label("条件を探す").fill("支払方法")
    expect(drawer.get_by_label("注文者・届け先の氏名", exact=True)).to_be_hidden()
    drawer.get_by_label("銀行振込").check()
    drawer.get_by_label("代金引換").check()
    drawer.get_by_role("button", name="この条件で表示").click()
    expect(page.locator("tr[data-row]")).to_have_count(2)
    expect(page.locator(".chips")).to_contain_text("支払方法: 代金引換")


def test_without_scripts_the_whole_way_works(board, aoi, browser, live_server, client_of):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False, locale="ja-JP")
    client = client_of(aoi)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto("/orders/?stage=awaiting_stock")
    page.locator("tr:has-text('R-0001') [data-row-select]").check()
    page.get_by_role("button", name="保留", exact=False).first.click()
    expect(page.locator("main")).to_contain_text("選択した 1件のうち 1件が対象です。")
    page.locator("input[name=reason]").fill("確認")
    page.get_by_role("button", name="保留（1件）").click()
    expect(page.locator("main")).to_contain_text("1件を保留にしました。")
    page.get_by_role("link", name="一覧に戻る").click()
    assert page.url.endswith("/orders/?stage=awaiting_stock")
    assert stages("R-0001") == [Stage.ON_HOLD]
    context.close()


def test_the_desk_never_scrolls_sideways(board, page_as, aoi):
    page = page_as(aoi)
    for width in (360, 390, 768, 1024, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto("/orders/?stage=review")
        page.locator("[data-row-select]").first.check()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width < 700:
            assert page.evaluate(TOO_SMALL) == [], width


def test_pictures_of_the_desk(page, page_as, aoi, screenshot):
    """Light, dark, phone; the panel and the dialog. They are for looking at; what they show is asserted above."""
    assert screenshot(page, "desk-list").exists()
    press(page, "j x j x h")
    expect(page.locator("#bulk-dialog")).to_be_visible()
    screenshot(page, "desk-bulk")
    page.emulate_media(color_scheme="dark")
    page.goto("/orders/?stage=review")
    screenshot(page, "desk-dark")
    phone = page_as(aoi, width=390, height=844)
    phone.goto("/orders/")
    screenshot(phone, "desk-phone")
