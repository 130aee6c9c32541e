"""Facts are never refused: what is promised yields, youngest first, and the floors above hear of it."""

from datetime import timedelta

import pytest
from django.db import transaction

from inventory.models import Entry, Location
from inventory.services import releases, stock
from inventory.services.audit import violations
from inventory.services.sides import set_sells_online
from inventory.signals import promises_released
from oms.kernel import clock
from tests.inventory.builders import make_bundle, make_goods, make_location, make_sku

pytestmark = pytest.mark.django_db


@pytest.fixture
def tokyo() -> Location:
    return make_location("tokyo")


@pytest.fixture(autouse=True)
def books_are_sound():
    yield
    assert violations() == []


@pytest.fixture
def heard():
    """What `promises_released` said."""
    calls = []

    def listen(*, released, unplaced, kind, **_rest):
        assert transaction.get_connection().in_atomic_block
        calls.append((kind, released, unplaced))

    promises_released.connect(listen)
    yield calls
    promises_released.disconnect(listen)


def promised(goods, *refs: str, quantity: int = 1) -> None:
    for ref in refs:
        stock.reserve({goods.pool: quantity}, ref=ref)


def test_arrivals_and_corrections_move_place_and_pool(tokyo, heard):
    chair = make_goods("chair", {tokyo: 5})
    stock.correct([stock.Fact(chair.sku_id, tokyo.pk, -2, "count:1")], note="破損")
    assert chair.numbers() == (3, 0) and chair.numbers(tokyo) == (3, 0)
    assert Entry.objects.filter(kind="correct", note="破損").count() == 2
    assert heard == []


def test_the_youngest_promises_yield_to_a_loss(tokyo, heard):
    chair = make_goods("chair", {tokyo: 5})
    promised(chair, "line:1", "line:2", "line:3", "line:4")
    outcome = stock.record([stock.Fact(chair.sku_id, tokyo.pk, -3, "damage:1")], kind="damage")
    assert outcome.released == ["line:3", "line:4"] and outcome.unplaced == []
    assert heard == [("damage", ["line:3", "line:4"], [])]
    assert chair.numbers() == (2, 2)
    assert {holding.ref for holding in stock.held_at([chair.pool])} == {"line:1", "line:2"}
    assert set(Entry.objects.filter(kind="release").values_list("ref", flat=True)) == {"line:3", "line:4"}


def test_a_promise_yields_whole(tokyo):
    chair = make_goods("chair", {tokyo: 5})
    promised(chair, "line:1", quantity=2)
    promised(chair, "line:2", quantity=3)
    outcome = stock.record([stock.Fact(chair.sku_id, tokyo.pk, -1, "pos:1")], kind="pos_sale")
    assert outcome.released == ["line:2"]
    assert chair.numbers() == (4, 2)


def test_a_promise_with_a_place_goes_after_those_without(tokyo):
    chair = make_goods("chair", {tokyo: 3})
    promised(chair, "line:1", "line:2", "line:3")
    stock.allocate([stock.Request.of("line:3", chair.at(tokyo).pk, 1)])
    outcome = stock.record([stock.Fact(chair.sku_id, tokyo.pk, -1, "pos:1")], kind="pos_sale")
    assert outcome.released == ["line:2"], "the youngest may be in a picker's hands already"


def test_a_short_pick_takes_the_place_but_keeps_the_promise_when_stock_lies_elsewhere(tokyo, heard):
    osaka = make_location("osaka")
    chair = make_goods("chair", {tokyo: 2, osaka: 2})
    promised(chair, "line:1", "line:2")
    place = chair.at(tokyo).pk
    stock.allocate([stock.Request.of("line:1", place, 1), stock.Request.of("line:2", place, 1)])
    outcome = stock.record([stock.Fact(chair.sku_id, tokyo.pk, -1, "pick:1")], kind="short_pick")
    assert outcome.released == [] and outcome.unplaced == ["line:2"]
    assert heard == [("short_pick", [], ["line:2"])]
    assert chair.numbers() == (3, 2) and chair.numbers(tokyo) == (1, 1)
    assert stock.allocate([stock.Request.of("line:2", chair.at(osaka).pk, 1)]) == {"line:2"}


def test_a_released_promise_gives_up_its_places_too(tokyo):
    chair = make_goods("chair", {tokyo: 2})
    promised(chair, "line:1", "line:2")
    place = chair.at(tokyo).pk
    stock.allocate([stock.Request.of("line:1", place, 1), stock.Request.of("line:2", place, 1)])
    outcome = stock.count([stock.Counted(chair.sku_id, tokyo.pk, 1, "count:1")])
    assert (outcome.released, outcome.unplaced) == (["line:2"], [])
    assert chair.numbers() == (1, 1) and chair.numbers(tokyo) == (1, 1)
    assert stock.held_by(["line:2"]) == []


def test_a_bundle_loses_all_its_components_when_one_is_lost(tokyo):
    """The lamp is not in the fact: its balances are locked in a second round."""
    desk, lamp = make_goods("desk", {tokyo: 1}), make_goods("lamp", {tokyo: 5})
    office = make_bundle("office", {desk.sku_id: 1, lamp.sku_id: 2})
    stock.grant(stock.requests_for([stock.Want("line:1", office.pk, 1)]), kind="reserve")
    stock.allocate([stock.Request("line:1", ((desk.at(tokyo).pk, 1), (lamp.at(tokyo).pk, 2)))])
    outcome = stock.record([stock.Fact(desk.sku_id, tokyo.pk, -1, "damage:1")], kind="damage")
    assert outcome.released == ["line:1"]
    assert lamp.numbers() == (5, 0) and lamp.numbers(tokyo) == (5, 0)


