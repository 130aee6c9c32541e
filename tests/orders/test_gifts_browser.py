"""A gift set in the dialog of the order page, and a release day moved and taken back, in a real browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from oms.kernel import clock
from orders.models import Order
from orders.services.intake import take_in
from orders.services.mail_texts import ensure_standard_templates
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(page_as, aoi):
    return page_as(aoi)


def test_a_noshi_is_set_in_the_dialog_and_shown_part_by_part(page, screenshot):
    order = make_channel_order(
        noshi="のし希望 名入れ:", gift="赤い包装紙とリボン", message_card="おめでとうございます。"
    )
    take_in(make_shop(), [order], sku_of=mapped(make_sku(stock_units=9)))
    page.goto(f"/orders/{Order.objects.get().pk}/")
    page.get_by_role("link", name="ギフトの指定を編集").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("のしの表書き").fill("内祝")
    dialog.get_by_label("のしの名入れ").fill("山田 太郎")
    dialog.get_by_label("水引").fill("紅白蝶結び")
    dialog.get_by_label("内のし・外のし").select_option("外のし")
    screenshot(page, "gift-dialog")
    dialog.get_by_role("button", name="保存").click()
    panel = page.locator("section[id$=delivery]")
    expect(panel).to_contain_text("山田 太郎")
    expect(panel).to_contain_text("のしの原文")
    screenshot(page, "gift", full_page=True)


def test_a_release_day_is_moved_with_a_preview_and_taken_back(page, screenshot):
    ensure_standard_templates()
    today = clock.today()
    vase = make_sku("VASE", release_date=today + timedelta(days=20), preorder_limit=9)
    told = [make_channel_order(make_line("VASE", count)) for count in (1, 2)]
    take_in(make_shop(), told, sku_of=mapped(vase))
    page.goto(f"/inventory/skus/{vase.pk}/")
    expect(page.locator("#sku-release")).to_contain_text("2件（3個）")
    screenshot(page, "release-sku", full_page=True)
    page.get_by_role("link", name="発売日を変更").click()
    page.get_by_label("新しい発売日").fill(str(today + timedelta(days=60)))
    page.get_by_role("button", name="影響を確かめる").click()
    expect(page.locator("form[method=post]").filter(has_text="変更するとこうなります")).to_contain_text("2件（3個）")
    screenshot(page, "release-preview", full_page=True)
    page.get_by_role("button", name="発売日を変更する").click()
    expect(page.get_by_text("受注 2件を移し")).to_be_visible()
    screenshot(page, "release-moved", full_page=True)
    page.get_by_role("button", name="取り消す").click()
    expect(page.get_by_text("発売日の変更を取り消しました")).to_be_visible()
    vase.refresh_from_db()
    assert vase.release_date == today + timedelta(days=20)
