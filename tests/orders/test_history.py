"""操作の記録: the journals of all orders, searched by administrators."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oms.kernel import clock
from orders.models import Order, OrderEvent
from orders.services import hold, journal, labels
from orders.services.intake import take_in
from orders.services.journal import Actor, Entry
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
URL = "/orders/history/"


@pytest.fixture
def orders(aoi, ben):
    take_in(make_shop(), [make_channel_order(number=f"H-{n}") for n in range(3)], sku_of=mapped(make_sku()))
    one, two, three = Order.objects.order_by("pk")
    hold.hold_orders([one.pk], reason="在庫を確かめる", actor=Actor(aoi))
    labels.add_tag([two.pk], "急ぎ", actor=Actor(ben))
    journal.write([Entry(three.pk, "edited", changes={"buyer_name": ("佐藤", "鈴木")})], actor=Actor(aoi))
    return one, two, three


def shown(client, **asked) -> list[str]:
    return [deed.number for deed in client.get(URL, asked).context["deeds"]]


def test_what_people_did_is_found_by_person_kind_number_and_words(client_of, aoi, ben, orders):
    client = client_of(aoi)
    assert shown(client) == ["H-2", "H-1", "H-0"], "the newest first, and nothing of the system"
    assert shown(client, person=ben.pk) == ["H-1"]
    assert shown(client, kind="held") == ["H-0"]
    assert shown(client, number="H-2") == ["H-2"]
    assert shown(client, words="在庫") == ["H-0"] and shown(client, words="鈴木") == ["H-2"]
    assert shown(client, words="ない") == [] and shown(client, person=ben.pk, kind="held") == []


def test_days_bound_the_search_and_impossible_ones_are_said(client_of, aoi, orders):
    client, today = client_of(aoi), clock.today()
    assert (
        shown(client, since=(today - timedelta(days=9)).isoformat(), until=(today - timedelta(days=1)).isoformat())
        == []
    )
    wrong = client.get(URL, {"since": today.isoformat(), "until": (today - timedelta(days=1)).isoformat()})
    assert "開始日は終了日以前" in wrong.content.decode() and wrong.status_code == 200
    assert client.get(URL, {"since": "x", "person": "99999", "kind": "?", "after": "?"}).status_code == 200


def test_only_administrators_search_and_nobody_posts(client_of, aoi, ben, chie, person_with):
    assert client_of(aoi).get(URL).status_code == 200 and client_of(aoi).post(URL).status_code == 405
    for person in (ben, chie, person_with("shift_lead")):
        assert client_of(person).get(URL).status_code == 403
    assert reverse("orders:history") == URL


def test_a_page_of_many_deeds_asks_as_much_as_one_of_few(client_of, aoi, orders):
    client = client_of(aoi)
    client.get(URL)

    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(URL).status_code == 200
        return len(seen)

    few = asked()
    for n in range(60):
        labels.add_tag([order.pk for order in orders], f"t{n}", actor=Actor(aoi))
    assert asked() == few and OrderEvent.objects.count() > 180
    page = client.get(URL)
    assert len(page.context["deeds"]) == 50 and page.context["page"].next_url
