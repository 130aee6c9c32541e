"""Promises through their life: reserved, placed, shipped, given back."""

import pytest

from inventory.models import AllocatorMark, Entry, PublisherMark
from inventory.services import stock
from inventory.services.audit import violations
from tests.inventory.builders import make_bundle, make_goods, make_location

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def books_are_sound():
    yield
    assert violations() == []


def test_a_line_is_reserved_placed_and_shipped():
    tokyo = make_location("tokyo")
    chair = make_goods("chair", {tokyo: 5})
    assert stock.grant([stock.Request.of("line:1", chair.pool, 2)], kind="reserve") == {"line:1"}
    assert chair.numbers() == (5, 2) and chair.numbers(tokyo) == (5, 0)
    assert stock.allocate([stock.Request.of("line:1", chair.at(tokyo).pk, 2)]) == {"line:1"}
    assert chair.numbers() == (5, 2) and chair.numbers(tokyo) == (5, 2)
    stock.ship([stock.Part("line:1", chair.sku_id, tokyo.pk, 2)])
    assert chair.numbers() == (3, 0) and chair.numbers(tokyo) == (3, 0)
    assert stock.held_by(["line:1"]) == []


def test_release_gives_back_promise_and_place():
    tokyo = make_location("tokyo")
    chair = make_goods("chair", {tokyo: 5})
    stock.reserve({chair.pool: 2}, ref="line:1")
    stock.allocate([stock.Request.of("line:1", chair.at(tokyo).pk, 2)])
    ended = stock.release(["line:1"])
    assert sorted(holding.quantity for holding in ended) == [2, 2]
    assert chair.numbers() == (5, 0) and chair.numbers(tokyo) == (5, 0)
    assert stock.release(["line:1"]) == []


def test_unallocate_keeps_the_promise():
    tokyo = make_location("tokyo")
    chair = make_goods("chair", {tokyo: 5})
    stock.reserve({chair.pool: 2}, ref="line:1")
    stock.allocate([stock.Request.of("line:1", chair.at(tokyo).pk, 2)])
    stock.unallocate(["line:1"])
    assert chair.numbers() == (5, 2) and chair.numbers(tokyo) == (5, 0)


def test_nothing_ships_twice_or_unplaced():
    tokyo = make_location("tokyo")
    chair = make_goods("chair", {tokyo: 5})
    part = stock.Part("line:1", chair.sku_id, tokyo.pk, 2)
    stock.reserve({chair.pool: 2}, ref="line:1")
    with pytest.raises(stock.NotHeld):
        stock.ship([part])
    stock.allocate([stock.Request.of("line:1", chair.at(tokyo).pk, 2)])
    with pytest.raises(stock.NotHeld) as refusal:
        stock.ship([part, part])
    assert refusal.value.refs == ["line:1"]
    stock.ship([part])
    with pytest.raises(stock.NotHeld):
        stock.ship([part])
    assert chair.numbers() == (3, 0)


def test_a_line_may_ship_in_pieces_from_two_places():
    tokyo, osaka = make_location("tokyo"), make_location("osaka")
    chair = make_goods("chair", {tokyo: 1, osaka: 2})
    stock.reserve({chair.pool: 3}, ref="line:1")
    parts = ((chair.at(tokyo).pk, 1), (chair.at(osaka).pk, 2))
    assert stock.allocate([stock.Request("line:1", parts)]) == {"line:1"}
    stock.ship([stock.Part("line:1", chair.sku_id, osaka.pk, 1)])
    stock.ship([stock.Part("line:1", chair.sku_id, osaka.pk, 1), stock.Part("line:1", chair.sku_id, tokyo.pk, 1)])
    assert chair.numbers() == (0, 0) and stock.held_by(["line:1"]) == []


