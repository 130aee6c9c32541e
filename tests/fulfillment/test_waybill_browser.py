"""送り状データ出力 in a real browser: contract, choose, look, take the file, bring the numbers back, ship."""

import pytest
from playwright.sync_api import expect

from fulfillment.models import Shipment
from oms.kernel import clock
from orders.models import Recipient
from tests.fulfillment.test_waybill_returned import tracking
from tests.fulfillment.waybill_builders import instructed, set_contracts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_parcels_go_to_the_carriers_software_and_come_back_with_numbers(
    transactional_db, browser_page, screenshot, tmp_path
):
    shipments = instructed(3)
    Recipient.objects.filter(pk=shipments[2].recipient_id).update(name="佐藤 ♥")
    page = browser_page
    page.goto("/fulfillment/")
    for shipment in shipments:
        page.locator(f'input[name=ids][value="{shipment.pk}"]').check()
    page.get_by_role("button", name="送り状データ", exact=True).click()
    expect(page.locator("main")).to_contain_text("の送り状の設定がありません。")
    screenshot(page, "waybill_no_contract")
    draft = page.url
    page.get_by_role("link", name="送り状の設定を開く").click()
    page.get_by_label("請求先顧客コード").fill("03-1234-5678")
    page.get_by_label("品名").fill("雑貨")
    screenshot(page, "waybill_contract", full_page=True)
    page.get_by_role("button", name="保存する").click()
    expect(page.locator("main")).to_contain_text("この拠点だけの設定です。")
    page.goto("/fulfillment/waybills/settings/")
    screenshot(page, "waybill_settings")
    page.goto(draft)
    expect(page.locator("main")).to_contain_text("♥")
    screenshot(page, "waybill_preview")
    page.keyboard.press("Control+Enter")
    expect(page.locator("body")).to_contain_text("2件を書き出しました。")
    screenshot(page, "waybill_files")
    with page.expect_download() as download:
        page.get_by_role("link", name="ダウンロード").click()
    path = tmp_path / "yamato.csv"
    download.value.save_as(path)
    lines = path.read_bytes().decode("cp932").splitlines()
    assert [line.split(",")[0].strip('"') for line in lines] == [one.number for one in shipments[:2]]
    page.reload()
    expect(page.locator(".timeline")).to_contain_text("ダウンロード")

    path.write_bytes(issued(lines))
    page.get_by_role("link", name="送り状番号を取り込む").click()
    bring_back(page, path, shipments, screenshot)
    assert list(Shipment.objects.order_by("pk").values_list("state", flat=True)) == ["shipped", "shipped", "instructed"]
    page.goto("/fulfillment/waybills/")
    screenshot(page, "waybill_log")
    page.goto(f"/fulfillment/shipments/{shipments[0].pk}/")
    expect(page.locator("main")).to_contain_text("送り状データを書き出しました")
    screenshot(page, "waybill_shipment", full_page=True)


def issued(lines: list[str]) -> bytes:
    """As the software saves them: the same lines with numbers."""
    found = []
    for serial, line in enumerate(lines, start=1):
        cells = line.split(",")
        cells[3] = f'"{tracking(serial)}"'
        found.append(",".join(cells))
    return ("\r\n".join(found) + "\r\n").encode("cp932")


def bring_back(page, path, shipments, screenshot) -> None:
    page.get_by_label("配送会社のファイル").set_input_files(path)
    page.get_by_role("button", name="番号を読み込む").click()
    expect(page.locator("#ship-form")).to_contain_text("B2クラウド")
    expect(page.locator(f'input[name="tracking-{shipments[1].pk}"]')).to_have_value(tracking(2))
    screenshot(page, "waybill_returned", full_page=True)
    page.get_by_role("button", name="番号だけ登録").click()
    expect(page.locator("body")).to_contain_text("2件の送り状番号を登録しました。")
    page.get_by_role("button", name="出荷を確定", exact=True).click()
    expect(page.locator("body")).to_contain_text("2件を出荷しました。")


def test_the_desk_leads_to_the_same_page(transactional_db, browser_page, screenshot):
    set_contracts()
    shipments = instructed(14, wish_slot="2021")  # the menu opens above the bar
    Shipment.objects.filter(pk=shipments[-1].pk).update(waybill_at=clock.now())
    page = browser_page
    page.goto("/orders/")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("i")
    screenshot(page, "waybill_desk")
    page.get_by_role("button", name="送り状データ出力").click()
    expect(page.locator("h1")).to_contain_text("送り状データ出力")
    expect(page.locator("main")).to_contain_text("時間帯 20–21時 を 19–21時 にします。")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screenshot(page, "waybill_narrow", full_page=True)
