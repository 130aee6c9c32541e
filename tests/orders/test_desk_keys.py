"""The desk's keys: each has its button, means the row one stands on, and rests while Japanese is composed."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from orders.models import Order
from tests.orders.desk_board import fill_board
from tests.orders.test_desk_browser import press
from tests.orders.test_review_cards import take

KEY = re.compile(r'data-key="([^"]+)"')
COMPOSE = """key => document.body.dispatchEvent(
    new KeyboardEvent('keydown', {key, keyCode: 229, isComposing: true, bubbles: true}))"""


@pytest.mark.django_db
def test_every_key_of_the_desk_has_its_button(client_of, aoi):
    fill_board()
    html = client_of(aoi).get("/orders/?stage=review").content.decode()
    assert set("/?fvua") | set("chztmgsrpen") | {"y", "[", "]", "Shift+h", "i"} <= set(KEY.findall(html))


@pytest.mark.django_db
def test_the_brackets_lead_from_all_to_the_first_stage_and_back(client_of, aoi):
    fill_board()
    client = client_of(aoi)

    def leads(url: str) -> dict[str, str]:
        html = client.get(url).content.decode()
        return {key: href for href, key in re.findall(r'class="tile" href="([^"]+)"[^>]*data-key="([\[\]])"', html)}

    assert leads("/orders/") == {"]": "/orders/?stage=new"}
    assert leads("/orders/?stage=new") == {"[": "/orders/", "]": "/orders/?stage=review"}
    assert leads("/orders/?tag=1") == {"]": "/orders/?stage=new"}


@pytest.mark.django_db
def test_every_key_of_an_order_has_its_button(client_of, aoi):
    order = take("色は選べますか？", postal="900-0001")
    html = client_of(aoi).get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert {"c", "Shift+c", "1", "2", "h", "z", "n", "m", "e", "y"} <= set(KEY.findall(html))
    assert html.count("data-reason>") == 2
    panel = client_of(aoi).get(reverse("fulfillment:order-panel", args=[order.pk])).content.decode()
    assert {"g", "s"} <= set(KEY.findall(panel))


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_with_nothing_chosen_a_key_means_the_row_one_stands_on(transactional_db, browser_page):
    board = fill_board()
    page = browser_page
    page.goto("/orders/")
    press(page, "?")
    told = set(page.locator("#key-help dt").all_inner_texts())
    assert set("jkxofvuchtzmgsrpi") <= {one.strip() for one in told}
    press(page, "Escape")
    press(page, "j")
    for key in "htz":
        page.evaluate(COMPOSE, key)
    page.wait_for_timeout(200)
    expect(page.locator("dialog:modal")).to_have_count(0)
    press(page, "z")
    dialog = page.locator("#bulk-dialog")
    expect(dialog).to_contain_text("選択した 1件のうち 1件が対象です。")
    expect(dialog.locator("input[name=reason]")).to_have_value("後日あらためて確認")
    press(page, "Control+Enter")
    expect(dialog).to_contain_text("1件を日付まで保留にしました。")
    held = Order.objects.get(held_at__isnull=False, hold_until__isnull=False)
    assert held.pk == board["R-0001"].pk and held.hold_reason == "後日あらためて確認"


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_full_stop_goes_on_to_the_next_reason_and_c_accepts_that_one(transactional_db, browser_page):
    order = take("色は選べますか？", flags=("caution",))
    codes = list(order.reasons.filter(state="open", level="block").order_by("pk").values_list("code", flat=True))
    assert len(codes) == 2
    page = browser_page
    page.goto(reverse("orders:detail", args=[order.pk]))
    second = page.locator("[data-reason]").nth(1)
    press(page, ".")
    expect(second).to_have_class(re.compile("is-current"))
    press(page, "c")
    expect(page.locator("[data-reason]")).to_have_count(1)
    assert order.reasons.filter(state="open", level="block").count() == 1
