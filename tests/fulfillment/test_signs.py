"""What a warehouse reads of the review reasons: only those that are for it too, by each reason's setting."""

from dataclasses import replace

import pytest
from django.urls import reverse

from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from orders.models import Order
from orders.services import reason_settings, review
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import changed, make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db


def parcel(**fields) -> Shipment:
    """An instructed parcel of one chair; reasons of the order are closed for that."""
    shop, chair = make_shop(), make_sku(stock_units=50)
    order = make_channel_order(make_line(), **fields)
    take_in(shop, [order], sku_of=mapped(chair))
    stored = Order.objects.get(channel_order_no=order.channel_order_no)
    review.accept([stored.pk], actor=Actor())
    allocate_waiting()
    shipment = Shipment.objects.get(pk=instruct_orders([stored.pk], actor=Actor()).shipments[0])
    take_in(shop, [changed(order, cancel_requested=True, cancel_reason="重複")], sku_of=mapped(chair))
    return shipment


def test_packers_read_that_the_buyer_wants_to_cancel(client_of, person_with):
    shipment = parcel()
    client = client_of(person_with("warehouse"))
    assert "キャンセル申請あり" in client.get(reverse("fulfillment:list")).content.decode()
    page = client.get(reverse("fulfillment:shipment", args=[shipment.pk])).content.decode()
    assert "購入者がキャンセルを申請しています（重複）" in page


def test_a_reason_for_the_office_alone_is_not_shown_to_packers_until_its_setting_says_so(client_of, person_with):
    shipment = parcel()
    setting = reason_settings.read().of("channel_cancel_request")
    reason_settings.save(replace(setting, shown="office"), by=None)
    client, page = client_of(person_with("warehouse")), reverse("fulfillment:shipment", args=[shipment.pk])
    assert "キャンセル申請あり" not in client.get(page).content.decode()
    reason_settings.save(replace(setting, shown="everywhere"), by=None)
    assert "キャンセル申請あり" in client.get(page).content.decode()


def test_signs_of_many_parcels_cost_no_query_each(client_of, person_with, django_assert_max_num_queries):
    client = client_of(person_with("warehouse"))
    for _n in range(3):
        parcel()
    with django_assert_max_num_queries(30):
        assert client.get(reverse("fulfillment:list")).content.decode().count("キャンセル申請あり") >= 3
