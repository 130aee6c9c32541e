"""返金する on the money screens with sets: single components, at the share they were sold with."""

import pytest
from django.urls import reverse

from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import BundleComponent
from orders.channel_order import Totals
from orders.models import LineComponent, Order, Refund
from orders.services.audit import violations
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Order:
    """Two sets at 3,000 yen with 600 yen off: two cups (1,000) and tea (500) at the reduced rate in each."""
    cup, tea = make_sku("CUP", stock_units=9, price=500), make_sku("TEA", stock_units=9, price=500, tax_rate=8)
    box = make_sku("BOX", is_bundle=True, tax_by_component=True)
    for part, count in ((cup, 2), (tea, 1)):
        BundleComponent.objects.create(bundle=box, component=part, quantity=count)
    totals = Totals(goods=6000, shipping=0, discount=600, total=5400)
    told = make_channel_order(make_line("BOX", 2, 3000, tax_rate=None), totals=totals)
    take_in(make_shop(), [told], sku_of=mapped(box))
    allocate_waiting()
    made = Order.objects.get()
    parcels = instruct_orders([made.pk], actor=Actor()).shipments
    confirm_shipments([Departure(pk, "yamato", "471203984414") for pk in parcels], actor=Actor())
    return made


def part(order: Order, code: str) -> LineComponent:
    return LineComponent.objects.get(line__order=order, sku__code=code)


def fields(order: Order, key: str, **counts: int) -> dict:
    names = {f"part-{part(order, code).pk}": n for code, n in counts.items() if code != "BOX"}
    if "BOX" in counts:
        names[f"piece-{order.lines.get().pk}"] = counts["BOX"]
    return names | {"reason": "欠けていたため", "key": f"manual:{order.pk}:{key}"}


def test_a_component_is_refunded_at_the_share_it_was_sold_with(client_of, person_with, order):
    client, url = client_of(person_with("accounting")), reverse("orders:refund-new", args=[order.pk])
    page = client.get(url).content.decode()
    assert "CUP の品（1セットに2点）" in page and "按分した金額 1点 ¥900" in page and "セットごと" in page
    BundleComponent.objects.all().delete()  # what the set is made of today says nothing
    shown = client.post(url, fields(order, "0", CUP=1) | {"preview": "1"}).content.decode()
    assert "BOX の品（CUP の品）" in shown and "¥900" in shown and not Refund.objects.exists()
    for _click in range(2):
        client.post(url, fields(order, "0", CUP=1))
    refund = Refund.objects.get()
    assert (refund.amount, refund.tax_by_rate) == (900, [[10, 900, 81]])
    assert not violations()


def test_whole_sets_and_components_together_are_the_order_to_the_yen(client_of, person_with, order):
    client, url = client_of(person_with("accounting")), reverse("orders:refund-new", args=[order.pk])
    client.post(url, fields(order, "0", CUP=3))
    page = client.get(url).content.decode()
    assert 'max="1"' in page and f'name="piece-{order.lines.get().pk}"' not in page, "no whole set is left"
    over = client.post(url, fields(order, "1", CUP=2)).content.decode()
    assert Refund.objects.count() == 1 and "1 以下" in over
    client.post(url, fields(order, "1", CUP=1, TEA=2))
    assert sum(Refund.objects.values_list("amount", flat=True)) == 5400
    assert "返金できる額 ¥0" in client.get(url).content.decode() and not violations()


def test_a_set_and_its_components_are_not_refunded_twice(client_of, person_with, order):
    client, url = client_of(person_with("accounting")), reverse("orders:refund-new", args=[order.pk])
    twice = client.post(url, fields(order, "0", BOX=2, TEA=1)).content.decode()
    assert "返金できる数を超えています" in twice and not Refund.objects.exists()
    client.post(url, fields(order, "0", BOX=1, TEA=1))
    assert Refund.objects.get().amount == 2700 + 900 and not violations()
