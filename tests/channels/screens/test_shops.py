"""店舗・モール: what each card says, what its buttons do, who may press them."""

import threading
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels.connectors.contract import CredentialsRefused
from channels.models import Connection, CredentialEvent
from channels.queries.health import verdict_of
from channels.views import shops as views
from oms.kernel import clock
from tests.channels.builders import bring_in, make_connection, make_effect, make_listing, make_quarantined
from tests.orders.builders import make_channel_order, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def queries_of(client, url, **kwargs) -> int:
    with CaptureQueriesContext(database) as captured:
        assert client.get(url, **kwargs).status_code in {200, 204}
    return len(captured)


def test_a_card_counts_what_waits_and_every_count_links_to_its_rows(client_of, ben, connection):
    shop, chair = connection.shop, make_sku("CHAIR")
    order = bring_in(connection, make_channel_order(), mapped(chair))
    changed = clock.now() - timedelta(minutes=7)
    make_listing(shop, "A", sku=chair, desired=3, desired_at=changed)
    make_listing(shop, "B", sku=chair, error="商品がありません。")
    make_listing(shop, "C")
    make_quarantined(connection, "BAD-1")
    make_effect(order=order.pk)
    make_effect(order=order.pk, state="waiting")
    make_effect("mail", order=order.pk)
    page = client_of(ben).get(reverse("channels:list"))
    [card] = page.context["cards"]
    f = card.figures
    assert (f.listings, f.waiting, f.refused, f.unmapped, f.quarantined) == (3, 1, 1, 1, 1)
    assert (f.failed_notices, f.waiting_notices, f.waiting_since) == (1, 1, changed)
    assert card.needs_someone
    text = text_of(page)
    for link in (
        f"{reverse('channels:listings')}?shop={shop.pk}&amp;state=waiting",
        f"{reverse('channels:listings')}?shop={shop.pk}&amp;state=error",
        f"{reverse('channels:map')}?shop={shop.pk}",
        f"{reverse('channels:quarantine')}?shop={shop.pk}",
        f"{reverse('pages:outbox')}?state=failed&amp;shop={shop.pk}",
        f"{reverse('orders:list')}?shop={shop.pk}",
    ):
        assert link in text
    assert "7分前" in text


def test_a_stopped_shop_says_why_and_since_when(client_of, ben):
    make_connection(
        health="stopped",
        health_cause="ライセンスキーの有効期限が切れています。",
        stopped_since=clock.now() - timedelta(hours=3),
    )
    text = text_of(client_of(ben).get(reverse("channels:list")))
    assert "停止" in text and "ライセンスキーの有効期限が切れています。" in text and "から）" in text


@pytest.mark.parametrize(
    ("fields", "tone", "words"),
    [
        ({}, "done", ""),
        ({"health": "stopped", "import_paused": True}, "danger", "停止"),
        ({"import_paused": True, "health": "degraded"}, "attention", "取込停止中"),
        ({"health": "degraded"}, "attention", "不調"),
        ({"last_import_at": None}, "neutral", "未取込"),
        ({"last_import_at": clock.now() - timedelta(hours=1)}, "attention", "遅れ"),
    ],
)
def test_the_most_urgent_trouble_is_the_verdict(fields, tone, words):
    connection = make_connection(**fields)
    verdict = verdict_of(connection, clock.now())
    assert (verdict.tone, verdict.words) == (tone, words)


def test_a_shop_at_rest_is_not_in_trouble(connection):
    connection.shop.active = False
    connection.health = "stopped"
    assert verdict_of(connection, clock.now()).words == "休止中"


def test_queries_do_not_grow_with_the_shops(client_of, ben, connection):
    client = client_of(ben)
    few = queries_of(client, reverse("channels:list"))
    for number in range(5):
        other = make_connection(f"shop-{number}")
        make_listing(other.shop, "X")
        make_quarantined(other, "N-1")
    assert queries_of(client, reverse("channels:list")) == few <= 16


def test_the_poll_answers_only_when_something_changed(client_of, ben, connection):
    client = client_of(ben)
    token = client.get(reverse("channels:list")).context["token"]
    url = f"{reverse('channels:live')}?token={token}"
    assert client.get(url, headers=HTMX).status_code == 204
    Connection.objects.update(last_import_count=7)
    changed = text_of(client.get(url, headers=HTMX))
    assert 'id="shop-cards"' in changed and 'hx-swap-oob="true"' in changed and ">7件</a>" in changed


