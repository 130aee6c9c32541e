"""A barcode reader on the desk, and the Japanese input method: what opens an order, and what presses no key."""

import pytest
from playwright.sync_api import expect

from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from orders.models import BulkRun, Order
from orders.services.journal import Actor
from tests.orders.desk_board import fill_board

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What a reader sends: all characters in one go, capitals with Shift, Enter at the end.
SCAN = """(code) => {
    const press = (key, more) => (document.activeElement || document.body).dispatchEvent(
        new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true, ...more}));
    for (const key of code) {
        const shiftKey = /[A-Z]/.test(key);
        if (shiftKey) press("Shift", {shiftKey});
        press(key, {shiftKey});
    }
    press("Enter", {});
}"""
# Every key of the page and of the desk itself, as browsers report them while a word is being composed.
COMPOSE = """(how) => {
    const keys = [...document.querySelectorAll("[data-key]")].map((element) => element.dataset.key.split(" ")[0]);
    for (const key of [...keys, "j", "k", "x", "o", "Enter", "Escape", "?", "/"]) {
        document.body.dispatchEvent(
            new KeyboardEvent("keydown", {key: key.split("+").at(-1), bubbles: true, cancelable: true, ...how}));
    }
    return keys.length;
}"""


@pytest.fixture
def board(transactional_db):
    return fill_board()


@pytest.fixture
def page(board, browser_page):
    browser_page.goto("/orders/")
    return browser_page


def test_a_scanned_order_number_opens_the_order_and_presses_no_key_on_the_way(page, board):
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.wait_for_timeout(100)  # a hand needs longer than that from the keyboard to the reader
    page.evaluate(SCAN, "R-0001")  # r would instruct
    page.wait_for_url(f"**/orders/{board['R-0001'].pk}/")
    assert not BulkRun.objects.exists()


def test_a_scanned_parcel_leads_to_its_order_from_the_order_of_another(page, board):
    order = board["R-0001"]
    allocate_waiting()
    [shipment] = instruct_orders([order.pk], actor=Actor()).shipments
    confirm_shipments([Departure(shipment, "yamato", "471203984412")], actor=Actor())
    page.goto(f"/orders/{board['Y-0001'].pk}/")
    page.evaluate(SCAN, "471203984412")
    page.wait_for_url(f"**/orders/{order.pk}/")
    page.goto("/inventory/")
    page.evaluate(SCAN, Shipment.objects.get(pk=shipment).number)
    page.wait_for_url(f"**/{shipment}/")
    assert "/orders/" not in page.url, "elsewhere a parcel is a parcel"


def test_an_unknown_code_is_looked_for_and_said_not_to_be_there(page):
    page.evaluate(SCAN, "4999999999996")
    page.wait_for_url("**/search/?to=order&q=4999999999996")
    expect(page.locator("main")).to_contain_text("見つかりません")


def test_fast_fingers_are_no_reader_and_their_keys_still_act_in_order(page):
    page.keyboard.type("jxjx")
    expect(page.locator("[data-selection-bar]")).to_contain_text("2 件選択")
    page.keyboard.press("h")
    expect(page.locator("#bulk-dialog")).to_contain_text("選択した 2件のうち 2件が対象です。")
    assert page.url.endswith("/orders/")


def test_a_scan_into_a_field_stays_in_the_field(page):
    page.locator("#desk-q").click()
    page.keyboard.type("R-0001")
    expect(page.locator("#desk-q")).to_have_value("R-0001")
    page.keyboard.press("Enter")
    page.wait_for_url("**/orders/?q=R-0001")


@pytest.mark.parametrize("how", [{"isComposing": True}, {"keyCode": 229}])
def test_no_key_acts_while_japanese_is_being_composed(page, board, how):
    page.keyboard.press("j")
    page.keyboard.press("x")
    before = page.evaluate("document.querySelector('.is-current a').textContent")
    assert page.evaluate(COMPOSE, how) > 10
    page.wait_for_timeout(200)
    assert page.evaluate("document.querySelector('.is-current a').textContent") == before
    assert page.locator("[data-row-select]:checked").count() == 1
    assert page.locator("dialog:modal, #drawer-root > *, details[data-menu][open]").count() == 0
    assert page.url.endswith("/orders/") and not BulkRun.objects.exists()


def test_a_word_composed_in_the_search_field_is_only_a_word(page):
    """The browser's own input method, as an operator types やまだ and takes 山田."""
    page.locator("#desk-q").click()
    keyboard = page.context.new_cdp_session(page)
    for text in ("h", "は", "はc", "はch"):
        keyboard.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    page.evaluate(
        COMPOSE.replace("document.body.dispatchEvent", "document.activeElement.dispatchEvent"), {"keyCode": 229}
    )
    keyboard.send("Input.insertText", {"text": "山田"})
    expect(page.locator("#desk-q")).to_have_value("山田")
    expect(page.locator("#desk-q")).to_be_focused()
    assert page.url.endswith("/orders/") and page.locator("dialog:modal").count() == 0
    page.keyboard.press("Enter")
    page.wait_for_url("**/orders/?q=*")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    assert Order.objects.count() == 9
