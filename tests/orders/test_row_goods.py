"""All goods of a row, shown when one points at them; columns made wider, kept in the address."""

import pytest
from django.http import QueryDict
from django.urls import reverse
from playwright.sync_api import expect

from fulfillment.services.allocate import allocate_waiting
from orders.models import Order
from orders.queries.desk_columns import widths
from orders.services.intake import take_in
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

HTMX = {"HX-Request": "true"}
LIST = "/orders/"


@pytest.fixture
def order(db):
    chair, lamp = make_sku("CHAIR", stock_units=3), make_sku("LAMP")
    lines = (make_line("CHAIR", 2, options="色: 赤"), make_line("LAMP"), make_line("zzz", name="真鍮の棚受け"))
    take_in(make_shop(), [make_channel_order(*lines, number="R-1")], sku_of=mapped(chair, lamp))
    allocate_waiting()
    return Order.objects.get()


def states(client, order) -> dict[str, str]:
    page = client.get(reverse("orders:row-goods", args=[order.pk]), headers=HTMX)
    return {one.code: one.state for one in page.context["goods"]}


@pytest.mark.django_db
def test_each_of_the_goods_says_where_its_promise_stands(client_of, aoi, order):
    client = client_of(aoi)
    assert states(client, order) == {"CHAIR": "在庫を確保済み", "LAMP": "引当待ち", "zzz": "商品が未登録"}
    for allocated, shipped, said in ((1, 0, "引当 1/2"), (2, 0, "引当済"), (2, 1, "出荷済 1/2"), (2, 2, "出荷済")):
        order.lines.filter(channel_sku="CHAIR").update(allocated_quantity=allocated, shipped_quantity=shipped)
        assert states(client, order)["CHAIR"] == said
    order.lines.filter(channel_sku="LAMP").update(quantity=0)
    assert list(states(client, order))[-1] == "LAMP" and states(client, order)["LAMP"] == "キャンセル"


@pytest.mark.django_db
def test_without_scripts_the_summary_is_a_link_to_a_page_of_its_own(client_of, aoi, ben, chie, order):
    url = reverse("orders:row-goods", args=[order.pk])
    assert f'href="{url}"' in client_of(ben).get(LIST).content.decode()
    page = client_of(aoi).get(url).content.decode()
    assert "<h1>" in page and "真鍮の棚受け" in page and "色: 赤" in page
    assert client_of(chie).get(url).status_code == 403
    assert client_of(aoi).get(reverse("orders:row-goods", args=[0])).status_code == 404


def test_widths_that_are_none_are_left_out():
    assert widths(["items-240", "no-48", "buyer-47", "due-9999", "total-x", "nobody-100", "-", "step"]) == {
        "items": 240, "no": 48,
    }  # fmt: skip


@pytest.mark.django_db
def test_widths_stay_with_tiles_filters_and_views_and_go_with_the_standard_columns(client_of, aoi, order):
    client = client_of(aoi)
    page = client.get(LIST, {"width": ["items-300", "bad-1"], "stage": "review"})
    html = page.content.decode()
    assert 'data-column="items" data-width="300"' in html and "bad-1" not in html.split('id="desk-tiles"')[1][:3000]
    assert "?stage=ready&amp;width=items-300" in html
    assert '<input type="hidden" name="width" value="items-300">' in html
    panel = client.get("/orders/filter/?width=items-300&sort=ship_by").content.decode()
    assert '<input type="hidden" name="width" value="items-300">' in panel
    client.post(reverse("orders:view-save"), {"name": "広い", "query": "width=items-300"})
    kept = client.get(reverse("orders:views")).context["views"][0]["view"]
    assert QueryDict(kept.query).getlist("width") == ["items-300"]
    back = client.get(reverse("orders:columns"), {"query": "width=items-300&stage=ready", "default": "1"})
    assert "width" not in back["Location"] and "stage=ready" in back["Location"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_goods_open_under_the_pointer_and_with_the_keyboard(transactional_db, browser_page, order, screenshot):
    page = browser_page
    page.goto(LIST)
    box, link = page.locator("#row-goods"), page.locator(".desk-goods").first
    expect(box).to_be_hidden()
    link.hover()
    expect(box).to_be_visible()
    expect(box).to_contain_text("真鍮の棚受け")
    screenshot(page, "goods of a row")
    page.mouse.move(5, 5)
    expect(box).to_be_hidden()
    link.focus()
    page.keyboard.press("Enter")
    expect(box).to_be_visible()
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    assert page.url.endswith(LIST)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_column_is_dragged_pressed_and_set_back(transactional_db, browser_page, order, screenshot):
    page = browser_page
    page.goto(LIST)
    head = page.locator("th[data-column=items]")
    head.get_by_role("separator").hover()  # waits until nothing above the list moves it any more
    before, edge = head.bounding_box(), head.get_by_role("separator").bounding_box()
    page.mouse.down()
    page.mouse.move(edge["x"] + edge["width"] / 2 + 80, edge["y"] + edge["height"] / 2)
    with page.expect_response(lambda answer: "width=items-" in answer.url):
        page.mouse.up()
    expect(head).to_have_attribute("data-width", str(round(before["width"] + 80)))
    assert "width=items-" in page.url
    page.reload()
    expect(page.locator("table.is-sized")).to_have_count(1)
    assert abs(head.bounding_box()["width"] - before["width"] - 80) < 2
    screenshot(page, "a wide column")
    edge = head.get_by_role("separator")
    edge.focus()
    with page.expect_response(lambda answer: "width=items-" in answer.url):
        edge.press("ArrowLeft")
    expect(head).to_have_attribute("data-width", str(round(before["width"] + 64)))
    expect(head.get_by_role("separator")).to_be_focused()
    with page.expect_response(lambda answer: answer.url.endswith(LIST)):
        head.get_by_role("separator").press("Home")
    expect(page.locator("table.is-sized")).to_have_count(0)
    assert "width" not in page.url