def test_a_good_test_says_what_was_seen_and_is_journaled(client_of, aoi, connection, channel):
    Connection.objects.update(health="stopped", stopped_since=clock.now())
    answer = client_of(aoi).post(reverse("channels:check", args=[connection.shop_id]), headers=HTMX)
    text = text_of(answer)
    assert "店舗「くらし」に接続しました。" in text
    assert f'id="shop-{connection.shop_id}"' in text and "正常" in text
    event = CredentialEvent.objects.latest("pk")
    assert (event.kind, event.by) == ("checked", aoi)


def test_a_refused_test_says_the_cause_and_stops_the_shop(client_of, aoi, connection, channel):
    channel.refuses = CredentialsRefused("ライセンスキーが違います。RMSで確認してください。")
    page = client_of(aoi).post(reverse("channels:check", args=[connection.shop_id]), follow=True)
    assert "接続できません。ライセンスキーが違います。" in text_of(page)
    connection.refresh_from_db()
    assert connection.health == "stopped"
    assert CredentialEvent.objects.latest("pk").kind == "check_failed"


def test_a_slow_channel_does_not_hang_the_page(client_of, aoi, connection, channel, monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(views, "PATIENCE_S", 0.05)
    channel.check = lambda: over.wait(10)
    page = client_of(aoi).post(reverse("channels:check", args=[connection.shop_id]), follow=True)
    over.set()
    assert "応答に時間がかかっています" in text_of(page)


def test_import_now_is_handed_to_a_worker(client_of, aoi, connection, sent_later):
    answer = client_of(aoi).post(reverse("channels:import-now", args=[connection.shop_id]))
    assert answer["Location"] == reverse("channels:list")
    assert sent_later == [("channels.tasks.pull", connection.pk)]


def test_a_paused_import_is_not_started_by_hand(client_of, aoi, connection, sent_later):
    Connection.objects.update(import_paused=True)
    page = client_of(aoi).post(reverse("channels:import-now", args=[connection.shop_id]), follow=True)
    assert sent_later == [] and "再開してから" in text_of(page)


@pytest.mark.parametrize(
    ("function", "column"), [("import", "import_paused"), ("stock", "publish_paused"), ("notices", "notices_paused")]
)
def test_each_function_is_paused_and_resumed_on_its_own(client_of, aoi, connection, function, column):
    client, url = client_of(aoi), reverse("channels:pause", args=[connection.shop_id])
    client.post(url, {"function": function, "paused": "1"})
    assert list(Connection.objects.values_list(column, flat=True)) == [True]
    client.post(url, {"function": function, "paused": "1"})
    client.post(url, {"function": function, "paused": "0"})
    connection.refresh_from_db()
    assert not (connection.import_paused or connection.publish_paused or connection.notices_paused)
    events = CredentialEvent.objects.filter(kind__in=["paused", "resumed"]).order_by("pk")
    assert list(events.values_list("kind", "keys", "by")) == [
        ("paused", function, aoi.pk),
        ("resumed", function, aoi.pk),
    ]


def test_an_unknown_function_is_no_page(client_of, aoi, connection):
    url = reverse("channels:pause", args=[connection.shop_id])
    assert client_of(aoi).post(url, {"function": "everything", "paused": "1"}).status_code == 404


def test_the_listings_are_imported_by_a_worker(client_of, aoi, connection, sent_later):
    client_of(aoi).post(reverse("channels:listings-import", args=[connection.shop_id]))
    assert sent_later == [("channels.tasks.import_listings", connection.pk, aoi.pk)]


POSTS = ["check", "import-now", "pause", "listings-import"]


@pytest.mark.parametrize("name", POSTS)
def test_ben_may_look_but_not_press(client_of, ben, as_aoi, sent_later, name):
    url = reverse(f"channels:{name}", args=[make_connection().shop_id])
    assert client_of(ben).post(url, {"function": "import", "paused": "1"}).status_code == 403
    assert as_aoi.get(url).status_code == 405
    assert sent_later == []
    text = text_of(client_of(ben).get(reverse("channels:list")))
    assert url not in text


def test_chie_sees_nothing(client_of, chie, connection):
    for name in ("list", "live", "home-panel", "quarantine", "map", "listings", "pushes", "add"):
        assert client_of(chie).get(reverse(f"channels:{name}")).status_code == 403


def test_the_home_panel_names_each_shop_and_its_trouble(client_of, ben, connection):
    make_quarantined(connection, "BAD-1")
    text = text_of(client_of(ben).get(reverse("channels:home-panel"), headers=HTMX))
    assert "楽天市場店" in text and "隔離1件" in text
