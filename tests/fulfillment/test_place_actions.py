"""出荷元を変える and 引当をやり直す on the desk: places are given back, promises stay, the allocator does the rest."""

import pytest

from fulfillment.models import Shipment
from fulfillment.place_actions import plan_anew, plan_location
from fulfillment.services import merge, relocate, split
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as parcel_violations
from fulfillment.services.instruct import instruct_orders
from inventory.services import stock
from inventory.services.audit import violations as stock_violations
from orders.models import BulkRun, Order, OrderEvent, OrderLine
from orders.models.order import Stage
from orders.services import bulk, bulk_undo
from orders.services.audit import violations as order_violations
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_line, make_location, make_shop, make_sku

pytestmark = pytest.mark.django_db
BULK = "/orders/bulk/"


@pytest.fixture
def osaka():
    return make_location("W2", name="大阪倉庫", priority=200)


@pytest.fixture
def chair(osaka):
    sku = make_sku(stock_units=5)
    stock.receive([stock.Fact(sku.pk, osaka.pk, 3, "osaka")])
    return sku


@pytest.fixture
def shop():
    return make_shop(capabilities={"confirm": True, "cancel": True, "partial_shipment": True})


@pytest.fixture
def one(shop, chair):
    return ready(shop, skus=[chair])


@pytest.fixture
def lookers(ben, chie):
    return ben, chie


def run(code: str, by, *orders: Order, **params) -> BulkRun:
    draft = bulk.draft(code, [order.pk for order in orders], by=by)
    bulk.start(draft, params)
    return BulkRun.objects.get(pk=draft.pk)


def places(*orders: Order) -> list[str]:
    return [Order.objects.get(pk=order.pk).location_label for order in orders]


def all_is_well() -> bool:
    return not [*parcel_violations(), *stock_violations(), *order_violations()]


def test_orders_leave_from_the_place_one_chose_and_undoing_brings_them_back(aoi, shop, chair, osaka):
    one, two = ready(shop, skus=[chair]), ready(shop, skus=[chair])
    assert places(one, two) == ["東京倉庫", "東京倉庫"]
    moved = run("location", aoi, one, location=osaka.pk)
    assert (Order.objects.get(pk=one.pk).stage, Shipment.objects.count()) == (Stage.AWAITING_STOCK, 1)
    assert OrderLine.objects.get(order=one).reserved, "the goods stay promised meanwhile"
    allocate_waiting()
    assert places(one, two) == ["大阪倉庫", "東京倉庫"] and all_is_well()
    assert Order.objects.get(pk=one.pk).stage == Stage.READY
    event = OrderEvent.objects.get(order=one, kind="edited")
    assert (event.fields, event.by, event.action) == (["preferred_location"], aoi, moved.key.hex)
    assert bulk_undo.start(moved, by=aoi)
    allocate_waiting()
    assert places(one) == ["東京倉庫"] and Order.objects.get(pk=one.pk).preferred_location is None and all_is_well()


def test_the_preview_counts_what_the_chosen_place_could_not_send_whole(shop, chair, osaka):
    orders = [ready(shop, make_line("CHAIR", 2), skus=[chair]) for _ in range(3)]
    ids = [order.pk for order in orders]
    assert places(*orders) == ["東京倉庫", "東京倉庫", "大阪倉庫"]
    plan = plan_location(ids, {"location": osaka.pk})
    assert plan.will == ids and plan.effects[1].startswith("2件は「大阪倉庫」の在庫だけでは足りません。")
    assert len(plan_location(ids[:1], {"location": None}).skipped) == 1, "nothing was wished for before"
    assert len(plan_location(ids[2:], {"location": osaka.pk}).effects) == 1, "it holds its goods there already"


def test_what_was_instructed_cancelled_or_travels_together_stays_with_its_reason(aoi, shop, chair, osaka):
    gone, first, second, free = (ready(shop, skus=[chair]) for _ in range(4))
    instruct_orders([gone.pk], actor=Actor())
    merge.merge_orders([first.pk, second.pk], actor=Actor())
    done = run("location", aoi, gone, first, second, free, location=osaka.pk)
    assert done.done == [free.pk]
    assert "出荷指示のあと" in done.skipped[str(gone.pk)] and "同梱を解除" in done.skipped[str(first.pk)]
    assert relocate.place_anew([gone.pk, first.pk], actor=Actor()) == [] and all_is_well()


def test_allocating_again_follows_the_stock_as_it_is_now(aoi, shop, chair, osaka):
    one = ready(shop, make_line("CHAIR", 4), skus=[chair])
    waits = ready(shop, make_line("CHAIR", 9), skus=[chair])
    osaka.priority = 1
    osaka.save(update_fields=["priority"])
    stock.receive([stock.Fact(chair.pk, osaka.pk, 10, "more")])
    result = run("reallocate", aoi, one, waits)
    assert result.done == [one.pk, waits.pk]
    allocate_waiting()
    assert places(one, waits) == ["大阪倉庫", "大阪倉庫"] and all_is_well()
    assert OrderEvent.objects.filter(kind="places_anew", action=result.key.hex).count() == 2


def test_parcels_that_were_split_become_one_again_and_the_preview_says_so(aoi, shop, chair):
    one = ready(shop, make_line("CHAIR", 3), skus=[chair])
    [shipment], line = Shipment.objects.all(), OrderLine.objects.get()
    split.split_off(shipment.pk, {line.pk: 1}, actor=Actor())
    assert Shipment.objects.count() == 2 and "1つに戻ります" in plan_anew([one.pk], {}).effects[1]
    run("reallocate", aoi, one)
    allocate_waiting()
    assert Shipment.objects.count() == 1 and all_is_well()


def test_an_order_that_waits_for_money_is_told_that_its_time_has_not_come(shop, chair):
    one = ready(shop, skus=[chair])
    Order.objects.filter(pk=one.pk).update(stage=Stage.AWAITING_PAYMENT, allocation_state="none")
    assert plan_anew([one.pk], {}).skipped == {one.pk: "まだ引当の段階ではありません。入金と確認が済むと引き当てます。"}


@pytest.mark.parametrize("code", ["location", "reallocate"])
def test_who_may_only_look_may_not_move_goods(client_of, lookers, aoi, one, code):
    for person in lookers:
        assert client_of(person).post(BULK, {"action": code, "ids": [one.pk]}).status_code == 403
    draft = bulk.draft(code, [one.pk], by=aoi)
    assert client_of(lookers[0]).post(f"{BULK}{draft.key}/run/").status_code in {403, 404}
    assert places(one) == ["東京倉庫"]


def test_the_form_offers_places_that_sell_and_refuses_others(client_of, aoi, shop, chair, osaka):
    shut = make_location("W3", name="休止倉庫", active=False)
    one = ready(shop, skus=[chair])
    client = client_of(aoi)
    preview = client.post(BULK, {"action": "location", "ids": [one.pk]}, follow=True)
    assert "大阪倉庫" in preview.content.decode() and "休止倉庫" not in preview.content.decode()
    key = preview.context["run"].key
    answer = client.post(f"{BULK}{key}/run/", {"location": shut.pk})
    assert answer.status_code == 200 and "field-error" in answer.content.decode()
    done = client.post(f"{BULK}{key}/run/", {"location": osaka.pk}, follow=True)
    assert "1件の出荷元の指定を変えました。" in done.content.decode()
    assert Order.objects.get(pk=one.pk).preferred_location == osaka
