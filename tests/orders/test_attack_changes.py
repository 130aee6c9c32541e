"""What could lose, double or leak an order or its stock while channels, people and workers change it at once."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction

from fulfillment.services.allocate import allocate_waiting
from inventory.models import Balance
from inventory.services import stock
from inventory.services.audit import violations
from oms.kernel import clock
from oms.kernel.models import Effect
from orders.channel_order import ChannelState, Totals
from orders.models import Order
from orders.services import cancel, confirm, intake_changes, stage
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import (
    ORDERED_AT,
    changed,
    make_channel_order,
    make_line,
    make_location,
    make_shop,
    make_sku,
    mapped,
)

ACTOR = Actor()


def stored(order) -> Order:
    return Order.objects.get(channel_order_no=order.channel_order_no)


def reserved(sku) -> int:
    return Balance.objects.get(sku=sku, location=None, release="").reserved


@pytest.mark.django_db
def test_a_cancelled_order_takes_no_stock_when_the_channel_still_changes_its_lines():
    shop, chair = make_shop(), make_sku(stock_units=5)
    line = make_line("CHAIR", 2)
    order = make_channel_order(line)
    take_in(shop, [order], sku_of=mapped(chair))
    cancel.cancel_orders([stored(order).pk], reason="お客様のご希望", actor=ACTOR)
    assert reserved(chair) == 0
    fewer = replace(line, quantity=1, amount=1000)
    take_in(shop, [changed(order, lines=(fewer, make_line("CHAIR", 1)))], sku_of=mapped(chair))
    assert reserved(chair) == 0
    assert stored(order).stage == "cancelled"


@pytest.mark.django_db
def test_an_older_version_that_comes_late_under_the_lock_changes_nothing():
    shop, chair = make_shop(), make_sku(stock_units=5)
    newer = make_channel_order(updated_at=ORDERED_AT + timedelta(hours=2), channel_state="500")
    take_in(shop, [newer], sku_of=mapped(chair))
    older = changed(newer, updated_at=ORDERED_AT + timedelta(hours=1), channel_state="100")
    with transaction.atomic():
        intake_changes.apply_changes(shop, [older], mapped(chair))
    assert stored(newer).channel_state == "500"


@pytest.mark.django_db(transaction=True)
def test_an_order_that_two_workers_store_at_once_is_stored_once_and_no_failure(race):
    shop, chair = make_shop(), make_sku(stock_units=50)
    order = make_channel_order(make_line("CHAIR", 2))
    outcomes = race(6, lambda: take_in(shop, [order], sku_of=mapped(chair)))
    assert [outcome.failed for outcome in outcomes] == [[]] * 6
    assert sum(len(outcome.created) for outcome in outcomes) == 1
    assert reserved(chair) == 2 and violations() == []


@pytest.mark.django_db
def test_an_order_our_program_stumbles_over_does_not_stop_the_others():
    shop, chair = make_shop(), make_sku(stock_units=5)
    good, bad = make_channel_order(), make_channel_order(recipients=(None,))
    outcome = take_in(shop, [bad, good], sku_of=mapped(chair))
    assert outcome.created == [good.channel_order_no]
    assert [no for no, _cause in outcome.failed] == [bad.channel_order_no]


@pytest.mark.django_db(transaction=True)
def test_one_transaction_of_an_import_goes_through_the_stock_door_once(monkeypatch):
    """Twice would lock balances out of order, and two shops' imports would deadlock."""
    shop, chair, desk = make_shop(), make_sku("CHAIR", stock_units=9), make_sku("DESK", stock_units=9)
    sku_of = mapped(chair, desk)
    line = make_line("CHAIR", 2)
    to_change, to_cancel = make_channel_order(line), make_channel_order(make_line("DESK"))
    take_in(shop, [to_change, to_cancel], sku_of=sku_of)
    calls: Counter[int] = Counter()

    def spy(name):
        real = getattr(stock, name)

        def call(*args, **kwargs):
            with connection.cursor() as cursor:
                cursor.execute("SELECT txid_current()")
                calls[cursor.fetchone()[0]] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(stock, name, call)

    for name in ("grant", "regrant_at", "release", "unallocate"):
        spy(name)
    again = [
        changed(to_change, lines=(replace(line, quantity=1, amount=1000),)),
        changed(to_cancel, state=ChannelState.CANCELLED, channel_state="900"),
        make_channel_order(make_line("DESK")),
    ]
    outcome = take_in(shop, again, sku_of=sku_of)
    assert (len(outcome.updated), len(outcome.created)) == (2, 1)
    assert sum(calls.values()) == 3 and max(calls.values()) == 1
    assert (reserved(chair), reserved(desk)) == (1, 1)


