"""分割 in a real browser: many orders from the desk and back, one order on its screen, and the buyer's answer."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from fulfillment.models import Shipment
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.models import BulkRun, Order
from orders.services import mail_texts
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_line, make_location, make_shop, make_sku

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OURS = {"own_payments": True, "mail": "free"}
MONEY = ("fees", "total", "tax", "tax_by_rate")


@pytest.fixture
def orders(transactional_db):
    """Two orders of a shop of our own that are cold in part, and a third that is not."""
    mail_texts.ensure_standard_templates()
    make_location("W2", name="大阪倉庫", priority=200)
    shop = make_shop("own", channel="futureshop", channel_label="futureshop", capabilities=OURS, split_fee=550)
    goods = [make_sku("TEA", stock_units=20), make_sku("FISH", stock_units=20, temperature="frozen")]
    cash = {"payment_method": PaymentMethod.COD, "payment_state": PaymentState.UNPAID}
    totals = Totals(goods=2000, shipping=600, tax=236, total=2600)
    lines = [(make_line("TEA"), make_line("FISH")) for _n in range(2)]
    cold = [ready(shop, *own, skus=goods, totals=totals, **cash) for own in lines]
    return [*cold, ready(shop, make_line("TEA"), skus=goods, **cash)]


def money() -> list:
    return list(Order.objects.order_by("pk").values_list(*MONEY))


def press(page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def test_many_orders_are_split_from_the_desk_at_the_buyers_cost_and_taken_back(orders, browser_page):
    page, before = browser_page, money()
    page.goto("/orders/")
    press(page, "a s")
    dialog = page.locator("#bulk-dialog")
    expect(dialog).to_contain_text("選択した 3件のうち")
    dialog.get_by_label("分け方").select_option("temperature")
    expect(dialog).to_contain_text("2件が対象です。")
    expect(dialog).to_contain_text("荷物が 2個増えます。")
    dialog.get_by_label("増える送料").select_option("buyer")
    expect(dialog).to_contain_text("合わせて ¥1,100 です。")
    expect(dialog).to_contain_text("分割の送料 ¥550、合計 ¥2,600 → ¥3,150")
    press(page, "Control+Enter")
    expect(dialog).to_contain_text("2件を分割しました。")
    assert Shipment.objects.count() == 5 and sorted(total for _fees, total, *_rest in money())[-1] == 3150
    dialog.get_by_role("button", name="元に戻す").click()
    expect(dialog).to_contain_text("2件を元に戻しました。")
    assert Shipment.objects.count() == 3 and money() == before
    assert BulkRun.objects.get().undo_state == "finished"


def test_a_way_that_needs_a_place_says_so_in_the_dialog(orders, browser_page):
    page = browser_page
    page.goto("/orders/")
    press(page, "a s")
    dialog = page.locator("#bulk-dialog")
    dialog.get_by_label("分け方").select_option("location")
    expect(dialog).to_contain_text("拠点を選んでください。")
    dialog.get_by_label("出荷元", exact=False).select_option(label="大阪倉庫")
    expect(dialog).to_contain_text("その拠点にある商品だけを分けられません")


def test_one_order_is_split_on_its_screen_after_the_buyer_agreed_and_joined_again(orders, browser_page):
    page, order, before = browser_page, orders[0], money()
    page.goto(reverse("fulfillment:split", args=[order.pk]))
    expect(page.get_by_role("radio", name="在庫で分ける")).to_be_disabled()
    page.get_by_role("radio", name="温度帯で分ける").check()
    page.get_by_role("radio", name="お客様にたずねてから分ける").check()
    page.get_by_role("button", name="この分け方で分ける").click()
    expect(page.get_by_text("お客様にたずねるメールを下書きしました。")).to_be_visible()
    assert Shipment.objects.filter(recipient__order=order).count() == 1 and money() == before
    page.get_by_role("button", name="承諾をいただいた").click()
    expect(page.get_by_text("承諾を記録し、分割しました。")).to_be_visible()
    expect(page.get_by_text("送料 ¥550 を合計 ¥3,150 に加えています。")).to_be_visible()
    assert Shipment.objects.filter(recipient__order=order).count() == 2
    page.get_by_role("button", name="分割を取り消して1つに戻す").click()
    expect(page.get_by_text("分割を取り消し、1つにまとめました。")).to_be_visible()
    assert Shipment.objects.filter(recipient__order=order).count() == 1 and money() == before
