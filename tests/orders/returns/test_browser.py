"""Cancelling, stopping and returning in a real browser, at the desk and in the hand."""

import pytest
from playwright.sync_api import expect

from fulfillment.models import Shipment
from inventory.models import BundleComponent
from orders.models import Cancellation, Order, ReturnCase
from orders.services import cancel, returns, unknown_parcels
from orders.services.journal import Actor
from tests.fulfillment.test_stop import instructed
from tests.orders.builders import make_line, make_shop, make_sku
from tests.orders.returns.test_returns import received, shipped

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}


def a_shop():
    return make_shop(capabilities={"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True})


def test_pieces_are_cancelled_in_the_dialog_and_the_warehouse_answers_by_hand(page_as, aoi, screenshot):
    order, shipment = instructed(a_shop(), make_line("CHAIR", 3), skus=[make_sku(stock_units=3)])
    page = page_as(aoi)
    page.goto(f"/orders/{order.pk}/")
    page.get_by_text("その他の操作").click()
    screenshot(page, "order-in-fulfillment", full_page=True)
    page.locator(f"a[href='/orders/{order.pk}/cancel/']").click()
    dialog = page.locator("#order-cancel")
    expect(dialog).to_contain_text(shipment.number)
    expect(dialog.get_by_role("button", name="キャンセルする")).to_be_visible()
    screenshot(page, "returns-cancel-dialog")
    dialog.get_by_label("商品と数を選ぶ").check()
    dialog.get_by_label("CHAIR の品").fill("1")
    dialog.get_by_label("顧客都合").check()
    dialog.get_by_role("button", name="キャンセルする").click()
    expect(page.get_by_text("出荷元の返事待ち").first).to_be_visible()
    screenshot(page, "returns-order-waits", full_page=True)
    page.set_viewport_size(PHONE)
    page.goto("/fulfillment/stops/")
    screenshot(page, "returns-stops-390", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="止めた").click()
    expect(page.get_by_text("商品を棚に戻してください")).to_be_visible()
    assert Cancellation.objects.get().state == "done" and order.lines.get().quantity == 2


def test_a_return_is_walked_with_the_mouse_from_the_list_to_the_money(page_as, aoi, screenshot):
    shop, chair = a_shop(), make_sku(stock_units=9)
    order = shipped(shop, make_line("CHAIR", 3), skus=[chair])
    unknown_parcels.note(phone="09012345678", contents="椅子 1脚", actor=Actor())
    page = page_as(aoi)
    page.goto(f"/orders/{order.pk}/")
    page.get_by_role("link", name="返品・交換を受け付ける").click()
    page.get_by_label("CHAIR の品").fill("2")
    page.get_by_label("初期不良").check()
    screenshot(page, "returns-open", full_page=True)
    page.get_by_role("button", name="受け付ける").click()
    screenshot(page, "returns-requested", full_page=True)
    page.get_by_role("button", name="返品を承認").click()
    screenshot(page, "returns-approved", full_page=True)
    page.get_by_role("button", name="到着を登録").click()
    screenshot(page, "returns-inspect", full_page=True)
    page.get_by_label("良品", exact=True).fill("1")
    page.get_by_label("不良", exact=True).fill("1")
    page.get_by_role("button", name="検品を登録").click()
    screenshot(page, "returns-settle", full_page=True)
    page.get_by_role("button", name="精算する").click()
    page.get_by_role("button", name="返品を完了にする").click()
    screenshot(page, "returns-closed", full_page=True)
    assert ReturnCase.objects.get().state == "closed"
    page.goto("/orders/returns/?tab=over")
    screenshot(page, "returns-list")
    expect(page.locator("#returns-table")).to_contain_text("完了")


def test_the_screens_of_the_hall_fit_a_phone(page_as, aoi, screenshot):
    shop, chair = a_shop(), make_sku(stock_units=9)
    order, shipment = instructed(shop, skus=[chair])
    cancel.cancel_orders([order.pk], reason="顧客都合", actor=Actor())
    other, _shipment = instructed(shop, make_line("CHAIR", 2), skus=[chair])
    back = shipped(shop, make_line("CHAIR", 2), skus=[chair])
    case = received(returns.open_case(back.pk, {back.lines.get().pk: 2}, reason="defective", key="k", actor=Actor()))
    parcel = unknown_parcels.note(phone="09012345678", contents="椅子 1脚", actor=Actor())
    page = page_as(aoi)
    for width in (1440, PHONE["width"]):
        page.set_viewport_size({"width": width, "height": 844})
        for name, path in {
            "stops": "/fulfillment/stops/",
            "list": "/orders/returns/",
            "case": f"/orders/returns/{case.pk}/",
            "parcel": f"/orders/returns/parcels/{parcel.pk}/",
            "parcel-chosen": f"/orders/returns/parcels/{parcel.pk}/?order={back.pk}",
            "ask-change": f"/fulfillment/orders/{order.pk}/stop/",
            "closed": f"/orders/{order.pk}/cancel/",
            "cancel": f"/orders/{other.pk}/cancel/",
        }.items():
            page.goto(path)
            screenshot(page, f"returns-{name}-{width}", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
    page.goto("/fulfillment/stops/")
    page.get_by_role("button", name="間に合わなかった").click()
    expect(page.get_by_text("送り状番号を入力").first).to_be_visible()
    page.get_by_label("送り状番号").fill("471203984414")
    page.get_by_role("button", name="間に合わなかった").click()
    expect(page.get_by_text("出荷済みにしました")).to_be_visible()
    assert Shipment.objects.get(pk=shipment.pk).state == "shipped" and Order.objects.get(pk=order.pk).stage == "shipped"


def test_one_component_of_a_set_comes_back_with_the_keyboard_and_on_a_phone(page_as, aoi, screenshot):
    bundle = make_sku("SET", is_bundle=True)
    for code, count, price in (("CUP", 2, 250), ("POT", 1, 500)):
        part = make_sku(code, stock_units=9, price=price)
        BundleComponent.objects.create(bundle=bundle, component=part, quantity=count)
    order = shipped(a_shop(), make_line("SET", 2, 1000), skus=[bundle])
    page = page_as(aoi)
    page.goto(f"/orders/{order.pk}/")
    fold = page.locator("details.set-parts summary")
    expect(page.get_by_text("CUP の品")).not_to_be_visible()
    fold.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details.set-parts").get_by_text("CUP の品")).to_be_visible()
    screenshot(page, "sets-order", full_page=True)
    page.set_viewport_size(PHONE)
    screenshot(page, "sets-order-390", full_page=True)
    page.get_by_role("link", name="返品・交換を受け付ける").click()
    page.get_by_label("CUP の品（1セットに2点）").fill("1")
    page.get_by_label("破損").check()
    screenshot(page, "sets-return-390", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="受け付ける").click()
    page.get_by_role("button", name="返品を承認").click()
    page.get_by_role("button", name="到着を登録").click()
    page.get_by_role("button", name="検品を登録").click()
    expect(page.get_by_text("返金 ¥250")).to_be_visible()
    page.get_by_role("button", name="精算する").click()
    screenshot(page, "sets-return-settled-390", full_page=True)
    assert order.refunds.get().amount == 250
