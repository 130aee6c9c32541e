"""The publisher at work: what goes first, what waits, what heals, what a sale nobody told us of must not undo."""

from datetime import timedelta

import pytest
from django.db import transaction

from channels.models import Listing, MaintenanceWindow, PlaceRule, PublishRule, PushLog, SalesPace, SkuRule
from channels.services import compare, maintenance, pace, polling, publish, wake
from channels.services.supply import supplies
from inventory.models import PublisherMark
from inventory.services import stock
from inventory.services.catalogue import ComponentRow, set_components
from oms.kernel import clock
from orders.models import Shop
from tests.channels.builders import make_listing
from tests.channels.publishing.malls import Mall, connect, import_orders
from tests.orders.builders import make_channel_order, make_line, make_location, make_sku, mapped

pytestmark = pytest.mark.django_db


def receive(sku, units=1, place=None) -> None:
    stock.receive([stock.Fact(sku.pk, (place or make_location()).pk, units, "arrival")])


def told(malls, shop="rakuten-1") -> list[tuple[str, int]]:
    return malls[shop].pushed


def sell_fast(connection, sku, sales=12) -> None:
    """So many sales within the last minute."""
    now = clock.now()
    SalesPace.objects.update_or_create(
        shop=connection.shop, sku=sku, defaults={"units": sales, "sales": sales, "at": now}
    )


def test_many_changes_of_one_sku_are_one_push(malls):
    connection, chair = connect("rakuten-1"), make_sku("CHAIR", stock_units=5)
    make_listing(connection.shop, "CHAIR", sku=chair)
    for _time in range(6):
        receive(chair)
    publish.consume_marks()
    publish.push_shop(connection)
    assert told(malls) == [("CHAIR", 11)]


def test_what_sells_fast_goes_first_in_a_request_of_its_own_and_then_the_scarce(malls):
    connection = connect("rakuten-1")
    for code, units in (("PLENTY", 90), ("SCARCE", 7), ("HOT", 50)):
        make_listing(connection.shop, code, sku=make_sku(code, stock_units=units))
    sell_fast(connection, Listing.objects.get(code="HOT").sku)
    publish.consume_marks()
    publish.push_shop(connection)
    assert [[item.listing_code for item in request] for request in malls["rakuten-1"].requests] == [
        ["HOT"],
        ["SCARCE", "PLENTY"],
    ]


def test_a_scarce_change_overtakes_a_long_run_under_way(malls):
    connection = connect("rakuten-1")
    for number in range(6):
        make_listing(connection.shop, f"P{number}", sku=make_sku(f"P{number}", stock_units=50 + number))
    last = make_listing(connection.shop, "LAST", sku=make_sku("LAST", stock_units=99))

    class SoldMeanwhile(Mall):
        def push_stock(self, items):
            answers = list(super().push_stock(items))
            if len(self.requests) == 1:
                Listing.objects.filter(pk=last.pk).update(desired=0)
            return iter(answers)

    malls["rakuten-1"] = mall = SoldMeanwhile()
    mall.capabilities.stock_batch = 2
    publish.consume_marks()
    publish.push_shop(connection)
    assert [code for code, _units in mall.pushed][:3] == ["P0", "P1", "LAST"]
    assert len(mall.pushed) == 7 and not publish.due(connection.shop_id)


def test_one_bad_sku_does_not_stop_the_shop(malls):
    connection = connect("rakuten-1")
    for code in ("BAD", "GOOD"):
        make_listing(connection.shop, code, sku=make_sku(code, stock_units=9))
    malls["rakuten-1"] = Mall(refuses={"BAD"})
    publish.consume_marks()
    result = publish.push_shop(connection)
    assert (result.pushed, result.failed) == (1, {"BAD": "商品がありません。"})
    bad = Listing.objects.get(code="BAD")
    assert bad.failures == 1 and bad.next_try_at and bad.error and bad.desired_at
    assert PushLog.objects.filter(error="商品がありません。").count() == 1
    assert publish.push_shop(connection).failed == {}


def test_each_shop_sells_from_its_own_places(malls):
    warehouse, store = make_location(), make_location("ST", name="銀座店", kind="store")
    chair = make_sku("CHAIR", stock_units=10)
    receive(chair, 8, store)
    everything, warehouse_only, three = (connect(code).shop for code in ("a", "b", "c"))
    PlaceRule.objects.create(shop=warehouse_only, location=store, most=0)
    PlaceRule.objects.create(shop=three, location=store, most=3)
    shops = [everything.pk, warehouse_only.pk, three.pk]
    found = supplies([chair.pk], shops)
    assert [found[shop, chair.pk] for shop in shops] == [18, 10, 13]
    assert warehouse.sells_online


