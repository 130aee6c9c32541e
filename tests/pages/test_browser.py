"""The desk's own scripts, in a real browser: keys, rows, selection, dialogs, themes, small screens."""

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import expect

from oms.kernel.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TOO_SMALL = """() => [...document.querySelectorAll(
    'button, .button, .tile, .tab, .chip, .nav-link, summary, select, .check, .field input')]
    .filter(e => e.getClientRects().length && !e.matches('[type=checkbox], [type=radio]'))
    .filter(e => Math.round(e.getBoundingClientRect().height * 10) < 440)
    .map(e => `${e.className || e.tagName} ${e.textContent.trim().slice(0, 12)} ${e.getBoundingClientRect().height}`)"""
WIDTHS = [360, 390, 768, 1024, 1440]


@pytest.fixture
def staff(aoi):
    aoi.is_staff = True
    aoi.save(update_fields=["is_staff"])
    return aoi


@pytest.fixture
def page(page_as, staff):
    page = page_as(staff)
    refused = []
    page.on("console", lambda line: refused.append(line.text) if "Content Security Policy" in line.text else None)
    page.goto("/styleguide/")
    yield page
    assert refused == [], "the page asks for what its own policy forbids"


def current(page):
    return page.evaluate("document.querySelector('.is-current')?.dataset.row ?? ''")


def test_j_and_k_walk_the_rows_and_stop_at_the_ends(page):
    rows = page.eval_on_selector_all("tr[data-row]", "rows => rows.map(row => row.dataset.row)")
    page.keyboard.press("j")
    assert current(page) == rows[0]
    page.keyboard.press("k")
    assert current(page) == rows[0]
    for _ in rows:
        page.keyboard.press("j")
    assert current(page) == rows[-1]


def test_keys_rest_in_fields_and_while_the_input_method_composes(page):
    page.locator("#id_good-name").fill("")
    page.locator("#id_good-name").press("j")
    assert current(page) == "" and page.locator("#id_good-name").input_value() == "j"
    page.evaluate("document.activeElement.blur()")
    fire = "init => document.body.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, key: 'j', ...init}))"
    page.evaluate(fire, {"isComposing": True})
    page.evaluate(fire, {"keyCode": 229})
    assert current(page) == ""
    page.evaluate(fire, {})
    assert current(page) != "", "the same key without composition works"


def test_x_selects_shift_x_a_range_and_escape_none(page):
    bar = page.locator("[data-selection-bar]")
    expect(bar).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar).to_contain_text("1 件選択")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(bar).to_contain_text("3 件選択")
    assert page.locator("[data-row-select]:checked").count() == 3
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    assert page.locator("[data-row-select]:checked").count() == 0


def test_shift_click_selects_a_range(page):
    boxes = page.locator("[data-row-select]")
    boxes.nth(1).click()
    boxes.nth(3).click(modifiers=["Shift"])
    expect(page.locator("[data-selection-bar]")).to_contain_text("3 件選択")


def test_a_selects_all_that_match_and_unticking_one_narrows_it_to_the_page(page):
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("a")
    expect(page.locator("[data-selection-bar]")).to_contain_text("条件に合うすべて")
    assert page.locator("[data-select-all-field]").input_value() == "1"
    page.locator("[data-row-select]").first.uncheck()
    assert page.locator("[data-select-all-field]").input_value() == ""
    expect(page.locator("[data-selection-bar]")).to_contain_text("4 件選択")


def test_the_selection_survives_a_refreshed_table_and_travels_with_the_form(page):
    page.keyboard.press("j")
    page.keyboard.press("x")
    chosen = current(page)
    page.evaluate("""() => {
        const body = document.querySelector('#sample-list tbody');
        body.innerHTML = body.innerHTML.replaceAll(' is-current', '');
        body.querySelector('[data-row]').remove();
        document.dispatchEvent(new CustomEvent('htmx:afterSettle'));
    }""")
    expect(page.locator("[data-selection-bar]")).to_contain_text("1 件選択")
    posted = page.evaluate("[...new FormData(document.getElementById('sample-list')).getAll('ids')]")
    assert posted == [chosen]


def test_enter_opens_the_row_and_a_key_of_another_row_does_nothing(page):
    page.evaluate("""() => {
        window.pressed = [];
        document.querySelectorAll('tr[data-row] [data-key=c]').forEach(
            button => button.addEventListener('click', () => window.pressed.push(button.closest('tr').dataset.row)));
    }""")
    page.keyboard.press("c")
    page.wait_for_timeout(100)  # a key waits a moment: a barcode reader might be typing
    assert page.evaluate("window.pressed") == []
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.wait_for_timeout(200)
    assert page.evaluate("window.pressed") == [current(page)]
    page.evaluate("document.querySelector('.is-current').focus()")
    page.keyboard.press("Enter")
    assert page.url.endswith("#" + current(page))


def test_the_question_mark_shows_the_keys_of_this_page(page):
    page.keyboard.press("?")
    dialog = page.locator("#key-help")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("次の行")
    expect(dialog).to_contain_text("条件に合うすべてを選択")
    page.keyboard.press("j")
    assert current(page) == "", "behind a dialog the list is asleep"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_dialog_takes_the_focus_and_gives_it_back(page):
    button = page.get_by_role("button", name="ダイアログを開く")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#sample-dialog")).to_be_visible()
    assert page.evaluate("document.activeElement.closest('dialog')?.id") == "sample-dialog"
    page.keyboard.press("Escape")
    expect(page.locator("#sample-dialog")).to_be_hidden()
    expect(button).to_be_focused()


def test_the_theme_is_chosen_in_the_menu_and_remembered(page):
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator(".menu:not(.nav-more) summary").click()
    page.get_by_role("button", name="暗", exact=True).click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    page.keyboard.press("Escape")


def test_without_a_choice_the_system_decides(page):
    ground = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) != light


def test_a_toast_can_be_dismissed(page):
    toast = page.locator("[data-toast]", has_text="見本のお知らせです")
    expect(toast).to_be_visible()
    toast.get_by_role("button", name="閉じる").click()
    expect(toast).to_have_count(0)


def test_the_language_switch_turns_the_page_and_comes_back_to_it(page):
    page.locator(".menu:not(.nav-more) summary").click()
    page.get_by_role("button", name="English").click()
    page.wait_for_url("**/styleguide/")
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(page_as, staff, width):
    page = page_as(staff, width=width, height=800)
    for path in ("/", "/keys/", "/styleguide/", "/no-such-page/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_on_a_phone_everything_to_touch_is_large_enough(page_as, staff):
    page = page_as(staff, width=390, height=844)
    page.goto("/styleguide/")
    small = page.evaluate(TOO_SMALL)
    assert small == []


def test_a_person_logs_in_without_scripts(browser, live_server, db):
    User.objects.create_user("aoi", password="himitsu-no-kotoba").groups.add(Group.objects.get(name="operator"))
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("ユーザー名").fill("aoi")
    page.get_by_label("パスワード").fill("himitsu-no-kotoba")
    page.get_by_role("button", name="ログイン").click()
    expect(page.get_by_role("heading", name="ホーム")).to_be_visible()
    context.close()
