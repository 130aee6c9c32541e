"""What the desk does about channels in bulk: sending again, closing by hand, fetching anew."""

import pytest
from django.urls import reverse

from channels.desk_actions import plan_retry
from channels.models import Reimport
from channels.services import reimport
from oms.kernel.models import Effect, EffectEvent
from orders.models import BulkRun, Order, OrderEvent
from orders.models.order import ChannelSync
from orders.services import bulk
from tests.channels.builders import bring_in, make_connection, make_effect
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
BULK = "/orders/bulk/"


@pytest.fixture
def orders():
    """Two orders of one connected shop whose shipping notices failed, and one that is well."""
    connection, sku = make_connection(), make_sku(stock_units=50)
    found = [bring_in(connection, make_channel_order(number=f"R-{n}"), mapped(sku)) for n in range(3)]
    for order in found[:2]:
        make_effect(order=order.pk)
        Order.objects.filter(pk=order.pk).update(channel_sync=ChannelSync.FAILED)
    return found


@pytest.fixture
def lookers(ben, chie):
    return ben, chie


def run(code: str, by, *orders: Order, **params) -> BulkRun:
    draft = bulk.draft(code, [order.pk for order in orders], by=by)
    bulk.start(draft, params)
    return BulkRun.objects.get(pk=draft.pk)


def states() -> list[str]:
    return list(Effect.objects.filter(kind="channel_ship").order_by("pk").values_list("state", flat=True))


def test_failed_notices_are_sent_again_and_the_preview_counts_them_by_kind(aoi, orders):
    plan = plan_retry([order.pk for order in orders], {})
    assert plan.will == [orders[0].pk, orders[1].pk] and plan.effects[0] == "モールへの出荷通知: 2件"
    assert plan.skipped == {orders[2].pk: "送れなかったモールへの通知はありません。"}
    done = run("notice_retry", aoi, *orders)
    assert done.done == [orders[0].pk, orders[1].pk] and states() == ["waiting", "waiting"]
    assert EffectEvent.objects.filter(kind="retried", by=aoi).count() == 2
    assert OrderEvent.objects.filter(kind="notice_retried", action=done.key.hex).count() == 2
    assert run("notice_retry", aoi, *orders).done == [], "what waits already is not asked twice"


def test_done_by_hand_needs_a_note_and_says_who(client_of, aoi, orders):
    client = client_of(aoi)
    shown = client.post(BULK, {"action": "notice_by_hand", "ids": [order.pk for order in orders]}, follow=True)
    key = shown.context["run"].key
    empty = client.post(f"{BULK}{key}/run/", {"note": ""})
    assert empty.status_code == 200 and "field-error" in empty.content.decode() and states() == ["failed", "failed"]
    result = client.post(f"{BULK}{key}/run/", {"note": "RMSで出荷済みにした"}, follow=True)
    assert "2件をモールで処理済みにしました。" in result.content.decode()
    assert states() == ["manual_done", "manual_done"]
    assert set(Effect.objects.values_list("note", flat=True)) >= {f"RMSで出荷済みにした（{aoi}）"}
    assert {Order.objects.get(pk=one.pk).channel_sync for one in orders[:2]} == {ChannelSync.MANUAL_DONE}
    event = OrderEvent.objects.get(order=orders[0], kind="notice_by_hand")
    assert (event.text, event.by) == ("RMSで出荷済みにした", aoi)


def test_orders_are_asked_for_shop_by_shop_and_the_result_links_to_the_answers(client_of, aoi, orders):
    other = make_connection("rakuten-2")
    more = bring_in(other, make_channel_order(number="S-1"), mapped(make_sku()))
    client = client_of(aoi)
    shown = client.post(BULK, {"action": "refetch", "ids": [one.pk for one in (*orders, more)]}, follow=True)
    assert any("2店舗へ" in effect for effect in shown.context["effects"])
    result = client.post(f"{BULK}{shown.context['run'].key}/run/", follow=True).content.decode()
    asked = {row.shop_id: row for row in Reimport.objects.all()}
    assert asked[orders[0].shop_id].numbers == ["R-0", "R-1", "R-2"] and asked[more.shop_id].numbers == ["S-1"]
    for row in asked.values():
        assert row.by == aoi and f'href="{reverse("channels:reimported", args=[row.pk])}"' in result
    assert OrderEvent.objects.filter(kind="refetched").count() == 4


def test_large_selections_are_asked_for_in_portions(aoi, orders, monkeypatch):
    monkeypatch.setattr(reimport, "MOST", 2)
    run("refetch", aoi, *orders)
    assert [row.numbers for row in Reimport.objects.order_by("pk")] == [["R-0", "R-1"], ["R-2"]]


def test_orders_of_shops_that_cannot_be_asked_are_left_out_with_the_reason(aoi, orders):
    alone = make_shop("by-hand")
    bring_in(make_connection("resting"), make_channel_order(number="Z-1"), mapped(make_sku()))
    resting = Order.objects.get(channel_order_no="Z-1")
    resting.shop.active = False
    resting.shop.save(update_fields=["active"])
    Order.objects.filter(pk=orders[2].pk).update(shop=alone)
    done = run("refetch", aoi, orders[2], resting)
    assert not done.done and not Reimport.objects.exists()
    assert "つながっていない" in done.skipped[str(orders[2].pk)] and "休止中" in done.skipped[str(resting.pk)]


@pytest.mark.parametrize("code", ["notice_retry", "notice_by_hand", "refetch"])
def test_rights(client_of, lookers, person_with, orders, code):
    chosen = {"action": code, "ids": [orders[0].pk]}
    for person in (*lookers, person_with("warehouse")):
        assert client_of(person).post(BULK, chosen).status_code == 403
    operator = client_of(person_with("operator")).post(BULK, chosen).status_code
    assert operator == (302 if code == "refetch" else 403), "sending again is for who leads"
    assert client_of(person_with("shift_lead")).post(BULK, chosen).status_code == 302
    assert states() == ["failed", "failed"] and not Reimport.objects.exists()
