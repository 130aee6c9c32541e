"""Other goods in a parcel that came back: the stock is theirs, and what was ordered is out as long as it is."""

import pytest

from inventory.models import BundleComponent
from orders.models import OrderTask, Refund, ReturnCase
from orders.services import exchange, returns
from orders.services.returns import Refused, Settlement
from orders.services.wrong_goods import Instead
from tests.orders.builders import make_line, make_location, make_shop, make_sku
from tests.orders.returns.test_returns import ACTOR, again, all_is_true, on_hand, shipped

pytestmark = pytest.mark.django_db
CAN = {"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True}


@pytest.fixture
def shop():
    return make_shop(capabilities=CAN)


def arrived(order, *, reason) -> ReturnCase:
    wanted = {line.pk: line.quantity for line in order.lines.all()}
    case = returns.open_case(order.pk, wanted, reason=reason, key=reason, actor=ACTOR)
    returns.approve(case.pk, actor=ACTOR)
    return returns.receive(case.pk, {line.pk: line.quantity for line in case.lines.all()}, actor=ACTOR)


def test_goods_that_were_sent_by_mistake_are_stock_of_their_own_and_the_refund_is_the_orders(shop, client_of, aoi):
    chair, desk = make_sku("CHAIR", stock_units=2), make_sku("DESK", stock_units=5)
    case = arrived(shipped(shop, make_line("CHAIR", 2), skus=[chair]), reason="wrong_item")
    client, url = client_of(aoi), f"/orders/returns/{case.pk}/inspect/"
    page = client.get(f"/orders/returns/{case.pk}/").content.decode()
    assert "注文と違う商品が入っていた" in page and '<option value="shop" selected' in page
    typed = {
        "location": make_location().pk, f"grade-{chair.pk}-good": 0, f"instead-{chair.pk}": 2,
        f"came-grade-{chair.pk}": "second", "mixed_up_by": "shop",
    }  # fmt: skip
    wrong = client.post(url, typed | {f"came-{chair.pk}": "TABLE"}).content.decode()
    assert "この SKU・JAN の商品はありません" in wrong and again(case).state == "received"
    client.post(url, typed | {f"came-{chair.pk}": "DESK"})
    assert again(case).state == "inspected"
    assert (on_hand(desk, "second"), on_hand(desk, "warehouse")) == (2, 5)
    assert (on_hand(chair, "warehouse"), on_hand(chair, "inspection")) == (0, 0)
    task = OrderTask.objects.get(key=f"mixed_up:{case.pk}")
    assert "CHAIR と DESK" in task.text and task.team.name == "warehouse"
    assert "CHAIR のかわりに DESK × 2" in client.get(f"/orders/returns/{case.pk}/").content.decode()
    returns.settle(case.pk, Settlement({case.lines.get().line_id: 2}), actor=ACTOR)
    assert Refund.objects.get().goods == 2000
    all_is_true()


def test_what_the_buyer_sent_instead_pays_for_nothing_and_the_ordered_goods_may_still_come(shop):
    chair, desk = make_sku("CHAIR", stock_units=2), make_sku("DESK", stock_units=5)
    order = shipped(shop, make_line("CHAIR", 2), skus=[chair])
    line = order.lines.get()
    case = arrived(order, reason="customer")
    instead = [Instead(chair.pk, desk.pk, 1, "good", by_shop=False)]
    with pytest.raises(Refused, match="合いません"):
        returns.inspect(case.pk, {(chair.pk, "good"): 2}, location_id=make_location().pk, instead=instead, actor=ACTOR)
    returns.inspect(case.pk, {(chair.pk, "good"): 1}, location_id=make_location().pk, instead=instead, actor=ACTOR)
    assert (on_hand(desk, "warehouse"), on_hand(chair, "warehouse"), on_hand(chair, "inspection")) == (6, 1, 0)
    with pytest.raises(Refused, match="到着した数まで"):
        returns.settle(case.pk, Settlement({line.pk: 2}), actor=ACTOR)
    returns.settle(case.pk, Settlement({line.pk: 1}), actor=ACTOR)
    assert Refund.objects.get().goods == 1000 and not OrderTask.objects.filter(key__startswith="mixed_up").exists()
    assert returns.returnable(order.pk) == {line.pk: 1}, "the other chair may come by another case"
    all_is_true()


def test_an_exchange_waits_again_when_something_else_came_and_what_is_not_ours_is_no_stock(shop):
    chair = make_sku("CHAIR", stock_units=2)
    order = shipped(shop, make_line("CHAIR"), skus=[chair])
    case = returns.open_case(order.pk, {order.lines.get().pk: 1}, reason="wrong_size", key="x", actor=ACTOR)
    case = exchange.approve(case.pk, exchange.same_goods(case), ship_first=False, actor=ACTOR)
    returns.receive(case.pk, {case.lines.get().pk: 1}, actor=ACTOR)
    assert again(case).exchange_order.held_at is None
    foreign = [Instead(chair.pk, None, 1, "good", by_shop=False)]
    returns.inspect(case.pk, {}, location_id=make_location().pk, instead=foreign, actor=ACTOR)
    sent = again(case.exchange_order)
    assert sent.stage == "on_hold" and exchange.missing_value(again(case)) == 1000
    assert returns.returnable(order.pk) == {order.lines.get().pk: 0}, "its price pays for what is sent"
    assert (on_hand(chair, "warehouse"), on_hand(chair, "inspection"), case.grades.count()) == (1, 0, 0)
    all_is_true()


def test_a_set_of_which_something_else_came_is_told_by_its_components(shop):
    pot, cup, desk = make_sku("POT", stock_units=2), make_sku("CUP", stock_units=2), make_sku("DESK", stock_units=1)
    tea = make_sku("TEA", is_bundle=True)
    for part in (pot, cup):
        BundleComponent.objects.create(bundle=tea, component=part, quantity=1)
    case = arrived(shipped(shop, make_line("TEA"), skus=[tea]), reason="customer")
    where = {"location_id": make_location().pk, "actor": ACTOR}
    instead = [Instead(cup.pk, desk.pk, 1, "good", by_shop=False)]
    with pytest.raises(Refused, match="構成品ごと"):
        returns.inspect(case.pk, {(pot.pk, "good"): 1}, instead=instead, **where)
    with pytest.raises(Refused, match="構成品の SKU"):
        returns.inspect(case.pk, {(pot.pk, "good"): 1}, instead=[Instead(cup.pk, tea.pk, 1, "good", True)], **where)
    assert again(case).state == "received"
    returns.inspect(case.pk, {(pot.pk, "good"): 1}, instead=[Instead(cup.pk, desk.pk, 1, "good", True)], **where)
    assert (on_hand(pot, "warehouse"), on_hand(cup, "warehouse"), on_hand(desk, "warehouse")) == (2, 1, 2)
    all_is_true()
