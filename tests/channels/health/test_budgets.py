"""How many more may go late: counted from the orders, and each number opens a list with so many orders."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels.models import CredentialEvent, ServiceLimit
from channels.queries import budgets
from channels.services import limits
from oms.kernel import clock
from orders.models import Order, Shop
from orders.services import cancel
from orders.services.journal import Actor
from tests.channels.builders import bring_in, make_connection
from tests.orders.builders import make_channel_order, make_sku, mapped


@pytest.mark.parametrize(
    ("kind", "bad", "total", "percent", "left"),
    [
        ("late", 0, 100, 4.0, 4),  # 4 more of 104: 3.8 %; 5 of 105 would be 4.8 %
        ("late", 4, 100, 4.0, 0),
        ("late", 6, 100, 4.0, -3),
        ("late", 0, 0, 4.0, 0),
        ("late", 0, 24, 4.0, 1),
        ("cancel", 0, 100, 2.5, 2),
        ("cancel", 2, 100, 2.5, 0),
        ("cancel", 3, 100, 2.5, -1),
        ("cancel", 0, 0, 2.5, 0),
    ],
)
def test_the_room_that_is_left(kind, bad, total, percent, left):
    assert budgets.room(kind, bad, total, percent) == left
    if left > 0 and kind == "late":
        assert 100 * (bad + left) / (total + left) <= percent < 100 * (bad + left + 1) / (total + left + 1)


@pytest.fixture
def sold(db, aoi):
    """Ten shipped (two late, one of them by the mall itself), one cancelled by us, one by the buyer's wish."""
    connection = make_connection()
    sku = mapped(make_sku("CHAIR"))
    orders = [bring_in(connection, make_channel_order(number=f"N-{n}"), sku) for n in range(12)]
    now = clock.now()
    ids = [order.pk for order in orders]
    Order.objects.filter(pk__in=ids).update(ordered_at=now - timedelta(hours=5))
    Order.objects.filter(pk__in=ids[:10]).update(shipped_at=now, ship_by=now + timedelta(days=1))
    Order.objects.filter(pk__in=ids[:2]).update(ship_by=now - timedelta(days=1))
    Order.objects.filter(pk=ids[1]).update(fulfilled_by_channel=True)
    Order.objects.filter(pk=ids[11]).update(cancel_requested=True)
    cancel.cancel_orders(ids[10:], reason="在庫がないため", actor=Actor(by=aoi))
    return connection


def spent(connection):
    late, cancelled = budgets.budgets([connection.shop])[connection.shop_id]
    return late, cancelled


def test_late_shipments_and_our_own_cancellations_are_counted(sold):
    late, cancelled = spent(sold)
    assert (late.bad, late.total) == (1, 9)
    assert (cancelled.bad, cancelled.total) == (1, 11)
    assert late.room is None  # Rakuten declares no limit, and nobody set one


def test_each_number_opens_a_list_with_so_many_orders(sold, client_of, ben):
    client = client_of(ben)
    for budget in spent(sold):
        for query, wanted in ((budget.query, budget.bad), (budget.all_query, budget.total)):
            page = client.get(f"{reverse('orders:list')}?shop={sold.shop_id}&{query}")
            assert len(page.context["page"]) == wanted, query
    text = client.get(reverse("channels:list")).content.decode()
    assert "late=1&amp;shipped_from=" in text and "fault=1&amp;cancelled_from=" in text


def test_what_lies_before_the_window_does_not_count(sold):
    Order.objects.update(shipped_at=clock.now() - timedelta(days=40))
    assert (spent(sold)[0].bad, spent(sold)[0].total) == (0, 0)


def test_a_limit_of_ones_own_shows_the_room_in_words(sold, client_of, aoi):
    url = reverse("channels:limits", args=[sold.shop_id])
    client = client_of(aoi)
    posted = {"late_percent": "30", "late_days": "7", "cancel_percent": "", "cancel_days": "30"}
    assert client.post(url, posted).status_code == 302
    late, cancelled = spent(sold)
    assert (late.limit.percent, late.limit.days, late.room) == (30, 7, 2) and cancelled.room is None
    assert "あと2件まで遅延できます" in client.get(reverse("channels:list")).content.decode()
    assert CredentialEvent.objects.latest("pk").kind == "limits"
    client.post(url, posted | {"late_percent": ""})
    assert not ServiceLimit.objects.exists()
    assert client.post(url, posted | {"late_percent": "120"}).status_code == 200


def test_the_connector_declares_what_the_channel_publishes(db):
    connection = make_connection("amazon-1")
    connection.shop.channel = "amazon"
    connection.shop.save(update_fields=["channel"])
    late, cancelled = spent(connection)
    assert (late.limit.percent, late.limit.days) == (4.0, 30) and late.tone == "neutral"
    assert (cancelled.limit.percent, cancelled.limit.days) == (2.5, 7)


def test_over_the_limit_is_said_in_red(sold):
    limits.set_limits(sold, {"late": (5.0, 30), "cancel": None}, by=None)
    late, _cancelled = spent(sold)
    assert late.room < 0 and late.tone == "danger"


def test_it_costs_two_queries_however_many_shops(sold):
    shops = [sold.shop, *(make_connection(f"s-{n}").shop for n in range(4))]
    with CaptureQueriesContext(database) as captured:
        budgets.budgets(shops)
    assert len(captured) == 2
    with CaptureQueriesContext(database) as captured:
        budgets.budgets(shops)
    assert len(captured) == 1  # the orders are counted twice a minute


def test_a_shop_whose_channel_has_no_connector_has_no_limit_and_breaks_nothing(sold):
    Shop.objects.filter(pk=sold.shop_id).update(channel="own")
    sold.shop.refresh_from_db()
    late, cancelled = spent(sold)
    assert late.limit.percent is None and cancelled.room is None and late.total == 9


def test_exchanges_and_resends_use_up_no_budget_and_stand_in_no_list(sold, client_of, ben):
    Order.objects.update(flags=["internal"])
    for budget in spent(sold):
        assert (budget.bad, budget.total) == (0, 0)
        for query in (budget.query, budget.all_query):
            page = client_of(ben).get(f"{reverse('orders:list')}?shop={sold.shop_id}&{query}")
            assert not len(page.context["page"])


def test_ben_may_not_set_limits(db, client_of, ben):
    url = reverse("channels:limits", args=[make_connection().shop_id])
    assert client_of(ben).get(url).status_code == client_of(ben).post(url).status_code == 403
