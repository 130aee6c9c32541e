"""The shop's own deadline for orders whose channel tells none."""

from datetime import date, datetime

import pytest

from oms.kernel.clock import TOKYO
from orders.channel_order import ChannelState
from orders.decide.schedule import default_ship_by
from orders.models import Order
from orders.services.intake import take_in
from tests.orders.builders import ORDERED_AT, changed, make_channel_order, make_shop, make_sku, mapped

TUESDAY = datetime(2026, 11, 24, 23, 59, tzinfo=TOKYO)


def stored() -> Order:
    return Order.objects.get()


@pytest.mark.django_db
def test_an_order_without_deadline_gets_the_end_of_the_shops_working_day():
    take_in(make_shop(ship_within_days=1), [make_channel_order()], sku_of=mapped(make_sku()))
    assert stored().ship_by == TUESDAY, "ordered on a Friday, and Monday is a holiday"


@pytest.mark.django_db
def test_what_the_channel_tells_goes_before_and_without_the_setting_there_is_none():
    sku_of, told = mapped(make_sku()), datetime(2026, 11, 21, 3, tzinfo=TOKYO)
    take_in(make_shop(ship_within_days=1), [make_channel_order(ship_by=told)], sku_of=sku_of)
    assert stored().ship_by == told
    take_in(make_shop("other"), [order := make_channel_order()], sku_of=sku_of)
    assert Order.objects.get(channel_order_no=order.channel_order_no).ship_by is None


@pytest.mark.django_db
def test_a_later_version_without_deadline_leaves_ours_and_one_with_it_replaces_it():
    shop, sku_of, order = make_shop(ship_within_days=1), mapped(make_sku()), make_channel_order()
    take_in(shop, [order], sku_of=sku_of)
    take_in(shop, [changed(order, delivery_method="宅配便")], sku_of=sku_of)
    assert (stored().ship_by, stored().delivery_method) == (TUESDAY, "宅配便")
    told = datetime(2026, 11, 26, 3, tzinfo=TOKYO)
    take_in(shop, [changed(order, ship_by=told)], sku_of=sku_of)
    assert stored().ship_by == told


@pytest.mark.django_db
@pytest.mark.parametrize("fields", [{"fulfilled_by_channel": True}, {"state": ChannelState.CANCELLED}])
def test_what_we_do_not_ship_has_no_deadline(fields):
    take_in(make_shop(ship_within_days=1), [make_channel_order(**fields)], sku_of=mapped(make_sku()))
    assert stored().ship_by is None


@pytest.mark.parametrize(
    ("release", "planned", "day"),
    [
        (None, None, date(2026, 11, 25)),
        (date(2026, 12, 4), None, date(2026, 12, 8)),  # counted from the release, a Friday
        (None, date(2026, 12, 20), date(2026, 12, 20)),  # not before the buyer's wish has it leave
        (date(2026, 11, 1), date(2026, 11, 21), date(2026, 11, 25)),
    ],
)
def test_a_pre_order_and_a_wish_move_the_deadline(release, planned, day):
    ordered = ORDERED_AT.astimezone(TOKYO).date()
    found = default_ship_by(2, ordered, release_date=release, planned_ship_date=planned)
    assert found == datetime(day.year, day.month, day.day, 23, 59, tzinfo=TOKYO)