def test_safety_stock_of_a_component_is_kept_back_from_its_sets(malls):
    shop = connect("rakuten-1").shop
    chair, pair = make_sku("CHAIR", stock_units=9), make_sku("PAIR", is_bundle=True)
    set_components([ComponentRow("PAIR", "CHAIR", 2)])
    SkuRule.objects.create(sku=chair, safety_stock=4)
    assert supplies([chair.pk, pair.pk], [shop.pk]) == {(shop.pk, chair.pk): 5, (shop.pk, pair.pk): 2}
    SkuRule.objects.create(sku=pair, safety_stock=1)
    assert supplies([pair.pk], [shop.pk]) == {(shop.pk, pair.pk): 1}


def test_what_sells_elsewhere_is_kept_back_until_we_hear_of_it(malls):
    rakuten, yahoo = connect("rakuten-1"), connect("yahoo-1")
    chair = make_sku("CHAIR", stock_units=200)
    for connection in (rakuten, yahoo):
        make_listing(connection.shop, "CHAIR", sku=chair)
    sell_fast(rakuten, chair)
    publish.consume_marks()
    kept = 200 - Listing.objects.get(shop=yahoo.shop).desired
    assert 3 <= kept <= 20
    PublishRule.objects.create(shop=yahoo.shop, adaptive=False)
    receive(chair)
    publish.consume_marks()
    assert Listing.objects.get(shop=yahoo.shop).desired == 201


def test_a_speed_is_measured_by_imports_and_forgotten(malls):
    connection, chair = connect("rakuten-1"), make_sku("CHAIR", stock_units=50)
    orders = [make_channel_order(make_line("CHAIR", 2), ordered_at=clock.now()) for _ in range(4)]
    import_orders(connection, orders, mapped(chair))
    speed = pace.speeds([chair.pk])[connection.shop_id, chair.pk]
    assert 1.5 < speed.per_minute <= 2 and 3.9 < speed.sales <= 4
    import_orders(connection, orders, mapped(chair))
    assert SalesPace.objects.get().sales < 4.01
    SalesPace.objects.update(at=clock.now() - timedelta(hours=2))
    assert pace.speeds([chair.pk]) == {}
    old = [make_channel_order(make_line("CHAIR"), ordered_at=clock.now() - timedelta(hours=5))]
    import_orders(connection, old, mapped(chair))
    assert pace.speeds([chair.pk]) == {}


def parted(malls, units: int):
    """Three shops, `units` chairs, each shown at one shop only, pushed and settled."""
    shops = [connect(code) for code in ("a", "b", "c")]
    chair = make_sku("CHAIR", stock_units=units)
    for place, connection in enumerate(shops):
        make_listing(connection.shop, "CHAIR", sku=chair, mode="last_unit")
        PublishRule.objects.create(shop=connection.shop, priority=place, hot_below=50)
    settle(shops)
    return shops, chair


def settle(shops) -> None:
    """Pushed, and then every shop's orders imported."""
    publish.consume_marks()
    for connection in shops:
        publish.push_shop(connection)
        connection.cursor = clock.now()
        connection.save(update_fields=["cursor"])
        pace.look_again(connection.shop)
    publish.consume_marks()


def test_the_last_units_are_parted_and_a_sale_needs_no_push(malls):
    shops, chair = parted(malls, 7)
    shown = [malls[code].shows["CHAIR"] for code in "abc"]
    assert sum(shown) == 7 and min(shown) >= 2
    pushes = PushLog.objects.count()
    malls["b"].shows["CHAIR"] -= 1
    sold = make_channel_order(make_line("CHAIR"), ordered_at=clock.now() + timedelta(seconds=5))
    import_orders(shops[1], [sold], mapped(chair))
    settle(shops)
    assert PushLog.objects.count() == pushes
    assert sum(mall.shows["CHAIR"] for mall in malls.values()) == 6


def test_the_very_last_unit_is_shown_by_the_first_shop_only(malls):
    parted(malls, 1)
    assert [malls[code].shows["CHAIR"] for code in "abc"] == [1, 0, 0]


def test_a_unit_moves_to_an_empty_shop_only_after_it_left_another(malls):
    shops, chair = parted(malls, 6)
    assert [malls[code].shows["CHAIR"] for code in "abc"] == [2, 2, 2]
    later = clock.now() + timedelta(seconds=5)
    malls["c"].shows["CHAIR"] = 0
    import_orders(shops[2], [make_channel_order(make_line("CHAIR", 2), ordered_at=later)], mapped(chair))
    publish.consume_marks()
    assert Listing.objects.get(shop=shops[2].shop).desired == 0
    for _round in range(3):
        settle(shops)
        assert sum(mall.shows["CHAIR"] for mall in malls.values()) <= 4
    assert malls["c"].shows["CHAIR"] >= 1 and sum(mall.shows["CHAIR"] for mall in malls.values()) == 4


