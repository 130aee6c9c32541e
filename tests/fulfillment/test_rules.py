"""What fulfilment offers rules: splitting, merging without asking, and what they ask about places and neighbours."""

from datetime import timedelta

import pytest
from django.db.models import Sum

from fulfillment.models import Merge, Shipment
from fulfillment.services import merge_sweep, split
from fulfillment.services.audit import violations as parcel_violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.services.audit import violations as stock_violations
from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState
from orders.models import Order, OrderEvent, OrderTask, RuleMark
from orders.services import returns
from orders.services.audit import violations as order_violations
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.rules import dry, ready_made, sweep
from orders.services.rules import run as rules
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import ORDERED_AT, make_channel_order, make_line, make_location, make_shop, make_sku, mapped
from tests.orders.rules.builders import change_rule, cond, do, make_rule

pytestmark = pytest.mark.django_db
ACTOR = Actor()


def install(code: str, **words: str):
    """A ready-made rule, in force."""
    from orders.services.rules import publish  # noqa: PLC0415

    version = ready_made.install(code, by=None, own=ready_made.Chosen(**words))
    return publish.publish(version.pk, by=None)


def all_is_well() -> bool:
    return not [*parcel_violations(), *stock_violations(), *order_violations()]


def parcels(order: Order) -> int:
    return Shipment.objects.filter(recipient__order=order, state="planned").count()


# ---- splitting


@pytest.fixture
def cold():
    return [make_sku("TEA", stock_units=20), make_sku("CAKE", stock_units=20, temperature="frozen")]


def test_frozen_and_ambient_goods_are_split_when_their_parcel_is_planned(cold):
    install("split-cold")
    order = ready(make_shop(), make_line("TEA"), make_line("CAKE"), skus=cold)
    fee = order.shipping_fee
    assert parcels(order) == 1, "the rule waits for the worker"
    sweep.consume_wakes()
    order.refresh_from_db()
    assert (parcels(order), order.shipping_fee, order.stage) == (2, fee, "ready") and all_is_well()
    assert OrderEvent.objects.filter(order=order, kind="rule", text__contains="温度帯ごとに分ける").count() == 1
    rules.run([order.pk], {}, every=True)
    assert parcels(order) == 2 and OrderEvent.objects.filter(order=order, kind="rule").count() == 1


def test_a_rule_that_asks_at_the_import_splits_as_soon_as_there_is_a_parcel(cold):
    make_rule("分割", then=do("split_temperature"))
    order = ready(make_shop(), make_line("TEA"), make_line("CAKE"), skus=cold)
    assert "できたときに分けます" in str(order.rule_trace.rows)
    sweep.consume_wakes()
    assert parcels(order) == 2


def test_goods_of_one_temperature_are_left_together_and_the_trace_says_why(cold):
    make_rule("分割", then=do("split_temperature"))
    order = ready(make_shop(), make_line("TEA"), skus=cold)
    sweep.consume_wakes()
    assert parcels(order) == 1 and not RuleMark.objects.exists()
    order = Order.objects.get(pk=order.pk)
    assert "温度帯が一つ" in str(order.rule_trace.rows)


def test_a_split_is_taken_back_when_the_rule_no_longer_holds(cold):
    rule = make_rule("分割", cond("total", "ge", 1), then=do("split_temperature"))
    order = ready(make_shop(), make_line("TEA"), make_line("CAKE"), skus=cold)
    sweep.consume_wakes()
    change_rule(rule, cond("total", "ge", 10**6), then=do("split_temperature"))
    rules.run([order.pk], {}, every=True)
    assert parcels(order) == 1 and RuleMark.objects.get().state == "taken_back" and all_is_well()


def test_what_somebody_divided_further_stays_when_the_rule_lets_go(cold):
    rule = make_rule("分割", cond("total", "ge", 1), then=do("split_temperature"))
    order = ready(make_shop(), make_line("TEA", 2), make_line("CAKE"), skus=cold)
    sweep.consume_wakes()
    tea = order.lines.get(channel_sku="TEA")
    first = Shipment.objects.filter(lines__order_line=tea).get()
    split.split_off(first.pk, {tea.pk: 1}, actor=ACTOR)
    change_rule(rule, cond("total", "ge", 10**6), then=do("split_temperature"))
    rules.run([order.pk], {}, every=True)
    assert parcels(order) == 3 and RuleMark.objects.get().state == "kept"


