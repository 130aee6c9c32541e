"""Many take at once. Each promise of safety has a twin without the guard, which must fail."""

import random
import time
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction

from inventory.models import Balance, Entry
from inventory.services import door, stock
from inventory.services.audit import violations
from inventory.services.sides import set_sells_online
from tests.inventory.builders import make_bundle, make_goods, make_location

pytestmark = pytest.mark.django_db(transaction=True)

STOCK, RACERS, TRIES = 200, 32, 30


def take_all(race, take_one) -> int:
    """32 racers try 30 times each; returns the successes. Anything but OutOfStock fails the test."""

    def work(racer: int) -> int:
        taken = 0
        for number in range(TRIES):
            try:
                taken += take_one(f"line:{racer}.{number}")
            except stock.OutOfStock:
                continue
        return taken

    outcomes = race(RACERS, work)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    return sum(outcomes)


def test_two_hundred_units_are_sold_two_hundred_times(race):
    chair = make_goods("chair", {make_location("tokyo"): STOCK})

    def take(ref: str) -> int:
        stock.reserve({chair.pool: 1}, ref=ref)
        return 1

    assert take_all(race, take) == STOCK
    assert chair.numbers() == (STOCK, STOCK)
    assert Entry.objects.filter(kind="reserve").count() == STOCK
    assert violations() == []


UNGUARDED = door.APPLY.replace("SELECT (SELECT count(*) FROM after)", "SELECT true OR (SELECT count(*) FROM after)")


def take_unguarded(chair) -> int:
    """Look, find enough, and take by the door's statement without its verdict."""
    if stock.available([chair.sku_id])[chair.sku_id] < 1:
        return 0
    time.sleep(0.001)
    at = "2026-01-01T00:00:00Z"
    door._fetch(UNGUARDED, ([chair.pool], [0], [1], ["line:1"], ["reserve"], False, "", None, at, at, at, at))
    return 1


