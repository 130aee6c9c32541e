"""The outbox says what goes first, finds by order number, and keeps who did what."""

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.urls import reverse

from oms.kernel import clock
from oms.kernel.models import Effect, EffectEvent
from oms.kernel.services import outbox
from oms.kernel.services.outbox import GiveUp, NewEffect, Postpone, Retry
from tests.channels.builders import bring_in, make_connection, make_effect
from tests.orders.builders import make_channel_order, make_sku, mapped

pytestmark = pytest.mark.django_db
OUTBOX = reverse("pages:outbox")


@pytest.fixture
def trouble(monkeypatch):
    """Effects of kind "test" raise what is in this list, one after another."""
    raised = []

    def handle(_effect):
        if raised:
            raise raised.pop(0)

    monkeypatch.setitem(outbox.KINDS, "test", outbox.Kind(handle, "試験"))
    return raised


def kinds(effect) -> list[str]:
    return list(EffectEvent.objects.filter(effect=effect).order_by("pk").values_list("kind", flat=True))


def test_failures_and_what_people_did_are_kept_and_plain_success_is_not(trouble, aoi):
    outbox.put([NewEffect("test", "k-1", "s-1"), NewEffect("test", "k-2", "s-2")])
    trouble += [Retry("混んでいます。", after_s=0), GiveUp("断られました。")]
    outbox.deliver_subject("s-1")
    Effect.objects.filter(key="k-1").update(next_try_at=clock.now())
    outbox.deliver_subject("s-1")
    outbox.deliver_subject("s-2")
    effect = Effect.objects.get(key="k-1")
    assert kinds(effect) == ["waits", "failed"] and kinds(Effect.objects.get(key="k-2")) == []
    assert outbox.retry([effect.pk], by=aoi) == 1 and outbox.retry([effect.pk], by=aoi) == 0
    trouble += [GiveUp("まだだめです。")]
    outbox.deliver_subject("s-1")
    assert outbox.mark_done_by_hand(effect.pk, note="画面で登録した", by=aoi)
    assert kinds(effect) == ["waits", "failed", "retried", "failed", "by_hand"]
    last = EffectEvent.objects.latest("pk")
    assert (last.by, last.text) == (aoi, "画面で登録した")


def test_waiting_for_a_paused_shop_writes_no_journal(trouble):
    outbox.put([NewEffect("test", "k-1", "s-1")])
    trouble += [Postpone("停止中です。")]
    outbox.deliver_subject("s-1")
    assert not EffectEvent.objects.exists()


def test_the_journal_cannot_be_rewritten(trouble, aoi):
    effect = make_effect()
    outbox.retry([effect.pk], by=aoi)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE kernel_effectevent SET text = 'x'")


@pytest.fixture
def orders():
    shop = make_connection()
    sku = mapped(make_sku("CHAIR"))
    return [bring_in(shop, make_channel_order(number=number), sku) for number in ("AB-1001", "CD-2002")]


def shown(client, **query) -> set[int]:
    return {row.effect.pk for row in client.get(OUTBOX, query).context["rows"]}


def test_it_is_searched_by_order_number(client_of, ben, orders):
    one, two = orders
    told, mailed, other = make_effect(order=one.pk), make_effect("mail", order=one.pk), make_effect(order=two.pk)
    client = client_of(ben)
    assert shown(client, q="AB-1001") == {told.pk, mailed.pk}
    assert shown(client, q="2002") == {other.pk} and shown(client, q="ZZ-9") == set()


def test_a_shop_narrows_mails_as_well_as_notices(client_of, ben, orders):
    one, _two = orders
    told, mailed = make_effect(order=one.pk), make_effect("mail", order=one.pk)
    client = client_of(ben)
    assert {told.pk, mailed.pk} <= shown(client, shop=one.shop_id)
    assert shown(client, shop=make_connection("rakuten-9").shop_id) == set()


def test_each_kind_has_its_count_and_its_list(client_of, ben, orders):
    for _ in range(3):
        make_effect(order=orders[0].pk)
    make_effect("mail", order=orders[0].pk)
    page = client_of(ben).get(OUTBOX)
    counted = {code: n for code, _label, n in page.context["by_kind"]}
    assert counted["channel_ship"] == 3 and counted["mail"] == 1
    assert len(shown(client_of(ben), kind="channel_ship")) == 3


def test_the_order_of_delivery_is_visible(client_of, ben, orders):
    first = make_effect(order=orders[0].pk, state="waiting")
    second = make_effect(order=orders[0].pk, state="waiting")
    client = client_of(ben)
    Effect.objects.exclude(pk__in=[first.pk, second.pk]).delete()
    rows = {row.effect.pk: row for row in client.get(OUTBOX, {"state": "waiting"}).context["rows"]}
    assert (rows[first.pk].ahead, rows[second.pk].ahead, rows[second.pk].held_up) == (0, 1, False)
    page = client.get(reverse("pages:outbox-detail", args=[second.pk]))
    assert [one.pk for one, _label in page.context["queue"]] == [first.pk, second.pk]
    text = page.content.decode()
    assert "送る順番" in text and "AB-1001" in text
    Effect.objects.filter(pk=first.pk).update(state="failed")
    rows = {row.effect.pk: row for row in client.get(OUTBOX, {"state": "waiting"}).context["rows"]}
    assert rows[second.pk].held_up


def test_a_person_sees_who_tried_again(client_of, aoi, orders):
    failed = make_effect(order=orders[0].pk)
    client = client_of(aoi)
    client.post(reverse("pages:outbox-retry"), {"ids": [failed.pk]})
    text = client.get(reverse("pages:outbox-detail", args=[failed.pk])).content.decode()
    assert "もう一度送る操作" in text and "青井 あおい" in text


def test_a_stranger_sees_no_effect(client_of, chie):
    assert client_of(chie).get(reverse("pages:outbox-detail", args=[make_effect().pk])).status_code == 403
