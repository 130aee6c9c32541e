"""The import's and the mapping's screens in a real browser, and as pictures."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from channels.models import Listing, MatchRule, Proposal
from channels.services import gaps, intake, mapping_csv, matching, reimport
from oms.kernel import clock
from orders.models import Order
from tests.channels.builders import make_connection, make_listing, make_quarantined
from tests.channels.imports.mall import ago
from tests.orders.builders import make_sku

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def company(aoi, mall):
    """Three shops, one of them was down for hours; days that fit and days that do not; listings of every kind."""
    names = {"rakuten-1": "楽天市場店", "rakuten-2": "楽天二号店", "rakuten-3": "楽天アウトレット"}
    shops = {}
    for code, name in names.items():
        connection = make_connection(code, cursor=ago(hours=4), last_import_at=ago(hours=4), import_delay_s=42)
        connection.shop.name = name
        connection.shop.save(update_fields=["name"])
        shops[code] = connection
    today = clock.today()
    for back in range(4):
        noon = gaps.bounds(today - timedelta(days=back))[0] + timedelta(minutes=10)
        for number in range(6):
            mall.sells(f"401122-{back}-{number}", noon + timedelta(minutes=number))
    mall.secret = {"401122-2-3"}
    mall.unreadable = {"401122-1-1"}
    for back in range(1, 4):
        gaps.compare(shops["rakuten-1"], today - timedelta(days=back))
    gaps.compare(shops["rakuten-2"], today - timedelta(days=1))
    for number in range(9):
        mall.sells(f"401122-late-{number}", ago(hours=3, minutes=-number * 9))
    mall.secret |= {no for no in mall.orders if "late" not in no}
    intake.pull(shops["rakuten-1"])
    chair = make_sku("CH-BK01", stock_units=9)
    make_sku("DESK-120", stock_units=3)
    shop = shops["rakuten-1"].shop
    for code, name in (
        ("ch_bk01", "【送料無料】オフィスチェア ブラック"),
        ("CH-BK01-FBA", "オフィスチェア ブラック 翌日配送"),
        ("shop1-DESK-120-2set", "木製デスク 2台セット"),
        ("zz-1", "DESK-120 の品"),
    ):
        make_listing(shop, code, name=name)
    make_listing(shop, "twin-a", sku=chair)
    make_listing(shop, "twin-b", sku=chair, mode="stopped")
    MatchRule.objects.create(shop=shop, kind="prefix", pattern="shop1-", position=1)
    MatchRule.objects.create(kind="units", pattern=r"-(\d+)set$", position=2)
    matching.propose()
    for number in range(3):
        make_quarantined(shops["rakuten-2"], f"401122-Q-{number}", cause="郵便番号が読み取れません。")
    make_quarantined(shops["rakuten-2"], "401122-Q-9", cause="金額の項目がありません。")
    return shops


def test_a_catch_up_is_read_on_the_desk_and_its_orders_are_one_click_away(page_as, aoi, company, screenshot):
    page = page_as(aoi)
    page.goto("/orders/")
    banner = page.locator("#catch-ups")
    expect(banner).to_contain_text("の受注9件を、まとめて取り込みました")
    screenshot(page, "import-banner")
    page.get_by_role("link", name="受注を見る").click()
    expect(page.locator("tbody tr")).to_have_count(9)
    page.go_back()
    page.get_by_role("button", name="確認した").click()
    expect(banner).not_to_contain_text("まとめて取り込みました")


def test_the_calendar_leads_to_a_day_and_its_missing_order(page_as, aoi, company, screenshot):
    page = page_as(aoi)
    page.goto("/channels/")
    page.get_by_role("link", name="取込の照合").click()
    expect(page.locator(".gap-grid")).to_contain_text("未取込1件")
    screenshot(page, "import-gaps")
    page.locator('.gap-cell[data-tone="danger"]').first.click()
    expect(page.locator("#missed")).to_contain_text("モールが注文の内容を返しません")
    screenshot(page, "import-gap-day", full_page=True)


def test_pasted_numbers_are_answered_one_by_one(page_as, aoi, company, mall, screenshot):
    page = page_as(aoi)
    page.goto("/channels/reimport/")
    page.get_by_label("店舗").select_option(label="楽天市場店")
    page.get_by_label("受注番号").fill("401122-0-1\n401122-404")
    mall.secret = set()
    screenshot(page, "import-reimport")
    page.get_by_role("button", name="取り込む", exact=True).click()
    expect(page.locator("#reimported")).to_contain_text("取り込んでいます")
    for pk in reimport.unfinished():
        reimport.work_off(pk)
    expect(page.locator("#reimported")).to_contain_text("見つからない")
    screenshot(page, "import-reimported")
    assert Order.objects.filter(channel_order_no="401122-0-1").exists()


def test_sure_proposals_are_accepted_and_a_file_is_previewed_and_applied(page_as, aoi, company, screenshot, tmp_path):
    page = page_as(aoi)
    page.goto("/channels/proposals/")
    expect(page.locator("tbody tr")).to_have_count(4)
    screenshot(page, "mapping-proposals")
    page.get_by_role("button", name="確かな候補").click()
    expect(page.locator("tbody tr")).to_have_count(Proposal.objects.count())
    assert Listing.objects.get(code="ch_bk01").sku.code == "CH-BK01"
    assert Listing.objects.get(code="shop1-DESK-120-2set").units == 2
    for path, name in (
        ("map", "map"),
        ("match-rules", "rules"),
        ("match-rules/add", "rule"),
        ("mapping-warnings", "warnings"),
        ("mapping-history", "history"),
        ("mapping-csv", "csv"),
    ):
        page.goto(f"/channels/{path}/")
        screenshot(page, f"mapping-{name}")
    file = tmp_path / "対応.csv"
    text = b"".join(mapping_csv.written(Listing.objects.all(), encoding="cp932")).decode("cp932")
    file.write_bytes((text.replace("zz-1,DESK-120 の品,,", "zz-1,x,DESK-120,") + "x,y,z,,S,1,,\r\n").encode("cp932"))
    page.get_by_label("CSVファイル").set_input_files(str(file))
    page.get_by_role("button", name="変更を確かめる").click()
    expect(page.locator("#csv-batch")).to_contain_text("変わるところ 1件")
    screenshot(page, "mapping-csv-batch")
    page.get_by_role("button", name="エラーのない行を反映する").click()
    expect(page.locator("#csv-batch")).to_contain_text("対応付け1件")
    assert Listing.objects.get(code="zz-1").sku.code == "DESK-120"


def test_quarantined_orders_are_tried_again_by_cause(page_as, aoi, company, screenshot):
    page = page_as(aoi)
    page.goto("/channels/quarantine/")
    page.get_by_role("link", name="郵便番号が読み取れません。").first.click()
    expect(page.locator("tbody tr")).to_have_count(3)
    screenshot(page, "import-quarantine")
    expect(page.get_by_role("button", name="この理由の受注を再取込")).to_be_visible()


def test_no_screen_is_wider_than_a_small_window(page_as, aoi, company):
    page = page_as(aoi, width=768)
    for path in (
        "gaps",
        "proposals",
        "match-rules",
        "mapping-warnings",
        "mapping-history",
        "mapping-csv",
        "reimport",
        "catch-ups",
    ):
        page.goto(f"/channels/{path}/")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") or path == "gaps", path
