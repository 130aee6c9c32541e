"""受注一覧 in a real browser."""

import pytest
from playwright.sync_api import expect

from orders.models import Order
from tests.orders.desk_board import fill_board

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(page_as, aoi):
    fill_board()
    page = page_as(aoi)
    page.goto("/orders/")
    return page


def test_shots(page, page_as, aoi, screenshot):
    screenshot(page, "desk-list")
    page.keyboard.press("f")
    expect(page.locator("#desk-filter")).to_be_visible()
    screenshot(page, "desk-filter")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("h")
    expect(page.locator("#bulk-dialog")).to_be_visible()
    screenshot(page, "desk-bulk")
    page.emulate_media(color_scheme="dark")
    page.goto("/orders/?stage=review")
    screenshot(page, "desk-dark")
    phone = page_as(aoi, width=390, height=844)
    phone.goto("/orders/")
    screenshot(phone, "desk-phone", full_page=False)
    assert Order.objects.exists()
