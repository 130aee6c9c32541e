"""The way back on a row that left the list: one's own last deed, on this order alone, while nothing came after it."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from oms.kernel import clock
from orders.models import Order, OrderEvent
from orders.services import bulk, hold, review
from orders.services.journal import Actor
from tests.orders.desk_board import fill_board
from tests.orders.test_live_rows import HTMX, LIVE, POLL, ids_of


@pytest.fixture
def board(db):
    return fill_board()


def back_url(client, order: Order, stage: str) -> str:
    answer = client.get(LIVE, {"stage": stage, "shown": ids_of(order), "token": "old"}, headers=HTMX)
    ((pk, _stage, url),) = json.loads(answer.context["left"])
    assert pk == order.pk
    return url


def again(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def test_a_hold_is_taken_back_from_where_the_row_stood(client_of, aoi, ben, board):
    order, client = board["R-0001"], client_of(aoi)
    hold.hold_orders([order.pk], reason="確認", actor=Actor(aoi, "click"))
    url = back_url(client, order, "awaiting_stock")
    assert url == reverse("orders:take-back", args=[order.pk])
    assert back_url(client_of(ben), order, "awaiting_stock") == "", "it was not ben's"
    client_of(ben).post(url)
    assert again(order).stage == "on_hold"
    client.post(url)
    assert again(order).stage == order.stage and again(order).held_at is None


def test_a_lifted_hold_comes_back_with_its_reason_and_day(client_of, aoi, board):
    order, day = board["R-0007"], clock.today() + timedelta(days=4)
    Order.objects.filter(pk=order.pk).update(hold_until=day)
    hold.lift_holds([order.pk], actor=Actor(aoi, "click"))
    client_of(aoi).post(back_url(client_of(aoi), order, "on_hold"))
    held = again(order)
    assert (held.stage, held.hold_reason, held.hold_until) == ("on_hold", "お客様へ電話で確認中", day)


def test_accepted_reasons_open_again_and_no_others(client_of, aoi, board):
    order = board["Y-0002"]
    codes = set(order.reasons.filter(state="open").values_list("code", flat=True))
    assert len(codes) > 1
    review.accept([order.pk], codes=["buyer_note"], actor=Actor(aoi, "click"))
    client_of(aoi).post(reverse("orders:take-back", args=[order.pk]))
    assert set(order.reasons.filter(state="open").values_list("code", flat=True)) == codes


def test_of_a_bulk_action_only_this_order_goes_back(client_of, aoi, board):
    one, other = board["R-0001"], board["R-0003"]
    run = bulk.draft("hold", [one.pk, other.pk], by=aoi)
    bulk.start(run, {"reason": "棚卸", "until": ""})
    assert {again(one).stage, again(other).stage} == {"on_hold"}
    client_of(aoi).post(back_url(client_of(aoi), one, "awaiting_stock"))
    assert again(one).stage == one.stage and again(other).stage == "on_hold"
    run.refresh_from_db()
    assert run.undone == [one.pk]


def test_what_somebody_did_since_or_what_is_long_ago_stays(client_of, aoi, ben, board):
    order = board["R-0001"]
    hold.hold_orders([order.pk], reason="確認", actor=Actor(aoi, "click"))
    url = reverse("orders:take-back", args=[order.pk])
    OrderEvent.objects.create(order=order, kind="note", at=clock.now(), by=ben)
    page = client_of(aoi).post(url, follow=True)
    assert "もう元に戻せません" in page.content.decode() and again(order).stage == "on_hold"
    assert back_url(client_of(aoi), order, "awaiting_stock") == ""
    assert client_of(aoi).get(url).status_code == 405


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_faint_row_has_the_way_back(transactional_db, page_as, aoi, screenshot):
    board = fill_board()
    page = page_as(aoi)
    page.goto("/orders/?stage=review")
    hold.hold_orders([board["R-0003"].pk], reason="確認", actor=Actor(aoi, "click"))
    page.evaluate(POLL)
    ghost = page.locator("tr.is-gone")
    expect(ghost).to_contain_text("→ 保留")
    screenshot(page, "desk-way-back")
    ghost.get_by_role("button", name="元に戻す").click()
    expect(page.locator("tr[data-row]", has_text="R-0003")).to_have_count(1)
    assert Order.objects.get(pk=board["R-0003"].pk).stage == "review"
