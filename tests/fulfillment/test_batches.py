"""What a release would send where, and the batches there were."""

from datetime import timedelta

import pytest
from django.urls import reverse

from fulfillment.actions import plan_instruct
from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from oms.kernel import clock
from orders.models import Order, Recipient, ShippingPlan
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db


def ready(count: int = 1, **fields) -> list[int]:
    orders = [make_channel_order(**fields) for _n in range(count)]
    take_in(make_shop(), orders, sku_of=mapped(make_sku(stock_units=50)))
    allocate_waiting()
    rows = Order.objects.filter(channel_order_no__in=[order.channel_order_no for order in orders])
    return list(rows.order_by("pk").values_list("pk", flat=True))


def test_the_preview_counts_parcels_and_boxes_by_place_and_carrier():
    ids = [*ready(2), *ready(1, delivery_method="佐川急便")]
    Shipment.objects.filter(recipient__order=ids[0]).update(package_count=3)
    told = [str(effect) for effect in plan_instruct(ids, {}).effects]
    assert "東京倉庫・ヤマト運輸: 出荷伝票 2件、4個口" in told and "東京倉庫・佐川急便: 出荷伝票 1件、1個口" in told
    assert "出荷伝票 3件を倉庫へ渡します。" in told


def test_the_preview_tells_the_cut_off(settings):
    ids, now = ready(), clock.in_tokyo(clock.now())
    plan = ShippingPlan.objects.create(cutoffs={"": "00:00"})
    assert "締め 00:00 を過ぎています" in str(plan_instruct(ids, {}).effects[1])
    later = min(now + timedelta(minutes=10), now.replace(hour=23, minute=59))
    if later.date() == now.date() and later > now + timedelta(minutes=1):
        ShippingPlan.objects.filter(pk=plan.pk).update(cutoffs={"": f"{later:%H:%M}"})
        assert "まであと" in str(plan_instruct(ids, {}).effects[1])


def test_the_preview_names_the_orders_whose_label_would_be_refused():
    [one, other] = ready(2)
    Recipient.objects.filter(order=one).update(phone="")
    notes = plan_instruct([one, other], {}).notes
    assert set(notes) == {one} and notes[one]


def test_a_batch_has_a_number_a_time_a_person_its_parcels_and_its_print_record(client_of, aoi):
    batch = instruct_orders(ready(2), actor=Actor(aoi)).batch
    client = client_of(aoi)
    listed = client.get(reverse("fulfillment:batches")).content.decode()
    assert str(batch) in listed and "青井 あおい" in listed
    url = reverse("fulfillment:batch", args=[batch.pk])
    page = client.get(url).content.decode()
    assert page.count('name="ids"') == 2 and "2件・2個口" in page and "まだ印刷していません" in page
    ids = list(Shipment.objects.filter(batch=batch).values_list("pk", flat=True))
    assert client.post(reverse("fulfillment:pick-list"), {"ids": ids})["Content-Type"] == "application/pdf"
    page = client.get(url).content.decode()
    assert "ピッキングリストを印刷しました" in page and "まだ印刷していません" not in page


def test_batches_are_for_who_may_see_parcels_and_cost_a_fixed_number_of_queries(
    client_of, chie, person_with, django_assert_max_num_queries
):
    batch = instruct_orders(ready(3), actor=Actor()).batch
    assert client_of(chie).get(reverse("fulfillment:batches")).status_code == 403
    client = client_of(person_with("warehouse"))
    with django_assert_max_num_queries(14):
        assert client.get(reverse("fulfillment:batches")).status_code == 200
    with django_assert_max_num_queries(24):
        assert client.get(reverse("fulfillment:batch", args=[batch.pk])).status_code == 200
