"""Sold-out by one click, journaled, and back; a shop at rest leaves nothing dangling."""

from datetime import timedelta

import pytest
from django.urls import reverse

from channels import tasks
from channels.models import Connection, CredentialEvent, Listing, Protection
from channels.services import intake, pausing, polling, protection, publish, shop_settings, shops
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from orders.models import Order
from orders.services import cancel
from orders.services.journal import Actor
from tests.channels.builders import bring_in, make_connection, make_listing
from tests.orders.builders import make_channel_order, make_sku, mapped

pytestmark = pytest.mark.django_db
Mode = Listing.Mode


@pytest.fixture
def stopped():
    """A shop whose credentials died, with three listings; a second shop sells one of the SKUs, too."""
    shop = make_connection(
        health="stopped", stopped_since=clock.now() - timedelta(hours=2), health_cause="鍵が違います。"
    )
    other = make_connection("rakuten-2")
    chair, desk = make_sku("CHAIR", stock_units=9), make_sku("DESK", stock_units=4)
    listings = {
        "chair": make_listing(shop.shop, "C", sku=chair),
        "fixed": make_listing(shop.shop, "D", sku=desk, mode=Mode.FIXED, fixed_quantity=3),
        "never": make_listing(shop.shop, "N", sku=desk, mode=Mode.STOPPED),
        "unmapped": make_listing(shop.shop, "U"),
        "elsewhere": make_listing(other.shop, "C2", sku=chair),
    }
    publish.consume_marks()
    return shop, listings


def modes(listings) -> dict[str, str]:
    return {name: Listing.objects.get(pk=one.pk).mode for name, one in listings.items()}


def test_one_click_shows_none_and_one_click_brings_every_mode_back(stopped, aoi):
    shop, listings = stopped
    before = modes(listings)
    protection.protect(shop.pk, elsewhere=False, by=aoi)
    assert modes(listings) == before | {"chair": "sold_out", "fixed": "sold_out"}
    wanted = dict(Listing.objects.filter(shop=shop.shop, mode="sold_out").values_list("code", "desired"))
    assert wanted == {"C": 0, "D": 0}
    assert {one.code for one in publish.due(shop.shop_id)} == {"C", "D"}
    assert protection.protect(shop.pk, elsewhere=True, by=aoi) == Protection.objects.get()  # once is enough
    assert protection.lift(shop.pk, by=aoi) == 2
    assert modes(listings) == before
    assert dict(Listing.objects.filter(shop=shop.shop).values_list("code", "desired"))["C"] == 9
    assert protection.lift(shop.pk, by=aoi) == 0
    kinds = CredentialEvent.objects.filter(kind__endswith="protected").values_list("kind", "by")
    assert list(kinds.order_by("pk")) == [("protected", aoi.pk), ("unprotected", aoi.pk)]


def test_elsewhere_the_same_goods_are_sold_out_too(stopped, aoi):
    shop, listings = stopped
    protection.protect(shop.pk, elsewhere=True, by=aoi)
    assert modes(listings)["elsewhere"] == "sold_out"
    protection.lift(shop.pk, by=aoi)
    assert modes(listings)["elsewhere"] == "normal"


def test_a_mode_that_somebody_chose_meanwhile_stays(stopped, aoi):
    shop, listings = stopped
    protection.protect(shop.pk, elsewhere=False, by=aoi)
    Listing.objects.filter(pk=listings["chair"].pk).update(mode=Mode.STOPPED)
    assert protection.lift(shop.pk, by=aoi) == 1
    assert modes(listings)["chair"] == "stopped"


def test_the_card_says_since_when_it_stands_still_and_offers_the_click(stopped, client_of, aoi, ben):
    shop, _listings = stopped
    client = client_of(aoi)
    text = client.get(reverse("channels:list")).content.decode()
    assert "鍵が違います。" in text and "から止まっています" in text
    url = reverse("channels:protect", args=[shop.shop_id])
    assert url in text and url not in client_of(ben).get(reverse("channels:list")).content.decode()
    done = client.post(url, {"elsewhere": ""}, follow=True).content.decode()
    assert "2件の出品を「常に売切」にしました" in done and "売切にして保護しています" in done
    back = client.post(reverse("channels:protect-lift", args=[shop.shop_id]), follow=True).content.decode()
    assert "2件の出品を元の連携方法に戻しました" in back


