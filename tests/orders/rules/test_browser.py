"""Building a rule as a person does it, with the browser."""

import re

import pytest
from playwright.sync_api import expect

from inventory.models import Product, Sku
from orders.models import Order, OrderTask, Rule
from orders.services.intake import take_in
from orders.services.rules import ready_made
from orders.services.rules import run as rules
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped
from tests.orders.rules.builders import do, make_rule

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def test_a_rule_is_built_tried_published_and_seen_on_the_order(browser_page, screenshot):
    shop, chair = make_shop(), make_sku(stock_units=50)
    ready_made.install_standard()
    take_in(
        shop,
        [
            make_channel_order(make_line("CHAIR", 24), gift="包装紙（花柄）"),
            make_channel_order(remarks="玄関前に置き配でお願いします。"),
            make_channel_order(remarks="色は何色ですか？"),
        ],
        sku_of=mapped(chair),
    )
    page = browser_page
    page.goto("/orders/rules/new/")
    page.fill("#rule-name", "高額の注文")
    page.locator("button[value='add-condition:if']").click()
    page.select_option("select[name='field-if.0']", "total")
    page.locator("select[name='op-if.0'] option[value='ge']").wait_for(state="attached")
    page.select_option("select[name='op-if.0']", "ge")
    page.fill("input[name='value-if.0']", "20000")
    page.locator("button[value='add-lines:if']").click()
    page.locator("button[value='add-condition:if.1']").click()
    page.locator("button[value='add-action:then']").click()
    page.select_option("select[name='do-then.0']", "add_tag")
    page.fill("input[name='p-then.0-tag']", "高額")
    page.fill("textarea[name='value-if.1.0'], input[name='value-if.1.0']", "CHAIR")
    page.locator("button[name='refresh']").last.click()
    expect(page.locator(".rule-sentence").first).to_contain_text("20,000以上")
    screenshot(page, "rules-builder", full_page=True)
    page.locator("button[name='save']").click()
    page.wait_for_url(re.compile(r"/orders/rules/\d+/$"))
    page.click("text=過去の受注で試す >> nth=0")
    assert page.locator("text=変わる受注").first.is_visible()
    screenshot(page, "rules-dry", full_page=True)
    rule = Rule.objects.get(name="高額の注文")
    page.goto(f"/orders/rules/{rule.pk}/")
    page.click("text=今すぐ公開")
    page.locator("text=ルールを公開しました。").wait_for()
    screenshot(page, "rules-detail", full_page=True)
    first = Order.objects.order_by("pk").first()
    rules.run(list(Order.objects.values_list("pk", flat=True)), {}, every=True)
    page.goto(f"/orders/rules/{rule.pk}/test/?no={first.channel_order_no}")
    screenshot(page, "rules-test", full_page=True)
    for path, name in (("", "rules-list"), ("templates/", "rules-templates"), ("lists/", "rules-lists")):
        page.goto(f"/orders/rules/{path}")
        screenshot(page, name, full_page=True)
    page.goto(f"/orders/{first.pk}/")
    page.locator(f"#order-{first.pk}-rules-body").wait_for()
    assert page.locator(f"#order-{first.pk}-rules-body >> text=高額の注文").is_visible()
    screenshot(page, "rules-order", full_page=True)
    page.goto("/orders/")
    screenshot(page, "rules-desk")
    page.goto("/orders/inbox/")
    screenshot(page, "rules-inbox")


def test_an_option_is_decided_and_a_reminder_put_off_on_the_orders_page(browser_page):
    product = Product.objects.create(code="CHAIR", name="椅子")
    red, blue = (
        Sku.objects.create(product=product, code=f"CHAIR-{colour}", name="椅子", variant=colour) for colour in "赤青"
    )
    make_rule("電話", then=do("set_reminder", text="到着の確認", mode="today", days=0, team="shift_lead"))
    told = make_channel_order(make_line("CHAIR", options="カラー:青"))
    take_in(make_shop(), [told], sku_of={"CHAIR": mapped(red)[red.code]})
    order, page = Order.objects.get(), browser_page
    page.goto(f"/orders/{order.pk}/")
    page.click("text=SKU を選ぶ")
    page.locator("dialog select").select_option(str(blue.pk))
    page.locator("dialog button[data-variant=primary]").click()
    expect(page.locator("text=オプション未解析").first).to_be_hidden()
    assert order.lines.get().sku == blue
    page.locator(f"#order-{order.pk}-labels summary").click()
    page.locator(f"#order-{order.pk}-labels button[value='3']").click()
    expect(page.locator(f"#order-{order.pk}-labels")).to_contain_text("から")
    assert OrderTask.objects.get().rests
