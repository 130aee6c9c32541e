"""The strip above every page: one query for the shops, one for the outbox; trouble is said in words."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oms.kernel import clock
from tests.channels.builders import make_connection, make_effect

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
STRIP = reverse("pages:health-strip")


def strip_of(client) -> str:
    response = client.get(STRIP, headers=HTMX)
    assert response.status_code == 200
    return response.content.decode()


def test_a_running_shop_says_when_it_last_imported(client_of, ben):
    make_connection(last_import_at=clock.now() - timedelta(minutes=2))
    text = strip_of(client_of(ben))
    assert "楽天市場" in text and "2分前" in text and 'data-tone="done"' in text


def test_two_shops_of_one_mall_are_told_apart(client_of, ben):
    make_connection()
    second = make_connection("rakuten-2")
    second.shop.name = "楽天二号店"
    second.shop.save(update_fields=["name"])
    text = strip_of(client_of(ben))
    assert "楽天市場店" in text and "楽天二号店" in text


def test_a_stopped_shop_is_red_and_leads_to_its_card(client_of, ben):
    stopped = make_connection(
        health="stopped", health_cause="鍵が違います。", stopped_since=clock.now() - timedelta(hours=1)
    )
    text = strip_of(client_of(ben))
    assert f"{reverse('channels:list')}#shop-{stopped.shop_id}" in text
    assert 'data-tone="danger"' in text and "停止" in text and "1時間前" in text and "鍵が違います。" in text


def test_a_shop_at_rest_is_left_out(client_of, ben):
    resting = make_connection()
    resting.shop.active = False
    resting.shop.save(update_fields=["active"])
    assert "楽天" not in strip_of(client_of(ben))


def test_failures_of_the_outbox_are_counted_with_the_oldest(client_of, ben):
    assert "送信失敗" not in strip_of(client_of(ben))
    make_effect(created_at=clock.now() - timedelta(hours=5))
    make_effect(state="waiting")
    text = strip_of(client_of(ben))
    assert "送信失敗 1" in text and "5時間前" in text and "送信待ち 1" in text


def test_it_costs_two_queries_however_many_shops(client_of, ben):
    for number in range(6):
        make_connection(f"shop-{number}")
    client = client_of(ben)
    strip_of(client)
    with CaptureQueriesContext(connection) as captured:
        strip_of(client)
    own = [query["sql"] for query in captured if "django_session" not in query["sql"] and "auth" not in query["sql"]]
    own = [sql for sql in own if 'FROM "kernel_user"' not in sql]
    assert len(own) == 2, own


def test_a_stranger_sees_an_empty_strip(client_of, chie):
    make_connection()
    make_effect()
    text = strip_of(client_of(chie))
    assert "楽天" not in text and "送信" not in text


def test_without_scripts_the_link_leads_to_the_shops(client_of, ben, chie):
    assert client_of(ben).get(STRIP)["Location"] == reverse("channels:list")
    assert client_of(chie).get(STRIP)["Location"] == reverse("pages:home")