def test_nothing_is_placed_that_was_not_promised():
    tokyo = make_location("tokyo")
    chair = make_goods("chair", {tokyo: 5})
    stock.reserve({chair.pool: 2}, ref="line:1")
    place = chair.at(tokyo).pk
    wants = [stock.Request.of("line:1", place, 3), stock.Request.of("line:9", place, 1)]
    assert stock.allocate(wants) == set()
    assert stock.allocate([stock.Request.of("line:1", place, 2)]) == {"line:1"}
    assert stock.allocate([stock.Request.of("line:1", place, 1)]) == set()


def test_a_bundle_is_promised_placed_and_shipped_as_its_components():
    tokyo = make_location("tokyo")
    desk, lamp = make_goods("desk", {tokyo: 2}), make_goods("lamp", {tokyo: 5})
    office = make_bundle("office", {desk.sku_id: 1, lamp.sku_id: 2})
    wants = stock.requests_for([stock.Want("line:1", office.pk, 2), stock.Want("line:2", office.pk, 1)])
    assert stock.grant(wants, kind="reserve") == {"line:1"}
    assert desk.numbers() == (2, 2) and lamp.numbers() == (5, 4)
    parts = ((desk.at(tokyo).pk, 2), (lamp.at(tokyo).pk, 4))
    assert stock.allocate([stock.Request("line:1", parts)]) == {"line:1"}
    stock.ship([stock.Part("line:1", desk.sku_id, tokyo.pk, 2), stock.Part("line:1", lamp.sku_id, tokyo.pk, 4)])
    assert desk.numbers() == (0, 0) and lamp.numbers() == (1, 0)


def test_regrant_replaces_what_a_line_held():
    tokyo = make_location("tokyo")
    chair, desk = make_goods("chair", {tokyo: 3}), make_goods("desk", {tokyo: 1})
    stock.reserve({chair.pool: 3}, ref="line:1")
    stock.allocate([stock.Request.of("line:1", chair.at(tokyo).pk, 3)])
    assert stock.regrant([stock.Request.of("line:1", chair.pool, 2)]) == {"line:1"}
    assert chair.numbers() == (3, 2) and chair.numbers(tokyo) == (3, 0)
    assert stock.regrant([stock.Request.of("line:1", desk.pool, 2)]) == set()
    assert chair.numbers() == (3, 0) and desk.numbers() == (1, 0)


def test_goods_from_a_place_outside_the_pool_leave_the_pool_alone():
    tokyo, counter = make_location("tokyo"), make_location("counter", "store", online=False)
    chair = make_goods("chair", {tokyo: 1, counter: 4})
    assert chair.numbers() == (1, 0)
    stock.reserve({chair.pool: 1}, ref="line:1")
    stock.allocate([stock.Request.of("line:1", chair.at(counter).pk, 1)])
    stock.ship([stock.Part("line:1", chair.sku_id, counter.pk, 1)])
    assert chair.numbers() == (1, 0) and chair.numbers(counter) == (3, 0)


def test_every_change_leaves_its_marks():
    tokyo = make_location("tokyo")
    chair = make_goods("chair", {tokyo: 5})
    assert AllocatorMark.objects.filter(sku_id=chair.sku_id).count() == 1
    before = PublisherMark.objects.count()
    stock.reserve({chair.pool: 2}, ref="line:1")
    assert PublisherMark.objects.count() == before + 1
    assert AllocatorMark.objects.count() == 1, "a promise frees nothing"
    stock.release(["line:1"])
    assert AllocatorMark.objects.count() == 2


def test_the_ledger_names_document_kind_and_person(django_user_model):
    aoi = django_user_model.objects.create_user("aoi")
    tokyo = make_location("tokyo")
    chair = make_goods("chair", {tokyo: 5})
    stock.reserve({chair.pool: 2}, ref="line:1", by_id=aoi.pk)
    entry = Entry.objects.latest("id")
    assert (entry.kind, entry.ref, entry.by, entry.on_hand, entry.reserved) == ("reserve", "line:1", aoi, 0, 2)
