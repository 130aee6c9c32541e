"""The numbers and the morning's page in a browser."""

import pytest

from tests.pages.numbers.world import some_days

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_number_is_followed_to_its_orders(browser_page, aoi, screenshot):
    some_days(aoi)
    browser_page.goto("/numbers/?period=7")
    assert browser_page.locator("svg.chart").count() == 3
    screenshot(browser_page, "numbers", full_page=True)
    link = browser_page.get_by_role("link", name="期限に遅れて出荷")
    link.click()
    browser_page.wait_for_url("**/orders/?number=late*")
    assert browser_page.locator("tr[data-row]").count() == 1


def test_the_numbers_are_readable_in_the_dark(page_as, aoi, screenshot):
    some_days(aoi)
    page = page_as(aoi)
    page.emulate_media(color_scheme="dark")
    page.goto("/numbers/?period=30")
    page.get_by_text("表で見る").first.click()
    assert (
        page.get_by_role("cell", name="楽天市場店").count()
        + page.get_by_role("columnheader", name="楽天市場店").count()
    )
    screenshot(page, "numbers-dark", full_page=True)


def test_the_morning_is_one_glance(browser_page, aoi, screenshot):
    some_days(aoi)
    browser_page.goto("/")
    browser_page.get_by_text("送信待ち").first.wait_for()
    assert browser_page.locator(".glance-part").count() == 4
    browser_page.wait_for_load_state("networkidle")
    screenshot(browser_page, "home", full_page=True)
