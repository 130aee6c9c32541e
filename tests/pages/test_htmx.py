"""Browser and server together, on the small desk of `probe.py`: dialogs, drawer, polls, refusals, an expired login."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.pages import probe

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.pages.probe"),
]


@pytest.fixture(autouse=True)
def small_desk(settings):
    engine = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**engine, "DIRS": [Path(__file__).parent / "probe_templates", *engine["DIRS"]]}]
    probe.state.update(orders=1, polls=0, note="")
    return probe.state


@pytest.fixture
def page(page_as, aoi):
    page = page_as(aoi)
    page.goto("/desk/")
    return page


def ask_again(page):
    """What the timer does after ten seconds."""
    with page.expect_response("**/desk/live/**") as answer:
        page.evaluate("htmx.trigger('#desk-live', 'seen')")
    return answer.value


def test_a_dialog_comes_by_link_returns_with_errors_and_goes_when_all_is_well(page):
    page.locator("#open-note").click()
    dialog = page.locator("#note-dialog")
    expect(dialog).to_be_visible()
    assert page.evaluate("document.getElementById('note-dialog').matches(':modal')")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.locator(".field-error")).to_be_visible()
    assert page.evaluate("document.getElementById('note-dialog').matches(':modal')")
    dialog.get_by_label("メモ").fill("箱を二重に")
    dialog.get_by_label("メモ").press("Control+Enter")
    expect(page.locator("#desk-head")).to_have_text("机 箱を二重に")
    expect(dialog).to_have_count(0)
    expect(page.locator("[data-toast]")).to_contain_text("メモを保存しました")
    assert page.url.endswith("/desk/")


def test_a_dialog_that_is_closed_leaves_nothing_and_gives_the_focus_back(page):
    page.locator("#open-note").click()
    expect(page.locator("#note-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#note-dialog")).to_have_count(0)
    expect(page.locator("#open-note")).to_be_focused()
    page.locator("#open-note").click()
    expect(page.locator("#note-dialog")).to_be_visible()


def test_the_same_form_works_as_a_page_without_scripts(browser, live_server, aoi, page):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies(page.context.cookies())
    plain = context.new_page()
    plain.goto("/desk/")
    plain.locator("#open-note").click()
    plain.get_by_role("button", name="保存").click()
    expect(plain.locator(".field-error")).to_be_visible()
    plain.get_by_role("textbox", name="メモ").fill("紙で")
    plain.get_by_role("button", name="保存").click()
    expect(plain.locator("#desk-head")).to_have_text("机 紙で")
    expect(plain.locator("#messages")).to_contain_text("メモを保存しました")
    context.close()


def test_the_drawer_opens_from_the_row_and_escape_returns_to_it(page):
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".drawer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".drawer")).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('[data-row]')?.dataset.row") == "1"


def test_a_poll_without_news_changes_nothing(page, small_desk):
    answer = ask_again(page)
    assert answer.status == 204 and small_desk["polls"] == 1
    expect(page.locator("[data-row]")).to_have_count(1)


def test_a_poll_with_news_refreshes_the_table_and_keeps_the_row(page, small_desk):
    page.keyboard.press("j")
    small_desk["orders"] = 3
    assert ask_again(page).status == 200
    expect(page.locator("[data-row]")).to_have_count(3)
    assert page.evaluate("document.querySelector('.is-current')?.dataset.row") == "1"
    assert ask_again(page).status == 204, "the refreshed poller carries the new token"
    page.keyboard.press("j")
    assert page.evaluate("document.querySelector('.is-current')?.dataset.row") == "2"


def test_a_refusal_is_said_in_words(page):
    page.get_by_role("button", name="禁じられた操作").click()
    toast = page.locator("[data-toast][data-tone=error]")
    expect(toast).to_contain_text("この操作をする権限がありません")
    expect(page.get_by_role("button", name="禁じられた操作")).to_be_enabled()


def test_a_lost_connection_is_said_in_words(page):
    page.context.set_offline(True)
    page.get_by_role("button", name="禁じられた操作").click()
    expect(page.locator("[data-toast][data-tone=error]")).to_contain_text("サーバーに接続できません")
    page.context.set_offline(False)


def test_after_an_expired_login_the_whole_window_goes_to_the_login_page(page):
    page.context.clear_cookies(name="sessionid")
    page.locator("#open-note").click()
    page.wait_for_url("**/login/?next=%2Fdesk%2F")
    expect(page.get_by_role("button", name="ログイン")).to_be_visible()
