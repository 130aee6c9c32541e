"""分割 of many orders from the desk: by stock, release, arrival, temperature and place; previewed, and taken back."""

from datetime import timedelta

import pytest
from django.urls import reverse

from fulfillment.decide.split_ways import Group, Look, extra_cost, fits_at
from fulfillment.models import FreightRate, Shipment, ShipmentLine
from fulfillment.services import split
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as parcel_violations
from fulfillment.services.instruct import instruct_orders
from inventory.models import BundleComponent, Sku
from inventory.services import stock
from inventory.services.audit import violations as stock_violations
from oms.kernel import clock
from orders.models import BulkRun
from orders.services import bulk, bulk_undo
from orders.services.audit import violations as order_violations
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready, snapshot
from tests.orders.builders import make_line, make_location, make_shop, make_sku

pytestmark = pytest.mark.django_db
STEADY = ("order", "line", "shipment line", "balance")  # the ledger grows, a parcel's number stays


def params(way: str, **more):
    return {"way": way, "until": None, "location": None, "payer": "shop"} | more


def run(orders, by, way: str, **more) -> BulkRun:
    made = bulk.draft("split", [order.pk for order in orders], by=by)
    bulk.start(made, params(way, **more))
    made.refresh_from_db()
    return made


def back(made: BulkRun, by) -> BulkRun:
    assert bulk_undo.start(made, by=by)
    made.refresh_from_db()
    return made


def steady() -> dict:
    return {name: rows for name, rows in snapshot().items() if name in STEADY}


def contents() -> list[tuple[str, dict[str, int]]]:
    return [
        (
            shipment.location.code,
            dict(ShipmentLine.objects.filter(shipment=shipment).values_list("sku__code", "quantity")),
        )
        for shipment in Shipment.objects.select_related("location").order_by("reference", "pk")
    ]


def all_is_well() -> bool:
    return not [*parcel_violations(), *stock_violations(), *order_violations()]


def test_by_temperature_each_gets_its_parcel_and_undo_gives_back_what_was(aoi):
    shop = make_shop()
    tea, fish = make_sku("TEA", stock_units=9), make_sku("FISH", stock_units=9, temperature="frozen")
    mixed = ready(shop, make_line("TEA", 2), make_line("FISH"), skus=[tea, fish])
    plain = ready(shop, make_line("TEA"), skus=[tea])
    before = steady()
    made = run([mixed, plain], aoi, "temperature")
    assert made.done == [mixed.pk] and list(made.skipped.values()) == ["温度帯は1つだけです。"]
    assert contents() == [("W1", {"TEA": 2}), ("W1", {"TEA": 1}), ("W1", {"FISH": 1})]
    assert back(made, aoi).undone == [mixed.pk] and steady() == before and all_is_well()


def test_what_had_been_split_by_hand_is_split_so_again_by_undo(aoi):
    goods = [
        make_sku("TEA", stock_units=9),
        make_sku("FISH", stock_units=9, temperature="frozen"),
        make_sku("RICE", stock_units=9),
    ]
    order = ready(make_shop(), make_line("TEA"), make_line("FISH"), make_line("RICE"), skus=goods)
    split.split_off(Shipment.objects.get().pk, {order.lines.get(sku__code="RICE").pk: 1}, actor=Actor())
    before = contents()
    made = run([order], aoi, "temperature")
    assert len(contents()) == 3
    back(made, aoi)
    assert made.undone == [order.pk] and contents() == before


def test_by_stock_what_is_there_leaves_and_undo_lets_it_wait_again(aoi):
    tea, cake = make_sku("TEA", stock_units=5), make_sku("CAKE")
    order = ready(make_shop(), make_line("TEA"), make_line("CAKE"), skus=[tea, cake])
    whole = ready(make_shop(), make_line("TEA"), skus=[tea])
    before = steady()
    made = run([order, whole], aoi, "stock")
    order.refresh_from_db()
    assert made.done == [order.pk] and order.stage == "ready"
    assert "引当を待っている明細がありません" in made.skipped[str(whole.pk)]
    assert back(made, aoi).undone == [order.pk] and steady() == before and all_is_well()


