"""Merging and splitting many orders from the desk, and taking it back exactly."""

import pytest

from fulfillment.models import Merge, Shipment
from orders.models import Order
from orders.services import bulk, bulk_undo
from tests.fulfillment.merge_builders import ready, snapshot
from tests.orders.builders import make_line, make_shop, make_sku

pytestmark = pytest.mark.django_db


def run(code: str, orders, by):
    made = bulk.draft(code, [order.pk for order in orders], by=by)
    bulk.start(made, {})
    made.refresh_from_db()
    return made


def back(made, by):
    assert bulk_undo.start(made, by=by)
    made.refresh_from_db()


def test_orders_to_one_recipient_are_merged_and_come_apart_by_undo(aoi):
    shop, chair = make_shop(merge_policy="ask"), make_sku(stock_units=9)
    one, two, three = (ready(shop, skus=[chair]) for _ in range(3))
    before = snapshot()
    made = run("merge", [two, one, three], aoi)
    assert sorted(made.done) == sorted([one.pk, two.pk, three.pk]) and not made.skipped
    merge = Merge.objects.get()
    assert merge.orders.order_by("pk").first().order_id == two.pk, "the first of the selection leads"
    assert Shipment.objects.filter(state="planned").count() == 1
    back(made, aoi)
    after = snapshot()
    assert {name: after[name] for name in ("order", "line", "shipment", "shipment line", "balance")} == {
        name: before[name] for name in ("order", "line", "shipment", "shipment line", "balance")
    }


def test_who_has_nobody_to_travel_with_is_left_out_in_words(aoi):
    shop, chair = make_shop(merge_policy="ask"), make_sku(stock_units=9)
    one, two = (ready(shop, skus=[chair]) for _ in range(2))
    Order.objects.filter(pk=two.pk).update(carrier="sagawa", version=two.version + 1)
    plan = bulk.preview(bulk.draft("merge", [one.pk, two.pk], by=aoi), {})
    assert plan.will == [] and "配送方法が異なります" in plan.skipped[two.pk]
    made = run("merge", [one, two], aoi)
    assert made.done == [] and not Merge.objects.exists()


def test_merged_orders_come_apart_by_the_action_too(aoi):
    shop, chair = make_shop(merge_policy="ask"), make_sku(stock_units=9)
    one, two = (ready(shop, skus=[chair]) for _ in range(2))
    run("merge", [one, two], aoi)
    made = run("unmerge", [one], aoi)
    assert made.done == [one.pk] and Merge.objects.get().undone_at
    assert list(run("unmerge", [one], aoi).skipped.values()) == ["同梱されていません。"]


def test_each_temperature_gets_its_parcel_and_undo_makes_one_of_them(aoi):
    shop = make_shop()
    tea, fish = make_sku("TEA", stock_units=9), make_sku("FISH", stock_units=9, temperature="frozen")
    mixed = ready(shop, make_line("TEA"), make_line("FISH"), skus=[tea, fish])
    plain = ready(shop, make_line("TEA"), skus=[tea])
    made = run("split_temperature", [mixed, plain], aoi)
    assert made.done == [mixed.pk] and list(made.skipped.values()) == ["温度帯は1つだけです。"]
    assert Shipment.objects.filter(recipient__order=mixed, state="planned").count() == 2
    back(made, aoi)
    assert made.undone == [mixed.pk]
    assert Shipment.objects.filter(recipient__order=mixed, state="planned").count() == 1
    run("split_temperature", [mixed], aoi)
    assert run("join", [mixed, plain], aoi).done == [mixed.pk]
    assert Shipment.objects.filter(recipient__order=mixed, state="planned").count() == 1
