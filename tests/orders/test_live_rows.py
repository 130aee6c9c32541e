"""The list under the operator's hand: what changed says so, what left fades where it stood, nothing jumps."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import expect

from oms.kernel import clock
from orders.models import Order
from orders.services.hold import hold_orders
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.labels import add_tag
from tests.orders.builders import copy_of, make_channel_order, make_shop, make_sku, mapped
from tests.orders.desk_board import fill_board

in_browser = pytest.mark.browser
POLL = "document.querySelectorAll('#desk-live').forEach(element => htmx.trigger(element, 'seen'))"
TOP = (
    "(no) => [...document.querySelectorAll('tr')].find(row => row.textContent.includes(no)).getBoundingClientRect().top"
)
LIVE = "/orders/live/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def board(transactional_db):
    return fill_board()


def ids_of(*orders: Order) -> str:
    return ",".join(str(order.pk) for order in orders)


@pytest.mark.django_db
def test_the_refresh_tells_where_those_went_that_are_no_longer_listed(client_of, aoi):
    board = fill_board()
    one, other = board["R-0001"], board["Y-0001"]
    hold_orders([one.pk], reason="確認", actor=Actor())
    asked = {"stage": "awaiting_stock", "shown": ids_of(one, other), "token": "old"}
    answer = client_of(aoi).get(LIVE, asked, headers=HTMX)
    assert json.loads(answer.context["left"]) == [[one.pk, "保留", ""]] and "data-left=" in answer.content.decode()
    assert "shown=" not in answer.content.decode(), "no link carries what stood on the screen"
    for nonsense in ("x", "9" * 40, "-1", ""):
        assert client_of(aoi).get(LIVE, {**asked, "shown": nonsense}, headers=HTMX).context["left"] == ""


@pytest.mark.django_db
def test_an_order_that_moved_to_the_next_page_has_not_left(client_of, aoi):
    board = fill_board()
    seed, oldest = board["R-0001"], board["Y-0002"]
    copies = [copy_of(seed, f"N-{n}") for n in range(60)]
    for n, one in enumerate(copies):
        one.ordered_at = clock.now() - timedelta(seconds=n)
    Order.objects.bulk_create(copies)
    client = client_of(aoi)
    answer = client.get(LIVE, {"shown": ids_of(oldest), "token": "old"}, headers=HTMX)
    assert answer.context["left"] == "" and "Y-0002" not in answer.content.decode()


@pytest.mark.django_db
def test_telling_it_costs_three_queries_however_many_left(client_of, aoi):
    board = fill_board()
    client = client_of(aoi)

    def asked(*orders: Order) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(LIVE, {"stage": "on_hold", "shown": ids_of(*orders), "token": "old"}, headers=HTMX)
        return len(queries)

    asked()
    nothing, one = asked(), asked(board["R-0001"])
    assert one == nothing + 3
    assert asked(*board.values()) == one


@in_browser
def test_a_changed_row_glows_for_a_moment_and_the_others_do_not(board, browser_page):
    page = browser_page
    page.goto("/orders/")
    add_tag([board["R-0003"].pk], "急ぎ", actor=Actor())
    take_in(make_shop(), [make_channel_order(number="R-9999")], sku_of=mapped(make_sku()))
    page.evaluate(POLL)
    expect(page.locator("tr.is-changed")).to_have_count(1)
    expect(page.locator("tr.is-changed")).to_contain_text("R-0003")
    expect(page.locator("tr.is-new")).to_contain_text("R-9999")
    expect(page.locator("tr:is(.is-changed, .is-new)")).to_have_count(0, timeout=8000)


@in_browser
def test_a_row_that_left_stands_faint_in_its_place_until_the_hand_is_gone(board, browser_page, screenshot):
    page = browser_page
    page.clock.install()
    page.goto("/orders/?stage=review")
    expect(page.locator("tr[data-row]")).to_have_count(4)
    page.locator("tr:has-text('R-0004')").hover()
    stood = page.evaluate(TOP, "R-0004")
    hold_orders([board["R-0003"].pk], reason="確認", actor=Actor())
    page.evaluate(POLL)
    ghost = page.locator("tr.is-gone")
    expect(ghost).to_contain_text("→ 保留")
    expect(ghost.locator("input, button")).to_have_count(0)
    expect(page.locator("tr[data-row]")).to_have_count(3)
    assert page.evaluate(TOP, "R-0004") == pytest.approx(stood, abs=2), "the row under the hand did not move"
    order = page.evaluate(
        "[...document.querySelectorAll('tbody tr a:not([data-goods], .desk-do)')].map(link => link.textContent)"
    )
    assert order == ["R-0002", "R-0003", "R-0004", "Y-0002"]
    screenshot(page, "desk-left")
    page.clock.run_for(9000)
    expect(ghost).to_have_count(1)
    page.mouse.move(5, 5)
    page.clock.run_for(2000)
    expect(ghost).to_have_count(0, timeout=4000)


@in_browser
def test_new_rows_above_do_not_push_the_row_under_the_hand(board, page_as, aoi):
    page = page_as(aoi, height=500)
    page.goto("/orders/")
    page.locator("tr:has-text('R-0004')").hover()
    stood = page.evaluate(TOP, "R-0004")
    sku = mapped(make_sku())
    take_in(make_shop(), [make_channel_order(number=f"R-900{n}") for n in range(3)], sku_of=sku)
    page.evaluate(POLL)
    expect(page.locator("#desk-rows")).to_contain_text("R-9002")
    assert page.evaluate(TOP, "R-0004") == pytest.approx(stood, abs=2)