@contextmanager
def without_check():
    """The database's own guard, the CHECK, taken away too. The balances are emptied before it comes back."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE inventory_balance DROP CONSTRAINT balance_promise")
        try:
            yield
        finally:
            cursor.execute("UPDATE inventory_balance SET reserved = 0")
            cursor.execute(
                "ALTER TABLE inventory_balance ADD CONSTRAINT balance_promise"
                " CHECK (reserved >= 0 AND reserved <= on_hand + overcommit)"
            )


def test_twin_without_guard_oversells(race):
    assert UNGUARDED != door.APPLY
    chair = make_goods("chair", {make_location("tokyo"): STOCK})
    with without_check():
        sold = take_all(race, lambda _ref: take_unguarded(chair))
        assert sold > STOCK, "if looking first sufficed, the race test would prove nothing"
        assert violations() != []


def test_the_database_refuses_even_without_the_verdict(race):
    chair = make_goods("chair", {make_location("tokyo"): STOCK})

    def take(_ref: str) -> int:
        try:
            return take_unguarded(chair)
        except IntegrityError:
            return 0

    assert take_all(race, take) <= STOCK
    assert violations() == []


def test_baskets_in_any_order_never_deadlock(race, deadlocks):
    tokyo = make_location("tokyo")
    goods = [make_goods(f"sku-{number}", {tokyo: 50}) for number in range(6)]
    places = [item.at(tokyo).pk for item in goods]
    before = deadlocks()

    def work(racer: int) -> int:
        chance = random.Random(racer)
        done = 0
        for number in range(12):
            basket = chance.sample(range(len(goods)), 4)
            ref = f"line:{racer}.{number}"
            try:
                with transaction.atomic():
                    stock.reserve({goods[index].pool: 1 for index in basket}, ref=ref)
                parts = tuple((places[index], 1) for index in reversed(basket))
                if chance.random() < 0.5 and stock.allocate([stock.Request(ref, parts)]):
                    stock.ship([stock.Part(ref, goods[index].sku_id, tokyo.pk, 1) for index in basket])
                else:
                    stock.release([ref])
                stock.receive([stock.Fact(goods[basket[0]].sku_id, tokyo.pk, 1, "arrival:2")])
                done += 1
            except stock.OutOfStock:
                continue
        return done

    outcomes = race(16, work)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert sum(outcomes) > 100
    assert deadlocks() == before
    assert violations() == []


def test_grant_serves_until_empty(race):
    tokyo = make_location("tokyo")
    goods = [make_goods(f"sku-{number}", {tokyo: 300}) for number in range(5)]

    def work(racer: int) -> int:
        granted = 0
        for batch in range(4):
            lines = [
                stock.Request.of(f"line:{racer}.{batch}.{number}", goods[number % 5].pool, 1, number)
                for number in range(50)
            ]
            granted += len(stock.grant(lines, kind="reserve"))
        return granted

    outcomes = race(16, work)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert sum(outcomes) == 1500, "3,200 one-unit lines for 1,500 units: exactly the stock"
    assert all(item.numbers() == (300, 300) for item in goods)
    assert violations() == []


def test_counts_and_sales_collide_and_the_books_stay_whole(race, deadlocks):
    """Facts take promises away, bundles tie SKUs together, and nobody is refused or counted twice."""
    tokyo, osaka = make_location("tokyo"), make_location("osaka")
    desk, lamp = make_goods("desk", {tokyo: 20, osaka: 20}), make_goods("lamp", {tokyo: 40, osaka: 10})
    office = make_bundle("office", {desk.sku_id: 1, lamp.sku_id: 1})
    before = deadlocks()

    def work(racer: int) -> str:
        chance = random.Random(racer)
        for number in range(10):
            ref = f"line:{racer}.{number}"
            if racer % 4 == 0:
                item = chance.choice([desk, lamp])
                count = stock.Counted(
                    item.sku_id, chance.choice([tokyo, osaka]).pk, chance.randrange(25), f"count:{ref}"
                )
                stock.count([count])
            else:
                sku = chance.choice([desk.sku_id, lamp.sku_id, office.pk])
                stock.grant(stock.requests_for([stock.Want(ref, sku, chance.randrange(1, 4))]), kind="reserve")
                if chance.random() < 0.4:
                    stock.release([ref])
        return "done"

    assert set(race(12, work)) == {"done"}
    assert deadlocks() == before
    assert violations() == []


def test_a_client_killed_before_commit_leaves_nothing(race):
    chair = make_goods("chair", {make_location("tokyo"): 5})
    entries = Entry.objects.count()

    def work(_racer: int) -> None:
        with transaction.atomic():
            stock.reserve({chair.pool: 3}, ref="line:1")
            connection.connection.pgconn.finish()

    (outcome,) = race(1, work)
    assert isinstance(outcome, Exception)
    stock.reserve({chair.pool: 5}, ref="line:2")
    assert chair.numbers() == (5, 5)
    assert Entry.objects.count() == entries + 1
    assert violations() == []


def test_a_location_that_leaves_the_pool_takes_late_arrivals_along(race):
    tokyo, store = make_location("tokyo"), make_location("store", "store")
    goods = [make_goods(f"sku-{number}", {tokyo: 3, store: 3}) for number in range(4)]

    def work(racer: int) -> str:
        if racer == 0:
            for side in (False, True, False):
                set_sells_online(store.pk, side)
        else:
            for number in range(10):
                item = goods[(racer + number) % 4]
                stock.receive([stock.Fact(item.sku_id, store.pk, 1, f"arrival:{racer}.{number}")])
        return "done"

    assert set(race(6, work)) == {"done"}
    assert violations() == []
    assert {item.numbers()[0] for item in goods} == {3}
    assert sum(item.numbers(store)[0] for item in goods) == 12 + 50
    assert not Balance.objects.filter(location=store, in_pool=True).exists()