def test_by_release_day_the_rest_need_not_wait(aoi):
    tea = make_sku("TEA", stock_units=5)
    vase = make_sku("VASE", release_date=clock.today() + timedelta(days=20), preorder_limit=5)
    mixed = ready(make_shop(), make_line("TEA"), make_line("VASE"), skus=[tea, vase])
    alone = ready(make_shop(), make_line("VASE"), skus=[vase])
    plan = bulk.preview(bulk.draft("split", [mixed.pk, alone.pk], by=aoi), params("release"))
    assert plan.will == [mixed.pk] and "先に出荷する商品がありません" in plan.skipped[alone.pk]
    made = run([mixed, alone], aoi, "release")
    allocate_waiting()
    mixed.refresh_from_db()
    assert made.done == [mixed.pk] and mixed.stage == "ready"
    assert back(made, aoi).undone == [mixed.pk]
    mixed.refresh_from_db()
    assert mixed.stage == "awaiting_release" and all_is_well()


def test_by_arrival_what_comes_in_time_is_waited_for(aoi):
    tea, soon, late = make_sku("TEA", stock_units=5), make_sku("SOON"), make_sku("LATE")
    Sku.objects.filter(pk=soon.pk).update(arrives_on=clock.today() + timedelta(days=2))
    Sku.objects.filter(pk=late.pk).update(arrives_on=clock.today() + timedelta(days=30))
    order = ready(make_shop(), make_line("TEA"), make_line("SOON"), make_line("LATE"), skus=[tea, soon, late])
    day = (clock.today() + timedelta(days=7)).isoformat()
    made = run([order], aoi, "arrival", until=day)
    assert made.done == [order.pk]
    assert list(order.lines.filter(apart=True).values_list("sku__code", flat=True)) == ["LATE"]
    order.refresh_from_db()
    assert order.stage == "awaiting_stock", "the goods of the day after tomorrow are waited for"
    assert back(made, aoi).undone == [order.pk] and not order.lines.filter(apart=True).exists()
    far = (clock.today() + timedelta(days=60)).isoformat()
    assert "入る予定です" in run([order], aoi, "arrival", until=far).skipped[str(order.pk)]


def test_by_place_goods_leave_from_where_one_wants_and_come_back_by_undo(aoi):
    near = make_location("W2", name="大阪倉庫", priority=200)
    tea, cup = make_sku("TEA", stock_units=9), make_sku("CUP", stock_units=9)
    stock.receive([stock.Fact(cup.pk, near.pk, 3, "test")])
    order = ready(make_shop(), make_line("TEA", 2), make_line("CUP", 3), skus=[tea, cup])
    poor = ready(make_shop(), make_line("TEA"), make_line("CUP"), skus=[tea, cup])
    before = steady()
    assert contents()[0] == ("W1", {"TEA": 2, "CUP": 3})
    made = run([order, poor], aoi, "location", location=near.pk)
    assert made.done == [order.pk], "three cups there, all of them for the first order"
    assert "分けられません" in made.skipped[str(poor.pk)]
    order.refresh_from_db()
    assert order.stage == "ready" and order.location_label == "大阪倉庫・東京倉庫"
    assert ("W2", {"CUP": 3}) in contents() and all_is_well()
    assert back(made, aoi).undone == [order.pk] and steady() == before and all_is_well()


def test_goods_that_went_to_another_order_meanwhile_cannot_come_back(aoi):
    near = make_location("W2", name="大阪倉庫", priority=200)
    tea, cup = make_sku("TEA", stock_units=9), make_sku("CUP", stock_units=3)
    stock.receive([stock.Fact(cup.pk, near.pk, 3, "test")])
    order = ready(make_shop(), make_line("TEA"), make_line("CUP", 3), skus=[tea, cup])
    made = run([order], aoi, "location", location=near.pk)
    ready(make_shop(), make_line("CUP", 3), skus=[cup])
    split_so = contents()
    assert "ほかの受注に回った" in back(made, aoi).undo_skipped[str(order.pk)]
    assert contents() == split_so and all_is_well()


def test_a_set_leaves_whole_from_another_place_or_not_at_all(aoi):
    near = make_location("W2", name="大阪倉庫", priority=200)
    tea, pot, cup = (make_sku(code, stock_units=9) for code in ("TEA", "POT", "CUP"))
    stock.receive([stock.Fact(pot.pk, near.pk, 3, "test")])
    bundle = make_sku("SET", is_bundle=True)
    for part in (pot, cup):
        BundleComponent.objects.create(bundle=bundle, component=part, quantity=1)
    order = ready(make_shop(), make_line("TEA"), make_line("SET"), skus=[tea, bundle])
    assert run([order], aoi, "location", location=near.pk).done == []
    stock.receive([stock.Fact(cup.pk, near.pk, 1, "test")])
    assert run([order], aoi, "location", location=near.pk).done == [order.pk]
    assert ("W2", {"POT": 1, "CUP": 1}) in contents() and all_is_well()


