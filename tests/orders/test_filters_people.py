"""Filters on places, delivery methods, people and the days around paying and taking in."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat
from django.http import QueryDict

from customers.models import Member
from oms.kernel import clock
from orders import filter_fields, filter_people
from orders.filters import OrderFilter
from orders.models import Order, Recipient
from tests.orders.test_filters import found

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("location=札幌", {"R-0001"}),
        ("location=倉庫", {"R-0001", "R-0002", "R-0003"}),
        ("location=札幌、大阪", {"R-0001", "R-0003"}),
        ("location=無い", set()),
        ("location=無い&not=location&channel=yahoo", {"Y-0001", "Y-0002"}),
        ("location=倉庫&not=location&channel=rakuten", {"R-0004", "R-0005", "R-0006", "R-0007"}),
        ("method=EXPRESS", {"R-0001"}),
        ("method=express&not=method&location=東京", {"R-0002"}),
        ("method=express&location=札幌", {"R-0001"}),
    ],
)
def test_places_and_methods_are_found_by_a_part_of_their_name(board, query, numbers):
    for number, place in (("R-0001", "東京倉庫、札幌店"), ("R-0002", "東京倉庫"), ("R-0003", "大阪倉庫")):
        Order.objects.filter(channel_order_no=number).update(location_label=place)
    Order.objects.filter(channel_order_no="R-0001").update(delivery_method="Express 便")
    assert found(query) == numbers


def test_a_column_full_of_prose_is_read_instead_of_named(board, monkeypatch):
    Order.objects.filter(channel_order_no="R-0001").update(location_label="東京倉庫")
    monkeypatch.setattr(filter_fields, "MOST_VALUES", 1)
    assert filter_fields.distinct_values("location_label") is None
    assert found("location=東京") == {"R-0001"} and "R-0001" not in found("location=東京&not=location")


def test_a_part_of_a_place_is_asked_by_name_from_an_index(board):
    Order.objects.filter(channel_order_no="R-0001").update(location_label="東京倉庫")
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off")
    for query, index in {"location=東京": "order_location", "method=便": "order_method"}.items():
        Order.objects.filter(channel_order_no="R-0001").update(delivery_method="便")
        plan = OrderFilter(QueryDict(query), queryset=Order.objects.all()).qs.explain()
        assert "LIKE" not in plan.upper() and "~~" not in plan and " = '" in plan, query
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + filter_fields.DISTINCT.format(column=index_column(index)), [10])
            assert index in "".join(row[0] for row in cursor.fetchall())


def index_column(index: str) -> str:
    return next(one.fields[0] for one in Order._meta.indexes if one.name == index)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("phone=4821&has=gift", {"R-0003"}),
        ("phone=48", set()),
        ("region=kinki", {"R-0003"}),
        ("region=okinawa", set()),
        ("city=大阪市", {"R-0003"}),
        ("city=北区", set()),
        ("person=タロウ", set()),
        ("slot=1416", {"R-0001"}),
        ("has=abroad", {"Y-0001"}),
        ("pay_by_from={before}&pay_by_to={day}", {"R-0005"}),
        ("pay_by_to={before}", set()),
        ("overdue_days=3", {"R-0005"}),
        ("overdue_days=3650", set()),
        ("taken_from=2000-01-01&channel=yahoo", {"Y-0001", "Y-0002"}),
        ("taken_to=2000-01-01", set()),
        ("mail=nobody", set()),
    ],
)
def test_people_and_days_narrow_to(board, query, numbers):
    of = Order.objects.filter
    of(channel_order_no="R-0001").update(wish_slot="1416")
    of(channel_order_no="R-0005").update(pay_by=clock.now() - timedelta(days=5))
    Recipient.objects.filter(order__channel_order_no="Y-0001").update(country="US")
    Recipient.objects.filter(order__channel_order_no="R-0003").update(phone="06-1234-48 21")
    of(channel_order_no="R-0003").update(search=Concat("search", Value("\n0612344821")))
    day = clock.today() - timedelta(days=5)
    assert found(query.format(day=day, before=day - timedelta(days=1))) == numbers


@pytest.mark.parametrize("most", [0, 5000])
def test_members_by_number_and_by_how_often_they_bought(board, monkeypatch, most):
    monkeypatch.setattr(filter_people, "MOST_MEMBERS", most)
    own = Order.objects.get(channel_order_no="R-0001").member
    assert own and "R-0001" in found(f"member={own.pk}") and found("member=999999999") == set()
    Member.objects.filter(pk=own.pk).update(order_count=7)
    assert found("bought_min=7") == found(f"member={own.pk}") and found("bought_min=8") == set()