def test_what_a_person_put_together_is_not_split_again(cold, aoi):
    make_rule("分割", then=do("split_temperature"))
    order = ready(make_shop(), make_line("TEA"), make_line("CAKE"), skus=cold)
    sweep.consume_wakes()
    split.join(order.pk, actor=Actor(by=aoi))
    rules.run([order.pk], {}, every=True)
    assert parcels(order) == 1 and "人が荷物を一つに戻した" in str(Order.objects.get().rule_trace.rows)


@pytest.mark.parametrize(("action", "boxes"), [
    (do("split_line"), [2, 3]), (do("split_pieces", most=2), [1, 2, 2]), (do("split_pieces", most=5), [5]),
])  # fmt: skip
def test_parcels_are_split_by_line_and_by_pieces_and_put_together_again(cold, action, boxes):
    rule = make_rule("分割", cond("total", "ge", 1), then=action)
    order = ready(make_shop(), make_line("TEA", 3), make_line("CAKE", 2), skus=cold)
    sweep.consume_wakes()
    held = Shipment.objects.annotate(n=Sum("lines__line_quantity")).values_list("n", flat=True)
    assert sorted(held) == boxes and all_is_well()
    change_rule(rule, cond("total", "ge", 10**6), then=action)
    rules.run([order.pk], {}, every=True)
    assert parcels(order) == 1 and all_is_well()


def test_what_has_stock_is_sent_first_and_waits_again_when_the_rule_no_longer_holds(cold):
    rule = make_rule("先に", cond("total", "ge", 1), then=do("split_waiting"))
    order = ready(make_shop(), make_line("TEA"), make_line("NONE"), skus=[cold[0], make_sku("NONE")])
    assert order.stage == "awaiting_stock"
    sweep.consume_wakes()
    order.refresh_from_db()
    assert order.stage == "ready" and order.lines.get(apart=True).channel_sku == "NONE" and all_is_well()
    change_rule(rule, cond("total", "ge", 10**6), then=do("split_waiting"))
    rules.run([order.pk], {}, every=True)
    order.refresh_from_db()
    assert order.stage == "awaiting_stock" and not order.lines.filter(apart=True).exists() and all_is_well()


def test_goods_before_their_release_follow_while_goods_without_stock_hold_the_order(cold):
    make_rule("予約", then=do("split_release"))
    coming = make_sku("NEW", release_date=clock.today() + timedelta(days=20), preorder_limit=5)
    here = ready(make_shop(), make_line("TEA"), make_line("NEW"), skus=[cold[0], coming])
    short = ready(make_shop("s2"), make_line("TEA"), make_line("NONE"), skus=[cold[0], make_sku("NONE")])
    sweep.consume_wakes()
    assert list(Order.objects.order_by("pk").values_list("stage", flat=True)) == ["ready", "awaiting_stock"]
    assert here.lines.get(apart=True).channel_sku == "NEW" and not short.lines.filter(apart=True).exists()


# ---- merging


def two(*, apart_h: int = 1, **fields) -> tuple[Order, Order]:
    """Two orders to one recipient, in a shop that wants to be asked."""
    shop, chair = make_shop(merge_policy="ask"), make_sku(stock_units=50)
    one = ready(shop, skus=[chair], ordered_at=ORDERED_AT)
    merge_sweep.sweep()
    other = ready(shop, skus=[chair], ordered_at=ORDERED_AT + timedelta(hours=apart_h), **fields)
    return one, other


def find_and_merge() -> int:
    merge_sweep.sweep()
    sweep.consume_wakes()
    return merge_sweep.sweep()


