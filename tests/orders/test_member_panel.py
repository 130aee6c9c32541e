"""A member's orders, as the member's page shows them."""

import pytest
from django.urls import reverse

from customers.models import Member
from orders.models import Order
from orders.services.intake import take_in
from tests.orders.builders import make_channel_order, make_shop

pytestmark = pytest.mark.django_db


def test_the_panel_lists_orders_of_all_channels_newest_first(client_of, ben, chie):
    for shop in (make_shop(), make_shop("yahoo-1", name="Yahoo!店")):
        take_in(shop, [make_channel_order()], sku_of={})
    url = reverse("orders:member-panel", args=[Member.objects.get().pk])
    page = client_of(ben).get(url, headers={"HX-Request": "true"})
    text = page.content.decode()
    assert all(number in text for number in Order.objects.values_list("channel_order_no", flat=True))
    assert "Yahoo!店" in text and "<html" not in text
    assert client_of(chie).get(url).status_code == 403
