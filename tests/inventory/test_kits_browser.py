"""A kit's parts and its building, in the dialogs of the SKU's page."""

import pytest
from playwright.sync_api import expect

from tests.inventory.builders import make_goods, make_location

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_kit_gets_its_parts_and_is_built(page_as, aoi, screenshot):
    page, tokyo = page_as(aoi), make_location("東京倉庫")
    make_goods("CUP", {tokyo: 10})
    make_goods("TEA", {tokyo: 4})
    kit = make_goods("KIT")
    page.goto(f"/inventory/skus/{kit.sku_id}/")
    page.get_by_role("link", name="構成を編集").click()
    page.get_by_role("dialog").get_by_label("構成品").fill("CUP 2\nTEA 1")
    page.get_by_role("button", name="保存する").click()
    expect(page.locator("#sku-kit")).to_contain_text("組める数")
    page.get_by_role("link", name="組む・ばらす").click()
    page.get_by_role("dialog").get_by_label("拠点").select_option(label="東京倉庫")
    page.get_by_role("dialog").get_by_label("セット数").fill("3")
    screenshot(page, "kit-dialog")
    page.get_by_role("button", name="記録する").click()
    expect(page.get_by_text("在庫を更新しました")).to_be_visible()
    expect(page.locator("#sku-kit")).to_contain_text("東京倉庫")
    screenshot(page, "kit", full_page=True)
    assert kit.numbers() == (3, 0)
