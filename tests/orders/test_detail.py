"""受注詳細: what the page says, who may see it, and what each button does."""

import re

import pytest
from django.urls import reverse

from fulfillment.services.allocate import allocate_waiting
from inventory.services.audit import violations
from orders.channel_order import ChannelState, PaymentMethod, PaymentState
from orders.models import Mail, Order
from orders.queries.detail import order_for
from orders.services.intake import take_in
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def shop():
    return make_shop()


def take(shop, *lines, skus=(), **fields) -> Order:
    order = make_channel_order(*lines, **fields)
    take_in(shop, [order], sku_of=mapped(*skus))
    return Order.objects.get(channel_order_no=order.channel_order_no)


@pytest.fixture
def order(shop):
    """One chair, in stock, with a remark that asks something."""
    return take(shop, skus=[make_sku(stock_units=3)], remarks="ガス圧の高さは何cmですか？")


def page_of(client, order):
    return client.get(reverse("orders:detail", args=[order.pk]))


def body_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_says_why_the_order_stands_where_it_stands(client_of, aoi, order):
    page = page_of(client_of(aoi), order)
    marks = {gate.code: gate.mark for gate in page.context["gates"]}
    assert marks["import"] == "done" and marks["review"] == "here" and marks["payment"] == "done"
    assert "ガス圧の高さは何cmですか" in body_of(page) and "備考あり" in body_of(page)
    assert [reason.code for reason in page.context["open_reasons"]] == ["buyer_note"]
