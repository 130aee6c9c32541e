"""Rules that wait for stock to cross a number: each crossing wakes the orders of the SKU once."""

import pytest

from inventory.models import BundleComponent, StockWatch, WatcherMark
from inventory.services import stock
from orders.decide.rules import sentence
from orders.decide.rules.document import check
from orders.models import Order, RuleStockSide, RuleWake
from orders.services.intake import take_in
from orders.services.rules import active, dry, publish, stock_levels, sweep
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped
from tests.orders.rules.builders import do, document, make_rule

pytestmark = pytest.mark.django_db


def low(level: int = 3, *, sku: str = "CHAIR", side: str = "below", location: str = "", tag: str = "残りわずか"):
    when = {"event": "stock_level", "sku": sku, "location": location, "side": side, "level": level}
    return make_rule(f"{sku} {side} {level} {location}", then=do("add_tag", tag=tag), when=when)


def orders(*lines, skus) -> list[Order]:
    take_in(make_shop(), [make_channel_order(line) for line in lines], sku_of=mapped(*skus))
    return list(Order.objects.order_by("pk"))


def move(sku, units: int, place=None) -> None:
    stock.correct([stock.Fact(sku.pk, (place or make_location()).pk, units, "test")])


def run() -> int:
    woken = stock_levels.consume()
    sweep.consume_wakes()
    return woken


def tags() -> list[list[str]]:
    return list(Order.objects.order_by("pk").values_list("tags", flat=True))


def test_falling_below_wakes_the_orders_of_the_sku_once_per_crossing():
    chair, desk = make_sku(stock_units=10), make_sku("DESK", stock_units=10)
    low()
    orders(make_line("CHAIR"), make_line("DESK"), make_line("CHAIR"), skus=[chair, desk])
    assert run() == 0 and tags() == [[], [], []], "eight are left"
    move(chair, -6)
    assert run() == 2 and tags() == [["残りわずか"], [], ["残りわずか"]]
    move(chair, -1)
    move(chair, -1)
    assert run() == 0, "it was below before"
    move(chair, 9)
    assert run() == 0 and RuleStockSide.objects.get().beyond is False
    move(chair, -9)
    assert run() == 2, "a crossing of its own"


def test_many_moves_between_two_looks_are_one_look():
    chair = make_sku(stock_units=10)
    low()
    orders(make_line("CHAIR"), skus=[chair])
    for units in (-8, 5, -5, 6, -6, 8):
        move(chair, units)
    assert WatcherMark.objects.filter(sku_id=chair.pk).count() >= 6
    assert run() == 0 and not WatcherMark.objects.exists() and not RuleWake.objects.exists()


def test_an_order_that_takes_the_last_pieces_is_woken_too():
    chair = make_sku(stock_units=3)
    low(1)
    orders(make_line("CHAIR", 3), make_line("CHAIR", 1), skus=[chair])
    assert run() == 2, "one holds, one waits"


def test_rising_above_at_one_place():
    house, store = make_location(), make_location("S1", name="世田谷店", kind="store")
    chair = make_sku(stock_units=1, location=house)
    low(2, side="above", location="S1", tag="店にある")
    orders(make_line("CHAIR", 1), skus=[chair])
    move(chair, 9, house)
    assert run() == 0, "another place"
    move(chair, 3, store)
    assert run() == 1 and tags() == [["店にある"]]


def test_a_set_hangs_on_its_parts_and_its_orders_on_them():
    tea, cup = make_sku("TEA", stock_units=9), make_sku("CUP", stock_units=9)
    bundle = make_sku("SET", is_bundle=True)
    for part in (tea, cup):
        BundleComponent.objects.create(bundle=bundle, component=part, quantity=1)
    low(3, sku="SET")
    low(3, sku="CUP", tag="カップ")
    orders(make_line("SET"), skus=[bundle])
    move(cup, -7)
    assert run() == 2 and sorted(tags()[0]) == ["カップ", "残りわずか"]


def test_only_watched_skus_leave_marks_and_a_paused_rule_watches_nothing():
    chair, desk = make_sku(stock_units=10), make_sku("DESK", stock_units=10)
    rule = low()
    move(desk, -1)
    assert not WatcherMark.objects.exists() and list(StockWatch.objects.values_list("pk", flat=True)) == [chair.pk]
    publish.set_paused(rule.pk, paused=True)
    move(chair, -9)
    assert not WatcherMark.objects.exists() and not RuleStockSide.objects.exists()
    publish.set_paused(rule.pk, paused=False)
    assert RuleStockSide.objects.get().beyond, "what happened meanwhile is no crossing"
    assert run() == 0


def test_killed_before_the_end_nothing_is_lost(monkeypatch):
    chair = make_sku(stock_units=10)
    low()
    orders(make_line("CHAIR"), skus=[chair])
    move(chair, -8)

    def die(*_args) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stock_levels, "later", die)
    with pytest.raises(KeyboardInterrupt):
        stock_levels.consume()
    assert WatcherMark.objects.exists() and RuleStockSide.objects.get().beyond is False
    monkeypatch.undo()
    assert run() == 1


def test_the_dry_run_tries_only_orders_of_the_sku():
    chair, desk = make_sku(stock_units=10), make_sku("DESK", stock_units=10)
    rule = low()
    orders(make_line("CHAIR"), make_line("DESK"), skus=[chair, desk])
    tried = dry.try_rule(active.active().by_id[rule.pk])
    assert tried.looked == 2 and tried.hits == 1 and len(tried.changes) == 1


def test_the_sentence_and_the_faults():
    make_sku()
    when = {"event": "stock_level", "sku": "CHAIR", "location": "", "side": "below", "level": 3}
    assert "「CHAIR」の在庫（販売できる数）が 3 を下回ったとき" in sentence.when_text(when)
    bad = {"event": "stock_level", "sku": "NONE", "location": "X", "side": "", "level": -1}
    found = check(document(then=do("flag"), when=bad), active.known())
    assert len(found.faults) == 4 and {place for place, _text in found.faults} == {"when"}