@pytest.mark.parametrize("name", ["protect", "protect-lift", "renewal-enter"])
def test_ben_may_not_press(client_of, ben, aoi, name):
    url = reverse(f"channels:{name}", args=[make_connection().shop_id])
    assert client_of(ben).post(url).status_code == 403
    assert client_of(aoi).get(url).status_code == 405


# ---- a shop at rest


@pytest.fixture
def resting(aoi):
    connection = make_connection(cursor=clock.now() - timedelta(days=3))
    make_listing(connection.shop, "C", sku=make_sku("CHAIR", stock_units=5))
    order = bring_in(connection, make_channel_order(number="N-1"), mapped(make_sku("CHAIR")))
    shop_settings.change(connection.pk, settings={"active": False}, addresses={}, secrets={}, by=aoi)
    return Connection.objects.select_related("shop").get(pk=connection.pk), order


def test_no_task_touches_a_shop_at_rest(resting, monkeypatch):
    connection, _order = resting
    monkeypatch.setattr(shops, "connector_of", lambda _c: 1 / 0)
    publish.consume_marks()
    assert polling.due_for_import() == [] and polling.due_for_push() == [] and polling.due_for_read_back() == []
    tasks.pull(connection.pk)  # a message that was on its way
    tasks.push(connection.pk)
    tasks.import_listings(connection.pk, 0)
    connection.refresh_from_db()
    assert connection.import_error == "" and Listing.objects.get().sent is None


def test_what_waits_for_it_says_so_and_goes_out_when_it_is_back(resting, aoi, monkeypatch):
    connection, order = resting
    told = []
    monkeypatch.setattr(
        shops, "connector_of", lambda _c: type("M", (), {"cancel": lambda _s, o, r: told.append(o["no"])})()
    )
    cancel.cancel_orders([order.pk], reason="在庫がないため", actor=Actor())
    outbox.deliver_due()
    effect = Effect.objects.get(kind="channel_cancel")
    assert effect.state == "waiting" and "休止中" in effect.last_error and told == []
    cursor = connection.cursor
    shop_settings.change(connection.pk, settings={"active": True}, addresses={}, secrets={}, by=aoi)
    outbox.deliver_due()
    effect.refresh_from_db()
    assert effect.state == "done" and told == ["N-1"]
    connection.refresh_from_db()
    assert connection.cursor == cursor and polling.due_for_import() == [connection.pk]  # catches up from there
    publish.consume_marks()
    assert polling.due_for_push() == [connection.pk]


def test_its_orders_are_still_found(resting, client_of, ben):
    _connection, order = resting
    page = client_of(ben).get(reverse("orders:list"), {"q": "N-1"})
    assert reverse("orders:detail", args=[order.pk]) in page.content.decode()
    assert Order.objects.count() == 1


def test_notices_that_were_paused_go_out_with_the_click(aoi, monkeypatch):
    connection = make_connection()
    order = bring_in(connection, make_channel_order(number="N-1"), mapped(make_sku("CHAIR")))
    told = []
    monkeypatch.setattr(
        shops, "connector_of", lambda _c: type("M", (), {"cancel": lambda _s, o, r: told.append(o["no"])})()
    )
    pausing.set_paused(connection.pk, "notices", paused=True, by=aoi)
    cancel.cancel_orders([order.pk], reason="在庫がないため", actor=Actor())
    outbox.deliver_due()
    assert told == []
    pausing.set_paused(connection.pk, "notices", paused=False, by=aoi)
    outbox.deliver_due()
    assert told == ["N-1"]


def test_a_shop_that_was_away_catches_up_over_http(house, aoi):
    here = house("rakuten")
    first = here.sells(1)
    here.pull()
    shop_settings.change(here.connection.pk, settings={"active": False}, addresses={}, secrets={}, by=aoi)
    away = here.sells(2)
    here.time.skip(hours=5)
    shop_settings.change(here.connection.pk, settings={"active": True}, addresses={}, secrets={}, by=aoi)
    assert polling.due_for_import() == [here.connection.pk]
    intake.pull(here.fresh())
    assert here.taken_in() == {*first, *away}
