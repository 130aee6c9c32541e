"""The one statement: what it refuses, what it writes, and what it must run on."""

import pytest
from django.db import DatabaseError, connection, transaction

from inventory.models import Balance, Entry, Location, PublisherMark
from inventory.services import door, stock
from inventory.services.audit import violations
from tests.inventory.builders import make_goods, make_location, make_sku

pytestmark = pytest.mark.django_db


@pytest.fixture
def tokyo() -> Location:
    return make_location("tokyo")


def test_all_or_nothing(tokyo):
    chair, desk = make_goods("chair", {tokyo: 5}), make_goods("desk", {tokyo: 1})
    before = Entry.objects.count(), PublisherMark.objects.count()
    with pytest.raises(stock.OutOfStock) as refusal:
        stock.reserve({chair.pool: 1, desk.pool: 2}, ref="line:1")
    assert refusal.value.sku_ids == [desk.sku_id] and refusal.value.balance_ids == [desk.pool]
    assert chair.numbers() == (5, 0)
    assert (Entry.objects.count(), PublisherMark.objects.count()) == before


def test_a_refusal_leaves_the_transaction_usable(tokyo):
    chair = make_goods("chair", {tokyo: 1})
    with transaction.atomic():
        with pytest.raises(stock.OutOfStock):
            stock.reserve({chair.pool: 2}, ref="line:1")
        stock.reserve({chair.pool: 1}, ref="line:1")
    assert chair.numbers() == (1, 1)


def test_an_unknown_balance_is_named_and_nothing_is_written(tokyo):
    chair = make_goods("chair", {tokyo: 5})
    with pytest.raises(stock.UnknownPlace) as refusal:
        stock.reserve({chair.pool: 1, 999_999_999: 1}, ref="line:1")
    assert refusal.value.balance_ids == [999_999_999]
    with pytest.raises(stock.UnknownPlace):
        stock.reserve({999_999_999: 1}, ref="line:1")
    with pytest.raises(stock.UnknownPlace):
        stock.grant([stock.Request.of("line:1", 999_999_999, 1)], kind="reserve")
    assert chair.numbers() == (5, 0)


def test_several_changes_of_one_balance_are_judged_together_and_logged_apart(tokyo):
    chair = make_goods("chair", {tokyo: 5})
    three = [stock.Change(chair.pool, reserved=3, ref="line:1"), stock.Change(chair.pool, reserved=2, ref="line:2")]
    with pytest.raises(stock.OutOfStock):
        stock.apply([*three, stock.Change(chair.pool, reserved=1, ref="line:3")], kind="reserve")
    stock.apply(three, kind="reserve")
    assert chair.numbers() == (5, 5)
    assert list(Entry.objects.filter(kind="reserve").values_list("ref", "reserved")) == [("line:1", 3), ("line:2", 2)]


def test_changes_of_nothing_are_dropped(tokyo):
    chair = make_goods("chair", {tokyo: 5})
    before = Entry.objects.count()
    stock.apply([], kind="reserve")
    stock.apply([stock.Change(chair.pool, ref="line:1")], kind="reserve")
    assert Entry.objects.count() == before


def test_nothing_goes_below_zero(tokyo):
    chair = make_goods("chair", {tokyo: 5})
    with pytest.raises(stock.OutOfStock):
        stock.apply([stock.Change(chair.pool, reserved=-1, ref="line:1")], kind="release")
    place = chair.at(tokyo).pk
    with pytest.raises(stock.OutOfStock):
        stock.apply([stock.Change(place, on_hand=-6), stock.Change(chair.pool, on_hand=-6)], kind="correct")


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_promise_of_nothing_is_a_mistake(tokyo, quantity):
    chair = make_goods("chair", {tokyo: 5})
    with pytest.raises(ValueError, match="positive"):
        stock.grant([stock.Request.of("line:1", chair.pool, quantity)], kind="reserve")


def test_a_promise_needs_an_owner(tokyo):
    chair = make_goods("chair", {tokyo: 5})
    with pytest.raises(ValueError, match="ref"):
        stock.apply([stock.Change(chair.pool, reserved=1)], kind="reserve")


def test_an_unknown_kind_is_a_mistake(tokyo):
    chair = make_goods("chair", {tokyo: 5})
    with pytest.raises(ValueError, match="kind"):
        stock.apply([stock.Change(chair.pool, reserved=1, ref="line:1")], kind="conjure")


def test_the_pool_cannot_part_from_its_places(tokyo):
    chair = make_goods("chair", {tokyo: 5})
    with pytest.raises(stock.PoolApart) as refusal:
        stock.apply([stock.Change(chair.at(tokyo).pk, on_hand=1)], kind="receive")
    assert refusal.value.sku_ids == [chair.sku_id]
    with pytest.raises(stock.PoolApart):
        stock.apply([stock.Change(chair.pool, on_hand=1)], kind="receive")


def test_overcommit_is_room_to_promise_and_never_breaks_a_promise():
    sku = make_sku("to-order")
    pool = stock.pool_ids([sku.pk])[sku.pk]
    assert stock.set_overcommit({pool: 10}) == {pool: 10}
    stock.reserve({pool: 7}, ref="line:1")
    assert stock.available([sku.pk]) == {sku.pk: 3}
    assert stock.set_overcommit({pool: 2}) == {pool: 7}
    with pytest.raises(stock.OutOfStock):
        stock.reserve({pool: 1}, ref="line:2")
    assert violations() == []


def test_the_database_refuses_what_the_door_would_refuse(tokyo):
    chair = make_goods("chair", {tokyo: 5})
    for numbers in ({"reserved": 6}, {"reserved": -1}, {"on_hand": -1}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Balance.objects.filter(pk=chair.pool).update(**numbers)
    with pytest.raises(DatabaseError), transaction.atomic():
        Balance.objects.create(sku_id=chair.sku_id, location=None)


def test_the_ledger_is_append_only_but_for_the_privacy_purge(tokyo):
    make_goods("chair", {tokyo: 5})
    with pytest.raises(DatabaseError), transaction.atomic():
        Entry.objects.update(ref="other")
    with pytest.raises(DatabaseError), transaction.atomic():
        Entry.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL oms.privacy_purge = 'on'")
        cursor.execute("UPDATE inventory_entry SET note = ''")
        cursor.execute("SET LOCAL oms.privacy_purge = 'off'")
    with pytest.raises(DatabaseError), transaction.atomic():
        Entry.objects.update(note="other")


def test_the_connection_reads_committed():
    """A sum or a plan under a lock would be stale, without an error, in any higher isolation."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("read committed",)


def test_no_index_holds_what_the_door_writes():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'inventory_balance'")
        definitions = " ".join(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'inventory_balance'")
        assert cursor.fetchone() == (["fillfactor=70"],)
    assert "sku_id" in definitions
    assert not any(column in definitions for column in ("on_hand", "reserved", "overcommit"))


def test_one_statement_whatever_the_size(tokyo):
    """The door's statements do not pass Django's cursor, so they are counted where they leave."""
    goods = [make_goods(f"sku-{number}", {tokyo: 1}) for number in range(20)]
    calls = []
    original = door._fetch

    def counted(sql, parameters):
        calls.append(sql)
        return original(sql, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "_fetch", counted)
        stock.reserve({item.pool: 1 for item in goods}, ref="line:1")
        assert calls == [door.APPLY]
        stock.grant([stock.Request.of("line:2", item.pool, 1) for item in goods], kind="reserve")
    assert calls == [door.APPLY, door.LOCK], "two for a grant that grants something, one when nothing fits"