def test_instructed_merged_and_cancelled_orders_are_left_out_in_words(aoi):
    tea, fish = make_sku("TEA", stock_units=9), make_sku("FISH", stock_units=9, temperature="frozen")
    one = ready(make_shop(), make_line("TEA"), make_line("FISH"), skus=[tea, fish])
    instruct_orders([one.pk], actor=Actor())
    for way in ("stock", "release", "arrival", "temperature"):
        assert "出荷指示を出したあと" in run([one], aoi, way).skipped[str(one.pk)]


def test_a_split_that_somebody_changed_since_is_not_taken_back(aoi):
    tea, fish = make_sku("TEA", stock_units=9), make_sku("FISH", stock_units=9, temperature="frozen")
    order = ready(make_shop(), make_line("TEA", 2), make_line("FISH"), skus=[tea, fish])
    made = run([order], aoi, "temperature")
    run([order], aoi, "temperature")
    split.split_off(Shipment.objects.earliest("pk").pk, {order.lines.get(sku__code="TEA").pk: 1}, actor=Actor())
    assert back(made, aoi).undo_skipped == {str(order.pk): "あとから変更されたため、そのままにしました。"}


# ---- the preview


def test_the_preview_tells_the_extra_freight_to_those_who_may_see_costs(client_of, aoi, person_with):
    tea, fish = make_sku("TEA", stock_units=9, size_factor=2), make_sku("FISH", stock_units=9, temperature="frozen")
    order = ready(make_shop(), make_line("TEA"), make_line("FISH"), skus=[tea, fish])
    for size, price in ((2, 500), (None, 900)):
        FreightRate.objects.create(carrier=order.carrier, size_to=size, price=price)

    def shown(person) -> str:
        made = bulk.draft("split", [order.pk], by=person)
        page = client_of(person).get(reverse("orders:bulk", args=[made.key]), {"way": "temperature", "payer": "shop"})
        return page.content.decode()

    text = shown(aoi)
    assert "荷物が 1個増えます" in text and "¥100 ほど増えます" in text, "900 in one, 500 + 500 in two"
    operator = person_with("operator")
    assert "荷物が 1個増えます" in shown(operator)
    assert ("ほど増えます" in shown(operator)) == operator.has_perm("inventory.view_cost")


def test_a_place_has_to_be_chosen_before_one_can_split_by_it(client_of, aoi):
    order = ready(make_shop(), skus=[make_sku(stock_units=9)])
    made = bulk.draft("split", [order.pk], by=aoi)
    page = client_of(aoi).get(reverse("orders:bulk", args=[made.key]), {"way": "location", "payer": "shop"})
    assert "拠点を選んでください。" in page.content.decode()
    client_of(aoi).post(reverse("orders:bulk-run", args=[made.key]), {"way": "location", "payer": "shop"})
    made.refresh_from_db()
    assert made.state == BulkRun.State.DRAFT


@pytest.mark.parametrize("way", ["stock", "release", "arrival", "temperature", "location"])
def test_the_preview_costs_the_same_for_any_number_of_orders(django_assert_max_num_queries, aoi, way):
    tea, fish, cake = (
        make_sku("TEA", stock_units=40),
        make_sku("FISH", stock_units=40, temperature="frozen"),
        make_sku("CAKE"),
    )
    vase = make_sku("VASE", release_date=clock.today() + timedelta(days=20), preorder_limit=40)
    lines = ("TEA", "FISH", "CAKE", "VASE")
    orders = [ready(make_shop(), *map(make_line, lines), skus=[tea, fish, cake, vase]) for _ in range(6)]
    wished = params(way, location=make_location().pk, payer="buyer")
    few, many = bulk.draft("split", [orders[0].pk], by=aoi), bulk.draft("split", [o.pk for o in orders], by=aoi)
    for made in (few, many):
        with django_assert_max_num_queries(22):
            bulk.preview(made, wished)


# ---- pure


def test_what_a_split_costs_is_the_parcels_less_the_one_they_were():
    look = Look([Group(1, {1: 1}, [{2: 2}, {3: 1}])])
    assert extra_cost(look, lambda _line: 1, lambda size: 300 + 100 * size) == 600
    assert extra_cost(look, lambda _line: 1, lambda size: None if size > 3 else 500) is None
    assert look.further == 2


def test_a_place_serves_whole_bonds_and_never_the_whole_parcel():
    needs = {1: {10: 2}, 2: {11: 1}, 3: {12: 1}}
    free = {10: 2, 11: 0, 12: 1}
    assert fits_at([[1], [2, 3]], needs, free) == {1} and free == {10: 0, 11: 0, 12: 1}
    assert fits_at([[3]], needs, free) == set() and free[12] == 1
