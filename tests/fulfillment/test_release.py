from datetime import time

import pytest

from fulfillment.models import ReleaseTime
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.release import release_due
from orders.models import Order
from orders.services.intake import take_in
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db


def test_what_is_ready_goes_out_once_when_its_time_has_come():
    shop, chair = make_shop(), make_sku(stock_units=5)
    take_in(shop, [make_channel_order()], sku_of=mapped(chair))
    allocate_waiting()
    ReleaseTime.objects.create(at=time(0, 0))
    assert release_due() == 1
    order = Order.objects.get()
    assert order.stage == "in_fulfillment" and not order.events.filter(by__isnull=False).exists()
    take_in(shop, [make_channel_order()], sku_of=mapped(chair))
    allocate_waiting()
    assert release_due() == 0


def test_a_time_still_to_come_or_switched_off_releases_nothing():
    shop, chair = make_shop(), make_sku(stock_units=5)
    take_in(shop, [make_channel_order()], sku_of=mapped(chair))
    allocate_waiting()
    ReleaseTime.objects.create(at=time(23, 59, 59))
    ReleaseTime.objects.create(at=time(0, 0), active=False)
    assert release_due() == 0
    assert Order.objects.get().stage == "ready"
