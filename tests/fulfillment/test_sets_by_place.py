"""Sets that may not leave in parts: what is published, what the desk says and what is placed is one number."""

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from channels.models import PlaceRule, SkuRule
from channels.services import publish
from channels.services.desired import decisions
from channels.services.supply import supplies
from fulfillment.models import Shipment
from fulfillment.queries import waiting
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as parcel_violations
from fulfillment.services.plan import Line, Picture, place_order
from inventory.models import BundleComponent, Sku
from inventory.queries.screens import sku_page
from inventory.queries.whole_sets import whole_sets
from inventory.services import sets, stock
from inventory.services.audit import violations as stock_violations
from orders.channel_order import PaymentMethod, PaymentState
from orders.models import Order
from orders.services import payment
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.channels.builders import make_listing
from tests.channels.publishing.malls import connect, malls  # noqa: F401 - a fixture
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped

CUP, POT = 1, 2
UNITS = st.integers(0, 7)
PLACES = st.lists(st.fixed_dictionaries({CUP: UNITS, POT: UNITS}), min_size=1, max_size=4)
NEEDS = st.fixed_dictionaries({CUP: st.integers(1, 3), POT: st.integers(1, 3)})


def picture_of(places) -> Picture:
    return Picture(list(range(len(places))), {at: dict(there) for at, there in enumerate(places)})


def placed_one_by_one(needs, picture) -> int:
    """How many sets the allocator still finds a place for."""
    count = 0
    while place_order([Line(count, count, 0, 1, needs)], picture):
        count += 1
    return count


@given(places=PLACES, needs=NEEDS)
def test_what_is_counted_is_what_the_allocator_places(places, needs):
    assert whole_sets(needs, places, {}) == placed_one_by_one(needs, picture_of(places))


@given(places=PLACES, needs=NEEDS, waiting_sets=st.integers(0, 6))
def test_sets_that_wait_for_a_place_count_as_the_allocator_will_place_them(places, needs, waiting_sets):
    picture = picture_of(places)
    fits = sum(bool(place_order([Line(n, n, 0, 1, needs)], picture)) for n in range(waiting_sets))
    owed = {sku: units * fits for sku, units in needs.items()}
    assert whole_sets(needs, places, owed) == placed_one_by_one(needs, picture)


@given(places=PLACES, needs=NEEDS, singles=st.integers(0, 9))
def test_single_units_that_wait_count_where_the_allocator_looks_first(places, needs, singles):
    picture = picture_of(places)
    taken = sum(bool(place_order([Line(n, n, 0, 1, {CUP: 1})], picture)) for n in range(singles))
    assert whole_sets(needs, places, {CUP: taken}) == placed_one_by_one(needs, picture)