def test_a_fast_seller_is_told_a_difference_where_the_mall_takes_one(malls):
    connection, chair = connect("rakuten-1"), make_sku("CHAIR", stock_units=100)
    Shop.objects.filter(pk=connection.shop_id).update(capabilities={"relative_stock": True})
    malls["rakuten-1"] = mall = Mall()
    mall.capabilities.relative_stock = True
    make_listing(connection.shop, "CHAIR", sku=chair, hot=True)
    publish.consume_marks()
    publish.push_shop(connection)
    assert mall.shows == {"CHAIR": 100} and mall.adjusted == []
    sell_fast(connection, chair)
    mall.shows["CHAIR"] -= 3  # sold, and nobody has told us yet
    receive(chair, 10)
    publish.consume_marks()
    publish.push_shop(connection)
    assert [item.delta for item in mall.adjusted] == [10]
    assert mall.shows == {"CHAIR": 107}
    sold = [make_channel_order(make_line("CHAIR", 3), ordered_at=clock.now() - timedelta(seconds=9))]
    import_orders(connection, sold, mapped(chair))
    publish.consume_marks()
    publish.push_shop(connection)
    assert mall.shows == {"CHAIR": 107} == {"CHAIR": stock.available([chair.pk])[chair.pk]}


def test_a_difference_without_an_answer_is_followed_by_the_whole_number(malls):
    connection, chair = connect("rakuten-1"), make_sku("CHAIR", stock_units=100)
    malls["rakuten-1"] = mall = Mall()
    mall.capabilities.relative_stock = True
    listing = make_listing(connection.shop, "CHAIR", sku=chair, hot=True, sent=100, sent_at=clock.now(), sending=110)
    sell_fast(connection, chair)
    publish.consume_marks()
    Listing.objects.filter(pk=listing.pk).update(desired_at=clock.now())
    publish.push_shop(connection)
    assert mall.adjusted == [] and len(mall.pushed) == 1
    listing.refresh_from_db()
    assert listing.sending is None


def test_fewer_shown_than_told_waits_for_the_import_and_then_heals(malls):
    connection, chair = connect("rakuten-1"), make_sku("CHAIR", stock_units=9)
    listing = make_listing(connection.shop, "CHAIR", sku=chair)
    publish.consume_marks()
    publish.push_shop(connection)
    Listing.objects.update(sent_at=clock.now() - timedelta(minutes=5))
    malls["rakuten-1"].shows["CHAIR"] = 7
    publish.read_back(connection)
    assert not publish.due(connection.shop_id)  # it may have been sold
    connection.cursor = clock.now()
    publish.read_back(connection)
    assert [item.pk for item in publish.due(connection.shop_id)] == [listing.pk]
    publish.push_shop(connection)
    assert malls["rakuten-1"].shows == {"CHAIR": 9}


def test_fewer_shown_than_told_is_no_drift_when_it_was_sold(malls):
    connection, chair = connect("rakuten-1"), make_sku("CHAIR", stock_units=9)
    make_listing(connection.shop, "CHAIR", sku=chair)
    publish.consume_marks()
    publish.push_shop(connection)
    Listing.objects.update(sent_at=clock.now() - timedelta(minutes=5))
    malls["rakuten-1"].shows["CHAIR"] = 7
    publish.read_back(connection)
    import_orders(connection, [make_channel_order(make_line("CHAIR", 2), ordered_at=clock.now())], mapped(chair))
    publish.consume_marks()
    publish.push_shop(connection)
    assert malls["rakuten-1"].shows == {"CHAIR": 7}


def test_more_shown_than_told_heals_at_once(malls):
    connection, chair = connect("rakuten-1"), make_sku("CHAIR", stock_units=9)
    make_listing(connection.shop, "CHAIR", sku=chair)
    publish.consume_marks()
    publish.push_shop(connection)
    Listing.objects.update(sent_at=clock.now() - timedelta(minutes=5))
    malls["rakuten-1"].shows["CHAIR"] = 30
    publish.read_back(connection)
    publish.push_shop(connection)
    assert malls["rakuten-1"].shows == {"CHAIR": 9}


@pytest.fixture
def compared(malls, monkeypatch):
    """A shop of five listings, all told an hour ago; imports are somebody else's test."""
    monkeypatch.setattr(compare, "_import_first", lambda connection: None)
    connection = connect("rakuten-1")
    for number in range(5):
        make_listing(connection.shop, f"C{number}", sku=make_sku(f"C{number}", stock_units=9))
    publish.consume_marks()
    publish.push_shop(connection)
    Listing.objects.update(sent_at=clock.now() - timedelta(hours=1))
    return connection