def test_two_orders_within_three_hours_are_merged_without_asking():
    install("merge-3h")
    one, other = two()
    find_and_merge()
    assert Merge.objects.filter(undone_at=None).count() == 1 and all_is_well()
    assert not {one.pk, other.pk} & set(
        Order.objects.filter(reasons__code="merge_candidate", reasons__state="open").values_list("pk", flat=True)
    )
    assert find_and_merge() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"apart_h": 5},
        {"payment_method": PaymentMethod.DEFERRED, "payment_state": PaymentState.PAID},
    ],
)
def test_orders_far_apart_or_paid_later_are_put_to_a_person(fields):
    install("merge-3h")
    two(**fields)
    find_and_merge()
    assert not Merge.objects.exists()
    assert Order.objects.filter(reasons__code="merge_candidate", reasons__state="open").count() == 2


def test_a_shop_that_never_merges_is_not_overruled_by_a_rule():
    install("merge-3h")
    shop, chair = make_shop(merge_policy="never"), make_sku(stock_units=50)
    for hours in (0, 1):
        ready(shop, skus=[chair], ordered_at=ORDERED_AT + timedelta(hours=hours))
    find_and_merge()
    assert not Merge.objects.exists()


# ---- places


@pytest.mark.parametrize(("at_store", "at_house", "chosen"), [(11, 2, "S1"), (11, 3, None), (10, 2, None)])
def test_an_order_ships_from_the_near_store_only_where_it_has_plenty_and_the_warehouse_little(
    at_store, at_house, chosen
):
    make_sku(stock_units=at_house)
    chair = make_sku(
        stock_units=at_store, location=make_location("S1", name="世田谷店", kind="store", prefecture="東京都")
    )
    install("nearby-store", location="S1")
    take_in(make_shop(), [make_channel_order()], sku_of=mapped(chair))
    place = Order.objects.get().preferred_location
    assert (place.code if place else None) == chosen


def test_what_a_place_has_of_an_order_is_said_by_its_scarcest_goods_sets_by_their_parts():
    from inventory.models import BundleComponent  # noqa: PLC0415

    place = make_location()
    tea, cup = make_sku("TEA", stock_units=9), make_sku("CUP", stock_units=4)
    bundle = make_sku("SET", is_bundle=True)
    for part in (tea, cup):
        BundleComponent.objects.create(bundle=bundle, component=part, quantity=1)
    rule = make_rule("少ない", cond("least_stock", "between", [4, 4], location=place.code), then=do("flag"))
    take_in(make_shop(), [make_channel_order(make_line("SET"))], sku_of=mapped(bundle))
    assert Order.objects.get().important
    tree, _facts = dry.explain_one(Order.objects.get().pk, rules.active.active().by_id[rule.pk])
    assert tree.result


# ---- what comes back


def shipped() -> Order:
    order = ready(make_shop(), skus=[make_sku(stock_units=50)])
    sent = instruct_orders([order.pk], actor=ACTOR).shipments
    confirm_shipments([Departure(parcel, "yamato", "471203984414") for parcel in sent], actor=ACTOR)
    return Order.objects.get(pk=order.pk)


def test_a_parcel_that_comes_back_gives_the_team_a_task_once():

    order = shipped()
    install("parcel-back")
    line = order.lines.get()
    for _again in range(2):
        returns.open_case(
            order.pk, {line.pk: 1}, reason="refused", key="back", kind="undelivered", actor=ACTOR
        )  # fmt: skip
        sweep.consume_wakes()
    task = OrderTask.objects.get(order=order, text__startswith="荷物が戻りました")
    assert task.team.name == "operator" and task.due_at
    rules.run([order.pk], {}, every=True)
    assert OrderTask.objects.filter(text__startswith="荷物が戻りました").count() == 1


def test_rules_know_what_a_member_sent_back_and_did_not_take():
    first = shipped()
    returns.open_case(
        first.pk, {first.lines.get().pk: 1}, reason="refused", key="back", kind="undelivered", actor=ACTOR
    )  # fmt: skip
    make_rule(
        "戻り",
        cond("member_refusals", "ge", 1),
        cond("member_returns", "ge", 1, days=3650),
        cond("member_return_percent", "is", 100),
        then=do("flag"),
    )
    take_in(make_shop(), [make_channel_order(ordered_at=first.ordered_at + timedelta(days=1))], sku_of={})
    assert Order.objects.latest("pk").important
