"""書き出し in a real browser: tick, choose a layout, take the file."""

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from tests.orders.desk_board import fill_board

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.EXPORTS = tmp_path / "exports"


def test_ticked_orders_are_exported_and_the_file_opens(transactional_db, browser_page, screenshot, tmp_path):
    fill_board()
    page = browser_page
    page.goto("/orders/")
    for key in ["j", "x", "j", "x", "e"]:
        page.keyboard.press(key)
    dialog = page.locator("#export-dialog")
    expect(dialog).to_contain_text("選択した 2件の受注をファイルにします。")
    screenshot(page, "export_choose")
    dialog.get_by_label("送り先").check()
    dialog.get_by_label("ファイルの形式").select_option("xlsx")
    page.keyboard.press("Control+Enter")
    expect(dialog).to_contain_text("何に使うかを書いてください。")
    dialog.get_by_label("何に使いますか").fill("配送会社へ渡す")
    page.keyboard.press("Control+Enter")
    expect(dialog).to_contain_text("2件の受注を 2行のファイルにしました。")
    screenshot(page, "export_result")
    with page.expect_download() as download:
        dialog.get_by_role("link", name="ダウンロード").click()
    assert download.value.suggested_filename.startswith("送り先_")
    path = tmp_path / "taken.xlsx"
    download.value.save_as(path)
    rows = list(load_workbook(path).active.values)
    assert [row[0] for row in rows] == ["受注番号", "R-0001", "R-0002"] and rows[1][2] == "佐藤 恵"
    page.goto("/orders/exports/")
    expect(page.locator("tr[data-row]")).to_contain_text("配送会社へ渡す")
    screenshot(page, "export_log")
    page.goto("/orders/exports/layouts/")
    screenshot(page, "export_layouts")
    page.get_by_role("link", name="写して作る").first.click()
    page.locator("summary", has_text="注文者").first.click()
    page.get_by_label("名前", exact=True).fill("わたしの一覧")
    page.locator("input[name=col][value=buyer_name]").check()
    page.get_by_role("button", name="列を並べる").click()
    expect(page.locator(".export-picked")).to_contain_text("注文者")
    screenshot(page, "export_layout", full_page=True)
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator("main")).to_contain_text("わたしの一覧")
