"""A store's tablet in a real browser: registered, names, PIN, work, 交代; and no JavaScript needed for any of it."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.orders.builders import make_sku
from tests.pages.store_devices.builders import PIN, make_store, works_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = [(390, 844), (820, 1180), (1440, 900)]
TOO_SMALL = """() => [...document.querySelectorAll(
    'main a.button, main button, main input:not([type=hidden]), main .store-person, .pin-bar button')]
    .filter(e => e.getClientRects().length && !e.matches('.login-language *'))
    .filter(e => Math.round(e.getBoundingClientRect().height) < 44)
    .map(e => `${e.textContent.trim().slice(0, 12)} ${e.getBoundingClientRect().height}`)"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def store(aoi):
    store = make_store()
    for username, name in (("mio", "高橋 美緒"), ("rin", "中村 凛"), ("kai", "小林 海斗"), ("yui", "加藤 結衣")):
        works_at(store, username, name, role="store_manager" if username == "kai" else "store_staff")
    works_at(store, "nao", "森 直子", pin="")
    make_sku("CHAIR", stock_units=3, location=store)
    return store


def at_all_sizes(page, screenshot, name):
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        screenshot(page, f"store-{name}-{width}", full_page=width == 1440)
        assert page.evaluate(SIDEWAYS) <= 0, f"{name} scrolls sideways at {width}"
        if width == 390:
            assert page.evaluate(TOO_SMALL) == [], name
    page.set_viewport_size({"width": 390, "height": 844})


def type_pin(page, pin=PIN):
    for digit in pin:
        page.locator(f"[data-digit='{digit}']").click()
    page.get_by_role("button", name="入る").click()


def test_register_pin_work_and_take_over(page_as, aoi, store, screenshot):
    desk = page_as(aoi)
    desk.goto("/people/store-devices/")
    desk.get_by_label("端末名").fill("レジ横のタブレット")
    desk.get_by_role("button", name="登録コードを作る").click()
    expect(desk.locator("#store-device-state")).to_contain_text("待っています")
    code = desk.locator(".device-code").inner_text()
    at_all_sizes(desk, screenshot, "code")

    tablet = page_as(None, width=390, height=844)
    tablet.goto(f"/login/device/?code={code}")
    at_all_sizes(tablet, screenshot, "register")
    tablet.get_by_role("button", name="この端末を登録する").click()
    expect(tablet.get_by_role("heading", name="渋谷店")).to_be_visible()
    expect(desk.locator("#store-device-state")).to_contain_text("登録できました", timeout=10_000)
    tablet.reload()
    at_all_sizes(tablet, screenshot, "names")

    tablet.get_by_role("link", name="高橋 美緒").click()
    type_pin(tablet, "1111")
    expect(tablet.get_by_role("alert")).to_contain_text("あと4回")
    at_all_sizes(tablet, screenshot, "pin")
    type_pin(tablet)
    expect(tablet.locator(".pin-bar")).to_contain_text("高橋 美緒")
    tablet.goto("/inventory/")
    expect(tablet.locator("main")).to_contain_text("CHAIR")
    at_all_sizes(tablet, screenshot, "work")
    desk.goto("/people/store-devices/")
    expect(desk.locator("tbody")).to_contain_text("高橋 美緒")
    at_all_sizes(desk, screenshot, "list")

    tablet.goto("/people/")
    expect(tablet.get_by_role("heading", name="本人のログインが必要です")).to_be_visible()
    at_all_sizes(tablet, screenshot, "needs-login")
    tablet.locator("main").get_by_role("button", name="本人のログインで続ける").click()
    expect(tablet.get_by_label("パスワード")).to_be_visible()
    at_all_sizes(tablet, screenshot, "password")
    tablet.get_by_role("link", name="PINでログインする画面へ戻る").click()
    tablet.get_by_role("link", name="高橋 美緒").click()
    type_pin(tablet)

    tablet.get_by_role("button", name="交代").click()
    expect(tablet.get_by_role("heading", name="名前を選んでください")).to_be_visible()
    tablet.get_by_role("link", name="中村 凛").click()
    expect(tablet.get_by_role("heading", name="中村 凛")).to_be_visible()
    expect(tablet.get_by_label("PIN")).to_be_focused()
    tablet.keyboard.type(PIN)  # a PC's own keyboard
    tablet.keyboard.press("Enter")
    expect(tablet.locator(".pin-bar")).to_contain_text("中村 凛")
    tablet.go_back()
    tablet.go_back()
    expect(tablet.locator("body")).not_to_contain_text("高橋 美緒さん")


def test_an_open_screen_closes_when_the_device_is_taken_away(page_as, aoi, store):
    from tests.pages.store_devices.builders import waiting_code  # noqa: PLC0415

    tablet = page_as(None, width=390, height=844)
    device, code = waiting_code(store, aoi)
    tablet.clock.install()
    tablet.goto(f"/login/device/?code={code}")
    tablet.get_by_role("button", name="この端末を登録する").click()
    tablet.get_by_role("link", name="高橋 美緒").click()
    type_pin(tablet)
    expect(tablet.locator(".pin-bar")).to_be_visible()
    tablet.clock.run_for(21_000)
    expect(tablet.locator(".pin-bar")).to_be_visible()
    from oms.kernel.services import store_devices  # noqa: PLC0415

    store_devices.end(device, by=aoi)
    tablet.clock.run_for(21_000)
    expect(tablet.get_by_label("パスワード")).to_be_visible()


def test_what_the_screens_ask_by_themselves_is_marked(page_as, aoi):
    """The desk asks every few seconds; whoever opens something does not."""
    page, marks = page_as(aoi), {}
    page.on("request", lambda sent: marks.setdefault(urlsplit(sent.url).path, set()).add("x-live" in sent.headers))
    with page.expect_response(lambda answer: "/orders/live/" in answer.url, timeout=20_000):
        page.goto("/orders/")
    assert marks["/orders/live/"] == marks["/health-strip/"] == marks["/channels/catch-ups/"] == {True}
    assert marks["/orders/"] == {False}


def test_it_works_without_scripts(browser, live_server, store, aoi):
    from tests.pages.store_devices.builders import waiting_code  # noqa: PLC0415

    context = browser.new_context(base_url=live_server.url, java_script_enabled=False, locale="ja-JP")
    page = context.new_page()
    page.goto("/login/device/")
    page.get_by_label("登録コード").fill(waiting_code(store, aoi)[1])
    page.get_by_role("button", name="この端末を登録する").click()
    page.get_by_role("link", name="高橋 美緒").click()
    expect(page.locator("[data-keypad]")).to_be_hidden()
    page.get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="入る").click()
    expect(page.locator(".pin-bar")).to_contain_text("渋谷店")
    assert "url=/login/" in page.content()  # goes back to the names by itself
    page.get_by_role("button", name="交代").click()
    expect(page.get_by_role("heading", name="名前を選んでください")).to_be_visible()
    context.close()


def test_the_own_page_and_the_person_page(page_as, aoi, store, screenshot):
    from oms.kernel.models import User  # noqa: PLC0415

    own = page_as(User.objects.get(username="mio"))
    own.goto("/account/")
    at_all_sizes(own, screenshot, "account")
    own.goto("/account/pin/")
    at_all_sizes(own, screenshot, "own-pin")
    desk = page_as(aoi)
    desk.goto(f"/people/{User.objects.get(username='mio').pk}/")
    desk.locator("#pin-title").scroll_into_view_if_needed()
    screenshot(desk, "store-person-1440")
    expect(desk.get_by_role("button", name="PINをリセットする")).to_be_visible()
