"""分割: one order in several parcels; each is told once, and undoing puts everything back."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulfillment.decide.splitting import Held, by_pieces, by_temperature
from fulfillment.models import Shipment, ShipmentLine, ToldTogether
from fulfillment.services import merge, split
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as parcel_violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import BundleComponent
from inventory.services import stock
from inventory.services.audit import violations as stock_violations
from oms.kernel import clock
from oms.kernel.models import Effect
from orders.models import Mail
from orders.services.audit import violations as order_violations
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready, snapshot
from tests.orders.builders import make_line, make_location, make_shop, make_sku

pytestmark = pytest.mark.django_db
ACTOR = Actor()
CAN = {"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True}


@pytest.fixture
def shop():
    return make_shop(capabilities=CAN)


@pytest.fixture
def goods():
    return [make_sku("TEA", stock_units=20), make_sku("CAKE", stock_units=20, temperature="frozen")]


def all_is_well() -> bool:
    return not [*parcel_violations(), *stock_violations(), *order_violations()]


def contents() -> list[dict[str, int]]:
    return [
        dict(ShipmentLine.objects.filter(shipment=pk).values_list("sku__code", "quantity"))
        for pk in Shipment.objects.order_by("reference").values_list("pk", flat=True)
    ]


@pytest.mark.parametrize("together", [True, False])
def test_story_10_split_by_temperature_each_parcel_is_told_once(shop, goods, together):
    order = ready(shop, make_line("TEA", 2), make_line("CAKE"), skus=goods)
    assert split.split_by_temperature([order.pk], actor=ACTOR) == [order.pk]
    assert split.split_by_temperature([order.pk], actor=ACTOR) == []
    assert contents() == [{"TEA": 2}, {"CAKE": 1}]
    parcels = instruct_orders([order.pk], actor=ACTOR).shipments
    leaving = [Departure(pk, "yamato", f"47120398441{n}") for n, pk in enumerate(parcels)]
    for step in [leaving] if together else [leaving[:1], leaving[1:]]:
        confirm_shipments(step, actor=ACTOR)
        confirm_shipments(step, actor=ACTOR)
    order.refresh_from_db()
    assert order.stage == "shipped" and order.tracking_label == "471203984410 471203984411"
    events = sorted(Mail.objects.filter(event__endswith="shipped").values_list("event", flat=True))
    assert events == (["shipped"] if together else ["partially_shipped", "shipped"])
    assert Effect.objects.filter(kind="channel_ship").count() == (1 if together else 2)
    assert ToldTogether.objects.count() == (1 if together else 0) and all_is_well()


def test_the_audit_finds_a_parcel_of_which_nobody_was_told(shop, goods):
    order = ready(shop, make_line("TEA", 2), make_line("CAKE"), skus=goods)
    split.split_by_temperature([order.pk], actor=ACTOR)
    parcels = instruct_orders([order.pk], actor=ACTOR).shipments
    confirm_shipments([Departure(pk, "yamato", f"{pk}") for pk in parcels], actor=ACTOR)
    ToldTogether.objects.all().delete()
    assert [line for line in parcel_violations() if "0 mails" in line]
    assert [line for line in parcel_violations() if "the channel was not told" in line]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(st.tuples(st.sampled_from(["TEA", "CAKE", "SET"]), st.integers(1, 4)), min_size=1, max_size=3),
    choices=st.lists(st.integers(0, 4), min_size=6, max_size=6),
)
def test_any_split_keeps_every_piece_and_joining_restores_it(shop, lines, choices):
    tea, cake = make_sku("TEA", stock_units=40), make_sku("CAKE", stock_units=40, temperature="frozen")
    bundle = make_sku("SET", is_bundle=True)
    BundleComponent.objects.get_or_create(bundle=bundle, component=tea, quantity=2)
    BundleComponent.objects.get_or_create(bundle=bundle, component=cake, quantity=1)
    order = ready(shop, *(make_line(code, n) for code, n in lines), skus=[tea, cake, bundle])
    before = snapshot()
    rest = iter(choices)
    for _again in range(2):
        parcel = Shipment.objects.filter(recipient__order=order).order_by("reference").first()
        held = dict(parcel.lines.values_list("order_line", "line_quantity"))
        wish = {line: min(next(rest, 0), count) for line, count in held.items()}
        try:
            split.split_off(parcel.pk, wish, actor=ACTOR)
        except split.CannotSplit:
            assert not any(wish.values()) or wish == held
        assert not parcel_violations() and not stock_violations()
    split.join(order.pk, actor=ACTOR)
    assert snapshot() == before


def test_what_cannot_be_split_is_refused_in_words(shop, goods):
    order = ready(shop, make_line("TEA", 2), skus=goods)
    parcel = Shipment.objects.get()
    line = order.lines.get().pk
    for wish, cause in [({line: 3}, "超えて"), ({}, "入力して"), ({line: 2}, "1点以上"), ({-1: 1}, "開き直して")]:
        with pytest.raises(split.CannotSplit, match=cause):
            split.split_off(parcel.pk, wish, actor=ACTOR)
    other = ready(shop, make_line("TEA"), skus=goods)
    merge.merge_orders([order.pk, other.pk], actor=ACTOR)
    with pytest.raises(split.CannotSplit, match="同梱"):
        split.split_off(parcel.pk, {line: 1}, actor=ACTOR)


def test_what_has_stock_leaves_and_the_rest_follows_by_itself(shop):
    warehouse = make_location()
    tea, cake = make_sku("TEA", stock_units=5), make_sku("CAKE")
    order = ready(shop, make_line("TEA"), make_line("CAKE"), skus=[tea, cake])
    assert order.stage == "awaiting_stock"
    before = snapshot()
    split.send_rest_later(order.pk, actor=ACTOR)
    split.join(order.pk, actor=ACTOR)
    assert snapshot() == before
    split.send_rest_later(order.pk, actor=ACTOR)
    order.refresh_from_db()
    assert order.stage == "ready" and all_is_well()
    first = instruct_orders([order.pk], actor=ACTOR).shipments
    confirm_shipments([Departure(first[0], "yamato", "1")], actor=ACTOR)
    order.refresh_from_db()
    assert order.stage == "partially_shipped"
    stock.receive([stock.Fact(cake.pk, warehouse.pk, 1, "arrival")])
    allocate_waiting()
    second = instruct_orders([order.pk], actor=ACTOR).shipments
    confirm_shipments([Departure(second[0], "yamato", "2")], actor=ACTOR)
    order.refresh_from_db()
    assert order.stage == "shipped" and all_is_well()


def test_a_preorder_line_need_not_hold_up_what_is_here(shop):
    tea = make_sku("TEA", stock_units=5)
    cake = make_sku("CAKE", release_date=clock.today() + timedelta(days=20), preorder_limit=5)
    order = ready(shop, make_line("TEA"), make_line("CAKE"), skus=[tea, cake])
    assert order.stage == "awaiting_release"
    split.send_rest_later(order.pk, actor=ACTOR)
    order.refresh_from_db()
    assert order.stage == "ready" and all_is_well()


def test_nothing_is_sent_ahead_when_nothing_is_there(shop):
    order = ready(shop, make_line("TEA"), skus=[make_sku("TEA")])
    with pytest.raises(split.CannotSplit, match="先に出荷できるものがありません"):
        split.send_rest_later(order.pk, actor=ACTOR)


def test_a_set_travels_whole_with_its_coldest_part():
    lines = [Held(1, 2, frozenset({"ambient"})), Held(2, 1, frozenset({"ambient", "frozen"}))]
    assert by_temperature(lines) == [{2: 1}]
    assert by_temperature(lines[:1]) == []


def test_pieces_fill_parcels_in_turn():
    lines = [Held(1, 3, frozenset()), Held(2, 2, frozenset()), Held(3, 1, frozenset())]
    assert by_pieces(lines, 2) == [{1: 1, 2: 1}, {2: 1, 3: 1}]
    assert by_pieces(lines, 4) == [{2: 1, 3: 1}] and by_pieces(lines, 6) == []
