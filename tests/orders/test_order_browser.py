"""The order's screens in a real browser: from a stopped order to a parcel on its way, by mouse and by key."""

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from orders.models import Order
from orders.services.hold import hold_orders
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(page_as, aoi):
    page = page_as(aoi)
    refused = []
    page.on("console", lambda line: refused.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    assert refused == [], "the page asks for what its own policy forbids"


def take(remarks: str = "", **fields) -> Order:
    order = make_channel_order(make_line("CHAIR"), remarks=remarks, **fields)
    take_in(make_shop(), [order], sku_of=mapped(make_sku(stock_units=9, shelf="A-1")))
    return Order.objects.get(channel_order_no=order.channel_order_no)


def test_a_stopped_order_is_cleared_instructed_and_shipped_on_its_page(page, screenshot):
    order = take("組み立て方法を教えてください。")
    page.goto(f"/orders/{order.pk}/")
    expect(page.locator(".gate[data-mark=here]")).to_contain_text("確認")
    page.keyboard.press("c")
    expect(page.locator(".gate[data-mark=here]")).to_contain_text("引当")
    allocate_waiting()
    page.evaluate("htmx.trigger(document.body, 'order-changed')")  # what the ten-second poll would find
    page.get_by_role("button", name="出荷指示を出す").click()
    expect(page.locator(".gate[data-mark=here]")).to_contain_text("出荷")
    shipment = page.locator(".shipment")
    expect(shipment).to_contain_text("出荷指示済")
    with page.expect_popup() as paper:
        shipment.get_by_role("button", name="納品書", exact=True).click()
    paper.value.close()
    shipment.get_by_placeholder("送り状番号").fill("4712-0398-4414")
    shipment.get_by_role("button", name="出荷を確定").click()
    expect(page.locator("h1 ~ .badge").first).to_have_text("出荷済み")
    expect(shipment).to_contain_text("471203984414")
    screenshot(page, "order", full_page=True)
    order.refresh_from_db()
    assert order.stage == "shipped"


def test_an_address_is_corrected_in_the_dialog_and_its_reason_goes(page):
    order = take(recipients=())
    order.recipients.create(
        position=0, name="佐藤 恵", postal_code="154-0024", prefecture="東京都", city="世田谷区", address="三軒茶屋"
    )
    page.goto(f"/orders/{order.pk}/")
    page.keyboard.press("e")
    dialog = page.locator("dialog#order-edit")
    dialog.get_by_label("番地・建物").fill("三軒茶屋2-14-3")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".toast")).to_contain_text("保存しました")
    expect(page.locator(f"#order-{order.pk}-people")).to_contain_text("三軒茶屋2-14-3")
    expect(page.locator(f"#order-{order.pk}-timeline")).to_contain_text("編集しました")


def test_the_inbox_is_emptied_by_one_key(page, screenshot):
    orders = [take(f"質問{number}です。色は選べますか？") for number in range(3)]
    page.goto("/orders/inbox/")
    expect(page.locator(".inbox-card")).to_contain_text("1 / 3")
    screenshot(page, "inbox")
    page.goto("/orders/inbox/")  # taking the picture leaves empty style attributes behind
    for order in orders[1:]:
        page.keyboard.press("c")
        expect(page.locator(".inbox-card")).to_contain_text(order.channel_order_no)
    page.keyboard.press("c")
    expect(page.locator("#inbox-card")).to_contain_text("確認待ちの受注はありません")
    assert set(Order.objects.values_list("stage", flat=True)) == {"awaiting_stock"}


def test_story_02_in_the_browser_three_reasons_leave_one_by_one_and_the_address_by_itself(page):
    party = replace(TOKYO_PARTY, postal_code="900-0001")
    order = take("色は選べますか？", recipients=(party,), flags=("caution",))
    page.goto(f"/orders/{order.pk}/")
    here, reasons = page.locator(".gate[data-mark=here]"), page.locator("ul.reasons").first.locator("> li")
    expect(reasons).to_have_count(3)
    for left, name in ((2, "備考あり"), (1, "モールの注意喚起")):
        page.locator("li.reason", has_text=name).get_by_role("button", name="確認済みにする").click()
        expect(page.locator("li.reason:has(button), li.reason:has(a.button)")).to_have_count(left)
        expect(here).to_contain_text("確認")
    page.get_by_role("link", name="届け先を直す").click()
    dialog = page.locator("dialog#order-edit")
    dialog.get_by_label("郵便番号").fill("154-0024")
    dialog.get_by_role("button", name="保存").click()
    expect(here).to_contain_text("引当")
    assert order.reasons.get(code="postal_mismatch").state == "auto_resolved"


def test_story_03_in_the_browser_fifty_cards_are_cleared_by_key_and_u_brings_the_last_one_back(page):
    chair = mapped(make_sku(stock_units=99))
    asked = [make_channel_order(make_line("CHAIR"), remarks=f"質問{n}です。色は選べますか？") for n in range(50)]
    take_in(make_shop(), asked, sku_of=chair)
    page.goto("/orders/inbox/?code=buyer_note")
    card = page.locator(".inbox-card")
    seen = [card.locator(".order-number").inner_text()]
    for _number in range(49):
        page.keyboard.press("c")
        expect(card.locator(".order-number")).not_to_have_text(seen[-1])
        seen.append(card.locator(".order-number").inner_text())
    page.keyboard.press("c")
    expect(page.locator("#inbox-card")).to_contain_text("確認待ちの受注はありません")
    assert len(set(seen)) == 50 and set(Order.objects.values_list("stage", flat=True)) == {"awaiting_stock"}
    page.keyboard.press("u")
    expect(card.locator(".order-number")).to_have_text(seen[-1])
    assert Order.objects.get(stage="review").channel_order_no == seen[-1]


def test_what_is_decided_in_the_drawer_moves_the_inbox_on(page):
    first, second = take("先の質問ですか？"), take("次の質問ですか？")
    page.goto("/orders/inbox/")
    page.keyboard.press("o")
    drawer = page.locator("aside.drawer")
    expect(drawer).to_contain_text(first.channel_order_no)
    drawer.get_by_role("button", name="すべて確認済みにする").click()
    expect(page.locator(".inbox-card")).to_contain_text(second.channel_order_no)


def test_the_shipping_form_keeps_what_was_refused(page, screenshot):
    orders = [take(), take()]
    allocate_waiting()
    good, held = (instruct_orders([order.pk], actor=Actor()).shipments[0] for order in orders)
    hold_orders([orders[1].pk], reason="返事待ち", actor=Actor())
    page.goto("/fulfillment/")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("a")
    page.get_by_role("button", name="出荷確定へ").click()
    page.locator(f"[name=tracking-{good}]").fill("471203984414")
    page.locator(f"[name=tracking-{held}]").fill("471203984425")
    page.get_by_role("button", name="出荷を確定").click()
    expect(page.locator("#ship-form .notice")).to_contain_text("出荷しました")
    expect(page.locator("tr[data-refused]")).to_contain_text("保留中です")
    expect(page.locator(f"[name=tracking-{held}]")).to_have_value("471203984425")
    screenshot(page, "ship")


@pytest.mark.parametrize("width", [360, 768, 1024])
def test_no_screen_is_wider_than_the_window(page_as, aoi, width):
    order = take("組み立て方法を教えてください。")
    page = page_as(aoi, width=width, height=800)
    for url in (f"/orders/{order.pk}/", "/orders/inbox/", "/fulfillment/", "/fulfillment/ship/", "/orders/mails/",
                "/orders/mails/templates/shipped/", "/customers/", f"/customers/{order.member_id}/"):  # fmt: skip
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, url
