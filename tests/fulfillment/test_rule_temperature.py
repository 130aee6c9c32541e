"""A rule says how cold a parcel travels: when it is planned, again when it is planned anew, and no longer."""

import pytest

from fulfillment.documents import handover_lists
from fulfillment.models import Shipment, ShipmentEvent
from fulfillment.queries.shipments import shipment_rows
from fulfillment.services.instruct import instruct_orders
from inventory.models import Sku
from orders.decide.rules.document import check
from orders.models import Order, RuleMark
from orders.services.journal import Actor
from orders.services.rules import active, sweep
from orders.services.rules import run as rules
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_line, make_shop, make_sku
from tests.orders.rules.builders import change_rule, cond, do, document, make_rule

pytestmark = pytest.mark.django_db
CHILLED = do("set_temperature", temperature="chilled", of="ambient")


@pytest.fixture
def goods():
    return [make_sku("TEA", stock_units=20), make_sku("CAKE", stock_units=20, temperature="frozen")]


def cold(order: Order) -> list[str]:
    parcels = Shipment.objects.filter(recipient__order=order, state__in=["planned", "instructed"])
    return sorted(parcels.values_list("temperature", flat=True))


def test_ambient_goods_travel_chilled_and_the_papers_say_so(goods):
    make_rule("夏のお茶", cond("temperatures", "contains_any", ["ambient"]), then=CHILLED)
    order = ready(make_shop(), make_line("TEA"), skus=goods)
    assert "できたときに変えます" in str(order.rule_trace.rows)
    sweep.consume_wakes()
    assert cold(order) == ["chilled"] and RuleMark.objects.get().state == "applied"
    shipment = Shipment.objects.get()
    [row] = shipment_rows([shipment], personal=True)
    assert row.temperatures == ["冷蔵"] and shipment.way == "ヤマト運輸（冷蔵）"
    assert [one.carrier for one in handover_lists([shipment.pk], by="")] == ["ヤマト運輸（冷蔵）"]
    rules.run([order.pk], {}, every=True)
    assert ShipmentEvent.objects.filter(kind="temperature").count() == 1, "told once"


def test_only_the_parcel_of_such_goods_changes_and_a_parcel_split_off_is_told_too(goods):
    make_rule("分割", then=do("split_temperature"), priority=10)
    make_rule("夏のお茶", then=CHILLED, priority=20)
    order = ready(make_shop(), make_line("TEA"), make_line("CAKE"), skus=goods)
    sweep.consume_wakes()
    assert cold(order) == ["", "chilled"]


def test_it_is_taken_back_until_the_instruction_and_stays_after_it(goods):
    rule = make_rule("夏", cond("total", "ge", 1), then=CHILLED)
    first, second = (ready(make_shop(), make_line("TEA"), skus=goods) for _n in range(2))
    sweep.consume_wakes()
    instruct_orders([second.pk], actor=Actor())
    change_rule(rule, cond("total", "ge", 10**6), then=CHILLED)
    rules.run([first.pk, second.pk], {}, every=True)
    assert (cold(first), cold(second)) == ([""], ["chilled"])
    states = dict(RuleMark.objects.values_list("order", "state"))
    assert states == {first.pk: "taken_back", second.pk: "kept"}


def test_of_two_rules_the_first_says_how_cold(goods):
    make_rule("一", then=CHILLED, priority=10)
    make_rule("二", then=do("set_temperature", temperature="frozen", of="ambient"), priority=20)
    order = ready(make_shop(), make_line("TEA"), skus=goods)
    sweep.consume_wakes()
    assert cold(order) == ["chilled"] and "overruled" in str(Order.objects.get(pk=order.pk).rule_trace.rows)


def test_a_temperature_that_is_none_is_refused():
    found = check(document(then=do("set_temperature", temperature="hot", of="")), active.known())
    assert "「hot」は見つかりません" in found.faults[0][1]


def test_goods_with_a_tag_go_in_a_parcel_of_their_own_and_back(goods):
    tea, cake = goods
    Sku.objects.filter(pk=cake.pk).update(tags=["割れ物"])
    action = do("split_tag", tag="割れ物")
    rule = make_rule("割れ物", cond("total", "ge", 1), then=action)
    order = ready(make_shop(), make_line("TEA", 2), make_line("CAKE"), skus=goods)
    alone = ready(make_shop(), make_line("CAKE"), skus=goods)
    sweep.consume_wakes()
    assert (len(cold(order)), len(cold(alone))) == (2, 1)
    own = Shipment.objects.get(lines__sku=cake, recipient__order=order)
    assert not own.lines.filter(sku=tea).exists() and "分けるものがありません" in str(alone.rule_trace.rows)
    change_rule(rule, cond("total", "ge", 10**6), then=action)
    rules.run([order.pk], {}, every=True)
    assert len(cold(order)) == 1 and RuleMark.objects.get().state == "taken_back"
