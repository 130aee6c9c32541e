"""Settings of reasons and stages, conversation notes and attachments, in a real browser, on a desk and on a phone."""

import pytest
from playwright.sync_api import expect

from orders.models import Order, OrderAttachment, OrderTalk, ReasonSetting
from orders.services.intake import take_in
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = pytest.mark.parametrize("width", [1440, 390])


def nothing_sticks_out(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def take(**fields) -> Order:
    told = make_channel_order(**fields)
    take_in(make_shop(), [told], sku_of=mapped(make_sku(stock_units=9)))
    return Order.objects.get(channel_order_no=told.channel_order_no)


@WIDTHS
def test_a_reason_is_looked_at_before_it_is_softened(page_as, aoi, screenshot, width):
    take(remarks="色の違いを教えてください。")
    page = page_as(aoi, width=width)
    page.goto("/orders/reasons/")
    screenshot(page, f"reasons-{width}", full_page=True)
    assert nothing_sticks_out(page)
    assert page.locator(".reason-none").first.is_visible() == (width > 1000), "no rows of zeros on a phone"
    page.get_by_role("link", name="備考あり", exact=True).first.click()
    page.get_by_label("区分", exact=True).first.select_option("warn")
    page.get_by_role("button", name="影響を見る").click()
    expect(page.locator("#reason-preview")).to_contain_text("まだ保存していません")
    screenshot(page, f"reason-{width}", full_page=True)
    assert nothing_sticks_out(page) and not ReasonSetting.objects.exists()


@WIDTHS
def test_a_stage_gets_the_companys_own_name(page_as, aoi, screenshot, width):
    page = page_as(aoi, width=width)
    page.goto("/orders/stages/")
    screenshot(page, f"stages-{width}", full_page=True)
    assert nothing_sticks_out(page)


@WIDTHS
def test_a_talk_and_a_file_are_kept_on_the_order(page_as, aoi, screenshot, width, tmp_path):
    order = take()
    paper = tmp_path / "注文書.txt"
    paper.write_text("ファックスの注文書")
    page = page_as(aoi, width=width)
    page.goto(f"/orders/{order.pk}/")
    panel = page.locator(f"#order-{order.pk}-attachments")
    panel.get_by_role("link", name="応対メモを書く").click()
    screenshot(page, f"talk-form-{width}")
    page.locator("dialog textarea").fill("電話あり。夕方に折り返す。")
    page.locator("dialog .dialog-foot .button").last.click()
    expect(panel).to_contain_text("夕方に折り返す")
    panel.get_by_role("link", name="ファイルを添付").click()
    page.locator("dialog input[type=file]").set_input_files(str(paper))
    screenshot(page, f"attach-form-{width}")
    page.locator("dialog .dialog-foot .button").last.click()
    expect(panel).to_contain_text("注文書.txt")
    panel.scroll_into_view_if_needed()
    screenshot(page, f"attachments-{width}", full_page=True)
    assert OrderTalk.objects.count() == OrderAttachment.objects.count() == 1
    assert nothing_sticks_out(page)
