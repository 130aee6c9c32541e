"""Moving in as a person does it."""

import pytest

from inventory.models import Sku
from tests.orders.test_moving_in import GOODS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_products_file_is_moved_in_with_four_clicks(browser_page, screenshot):
    page = browser_page
    page.goto("/orders/moving-in/")
    screenshot(page, "moving-in", full_page=True)
    file = {"name": "商品.csv", "mimeType": "text/csv", "buffer": f"{GOODS}A-3,A,机,abc,\n".encode()}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="列の対応へ進む").click()
    page.get_by_role("button", name="変更を確かめる").click()
    page.get_by_role("button", name="取り込む", exact=True).wait_for()
    screenshot(page, "moving-in-file", full_page=True)
    page.get_by_role("button", name="取り込む", exact=True).click()
    page.get_by_role("button", name="この取り込みを取り消す").wait_for()
    assert Sku.objects.count() == 2
