"""The shops' screens in a real browser: a shop is added and tried, a code is mapped, a failure is sent again."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from channels.connectors.contract import CredentialsRefused
from channels.models import Connection, Listing
from channels.services import credentials
from inventory.services import catalogue
from oms.kernel import clock
from oms.kernel.models import Effect
from orders.models import Order
from tests.channels.builders import bring_in, make_connection, make_effect, make_listing, make_quarantined
from tests.orders.builders import make_channel_order, make_line, make_sku

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = [390, 768, 1440]
PAYLOAD = '{"orderNumber": "401122-20261122-0009", "orderer": {"familyName": "佐藤", "zipCode": "1"}}'


@pytest.fixture
def company(aoi):
    """Three shops in different states, goods, an order that waits for a mapping, failures."""
    running = make_connection(publish_delay_s=0.8, import_delay_s=42, last_import_count=12, last_push_at=clock.now())
    make_connection(
        "rakuten-2",
        health="stopped",
        health_cause="ライセンスキーの有効期限が切れています。RMSで更新し、設定に入力してください。",
        stopped_since=clock.now() - timedelta(hours=3),
        last_import_at=clock.now() - timedelta(hours=3),
    )
    make_connection("rakuten-3", import_paused=True, last_import_at=clock.now() - timedelta(minutes=50))
    for number, name in ((2, "楽天二号店"), (3, "楽天アウトレット")):
        shop = Connection.objects.select_related("shop").get(shop__code=f"rakuten-{number}").shop
        shop.name = name
        shop.save(update_fields=["name"])
    catalogue.upsert_products([catalogue.ProductRow("CHAIR", "オフィスチェア", "匠工房")])
    ids = catalogue.upsert_skus(
        catalogue.SkuRow(f"CH-{colour}", "CHAIR", "オフィスチェア メッシュ", name, jan=f"490000000001{n}")
        for n, (colour, name) in enumerate((("BK", "黒"), ("WH", "白"), ("GR", "グレー")))
    )
    line = make_line("chair-new:bk", 1, 19800, name="【新装】オフィスチェア メッシュ 黒")
    order = bring_in(running, make_channel_order(line, number="401122-20261122-0001"), {})
    make_listing(running.shop, "ch_wh", name="オフィスチェア メッシュ 白 送料無料")
    make_listing(
        running.shop, "CH-BK", sku_id=ids["CH-BK"], name="オフィスチェア メッシュ 黒",
        desired=3, desired_at=clock.now() - timedelta(minutes=4), sent=5,
        sent_at=clock.now() - timedelta(hours=1), confirmed=5,
    )  # fmt: skip
    make_listing(running.shop, "CH-GR", sku_id=ids["CH-GR"], desired=8, sent=8, confirmed=8, confirmed_at=clock.now())
    make_listing(running.shop, "CH-OLD", sku=make_sku("OLD"), error="この商品は楽天市場に登録されていません。")
    make_quarantined(running, "401122-20261122-0009", payload=PAYLOAD, cause="郵便番号「1」が読み取れません。")
    make_effect(order=order.pk, last_error="楽天が受け付けません。お荷物伝票番号の桁数を確認してください。", attempts=3)
    make_effect("mail", order=order.pk, last_error="メールサーバーに送れません（timeout）。", attempts=8)
    return running


@pytest.fixture
def mall(monkeypatch):
    """Refuses until the right secret was typed."""

    class Mall:
        def __init__(self, connection):
            self.secrets = connection.secrets

        def check(self):
            if credentials.decrypt(bytes(self.secrets)).find(b"right-secret") < 0:
                raise CredentialsRefused("サービスシークレットが違います。RMSで確認してください。")
            return "店舗「くらし」に接続しました。"

    monkeypatch.setattr("channels.services.shops.connector_of", Mall)


def test_a_shop_is_added_refused_corrected_and_connected(browser_page, mall):
    page = browser_page
    page.goto("/channels/")
    page.locator("main").get_by_role("link", name="店舗を追加").first.click()
    page.get_by_role("link", name="楽天市場").click()
    page.get_by_label("店舗コード").fill("rakuten-9")
    page.get_by_label("店舗名").fill("くらし 楽天市場店")
    page.get_by_label("サービスシークレット").fill("wrong-secret-1")
    page.get_by_role("button", name="登録する").click()
    page.get_by_role("button", name="接続テスト").click()
    expect(page.get_by_text("接続できません。サービスシークレットが違います。")).to_be_visible()
    expect(page.locator("#shop-journal")).to_contain_text("接続テスト失敗")
    page.get_by_label("サービスシークレット").fill("right-secret-77")
    page.get_by_role("button", name="保存する").click()
    expect(page.get_by_text("••••t-77")).to_be_visible()
    page.get_by_role("button", name="接続テスト").click()
    expect(page.locator("#messages")).to_contain_text("店舗「くらし」に接続しました。")
    assert "right-secret" not in page.content()


def test_a_code_is_mapped_in_the_dialog_and_the_order_moves_on(browser_page, company):
    page = browser_page
    page.goto("/channels/map/")
    page.get_by_role("link", name="chair-new:bk").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("オフィスチェア メッシュ 黒")
    dialog.get_by_label("SKUを探す").fill("4900000000010")
    expect(dialog.locator("#sku-options label")).to_have_count(1)
    dialog.get_by_role("button", name="対応付ける").click()
    expect(page.get_by_text("待っていた受注1件を進めました")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#unmapped")).not_to_contain_text("chair-new:bk")
    assert Order.objects.get().stage == "awaiting_stock"


def test_a_sure_suggestion_is_taken_with_one_click(browser_page, company):
    page = browser_page
    page.goto("/channels/map/")
    page.get_by_role("button", name="候補に決める").click()
    expect(page.get_by_text("ch_wh を CH-WH に対応付けました")).to_be_visible()
    assert Listing.objects.get(code="ch_wh").sku.code == "CH-WH"


def test_a_listing_gets_a_buffer_in_its_dialog(browser_page, company):
    page = browser_page
    page.goto("/channels/listings/")
    page.locator("tr", has_text="CH-GR").get_by_role("link", name="連携を変える").click()
    page.get_by_label("予備").fill("2")
    page.get_by_role("button", name="保存する").click()
    expect(page.locator("tr", has_text="CH-GR")).to_contain_text("予備 2")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_failure_is_sent_again_and_another_closed_by_hand(browser_page, company):
    page = browser_page
    page.goto("/outbox/")
    page.locator("tr", has_text="メールサーバー").get_by_role("button", name="もう一度送る").click()
    expect(page.get_by_text("1件をもう一度送ります")).to_be_visible()
    expect(page.locator("#outbox-list tbody tr")).to_have_count(1)
    page.get_by_role("link", name="手動で完了").click()
    page.get_by_label("どう済ませましたか").fill("RMSで登録した")
    page.get_by_role("button", name="完了にする").click()
    expect(page.get_by_text("失敗した送信はありません")).to_be_visible()
    assert set(Effect.objects.filter(note="").values_list("state", flat=True)) <= {"waiting", "done", "running"}


def test_all_failures_are_chosen_with_the_keyboard_and_sent_again(browser_page, company):
    page = browser_page
    page.goto("/outbox/")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("a")
    page.locator("[data-selection-bar]").get_by_role("button", name="もう一度送る").click()
    expect(page.get_by_text("2件をもう一度送ります")).to_be_visible()


def test_the_search_key_finds_and_enter_opens_the_first(browser_page, company):
    page = browser_page
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("佐藤")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="「佐藤」の検索結果")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/orders/*/")


def test_the_strip_tells_the_trouble_on_every_page(browser_page, company):
    page = browser_page
    page.goto("/people/")
    strip = page.locator("#health-strip")
    expect(strip).to_contain_text("楽天二号店 停止")
    expect(strip).to_contain_text("送信失敗 2")


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(page_as, aoi, company, width):
    page = page_as(aoi, width=width, height=800)
    for path in (
        "/channels/",
        "/channels/map/",
        "/channels/listings/",
        "/channels/quarantine/",
        "/outbox/",
        "/people/",
        "/search/?q=佐藤",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