@pytest.mark.django_db
def test_a_price_that_changes_is_stored_and_costs_the_line_no_place():
    shop, chair = make_shop(), make_sku(stock_units=5)
    line = make_line("CHAIR", 2)
    order = make_channel_order(line)
    take_in(shop, [order], sku_of=mapped(chair))
    allocate_waiting()
    cheaper = replace(line, amount=1800)
    take_in(
        shop,
        [changed(order, lines=(cheaper,), totals=Totals(goods=1800, shipping=500, total=2300))],
        sku_of=mapped(chair),
    )
    row = stored(order)
    assert row.lines.get().amount == 1800
    assert row.stage == "ready" and row.lines.get().allocated_quantity == 2


@pytest.mark.django_db(transaction=True)
def test_a_line_whose_order_someone_works_on_gets_the_stock_that_came_meanwhile():
    shop, warehouse, chair = make_shop(), make_location(), make_sku()
    order = make_channel_order()
    take_in(shop, [order], sku_of=mapped(chair))
    stock.receive([stock.Fact(chair.pk, warehouse.pk, 1, "arrival")])
    locked, done = threading.Event(), threading.Event()

    def hold_the_lock():
        with transaction.atomic():
            list(Order.objects.select_for_update(no_key=True).filter(pk=stored(order).pk).order_by("pk"))
            locked.set()
            done.wait(20)
        connection.close()

    worker = threading.Thread(target=hold_the_lock)
    worker.start()
    locked.wait(20)
    allocate_waiting()
    done.set()
    worker.join(20)
    assert not stored(order).lines.get().reserved
    allocate_waiting()
    assert stored(order).stage == "ready"


@pytest.mark.django_db
def test_a_confirmation_that_failed_stays_marked_failed_until_someone_asks_again():
    shop, chair = make_shop(), make_sku(stock_units=5)
    order = make_channel_order(state=ChannelState.TO_CONFIRM, channel_state="100")
    take_in(shop, [order], sku_of=mapped(chair))
    pk = stored(order).pk
    Effect.objects.filter(kind="channel_confirm").update(state="failed")
    Order.objects.filter(pk=pk).update(channel_sync="failed")
    stage.recompute([pk])
    assert stored(order).channel_sync == "failed"
    assert confirm.confirm_orders([pk], actor=ACTOR) == [pk]
    assert Effect.objects.get(kind="channel_confirm").state == "waiting"
    assert stored(order).channel_sync == "pending"


@pytest.mark.django_db
def test_an_order_that_the_channel_has_shipped_is_not_cancelled_here():
    shop, chair = make_shop(), make_sku(stock_units=5)
    order = make_channel_order(state=ChannelState.SHIPPED, channel_state="500")
    take_in(shop, [order], sku_of=mapped(chair))
    pk = stored(order).pk
    result = cancel.cancel_orders([pk], reason="まちがい", actor=ACTOR)
    assert not result.orders and "出荷済み" in result.refused[pk]
    assert stored(order).cancelled_at is None


@pytest.mark.django_db
def test_what_a_placed_order_shows_of_its_place_goes_with_the_place():
    shop, chair = make_shop(), make_sku(stock_units=5)
    line = make_line("CHAIR", 1)
    order, gone = make_channel_order(line), make_channel_order()
    take_in(shop, [order, gone], sku_of=mapped(chair))
    allocate_waiting()
    assert {stored(o).allocation_state for o in (order, gone)} == {"full"}
    more = replace(line, quantity=2, amount=2000)
    sums = Totals(goods=2000, shipping=500, total=2500)
    take_in(shop, [changed(order, lines=(more,), totals=sums)], sku_of=mapped(chair))
    cancel.cancel_orders([stored(gone).pk], reason="お客様のご希望", actor=ACTOR)
    assert [(stored(o).allocation_state, stored(o).location_label) for o in (order, gone)] == [("none", "")] * 2
    allocate_waiting()
    assert stored(order).allocation_state == "full" and stored(order).lines.get().allocated_quantity == 2
    assert violations() == []


@pytest.mark.django_db
def test_a_line_that_becomes_a_pre_order_waits_for_its_release():
    shop, chair = make_shop(), make_sku(stock_units=5)
    day = clock.today() + timedelta(days=9)
    sofa = make_sku("SOFA", release_date=day, preorder_limit=9)
    line = make_line("CHAIR", 1)
    order = make_channel_order(line)
    take_in(shop, [order], sku_of=mapped(chair, sofa))
    take_in(shop, [changed(order, lines=(replace(line, channel_sku="SOFA"),))], sku_of=mapped(chair, sofa))
    assert stored(order).lines.get().release_date == day
    assert stored(order).stage == "awaiting_release"
