"""The publishing screens in a real browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from channels.models import Listing, MaintenanceWindow, OversellCase, PublishRule, PushLog, SalesPace, StockComparison
from channels.services import publish
from inventory.services import stock
from oms.kernel import clock
from tests.channels.builders import make_listing
from tests.channels.publishing.malls import Mall, connect, import_orders
from tests.conftest import SCREENSHOTS
from tests.orders.builders import make_channel_order, make_location, make_sku, mapped

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def company(aoi, malls):
    """Two shops that sell a chair; the last one was sold twice."""
    rakuten, yahoo = connect("rakuten-1"), connect("yahoo-1")
    yahoo.shop.name, yahoo.shop.channel_label = "くらし道具店 Yahoo!店", "Yahoo!ショッピング"
    yahoo.shop.save(update_fields=["name", "channel_label"])
    malls["yahoo-1"] = Mall(refuses={"CHAIR-L"})
    chair, lamp = make_sku("CHAIR", stock_units=6), make_sku("CHAIR-L", stock_units=40)
    make_location("ST", name="銀座店", kind="store", sells_online=True)
    for connection in (rakuten, yahoo):
        make_listing(connection.shop, "CHAIR", sku=chair, mode="last_unit")
        make_listing(connection.shop, "CHAIR-L", sku=lamp)
    PublishRule.objects.create(shop=rakuten.shop, buffer=1, share=90, import_delay_s=42, push_delay_s=0.4, priority=1)
    MaintenanceWindow.objects.create(shop=yahoo.shop, starts_at=clock.now() + timedelta(minutes=5), minutes=90)
    StockComparison.objects.create(
        shop=rakuten.shop, started_at=clock.now(), finished_at=clock.now(), checked=1980, different=3, missing=1
    )
    SalesPace.objects.create(shop=rakuten.shop, sku=lamp, units=20, sales=20, at=clock.now())
    publish.consume_marks()
    for connection in (rakuten, yahoo):
        publish.push_shop(connection)
    PushLog.objects.filter(listing__shop=rakuten.shop).update(confirmed_at=clock.now())
    stock.count([stock.Counted(chair.pk, make_location().pk, 1, "count")])
    early = clock.now() - timedelta(minutes=4)
    import_orders(rakuten, [make_channel_order(ordered_at=early)], mapped(chair))
    import_orders(yahoo, [make_channel_order(ordered_at=early)], mapped(chair))
    publish.consume_marks()
    return chair


def shot(page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"publishing-{name}.png", full_page=True)


def test_rules_calendar_reasons_and_a_case_are_worked_in_the_browser(page_as, aoi, company):
    page = page_as(aoi)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/channels/publishing/")
    shot(page, "overview")
    page.get_by_role("link", name="設定", exact=True).first.click()
    shot(page, "shop")
    page.get_by_label("予備", exact=True).fill("3")
    page.get_by_role("button", name="保存する").click()
    expect(page.get_by_text("予備 1 → 3")).to_be_visible()
    page.get_by_label("曜日").select_option("2")
    page.get_by_label("開始時刻").fill("02:00")
    page.get_by_role("button", name="予定を加える").click()
    expect(page.get_by_text("毎週 水曜 02:00")).to_be_visible()
    page.goto(f"/channels/skus/{company.pk}/stock/")
    shot(page, "sku")
    page.get_by_label("安全在庫").fill("1")
    page.get_by_role("button", name="保存する").click()
    expect(page.get_by_text("安全在庫 0 → 1")).to_be_visible()

    page.goto("/channels/oversell/")
    shot(page, "cases")
    case = OversellCase.objects.get()
    page.goto(f"/channels/oversell/{case.pk}/")
    shot(page, "case")
    page.get_by_label("入荷を待つ").check()
    page.get_by_role("button", name="この対応にする").click()
    expect(page.get_by_text("対応を記録しました。")).to_be_visible()


def test_many_listings_are_chosen_and_changed(page_as, aoi, company):
    page = page_as(aoi)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/channels/listings/?q=CHAIR")
    page.locator("[data-row-select]").first.check()
    shot(page, "listings")
    page.get_by_role("button", name="条件に合うすべて").click()
    page.get_by_role("button", name="連携方法をまとめて変える").click()
    expect(page.get_by_role("heading", name="連携方法をまとめて変える")).to_be_visible()
    shot(page, "bulk")
    page.get_by_label("連携方法").select_option("sold_out")
    page.get_by_role("button", name="4件を変える").click()
    expect(page.get_by_text("4件の連携方法を変えました")).to_be_visible()
    assert Listing.objects.filter(mode="sold_out").count() == 4


@pytest.mark.parametrize("width", [390, 768])
def test_nothing_runs_out_of_a_small_screen(page_as, aoi, company, width):
    page = page_as(aoi)
    page.set_viewport_size({"width": width, "height": 900})
    case = OversellCase.objects.get()
    shop = PublishRule.objects.order_by("pk")[0].shop_id
    for path in (
        "publishing/",
        f"{shop}/publishing/",
        f"skus/{company.pk}/stock/",
        "oversell/",
        f"oversell/{case.pk}/",
    ):
        page.goto(f"/channels/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    shot(page, f"case-{width}")
