"""送信箱: what failed comes first, and a person can try again or say that it is done."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oms.kernel.models import Effect
from oms.pages.queries import outbox as queries
from tests.channels.builders import bring_in, make_connection, make_effect
from tests.orders.builders import make_channel_order, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
OUTBOX = reverse("pages:outbox")
RETRY = reverse("pages:outbox-retry")


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def order():
    return bring_in(make_connection(), make_channel_order(number="N-1"), mapped(make_sku("CHAIR")))


@pytest.fixture
def as_ben(client_of, ben):
    return client_of(ben)


@pytest.fixture
def as_aoi(client_of, aoi):
    return client_of(aoi)


def shown(client, **query) -> list[int]:
    page = client.get(OUTBOX, query)
    assert page.status_code == 200
    return [row.effect.pk for row in page.context["rows"]]


def test_failures_are_shown_first_with_their_cause_and_order(as_ben, order):
    failed = make_effect(order=order.pk, last_error="送り状番号の桁数が違います。")
    make_effect(order=order.pk, state="done")
    text = text_of(as_ben.get(OUTBOX))
    assert shown(as_ben) == [failed.pk]
    assert "モールへの出荷通知" in text and "送り状番号の桁数が違います。" in text
    assert reverse("orders:detail", args=[order.pk]) in text and "N-1" in text


def test_each_tab_holds_its_states(as_ben, order):
    Effect.objects.all().delete()
    pks = {state: make_effect(order=order.pk, state=state).pk for state in Effect.State.values}
    assert shown(as_ben, state="waiting") == [pks["waiting"]]
    assert shown(as_ben, state="running") == [pks["running"]]
    assert shown(as_ben, state="done") == [pks["cancelled"], pks["manual_done"], pks["done"]]
    assert shown(as_ben, state="nonsense") == [pks["failed"]]
    tabs = {code: count for code, _label, count in as_ben.get(OUTBOX).context["tabs"]}
    assert tabs == {"failed": 1, "waiting": 1, "running": 1, "done": None}


def test_narrowed_by_kind_shop_and_order(as_ben, order):
    other_shop = make_connection("rakuten-2")
    other = bring_in(other_shop, make_channel_order(number="N-2"), mapped(make_sku("CHAIR")))
    ship, mail = make_effect(order=order.pk), make_effect("mail", order=order.pk)
    theirs = make_effect(order=other.pk)
    lost = make_effect("promises_lost", subject="stock:1", payload={"refs": ["line:1"]})
    assert shown(as_ben) == [lost.pk, theirs.pk, mail.pk, ship.pk]
    assert shown(as_ben, kind="mail") == [mail.pk]
    assert shown(as_ben, shop=other_shop.shop_id) == [theirs.pk]
    assert shown(as_ben, order=order.pk) == [mail.pk, ship.pk]
    assert shown(as_ben, shop="x", order="y") == [lost.pk, theirs.pk, mail.pk, ship.pk]


def test_one_that_waits_behind_a_failure_says_so(as_ben, order):
    make_effect(order=order.pk)
    Effect.objects.filter(state="waiting").delete()
    make_effect(order=order.pk, state="waiting")
    free = make_effect(order=order.pk + 1, state="waiting")
    rows = {row.effect.pk: row.held_up for row in as_ben.get(OUTBOX, {"state": "waiting"}).context["rows"]}
    assert [held for pk, held in rows.items() if pk != free.pk] == [True] and not rows[free.pk]


def test_queries_do_not_grow_with_the_rows(as_ben, order):
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            as_ben.get(OUTBOX, {"state": "waiting"})
        return len(captured)

    make_effect(order=order.pk, state="waiting")
    few = count()
    for _ in range(30):
        make_effect(order=order.pk, state="waiting")
    assert count() == few <= 10


def test_counts_stop_at_a_thousand(order):
    Effect.objects.bulk_create(
        Effect(
            kind="mail",
            key=f"many:{n}",
            subject="x",
            state="failed",
            next_try_at=order.ordered_at,
            created_at=order.ordered_at,
        )
        for n in range(1100)
    )
    with CaptureQueriesContext(connection) as captured:
        counts = queries.counts()
    assert counts.failed == 1001 and counts.oldest_failure == order.ordered_at and len(captured) == 1


def test_chosen_failures_are_sent_again(as_aoi, order):
    one, two, three = (make_effect(order=order.pk) for _ in range(3))
    page = as_aoi.post(RETRY, {"ids": [one.pk, two.pk], "query": "kind=channel_ship"}, follow=True)
    assert "2件をもう一度送ります" in text_of(page)
    assert page.redirect_chain[-1][0] == f"{OUTBOX}?kind=channel_ship"
    assert list(Effect.objects.filter(pk__in=[one.pk, two.pk]).values_list("state", "attempts").distinct()) == [
        ("waiting", 0)
    ]
    three.refresh_from_db()
    assert three.state == "failed"


def test_all_that_match_are_sent_again_and_nothing_else(as_aoi, order):
    ship, mail = make_effect(order=order.pk), make_effect("mail", order=order.pk)
    answer = as_aoi.post(RETRY, {"all_matching": "1", "query": "kind=channel_ship&state=failed"}, headers=HTMX)
    assert "outbox-changed" in answer["HX-Trigger"]
    ship.refresh_from_db(), mail.refresh_from_db()
    assert (ship.state, mail.state) == ("waiting", "failed")


def test_a_waiting_one_is_not_touched_by_a_retry(as_aoi, order):
    done = make_effect(order=order.pk, state="done")
    assert "送り直すものがありません" in text_of(as_aoi.post(RETRY, {"ids": [done.pk, "x"]}, follow=True))


def test_a_failure_is_closed_by_hand_with_a_note(as_aoi, order):
    effect = make_effect(order=order.pk)
    url = reverse("pages:outbox-done", args=[effect.pk])
    assert text_of(as_aoi.get(url, headers=HTMX)).startswith("<dialog")
    assert "必須" in text_of(as_aoi.post(url, {"note": " "}, headers=HTMX))
    answer = as_aoi.post(url, {"note": "RMSで登録した"}, headers=HTMX)
    assert "outbox-changed" in answer["HX-Trigger"]
    effect.refresh_from_db(), order.refresh_from_db()
    assert effect.state == "manual_done" and effect.note == "RMSで登録した（青井 あおい）"
    assert order.channel_sync == "manual_done"
    assert "RMSで登録した" in text_of(as_aoi.get(OUTBOX, {"state": "done"}))
    assert as_aoi.get(url).status_code == 404


def test_ben_may_look_but_not_send_and_chie_may_not_look(as_ben, client_of, chie, person_with, order):
    effect = make_effect(order=order.pk)
    done = reverse("pages:outbox-done", args=[effect.pk])
    assert as_ben.post(RETRY, {"ids": effect.pk}).status_code == 403 and as_ben.get(done).status_code == 403
    assert "もう一度送る" not in text_of(as_ben.get(OUTBOX))
    assert client_of(chie).get(OUTBOX).status_code == 403
    assert client_of(chie).get(reverse("pages:outbox-panel")).status_code == 403
    lead = client_of(person_with("shift_lead"))
    assert lead.get(RETRY).status_code == 405
    assert lead.post(RETRY, {"ids": effect.pk}).status_code == 302


def test_the_panel_counts_and_links(as_ben, order):
    make_effect(order=order.pk)
    text = text_of(as_ben.get(reverse("pages:outbox-panel"), headers=HTMX))
    assert f"{OUTBOX}?state=failed" in text and f"{OUTBOX}?state=waiting" in text