@given(places=PLACES, needs=NEEDS, owed=st.fixed_dictionaries({CUP: st.integers(0, 30), POT: st.integers(0, 30)}))
def test_never_more_than_all_places_together_would_allow(places, needs, owed):
    all_together = min((sum(p[sku] for p in places) - owed[sku]) // units for sku, units in needs.items())
    found = whole_sets(needs, places, owed)
    assert 0 <= found <= max(0, all_together)
    [one_place] = [{sku: sum(p[sku] for p in places) for sku in needs}]
    assert whole_sets(needs, [one_place], owed) == max(0, all_together), "one place: nothing is lost"


def test_what_is_not_there_yet_lies_at_no_place():
    assert whole_sets({CUP: 1, POT: 1}, [{CUP: 3}], {}, {POT}) == 3
    assert whole_sets({CUP: 1}, [{}], {}, {CUP}) is None


# ---- over the real paths


@pytest.fixture
def osaka():
    make_location()
    return make_location("W2", name="大阪倉庫", priority=200)


def make_set(osaka, *, ships_apart=False) -> Sku:
    """Tokyo has three cups and a pot, Osaka two cups and four pots: together five sets, whole three."""
    cup, pot = make_sku("CUP", stock_units=3), make_sku("POT", stock_units=1)
    make_sku("CUP", stock_units=2, location=osaka)
    make_sku("POT", stock_units=4, location=osaka)
    tea = make_sku("TEASET", is_bundle=True, ships_apart=ships_apart)
    for part in (cup, pot):
        BundleComponent.objects.create(bundle=tea, component=part, quantity=1)
    return tea


def all_is_well() -> bool:
    return [*parcel_violations(), *stock_violations()] == []


def sold(connection, bundle, pieces=1, **fields) -> Order:
    told = make_channel_order(make_line(bundle.code, pieces), **fields)
    take_in(connection.shop, [told], sku_of=mapped(bundle))
    return Order.objects.get(channel_order_no=told.channel_order_no)


def shows(malls, *connections) -> set[int]:  # noqa: F811
    publish.consume_marks()
    for connection in connections:
        publish.push_shop(connection)
    return {malls[connection.shop.code].shows["TEASET"] for connection in connections}


@pytest.mark.django_db
def test_every_channel_is_told_what_the_places_hold_whole_and_each_of_it_gets_a_place(malls, osaka):  # noqa: F811
    tea = make_set(osaka)
    shops = [connect("rakuten-1"), connect("yahoo-1")]
    for connection in shops:
        make_listing(connection.shop, "TEASET", sku=tea)
    assert shows(malls, *shops) == {3} and stock.available([tea.pk]) == {tea.pk: 3}
    assert sku_page(tea)["available"] == 3
    for left in (2, 1, 0):
        order = sold(shops[0], tea)
        assert shows(malls, *shops) == {left}, "a promise without a place counts already"
        allocate_waiting()
        assert shows(malls, *shops) == {left} and stock.available([tea.pk]) == {tea.pk: left}
        assert order.lines.get().allocated_quantity == 1
    assert Shipment.objects.count() == 3 and all_is_well()


@pytest.mark.django_db
def test_a_set_that_may_part_is_sold_over_all_places(malls, osaka):  # noqa: F811
    tea = make_set(osaka, ships_apart=True)
    shop = connect("rakuten-1")
    make_listing(shop.shop, "TEASET", sku=tea)
    assert shows(malls, shop) == {5} and stock.available([tea.pk]) == {tea.pk: 5}
    order = sold(shop, tea, 5)
    allocate_waiting()
    allocate_waiting()
    order.refresh_from_db()
    assert (order.allocation_state, stock.available([tea.pk])) == ("full", {tea.pk: 0}) and all_is_well()


@pytest.mark.django_db
def test_the_rule_and_a_move_of_goods_reach_the_channels(malls, osaka):  # noqa: F811
    tea = make_set(osaka)
    shop = connect("rakuten-1")
    make_listing(shop.shop, "TEASET", sku=tea)
    assert shows(malls, shop) == {3}
    pot = Sku.objects.get(code="POT")
    stock.transfer({pot.pk: 2}, source=osaka.pk, target=make_location().pk, ref="t:1")
    assert shows(malls, shop) == {5}, "the goods only moved from place to place"
    stock.transfer({pot.pk: 2}, source=make_location().pk, target=osaka.pk, ref="t:2")
    assert shows(malls, shop) == {3}
    sets.define(tea.pk, sets.SetRules({"CUP": 1, "POT": 1}, ships_apart=True, tax_by_component=False))
    assert shows(malls, shop) == {5}


@pytest.mark.django_db
def test_a_shop_is_told_by_its_own_places_and_safety_stock(osaka):
    tea, shop = make_set(osaka), make_shop()
    told = lambda: supplies([tea.pk], [shop.pk])[shop.pk, tea.pk]  # noqa: E731
    assert told() == 3
    rule = PlaceRule.objects.create(shop=shop, location=osaka, most=1)
    assert told() == 2, "one of Tokyo, one of Osaka"
    PlaceRule.objects.filter(pk=rule.pk).update(most=0)
    assert told() == 1
    rule.delete()
    SkuRule.objects.create(sku=Sku.objects.get(code="POT"), safety_stock=1)
    assert told() == 2, "kept back where the allocator would look first"


@pytest.mark.django_db
def test_a_listing_of_several_units_counts_what_lies_together(osaka):
    cup, shop = make_sku("CUP", stock_units=3), make_shop()
    make_sku("CUP", stock_units=2, location=osaka)
    packs = {units: make_listing(shop, f"PACK{units}", sku=cup, units=units) for units in (1, 3, 5)}

    def told() -> dict[int, int]:
        found = decisions(list(packs.values()))
        return {units: found[listing.pk].quantity for units, listing in packs.items()}

    assert told() == {1: 5, 3: 1, 5: 0}, "five in all are no pack of five"
    PlaceRule.objects.create(shop=shop, location=make_location(), most=2)
    assert told() == {1: 4, 3: 0, 5: 0}, "two of Tokyo, two of Osaka"
    PlaceRule.objects.all().delete()
    SkuRule.objects.create(sku=cup, safety_stock=1)
    assert told() == {1: 4, 3: 0, 5: 0}, "kept back where the allocator would look first"


@pytest.mark.django_db
def test_an_unpaid_set_keeps_its_room_and_gets_it(osaka):
    tea, shop = make_set(osaka), make_shop()
    unpaid = {"payment_method": PaymentMethod.BANK_TRANSFER, "payment_state": PaymentState.UNPAID}
    take_in(shop, [make_channel_order(make_line("TEASET", 2), **unpaid)], sku_of=mapped(tea))
    waits = Order.objects.get()
    assert stock.available([tea.pk]) == {tea.pk: 1}
    take_in(shop, [make_channel_order(make_line("TEASET"))], sku_of=mapped(tea))
    allocate_waiting()
    assert stock.available([tea.pk]) == {tea.pk: 0}
    payment.record_payments([waits.pk], actor=Actor(), amount=waits.total, on=None, key="k", note="")
    allocate_waiting()
    assert [line.allocated_quantity for line in waits.lines.all()] == [2] and all_is_well()


@pytest.mark.django_db
def test_a_set_beyond_what_lies_together_says_that_goods_have_to_move(osaka):
    """A mall sold one more than it was told: the goods are kept for it, and the list says what to do."""
    tea, shop = make_set(osaka), make_shop()
    take_in(shop, [make_channel_order(make_line("TEASET")) for _ in range(4)], sku_of=mapped(tea))
    allocate_waiting()
    last = Order.objects.get(lines__allocated_quantity=0)
    [row] = waiting.described(list(waiting.waiting_rows()))
    assert row.values["id"] == last.pk and "在庫の移動" in row.lines[0].reason.text
    cup = Sku.objects.get(code="CUP")
    stock.transfer({cup.pk: 1}, source=make_location().pk, target=osaka.pk, ref="t:1")
    [row] = waiting.described(list(waiting.waiting_rows()))
    assert row.lines[0].reason.why == "placing"
    allocate_waiting()
    assert last.lines.get().allocated_quantity == 1 and all_is_well()


@pytest.mark.django_db
def test_the_sets_page_says_what_each_place_has_whole(client_of, aoi, osaka):
    tea = make_set(osaka)
    rows = [(row.place, row.sets, row.scarcest) for row in sku_page(tea)["set_places"]]
    assert rows == [("東京倉庫", 1, "POT"), ("大阪倉庫", 2, "CUP")]
    page = client_of(aoi).get(reverse("inventory:sku", args=[tea.pk])).content.decode()
    assert "1つの拠点にそろっている分だけ" in page and "大阪倉庫" in page


@pytest.mark.django_db
def test_sets_cost_three_queries_more_and_plain_goods_none(osaka, django_assert_num_queries):
    tea, cup = make_set(osaka), Sku.objects.get(code="CUP")
    with django_assert_num_queries(2):
        stock.available([cup.pk])
    with django_assert_num_queries(6):
        stock.available([tea.pk, cup.pk])
