"""The shipment screens: the list, papers, shipping, and the whole way from the order's page."""

import io
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from fulfillment.models import Batch, Shipment, ShipmentEvent
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from inventory.services.audit import violations
from orders.models import Mail, Order
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_location, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
GOOD_NUMBER = "471203984414"


@pytest.fixture
def shop():
    return make_shop(
        capabilities={"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True},
        letterhead_name="くらし道具店",
        registration_no="T8010401000002",
    )


def ready(shop, *lines, skus=(), **fields) -> Order:
    order = make_channel_order(*lines, **fields)
    take_in(shop, [order], sku_of=mapped(*skus))
    allocate_waiting()
    return Order.objects.get(channel_order_no=order.channel_order_no)


@pytest.fixture
def chair():
    return make_sku(stock_units=50, shelf="A-1")


@pytest.fixture
def instructed(shop, chair) -> Callable[..., Shipment]:
    """`instructed()`: a shipment under way, of one chair."""

    def make(**fields) -> Shipment:
        order = ready(shop, skus=[chair], **fields)
        return Shipment.objects.get(pk=instruct_orders([order.pk], actor=Actor()).shipments[0])

    return make


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def pdf_text(response) -> str:
    assert response["Content-Type"] == "application/pdf", response.content.decode()[:500]
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages)


def test_an_order_walks_from_its_page_to_shipped(client_of, aoi, shop, chair):
    order = ready(shop, skus=[chair], remarks="ガス圧の高さは何cmですか？")
    client = client_of(aoi)

    def post(name: str, *args: int, **data: object):
        return client.post(reverse(name, args=args), data, follow=True)

    assert order.stage == "review"
    post("orders:accept", order.pk, code="buyer_note")
    allocate_waiting()
    order.refresh_from_db()
    assert order.stage == "ready"
    post("fulfillment:instruct", order.pk)
    order.refresh_from_db()
    shipment = Shipment.objects.get()
    assert (order.stage, shipment.state) == ("in_fulfillment", "instructed")
    assert order.channel_order_no in pdf_text(post("fulfillment:delivery-notes", ids=shipment.pk))
    assert "A-1" in pdf_text(post("fulfillment:pick-list", ids=shipment.pk))
    post(
        "fulfillment:ship-one",
        shipment.pk,
        order=order.pk,
        **{f"carrier-{shipment.pk}": "yamato", f"tracking-{shipment.pk}": "4712-0398-4414"},
    )
    order.refresh_from_db()
    assert (order.stage, order.tracking_label) == ("shipped", GOOD_NUMBER)
    assert Mail.objects.filter(order=order, event="shipped").count() == 1 and violations() == []
