"""When goods leave and arrive: working days, cut-off times and days of transit, and what follows for an order."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from oms.kernel import clock
from oms.kernel.models import SettingVersion
from orders.decide.ship_plan import ISLANDS, PLAIN, Destination, ShipPlan, Transit
from orders.decide.slots import nearest_slot
from orders.models import Order, ShippingPlan
from orders.models.order import Stage
from orders.services import ship_plans
from orders.services.edit import Seen, edit_delivery, fingerprint
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.ship_plans import follow_places
from orders.services.stage import recompute
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped

TOKYO = Destination("東京都", "154-0024", "yamato")
WEEKEND = ShipPlan(closed_weekdays=frozenset({5, 6}), closed_on_holidays=True)
FRIDAY_NOON = datetime(2026, 12, 4, 3, 0, tzinfo=UTC)  # 12:00 in Tokyo


def test_without_a_plan_goods_leave_every_day_and_arrive_the_next():
    assert PLAIN.planned_day(date(2026, 12, 8), TOKYO, at=FRIDAY_NOON) == date(2026, 12, 7)
    assert PLAIN.planned_day(None, TOKYO, at=FRIDAY_NOON) is None
    assert PLAIN.first_arrival(Destination("沖縄県"), now=FRIDAY_NOON) == date(2026, 12, 7)


def test_a_wish_for_monday_is_shipped_on_friday_where_the_weekend_is_closed():
    assert WEEKEND.planned_day(date(2026, 12, 7), TOKYO, at=datetime(2026, 12, 1, 3, tzinfo=UTC)) == date(2026, 12, 4)


def test_an_order_after_the_cut_off_leaves_on_the_next_working_day():
    plan = ShipPlan(cutoffs={"": time(15), "sagawa": time(11)}, closed_weekdays=frozenset({5, 6}))
    assert plan.first_day(FRIDAY_NOON, "yamato") == date(2026, 12, 4)
    assert plan.first_day(FRIDAY_NOON, "sagawa") == date(2026, 12, 7)
    assert plan.first_day(FRIDAY_NOON + timedelta(hours=4), "yamato") == date(2026, 12, 7)


def test_holidays_and_single_days_close_and_open_a_place():
    plan = ShipPlan(
        closed_on_holidays=True, closed_days=frozenset({date(2026, 12, 31)}), open_days=frozenset({date(2027, 1, 1)})
    )
    assert plan.next_open(date(2026, 11, 23)) == date(2026, 11, 24)
    assert plan.next_open(date(2026, 12, 31)) == date(2027, 1, 1)


def test_a_place_that_is_never_open_does_not_loop():
    assert ShipPlan(closed_weekdays=frozenset(range(7))).next_open(date(2026, 12, 1)) == date(2026, 12, 1)


def test_the_closest_area_decides_and_a_carriers_own_line_goes_before_one_for_all():
    plan = ShipPlan(
        transit=[
            Transit("", "東京都", 2), Transit("sagawa", "東京都", 3), Transit("", ISLANDS, 5), Transit("", "10010", 9),
        ]
    )  # fmt: skip
    assert plan.transit_days(TOKYO) == 2
    assert plan.transit_days(Destination("東京都", "154-0024", "sagawa")) == 3
    assert plan.transit_days(Destination("東京都", "100-0211", "yamato")) == 5  # an island of Tokyo
    assert plan.transit_days(Destination("東京都", "100-1000", "yamato")) == 9
    assert plan.transit_days(Destination("北海道", "060-0000", "yamato")) == 2  # the built-in days


@pytest.mark.parametrize(
    ("wanted", "offered", "found"),
    [
        ("1214", {"am", "1416", "1618"}, "1416"),
        ("2021", {"am", "1921"}, "1921"),
        ("1416", {"1416"}, ""),
        ("夕方", {"am"}, ""),
    ],
)
def test_the_nearest_hours_that_the_carrier_has(wanted, offered, found):
    assert nearest_slot(wanted, offered) == found


# ---- in the database


@pytest.fixture
def plan(db):
    return ShippingPlan.objects.create


def take(wish: date, **fields) -> Order:
    order = make_channel_order(make_line(), wish_date=wish, ordered_at=clock.now(), **fields)
    take_in(make_shop(), [order], sku_of=mapped(make_sku(stock_units=50)))
    return Order.objects.get(channel_order_no=order.channel_order_no)


def day(n: int) -> date:
    return clock.today() + timedelta(days=n)


def test_intake_plans_by_the_companys_days_of_transit(plan):
    plan(transit=[["", "東京都", 3]])
    order = take(day(10))
    assert order.planned_ship_date == day(7)


def test_an_edit_plans_by_the_same_plan(plan):
    plan(transit=[["", "東京都", 3]])
    order = take(day(10))
    values = {"wish_date": day(12), "wish_slot": "", "packing_note": ""}
    held = {name: getattr(order, name) for name in values}
    edit_delivery(order.pk, values, seen=Seen(order.version, fingerprint(held)), actor=Actor())
    order.refresh_from_db()
    assert order.planned_ship_date == day(9)


def test_the_lead_time_opens_the_window_before_the_planned_day(plan):
    plan(lead_days=2)
    order = take(day(6))
    Order.objects.filter(pk=order.pk).update(allocation_state="full")
    order.lines.update(allocated_quantity=1)
    recompute([order.pk])
    order.refresh_from_db()
    assert order.stage == Stage.SCHEDULED and order.planned_ship_date == day(5)
    assert clock.in_tokyo(order.stage_due_at).date() == day(3)
    ShippingPlan.objects.update(lead_days=5)
    recompute([order.pk])
    order.refresh_from_db()
    assert order.stage == Stage.READY


def test_a_wish_that_the_working_days_cannot_meet_stops_the_order(plan):
    closed = [str(day(n)) for n in range(4)]
    plan(closed_days=closed)
    assert take(day(3)).reasons.get(code="date_too_soon").level == "block"
    assert not take(day(5)).reasons.filter(code="date_too_soon").exists()


def test_a_planned_day_after_the_channels_deadline_stops_the_order(plan):
    order = take(day(8), ship_by=clock.now() + timedelta(days=2))
    assert "出荷期限" in str(order.reasons.get(code="date_too_soon").evidence)


def test_saving_a_plan_is_on_record_and_the_same_again_changes_nothing(plan, aoi):
    values = {
        "cutoffs": {"": "15:00"}, "lead_days": 1, "closed_weekdays": [6], "closed_on_holidays": True, "closed_days": [],
        "open_days": [], "transit": [["", "沖縄県", 4]],
    }  # fmt: skip
    assert ship_plans.save(None, values, by=aoi, seen=0)
    assert not ship_plans.save(None, values, by=aoi, seen=1)
    with pytest.raises(ship_plans.Stale):
        ship_plans.save(None, {**values, "lead_days": 2}, by=aoi, seen=0)
    assert [one.by for one in SettingVersion.objects.filter(kind="ship_plan").order_by("number")] == [None, aoi]
    read = ship_plans.read().company
    assert read.cutoffs == {"": time(15)} and read.transit_days(Destination("沖縄県")) == 4


def test_an_order_takes_the_day_of_the_place_that_ships_it(plan):
    plan(location=make_location(), transit=[["", "東京都", 4]])
    order = take(day(10))
    by_hand = take(day(10))
    Order.objects.filter(pk=by_hand.pk).update(planned_ship_date=day(1))
    assert order.planned_ship_date == day(9)
    assert follow_places(dict.fromkeys([order.pk, by_hand.pk], make_location().pk), actor=Actor()) == [order.pk]
    order.refresh_from_db()
    by_hand.refresh_from_db()
    assert (order.planned_ship_date, by_hand.planned_ship_date) == (day(6), day(1))
