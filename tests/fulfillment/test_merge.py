"""同梱: orders to one recipient travel together, are told one by one, and come apart exactly as they were."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulfillment.models import Merge, MergedOrder, MergeKey, Shipment, ShipmentLine
from fulfillment.queries import merging
from fulfillment.services import merge, merge_keys, merge_sweep
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as parcel_violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import BundleComponent
from inventory.services.audit import violations as stock_violations
from oms.kernel.models import Effect
from oms.kernel.services.outbox import deliver_due
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.models import Mail, MailTemplate, Order, OrderTask, SetApart
from orders.services import hold, put_together, take_apart
from orders.services.audit import violations as order_violations
from orders.services.cancel import Ask, cancel_orders, cancel_pieces
from orders.services.journal import Actor
from orders.services.mail_texts import ensure_standard_templates
from tests.fulfillment.merge_builders import ready, snapshot
from tests.orders.builders import TOKYO_PARTY, make_line, make_location, make_shop, make_sku

pytestmark = pytest.mark.django_db
ACTOR = Actor()
CAN = {"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True}


@pytest.fixture
def shop():
    return make_shop(capabilities=CAN)


@pytest.fixture
def chair():
    return make_sku(stock_units=50)


def all_is_well() -> bool:
    return not [*parcel_violations(), *stock_violations(), *order_violations()]


def test_story_09_merging_two_orders_and_undoing_it_leaves_everything_as_it_was(shop, chair):
    shop.merge_refunds_shipping = True
    shop.save(update_fields=["merge_refunds_shipping"])
    one, two = ready(shop, skus=[chair]), ready(shop, make_line("CHAIR", 3), skus=[chair])
    before = snapshot()
    merged = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    two.refresh_from_db()
    assert (two.shipping_fee, two.total) == (0, 3000) and Shipment.objects.count() == 1
    assert "¥500 を返金する" in OrderTask.objects.get().text and all_is_well()
    assert merge.undo(merged.pk, actor=ACTOR) and not merge.undo(merged.pk, actor=ACTOR)
    assert snapshot() == before and all_is_well()
    again = merge.merge_orders([two.pk, one.pk], actor=ACTOR)
    merge.undo(again.pk, actor=ACTOR)
    assert snapshot() == before


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    orders=st.lists(
        st.tuples(
            st.lists(st.tuples(st.sampled_from(["CHAIR", "DESK"]), st.integers(1, 4)), min_size=1, max_size=3),
            st.integers(0, 1500),
        ),
        min_size=2,
        max_size=4,
    ),
    refunds=st.booleans(),
)
def test_undoing_restores_any_orders_whatever_they_carry(shop, orders, refunds):
    shop.merge_refunds_shipping = refunds
    shop.save(update_fields=["merge_refunds_shipping"])
    skus = [make_sku("CHAIR", stock_units=80), make_sku("DESK", stock_units=80)]
    found = [ready(shop, *(make_line(code, n) for code, n in lines), skus=skus, shipping=fee) for lines, fee in orders]
    before = snapshot()
    merged = merge.merge_orders([order.pk for order in found], actor=ACTOR)
    assert ShipmentLine.objects.filter(order_line__order__in=found).values("shipment").distinct().count() == 1
    assert not parcel_violations() and not stock_violations()
    merge.undo(merged.pk, actor=ACTOR)
    assert snapshot() == before


def test_a_merged_parcel_leaves_once_and_each_order_is_told_once(shop, chair):
    one, two = ready(shop, skus=[chair]), ready(shop, skus=[chair])
    merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    instructed = instruct_orders([two.pk], actor=ACTOR)
    assert instructed.orders == [one.pk, two.pk] and len(instructed.shipments) == 1
    confirm_shipments([Departure(instructed.shipments[0], "yamato", "471203984412")], actor=ACTOR)
    assert (
        list(Order.objects.order_by("pk").values_list("stage", "tracking_label")) == [("shipped", "471203984412")] * 2
    )
    told = Effect.objects.filter(kind="channel_ship").values_list("payload", flat=True)
    assert sorted(payload["order"] for payload in told) == [one.pk, two.pk]
    assert Mail.objects.filter(event="shipped").count() == 2 and all_is_well()


def test_the_parcel_waits_until_every_order_in_it_is_ready(shop, chair):
    one, two = ready(shop, skus=[chair]), ready(shop, skus=[chair])
    merged = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    hold.hold_orders([one.pk], reason="確認中", actor=ACTOR)
    result = instruct_orders([two.pk], actor=ACTOR)
    assert not result.shipments and "同梱した受注" in result.skipped[two.pk]
    merge_sweep.sweep()  # the held order must not keep the other one
    merged.refresh_from_db()
    assert merged.undone_at and instruct_orders([two.pk], actor=ACTOR).orders == [two.pk]


def test_an_instructed_parcel_does_not_come_apart(shop, chair):
    one, two = ready(shop, skus=[chair]), ready(shop, skus=[chair])
    merged = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    instruct_orders([one.pk], actor=ACTOR)
    with pytest.raises(merge.CannotMerge, match="出荷指示を出したあと"):
        merge.undo(merged.pk, actor=ACTOR)


def test_a_cancelled_order_leaves_the_other_its_own_parcel(shop, chair):
    one, two = ready(shop, skus=[chair]), ready(shop, skus=[chair])
    merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    cancel_orders([one.pk], reason="顧客都合", actor=ACTOR)
    deliver_due()
    parcel = Shipment.objects.get()
    assert parcel.recipient.order_id == two.pk and not MergedOrder.objects.filter(active=True).exists()
    assert instruct_orders([two.pk], actor=ACTOR).orders == [two.pk] and all_is_well()


def test_a_merge_whose_order_moves_to_another_address_comes_apart_by_itself(shop, chair):
    one, two = ready(shop, skus=[chair]), ready(shop, skus=[chair])
    merged = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    two.recipients.update(address="三軒茶屋9-9-9")
    assert "届け先が変わりました" in instruct_orders([two.pk], actor=ACTOR).skipped[two.pk]
    merge_sweep.sweep()
    merged.refresh_from_db()
    assert merged.undone_at and Shipment.objects.count() == 2


def test_the_sweep_merges_what_is_spelled_differently_and_nothing_that_goes_elsewhere(shop, chair):
    spelled = replace(TOKYO_PARTY, name="佐藤　恵", address="三軒茶屋２丁目１４番３号 メゾン青葉４０２")
    other = replace(TOKYO_PARTY, name="鈴木 一")
    one = ready(shop, skus=[chair])
    two = ready(shop, skus=[chair], recipients=(spelled,))
    ready(shop, skus=[chair], recipients=(other,))
    assert merge_sweep.sweep() == 1 and merge_sweep.sweep() == 0
    assert set(MergedOrder.objects.values_list("order", flat=True)) == {one.pk, two.pk}
    assert Merge.objects.get().by is None and Shipment.objects.count() == 2


def test_a_third_order_joins_a_merge_and_leaves_with_it(shop, chair):
    one, two = ready(shop, skus=[chair]), ready(shop, skus=[chair])
    merge_sweep.sweep()
    before = snapshot()
    three = ready(shop, skus=[chair])
    assert merge_sweep.sweep() == 1
    assert Merge.objects.count() == 1 and Shipment.objects.count() == 1
    assert instruct_orders([three.pk], actor=ACTOR).orders == [one.pk, two.pk, three.pk]
    assert before["shipment"][0][0] == Shipment.objects.get().pk


def test_shops_of_one_group_meet_and_each_channel_gets_its_own_notice(chair):
    first = make_shop(capabilities=CAN)
    second = make_shop("yahoo-1", capabilities=CAN, channel="yahoo")
    ready(first, skus=[chair]), ready(second, skus=[chair])
    assert merge_sweep.sweep() == 0
    for shop in (first, second):
        shop.merge_group = "みんな"
        shop.save(update_fields=["merge_group"])
    assert merge_sweep.sweep() == 1
    parcel = instruct_orders(list(Order.objects.values_list("pk", flat=True)), actor=ACTOR).shipments[0]
    confirm_shipments([Departure(parcel, "yamato", "471203984412")], actor=ACTOR)
    assert Effect.objects.filter(kind="channel_ship").values("subject").distinct().count() == 2


def test_a_channel_or_shop_that_forbids_merging_is_never_asked(shop, chair):
    shop.capabilities = CAN | {"merge": False}
    shop.save(update_fields=["capabilities"])
    ready(shop, skus=[chair]), ready(shop, skus=[chair])
    assert merge_sweep.sweep() == 0
    shop.capabilities, shop.merge_policy = CAN, "never"
    shop.save(update_fields=["capabilities", "merge_policy"])
    assert merge_sweep.sweep() == 0 and Shipment.objects.count() == 2


@pytest.mark.parametrize(("refunds", "less"), [(True, 830), (False, 330)])
def test_cash_on_delivery_goes_with_cash_and_pays_its_fee_once(shop, chair, refunds, less):
    shop.merge_refunds_shipping = refunds
    shop.save(update_fields=["merge_refunds_shipping"])
    cash = {
        "payment_method": PaymentMethod.COD,
        "payment_state": PaymentState.UNPAID,
        "totals": Totals(goods=1000, shipping=500, fees=330, total=1830),
    }
    ready(shop, skus=[chair])
    one, two = ready(shop, skus=[chair], **cash), ready(shop, skus=[chair], **cash)
    assert merge_sweep.sweep() == 1
    two.refresh_from_db()
    assert set(MergedOrder.objects.values_list("order", flat=True)) == {one.pk, two.pk}
    assert (two.shipping_fee + two.fees, two.total) == (830 - less, 1830 - less)
    assert f"合計を ¥{1830 - less:,} に下げる" in OrderTask.objects.get().text, "the mall's total binds"


def test_a_shop_that_wants_to_be_asked_is_asked_and_the_answer_is_remembered(shop, chair, aoi):
    shop.merge_policy = "ask"
    shop.save(update_fields=["merge_policy"])
    one, two = ready(shop, skus=[chair]), ready(shop, skus=[chair])
    merge_sweep.sweep()
    assert set(Order.objects.values_list("stage", flat=True)) == {"review"}
    merge.keep_apart(one.pk, two.pk, actor=Actor(aoi))
    merge_sweep.sweep(), merge_sweep.sweep()
    assert set(Order.objects.values_list("stage", flat=True)) == {"ready"} and not Merge.objects.exists()


def test_asking_does_not_hold_orders_longer_than_the_set_time(shop, chair, monkeypatch):
    shop.merge_policy, shop.merge_until_min = "ask", 0
    shop.save(update_fields=["merge_policy", "merge_until_min"])
    ready(shop, skus=[chair]), ready(shop, skus=[chair])
    merge_sweep.sweep(), merge_sweep.sweep()
    assert set(Order.objects.values_list("stage", flat=True)) == {"ready"}


def test_an_order_that_waits_for_another_day_is_no_candidate(shop, chair):
    ready(shop, skus=[chair])
    ready(shop, skus=[chair], wish_date=date(2027, 1, 20))
    assert merge_sweep.sweep() == 0


def test_two_people_merging_at_the_same_moment_make_one_merge(transactional_db, race):
    shop, chair = make_shop(capabilities=CAN), make_sku(stock_units=5)
    one, two = ready(shop, skus=[chair]), ready(shop, skus=[chair])
    ids = [[one.pk, two.pk], [two.pk, one.pk]]
    outcomes = race(4, lambda number: merge.merge_orders(ids[number % 2], actor=ACTOR).pk)
    assert len(set(outcomes)) == 1 and Merge.objects.count() == 1
    assert Shipment.objects.count() == 1 and all_is_well()


def test_goods_from_another_place_are_no_candidate(shop):
    east, west = make_location("W1", priority=1), make_location("W2", name="大阪倉庫", priority=2)
    chair, desk = make_sku("CHAIR", stock_units=5, location=east), make_sku("DESK", stock_units=5, location=west)
    ready(shop, make_line("CHAIR"), skus=[chair, desk]), ready(shop, make_line("DESK"), skus=[chair, desk])
    allocate_waiting()
    assert merge_sweep.sweep() == 0


def test_the_buyer_is_told_of_a_merge_where_the_shop_wants_it_and_not_of_one_that_came_apart(shop, chair, settings):
    settings.MAIL_DELAY_S = 60
    one, two = ready(shop, skus=[chair]), ready(shop, skus=[chair])
    silent = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    assert not Mail.objects.filter(event="merge_notice").exists(), "off until somebody switches it on"
    merge.undo(silent.pk, actor=ACTOR)
    ensure_standard_templates()
    MailTemplate.objects.filter(event="merge_notice").update(active=True)
    standing = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    three = ready(shop, skus=[chair])
    merge.merge_orders([one.pk, three.pk], actor=ACTOR)
    small, large = Mail.objects.filter(event="merge_notice").order_by("pk")
    assert (small.state, large.state, large.order) == ("suppressed", "scheduled", one)
    assert all(order.channel_order_no in large.extra["mail.message"] for order in (one, two, three))
    merge.undo(standing.pk, actor=ACTOR)
    large.refresh_from_db()
    assert large.state == "suppressed" and all_is_well()


def test_asking_the_customer_writes_the_question_out(shop, chair, aoi):
    one, two = ready(shop, skus=[chair]), ready(shop, skus=[chair])
    merge.ask_customer(two.pk, one.pk, actor=Actor(by=aoi))
    question = Mail.objects.get(event="inquiry").extra["mail.message"]
    assert one.channel_order_no in question and two.channel_order_no in question


def test_two_buyers_who_send_to_one_person_read_nothing_of_each_others_orders(shop, chair, settings):
    settings.MAIL_DELAY_S = 60
    ensure_standard_templates()
    MailTemplate.objects.filter(event="merge_notice").update(active=True)
    aunt = replace(TOKYO_PARTY, name="田中 花", kana="タナカ ハナ", email="hana@example.com", phone="03-1111-2222")
    own, aunts = ready(shop, skus=[chair]), ready(shop, skus=[chair], buyer=aunt)
    with pytest.raises(merge.CannotMerge) as refused:
        merge.ask_customer(own.pk, aunts.pk, actor=ACTOR)
    assert "注文者が異なる" in refused.value.cause and not Mail.objects.filter(event="inquiry").exists()
    merge.merge_orders([own.pk, aunts.pk], actor=ACTOR)
    assert not Mail.objects.filter(event="merge_notice").exists()
    more = ready(shop, skus=[chair])
    merge.merge_orders([own.pk, more.pk], actor=ACTOR)
    told = Mail.objects.get(event="merge_notice").extra["mail.message"]
    assert own.channel_order_no in told and more.channel_order_no in told and aunts.channel_order_no not in told


def test_orders_whose_address_the_mall_still_withholds_meet_nobody(shop, chair):
    empty = replace(TOKYO_PARTY, name="", postal_code="", prefecture="", city="", address="", phone="")
    for _each in range(2):
        ready(shop, make_line("CHAIR"), skus=[chair], buyer=empty, recipients=(empty,))
    merge_sweep.sweep()
    assert set(MergeKey.objects.values_list("key", flat=True)) == {""}
    met = [merging.meeting_with(pk) for pk in Order.objects.values_list("pk", flat=True)]
    assert merging.meeting() == [] and met == [[], []]
    merge_keys.sweep()  # ends: a known emptiness is not asked again


def test_goods_that_are_placed_anew_stay_in_the_merged_parcel(shop):
    """A set that is taken apart, and one that is a set again, and a line that got shorter."""
    chair, tea = make_sku(stock_units=20), make_sku("TEASET", is_bundle=True, ships_apart=True)
    for code, count in (("CUP", 2), ("POT", 1)):
        BundleComponent.objects.create(bundle=tea, component=make_sku(code, stock_units=9), quantity=count)
    one = ready(shop, skus=[chair])
    two = ready(shop, make_line("TEASET"), make_line("CHAIR", 2), skus=[tea, chair])
    before = snapshot()
    done = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    shared = ShipmentLine.objects.filter(shipment=done.shipment_id)
    [line] = two.lines.filter(sku=tea)
    take_apart.take_apart(two.pk, {line.pk: 1}, actor=ACTOR)
    allocate_waiting()
    assert Shipment.objects.count() == 1 and shared.filter(order_line__set_line=line).count() == 2
    put_together.put_together(SetApart.objects.get().pk, actor=ACTOR)
    assert Shipment.objects.count() == 1 and shared.filter(order_line=line).count() == 2
    merge.undo(done.pk, actor=ACTOR)
    after = snapshot()
    assert after["shipment"] == before["shipment"] and after["shipment line"] == before["shipment line"]
    again = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    cancel_pieces(two.pk, {two.lines.get(sku=chair).pk: 1}, ask=Ask(reason="customer", key="k"), actor=ACTOR)
    allocate_waiting()
    [parcel] = Shipment.objects.all()
    assert parcel.pk == again.shipment_id and parcel.lines.filter(order_line__order=two).count() == 3
    assert all_is_well()
