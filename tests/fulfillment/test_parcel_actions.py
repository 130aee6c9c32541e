"""Merging and splitting many orders from the desk, and taking it back exactly."""

import pytest

from fulfillment.models import Merge, Shipment
from fulfillment.services import split
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.printing import record_printed
from orders.models import Order
from orders.services import bulk, bulk_undo
from orders.services.journal import Actor
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
    back(made, aoi)
    assert made.undone == [one.pk] and Merge.objects.filter(undone_at=None).count() == 1, "and together again by undo"


def test_an_instruction_is_taken_back_where_nobody_has_begun_and_asked_for_elsewhere(aoi):
    shop, chair = make_shop(capabilities={"confirm": True}), make_sku(stock_units=9)
    one, begun = (ready(shop, skus=[chair]) for _ in range(2))
    made = run("instruct", [one, begun], aoi)
    record_printed([begun.recipients.get().shipment_set.get().pk], "pick_printed", by=None)
    back(made, aoi)
    assert made.undone == [one.pk] and "停止を依頼しました" in made.undo_skipped[str(begun.pk)]
    allocate_waiting()
    assert Order.objects.get(pk=one.pk).stage == "ready" and Order.objects.get(pk=one.pk).held_at is None
    assert Shipment.objects.get(recipient__order=begun).state == "stop_requested"


def test_parcels_with_numbers_leave_and_come_back_while_nobody_was_told(aoi):
    shop, chair = make_shop(capabilities={}), make_sku(stock_units=9)
    numbered, bare, waiting = (ready(shop, skus=[chair]) for _ in range(3))
    run("instruct", [numbered, bare], aoi)
    Shipment.objects.filter(recipient__order=numbered).update(tracking_no="471203984414")
    made = run("ship", [numbered, bare, waiting], aoi)
    assert made.done == [numbered.pk] and Order.objects.get(pk=numbered.pk).stage == "shipped"
    assert made.skipped[str(bare.pk)] == "送り状番号がありません。"
    assert made.skipped[str(waiting.pk)] == "出荷作業中の荷物がありません。"
    assert made.offers[0]["ids"] == [Shipment.objects.get(recipient__order=bare).pk]
    back(made, aoi)
    assert made.undone == [numbered.pk] and Order.objects.get(pk=numbered.pk).stage == "in_fulfillment"
    Shipment.objects.filter(recipient__order=bare).update(tracking_no="471203984415")
    doubtful = run("ship", [bare], aoi)
    assert doubtful.done == [] and "検査数字" in doubtful.skipped[str(bare.pk)]


def test_what_was_split_is_put_in_one_parcel_again(aoi):
    shop = make_shop()
    tea, fish = make_sku("TEA", stock_units=9), make_sku("FISH", stock_units=9, temperature="frozen")
    mixed = ready(shop, make_line("TEA"), make_line("FISH"), skus=[tea, fish])
    plain = ready(shop, make_line("TEA"), skus=[tea])
    split.split_by_temperature([mixed.pk], actor=Actor())
    assert run("join", [mixed, plain], aoi).done == [mixed.pk]
    assert Shipment.objects.filter(recipient__order=mixed, state="planned").count() == 1