def test_a_full_comparison_says_how_many_differ_and_heals_them(malls, compared):
    mall = malls["rakuten-1"]
    mall.shows |= {"C1": 12, "C3": 4}
    del mall.shows["C4"]
    run = compare.now(compared)
    assert (run.checked, run.different, run.missing, bool(run.finished_at)) == (5, 2, 1, True)
    publish.push_shop(compared)
    assert (mall.shows["C1"], mall.shows["C3"]) == (9, 9)
    assert "見つかりません" in Listing.objects.get(code="C4").error
    assert compared.pk not in compare.due_shops()


def test_a_comparison_that_broke_off_goes_on_where_it_was(malls, compared, monkeypatch):
    monkeypatch.setattr(compare, "BATCH", 2)
    run = compare.go_on(compared, batches=1)
    assert (run.checked, run.finished_at) == (2, None) and compared.pk in compare.due_shops()
    run = compare.go_on(compared)
    assert (run.checked, bool(run.finished_at)) == (5, True)


def test_a_comparison_leaves_a_smaller_number_to_the_next_import(malls, compared):
    malls["rakuten-1"].shows |= {"C1": 4, "C2": 40}
    run = compare.go_on(compared)
    assert run.different == 2
    assert [item.code for item in publish.due(compared.shop_id)] == ["C2"]
    compared.cursor = clock.now()
    assert publish.heal_settled(compared) == 1


def test_maintenance_grows_the_buffer_holds_pushes_back_and_catches_up(malls):
    connection, chair = connect("rakuten-1"), make_sku("CHAIR", stock_units=9)
    make_listing(connection.shop, "CHAIR", sku=chair)
    PublishRule.objects.create(shop=connection.shop, maintenance_buffer=4)
    publish.consume_marks()
    publish.push_shop(connection)
    window = MaintenanceWindow.objects.create(
        shop=connection.shop, starts_at=clock.now() + timedelta(minutes=10), minutes=60
    )
    assert maintenance.sweep_windows() == [connection.shop_id]
    publish.consume_marks()
    publish.push_shop(connection)
    assert malls["rakuten-1"].shows == {"CHAIR": 5}
    MaintenanceWindow.objects.filter(pk=window.pk).update(starts_at=clock.now() - timedelta(minutes=1))
    maintenance.sweep_windows()
    receive(chair, 3)
    publish.consume_marks()
    assert publish.push_shop(connection).pushed == 0 and publish.due(connection.shop_id)
    MaintenanceWindow.objects.filter(pk=window.pk).update(starts_at=clock.now() - timedelta(minutes=61))
    assert maintenance.sweep_windows() == [connection.shop_id] and maintenance.sweep_windows() == []
    publish.consume_marks()
    publish.push_shop(connection)
    assert malls["rakuten-1"].shows == {"CHAIR": 12}


def test_the_sweep_finds_what_a_lost_wake_up_left(malls):
    connection, chair = connect("rakuten-1"), make_sku("CHAIR", stock_units=9)
    make_listing(connection.shop, "CHAIR", sku=chair)
    assert PublisherMark.objects.exists() and polling.due_for_push() == []
    publish.consume_marks()
    assert polling.due_for_push() == [connection.pk]


@pytest.mark.django_db(transaction=True)
def test_a_burst_of_changes_wakes_the_publisher_once_and_after_commit(monkeypatch):
    sent = []
    monkeypatch.setattr(wake, "later", lambda *what: sent.append(what))
    chair = make_sku("CHAIR")
    wake.awake()
    sent.clear()
    with transaction.atomic():
        receive(chair)
        receive(chair)
        assert sent == []
    receive(chair)
    assert sent == [("channels.tasks.publish",)]
    wake.awake()
    receive(chair)
    assert len(sent) == 2
    with pytest.raises(RuntimeError), transaction.atomic():
        wake.awake()
        receive(chair)
        raise RuntimeError
    assert len(sent) == 2


def test_stopping_and_fixing_are_what_the_merchant_said(malls):
    connection = connect("rakuten-1")
    chair = make_sku("CHAIR", stock_units=9)
    for code, fields in (
        ("STOPPED", {"mode": "stopped"}), ("FIXED", {"mode": "fixed", "fixed_quantity": 3}),
        ("OUT", {"mode": "sold_out"}), ("SHARE", {"share": 50}), ("OWN", {"buffer": 0}), ("SHOPS", {}),
    ):  # fmt: skip
        make_listing(connection.shop, code, sku=chair, **fields)
    PublishRule.objects.create(shop=connection.shop, buffer=1)
    publish.consume_marks()
    publish.push_shop(connection)
    assert malls["rakuten-1"].shows == {"FIXED": 3, "OUT": 0, "SHARE": 4, "OWN": 9, "SHOPS": 8}
