"""The loader's orders are what the intake's would be, as far as lists and search can tell."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from oms.kernel.text import search_text
from orders.models import Order, OrderLine, Recipient, ReviewReason
from orders.queries.tiles import rows_per_stage, stage_counts

pytestmark = pytest.mark.django_db(transaction=True)


def load(count: int) -> dict:
    out = StringIO()
    call_command("load_orders", orders=count, stdout=out, stderr=StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


def test_loaded_orders_have_right_tiles_search_texts_and_sums(client_of, aoi):
    assert load(3000)["orders"] == 3000
    assert {stage: n for stage, n in stage_counts().items() if n} == rows_per_stage()
    assert Recipient.objects.count() == 3000
    for order in Order.objects.order_by("?")[:50]:
        lines = list(OrderLine.objects.filter(order=order).order_by("position"))
        phone = order.buyer_phone.replace("-", "")
        words = (order.channel_order_no, order.buyer_name, order.buyer_kana, order.buyer_email, phone)
        goods = [word for line in lines for word in (line.channel_sku, line.name)]
        assert order.search == search_text(*words, order.buyer_postal_code, *goods)
        assert order.total == sum(line.amount for line in lines) + order.shipping_fee
        assert order.quantity == sum(line.quantity for line in lines)
    blocked = set(ReviewReason.objects.filter(level="block", state="open").values_list("order", flat=True))
    assert blocked == set(Order.objects.filter(stage="review").values_list("pk", flat=True))
    assert client_of(aoi).get("/orders/").status_code == 200


def test_a_second_load_goes_on_where_the_first_ended_and_keeps_the_indexes():
    with connection.cursor() as cursor:
        before = connection.introspection.get_constraints(cursor, "orders_order")
    load(100)
    load(20_000)
    assert Order.objects.count() == 20_100
    with connection.cursor() as cursor:
        assert connection.introspection.get_constraints(cursor, "orders_order") == before