def test_more_sold_than_the_books_know_is_booked_in_as_surplus(tokyo):
    chair = make_goods("chair", {tokyo: 2})
    stock.record([stock.Fact(chair.sku_id, tokyo.pk, -5, "pos:1")], kind="pos_sale")
    assert chair.numbers() == (0, 0) and chair.numbers(tokyo) == (0, 0)
    lines = Entry.objects.filter(balance=chair.at(tokyo), ref="pos:1").values_list("kind", "on_hand")
    assert sorted(lines) == [("pos_sale", -5), ("surplus", 3)]


def test_a_count_says_how_many_there_are(tokyo, heard):
    chair, desk = make_goods("chair", {tokyo: 5}), make_goods("desk", {tokyo: 2})
    promised(chair, "line:1", "line:2", "line:3", "line:4", "line:5")
    stock.count(
        [stock.Counted(chair.sku_id, tokyo.pk, 3, "count:1"), stock.Counted(desk.sku_id, tokyo.pk, 9, "count:1")]
    )
    assert chair.numbers() == (3, 3) and desk.numbers() == (9, 0)
    assert heard == [("count", ["line:4", "line:5"], [])]


def test_a_transfer_keeps_the_total_and_leaves_the_pool_alone_between_its_places(tokyo):
    osaka, road = make_location("osaka"), make_location("road", "in_transit", online=False)
    chair = make_goods("chair", {tokyo: 5})
    entries = Entry.objects.filter(balance=chair.pool).count()
    stock.transfer({chair.sku_id: 2}, source=tokyo.pk, target=osaka.pk, ref="transfer:1")
    assert Entry.objects.filter(balance=chair.pool).count() == entries
    stock.transfer({chair.sku_id: 2}, source=osaka.pk, target=road.pk, ref="transfer:2")
    assert (chair.numbers(tokyo), chair.numbers(osaka), chair.numbers(road)) == ((3, 0), (0, 0), (2, 0))
    assert chair.numbers() == (3, 0)


def test_a_transfer_out_of_the_pool_takes_promises_along(tokyo, heard):
    display = make_location("display", "display", online=False)
    chair = make_goods("chair", {tokyo: 2})
    promised(chair, "line:1", "line:2")
    stock.transfer({chair.sku_id: 1}, source=tokyo.pk, target=display.pk, ref="transfer:1")
    assert heard == [("transfer", ["line:2"], [])]


def test_an_arrival_at_an_unknown_place_is_refused_in_words(tokyo):
    bundle = make_bundle("office", {})
    with pytest.raises(stock.UnknownPlace, match="no balance"):
        stock.receive([stock.Fact(bundle.pk, tokyo.pk, 1, "arrival:1")])
    with pytest.raises(stock.UnknownPlace, match="no balance"):
        stock.receive([stock.Fact(make_sku("chair").pk, 999_999, 1, "arrival:1")])


def test_a_location_leaves_and_joins_the_pool_with_its_goods(tokyo, heard):
    store = make_location("store", "store")
    chair = make_goods("chair", {tokyo: 1, store: 3})
    promised(chair, "line:1", "line:2", "line:3")
    outcome = set_sells_online(store.pk, False)
    assert outcome.released == ["line:2", "line:3"]
    assert heard == [("pool", ["line:2", "line:3"], [])]
    assert chair.numbers() == (1, 1) and chair.numbers(store) == (3, 0)
    assert set_sells_online(store.pk, False) == stock.Outcome()
    set_sells_online(store.pk, True)
    assert chair.numbers() == (4, 1)


def test_a_preorder_has_room_of_its_own_and_is_covered_first(tokyo):
    release_day = clock.today() + timedelta(days=30)
    sku = make_sku("album", release_date=release_day, limit=3)
    pool = stock.pool_ids([sku.pk])[sku.pk]
    stock.set_overcommit({pool: 3})
    ordinary = stock.all_pool_ids([sku.pk])[sku.pk][0]
    assert pool != ordinary and stock.available([sku.pk]) == {sku.pk: 3}
    granted = stock.grant([stock.Request.of(f"line:{n}", pool, 1, n) for n in range(5)], kind="reserve")
    assert granted == {"line:0", "line:1", "line:2"}
    stock.receive([stock.Fact(sku.pk, tokyo.pk, 5, "arrival:1")])
    rows = {row.pk: row.on_hand for row in sku.balances.filter(location=None)}
    assert rows == {pool: 3, ordinary: 2}, "who ordered before comes first, the rest is for everyone"
    sku.release_date = clock.today()
    sku.save(update_fields=["release_date"])
    assert stock.pool_ids([sku.pk]) == {sku.pk: ordinary}
    place = stock.place_ids([(sku.pk, tokyo.pk)])[sku.pk, tokyo.pk]
    assert stock.allocate([stock.Request.of("line:0", place, 1)]) == {"line:0"}
    stock.ship([stock.Part("line:0", sku.pk, tokyo.pk, 1)])
    stock.release(["line:1"])
    assert releases.close_releases() == 1
    assert stock.available([sku.pk]) == {sku.pk: 3}
    assert releases.close_releases() == 0
