"""個口: set while the parcel is still here, refused afterwards, and printed on the handover list."""

import pytest

from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from orders.models import Order
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipment() -> Shipment:
    sku = make_sku(stock_units=5, size_factor=3, temperature="chilled")
    take_in(make_shop(capabilities={"mail": "free"}), [make_channel_order(make_line(quantity=2))], sku_of=mapped(sku))
    allocate_waiting()
    return Shipment.objects.get()


def test_the_number_of_boxes_is_set_and_journaled_once(client_of, aoi, shipment):
    order = Order.objects.get()
    panel = client_of(aoi).get(f"/fulfillment/orders/{order.pk}/").content.decode()
    assert "冷蔵" in panel and "サイズ係数の合計 6" in panel and 'name="packages"' in panel
    for _ in range(2):
        client_of(aoi).post(f"/fulfillment/shipments/{shipment.pk}/packages/", {"packages": "2", "order": order.pk})
    shipment.refresh_from_db()
    assert shipment.package_count == 2
    assert [(e.text, e.by) for e in shipment.events.filter(kind="packages")] == [("1 → 2", aoi)]


@pytest.mark.parametrize("typed", ["", "0", "-1", "100", "二"])
def test_no_number_is_said_in_words(client_of, aoi, shipment, typed):
    answer = client_of(aoi).post(
        f"/fulfillment/shipments/{shipment.pk}/packages/", {"packages": typed}, headers={"HX-Request": "true"}
    )
    shipment.refresh_from_db()
    assert shipment.package_count == 1 and answer.status_code == 200


def test_a_parcel_that_left_keeps_its_number(client_of, aoi, shipment):
    instruct_orders([Order.objects.get().pk], actor=Actor(aoi))
    confirm_shipments([Departure(shipment.pk, "yamato", "471203984414")], actor=Actor(aoi))
    client = client_of(aoi)
    answer = client.post(f"/fulfillment/shipments/{shipment.pk}/packages/", {"packages": "3"})
    assert "変えられません" in client.get(answer.url).content.decode()
    shipment.refresh_from_db()
    assert shipment.package_count == 1


def test_who_may_not_ship_may_not_set_it(client_of, ben, chie, shipment):
    url = f"/fulfillment/shipments/{shipment.pk}/packages/"
    assert client_of(ben).post(url, {"packages": "2"}).status_code == 403
    assert client_of(chie).post(url, {"packages": "2"}).status_code == 403
    assert client_of(ben).get(url).status_code in {403, 405}
