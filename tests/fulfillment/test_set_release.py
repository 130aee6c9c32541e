"""Sets with a component that is not out yet: the order waits for that day, while it wants the component."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from fulfillment.models import Shipment
from fulfillment.services import shortage, split
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as parcel_violations
from fulfillment.services.plan import Line, Picture, place_order
from inventory.models import BundleComponent, Sku
from inventory.services import stock
from inventory.services.audit import violations as stock_violations
from oms.kernel import clock
from orders.channel_order import Totals
from orders.models import Mail, Order, OrderLine
from orders.services import cancel_units, mail_texts, release_days, stage
from orders.services.audit import violations as order_violations
from orders.services.cancel import Ask
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
ACTOR = Actor()
FIRST, NEXT, LAST = date(2026, 12, 1), date(2026, 12, 10), date(2026, 12, 20)


@pytest.fixture
def now(monkeypatch):
    """Sets business time."""

    def at(moment):
        monkeypatch.setattr(clock, "now", lambda: moment)

    at(datetime(2026, 11, 20, 3, 0, tzinfo=UTC))
    mail_texts.ensure_standard_templates()
    return at


@pytest.fixture
def shop(now):
    return make_shop(capabilities={"cancel": True, "mail": "free", "partial_shipment": True})


def make_set(code="TEASET", *, ships_apart=False, lamp=FIRST, **more) -> Sku:
    """A cup that is there, in a box with a lamp that comes out later."""
    cup = make_sku("CUP", stock_units=9, price=250)
    light = make_sku("LAMP", stock_units=9, release_date=lamp, price=750)
    inner = make_sku("LIGHTS", is_bundle=True)
    BundleComponent.objects.get_or_create(bundle=inner, component=light, quantity=1)
    tea = make_sku(code, is_bundle=True, ships_apart=ships_apart, **more)
    for part in (cup, inner):
        BundleComponent.objects.create(bundle=tea, component=part, quantity=1)
    return tea


def ordered(shop, *skus) -> Order:
    totals = Totals(goods=1000 * len(skus), tax=90 * len(skus), total=1000 * len(skus))
    told = make_channel_order(*[make_line(sku.code) for sku in skus], totals=totals)
    take_in(shop, [told], sku_of=mapped(*skus))
    allocate_waiting()
    return Order.objects.get(channel_order_no=told.channel_order_no)


def state(order) -> tuple[str, date | None]:
    order.refresh_from_db()
    return order.stage, order.release_date


def days(order) -> dict[str, date | None]:
    return dict(OrderLine.objects.filter(order=order, quantity__gt=0).values_list("sku__code", "release_date"))


def all_is_well() -> bool:
    return [*parcel_violations(), *stock_violations(), *order_violations()] == []


def test_a_set_waits_for_its_last_component_and_leaves_on_that_day(shop, now):
    order = ordered(shop, make_set())
    assert state(order) == ("awaiting_release", FIRST) and not Shipment.objects.exists()
    assert order.stage_due_at.astimezone(clock.TOKYO).date() == FIRST
    now(datetime(2026, 12, 1, 3, 0, tzinfo=UTC))
    stage.sweep()
    assert state(order)[0] == "awaiting_stock"
    allocate_waiting()
    assert state(order)[0] == "ready" and Shipment.objects.count() == 1 and all_is_well()


def test_the_component_s_day_moves_the_orders_of_its_sets_and_comes_back(shop):
    tea = make_set()
    order, other = ordered(shop, tea), ordered(shop, make_set("LATESET", release_date=LAST))
    lamp = Sku.objects.get(code="LAMP")
    assert (state(order)[1], state(other)[1]) == (FIRST, LAST)
    assert release_days.waiting_lines(lamp.pk).count() == 2
    made = release_days.move(lamp.pk, NEXT, key=uuid4(), draft=True, actor=ACTOR)
    assert (state(order)[1], state(other)[1], made.order_count) == (NEXT, LAST, 1), "the other waits anyway"
    assert list(Mail.objects.filter(event="preorder_update").values_list("order", flat=True)) == [order.pk]
    assert not release_days.to_move(lamp.pk, NEXT).exists()
    release_days.undo(made.pk, actor=ACTOR)
    assert state(order)[1] == FIRST and all_is_well()
    tea = Sku.objects.get(code="LATESET")
    release_days.move(tea.pk, date(2026, 11, 25), key=uuid4(), draft=True, actor=ACTOR)
    assert state(other)[1] == FIRST, "out itself, it waits for its lamp"
    assert not release_days.to_move(tea.pk, date(2026, 11, 26)).exists()


def test_a_component_that_is_wanted_no_more_is_not_waited_for(shop):
    order = ordered(shop, make_set())
    lamp = order.lines.get().components.get(sku__code="LAMP")
    cancel_units.cancel_units(order.pk, {lamp.pk: 1}, ask=Ask(reason="customer", key="k"), actor=ACTOR)
    assert days(order) == {"CUP": None} and state(order) == ("awaiting_stock", None)
    allocate_waiting()
    assert state(order)[0] == "ready" and all_is_well()


def test_what_is_out_is_sent_ahead_where_the_set_may_part(shop, now):
    order = ordered(shop, make_set(ships_apart=True))
    assert state(order)[0] == "awaiting_release" and shortage.why_not_partly([order.pk]) == {}
    split.send_rest_later(order.pk, actor=ACTOR)
    assert days(order) == {"CUP": None, "LAMP": FIRST}
    allocate_waiting()
    assert state(order)[0] == "ready"
    assert OrderLine.objects.get(apart=True).sku.code == "LAMP" and all_is_well()


def test_a_set_that_may_not_part_is_not_offered_in_parts(shop):
    order = ordered(shop, make_set())
    assert "先に出荷できるもの" in shortage.why_not_partly([order.pk])[order.pk]
    with pytest.raises(split.CannotSplit):
        split.send_rest_later(order.pk, actor=ACTOR)


# ---- orders of pre-orders and other goods, as the shop wants them


def mixed(shop) -> Order:
    return ordered(shop, make_sku("MUG", stock_units=3), make_sku("VASE", stock_units=3, release_date=FIRST))


def test_a_mixed_order_waits_until_somebody_parts_it(shop):
    order = mixed(shop)
    assert state(order)[0] == "awaiting_release" and order.reasons.filter(code="mixed_preorder", state="open").exists()
    split.send_preorders_later(order.pk, actor=ACTOR)
    assert OrderLine.objects.get(apart=True).sku.code == "VASE"
    assert state(order)[0] == "ready" and not order.reasons.filter(code="mixed_preorder", state="open").exists()
    with pytest.raises(split.CannotSplit, match="発売前の商品がありません"):
        split.send_preorders_later(order.pk, actor=ACTOR)


def test_the_shop_may_have_mixed_orders_parted_by_themselves_once(shop):
    type(shop).objects.update(preorder_policy="split")
    order, tea = mixed(shop), ordered(shop, make_set(ships_apart=True))
    assert (state(order)[0], state(tea)[0]) == ("ready", "ready") and days(tea) == {"CUP": None, "LAMP": FIRST}
    split.join(order.pk, actor=ACTOR)
    allocate_waiting()
    assert state(order)[0] == "awaiting_release" and all_is_well(), "a person put it together: it stays so"
    whole = ordered(shop, make_sku("VASE"))
    assert state(whole)[0] == "awaiting_release" and not OrderLine.objects.get(order=whole).apart


# ---- what is left of a set after one of its components was cancelled


def without_the_spoon(shop, *, pot_at=None) -> Order:
    """A cup, a frozen pot and a spoon make a set that leaves whole; the spoon is cancelled."""
    tea = make_sku("TRIO", is_bundle=True)
    cup, spoon = make_sku("CUP", stock_units=2), make_sku("SPOON", stock_units=2)
    pot = make_sku("POT", stock_units=2, location=pot_at, temperature="frozen")
    for part in (cup, pot, spoon):
        BundleComponent.objects.create(bundle=tea, component=part, quantity=1)
    order = ordered(shop, tea)
    part = order.lines.get().components.get(sku=spoon)
    cancel_units.cancel_units(order.pk, {part.pk: 1}, ask=Ask(reason="customer", key="k"), actor=ACTOR)
    allocate_waiting()
    return order


def test_the_rest_of_a_set_stays_in_one_parcel(shop):
    order = without_the_spoon(shop)
    parcel, lines = Shipment.objects.get(), list(order.lines.filter(quantity__gt=0))
    assert [line.sku.code for line in lines] == ["CUP", "POT"] and state(order)[0] == "ready"
    with pytest.raises(split.CannotSplit, match="同じ荷物"):
        split.split_off(parcel.pk, {lines[0].pk: 1}, actor=ACTOR)
    assert split.split_by_temperature([order.pk], actor=ACTOR) == []
    Sku.objects.filter(code="POT").update(tags=["fragile"])
    assert split.split_by_tag([order.pk], "fragile", actor=ACTOR) == [] and all_is_well()


def test_the_rest_of_a_set_waits_for_one_place_that_has_all_of_it(shop):
    osaka = make_location("W2", name="大阪倉庫", priority=200)
    order = without_the_spoon(shop, pot_at=osaka)
    assert state(order)[0] == "awaiting_stock" and not Shipment.objects.exists()
    with pytest.raises(split.CannotSplit):
        split.send_rest_later(order.pk, actor=ACTOR)
    stock.transfer({Sku.objects.get(code="CUP").pk: 1}, source=make_location().pk, target=osaka.pk, ref="t:1")
    allocate_waiting()
    assert Shipment.objects.get().location_id == osaka.pk and state(order)[0] == "ready" and all_is_well()


def test_bound_lines_come_from_one_place_and_follow_their_mates():
    picture = Picture([1, 2], {1: {7: 9}, 2: {7: 1, 8: 1}})
    cup, pot = Line(1, 1, 0, 1, {7: 1}, bond=5), Line(2, 1, 0, 1, {8: 1}, bond=5)
    tray = Line(3, 1, 0, 8, {7: 1})
    assert {(p.line.id, p.location_id) for p in place_order([cup, pot, tray], picture)} == {(1, 2), (2, 2), (3, 1)}
    late = Line(4, 1, 0, 1, {7: 1}, bond=5, only_at=2)
    assert place_order([late], picture) == [], "only at the place where the others are"
