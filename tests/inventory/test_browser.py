"""The stock screens in a real browser."""

import pytest

from inventory.models import Balance
from inventory.services import catalogue, stock
from tests.inventory.builders import make_location

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def shelf(aoi):
    tokyo, osaka = make_location("東京倉庫"), make_location("大阪倉庫")
    make_location("不良品置場", "damaged", online=False)
    catalogue.upsert_products([catalogue.ProductRow("CHAIR", "オフィスチェア", "匠工房", "家具")])
    ids = catalogue.upsert_skus(
        catalogue.SkuRow(
            f"CH-{number:02}", "CHAIR", "オフィスチェア", f"{number}号", jan=f"49000000000{number:02}", price=19800
        )
        for number in range(8)
    )
    sku = ids["CH-00"]
    stock.receive([stock.Fact(sku, tokyo.pk, 5, "arrival:1"), stock.Fact(sku, osaka.pk, 3, "arrival:1")])
    stock.reserve({stock.pool_ids([sku])[sku]: 7}, ref="line:1")
    return ids


def test_stock_is_found_corrected_and_its_history_seen(browser_page, screenshot, shelf):
    page = browser_page
    page.goto("/inventory/")
    page.get_by_label("コード・JAN・商品名").fill("チェア")
    page.get_by_label("コード・JAN・商品名").press("Enter")
    page.wait_for_url("**q=*")
    screenshot(page, "stock-list")
    page.get_by_role("link", name="CH-00").click()
    screenshot(page, "stock-sku")
    page.get_by_role("link", name="在庫修正").click()
    page.get_by_label("拠点").select_option(label="東京倉庫")
    page.get_by_label("数量").fill("3")
    page.get_by_label("理由").fill("棚卸")
    screenshot(page, "stock-correct")
    page.get_by_role("button", name="修正する").click()
    page.get_by_text("1件の引当を解除し").wait_for()
    assert page.get_by_role("dialog").count() == 0
    place = Balance.objects.get(sku_id=shelf["CH-00"], location__code="東京倉庫")
    assert (place.on_hand, place.reserved) == (3, 0)
    page.locator("#inventory-balances").get_by_role("link", name="3", exact=True).first.click()
    page.locator("#inventory-ledger").get_by_text("棚卸").first.wait_for()
    screenshot(page, "stock-ledger")
