"""隔離: the payload as each person may see it, and trying again."""

import pytest
from django.urls import reverse

from channels import tasks
from channels.connectors.contract import ChannelDown, RawOrder, Unreadable
from channels.models import QuarantinedOrder
from channels.queries.quarantine import masked
from channels.services import shops
from orders.models import Order
from tests.channels.builders import bring_in, make_connection, make_quarantined
from tests.orders.builders import make_channel_order, make_sku, mapped

pytestmark = pytest.mark.django_db
PAYLOAD = '{"orderNumber": "N-1", "orderer": {"familyName": "佐藤", "phone": "090-1234-5678"}, "gift": false}'
XML = '<Order no="N-1"><!-- 佐藤 --><Name>佐藤<![CDATA[ 恵 <b> ]]></Name><Tel/>\n</Order>'


class Channel:
    """Reads payloads when `readable`; knows the orders in `orders`."""

    def __init__(self):
        self.readable, self.orders, self.down = True, {}, False

    def parse(self, payload):
        if not self.readable:
            raise Unreadable("まだ読み取れません。")
        return make_channel_order(number="N-1")

    def fetch_order(self, no):
        if self.down:
            raise ChannelDown("モールにつながりません。")
        return self.orders.get(no)


@pytest.fixture
def channel(monkeypatch):
    answering = Channel()
    monkeypatch.setattr(shops, "connector_of", lambda connection: answering)
    return answering


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def test_open_cases_are_listed_by_shop_and_closed_ones_apart(client_of, ben, connection):
    other = make_connection("rakuten-2")
    make_quarantined(connection, "N-1")
    make_quarantined(other, "N-2")
    make_quarantined(connection, "N-3", resolved_at="2026-11-22T00:00:00Z")
    client = client_of(ben)

    def numbers(**query):
        page = client.get(reverse("channels:quarantine"), query)
        assert page.status_code == 200
        return sorted(row.channel_order_no for row in page.context["page"])

    assert numbers() == ["N-1", "N-2"]
    assert numbers(shop=connection.shop_id) == ["N-1"]
    assert numbers(resolved="1") == ["N-3"]
    assert numbers(shop="nonsense") == ["N-1", "N-2"]


def test_personal_data_is_shown_only_to_those_who_may_see_it(client_of, ben, aoi, connection):
    row = make_quarantined(connection, "N-1", payload=PAYLOAD, detail="KeyError: 佐藤")
    url = reverse("channels:quarantined", args=[row.pk])
    assert "佐藤" in text_of(client_of(aoi).get(url))
    seen = text_of(client_of(ben).get(url))
    assert "佐藤" not in seen and "5678" not in seen and "familyName" in seen and row.cause in seen


def test_masking_keeps_the_shape_of_json_and_xml_and_no_value():
    assert masked(PAYLOAD).count("＊＊＊") == 3 and "false" in masked(PAYLOAD)
    hidden = masked(XML)
    assert "佐藤" not in hidden and "恵" not in hidden and "N-1" not in hidden
    assert "<Name>" in hidden and "<Tel />" in hidden
    assert masked("name=佐藤") == "＊＊＊"
    assert masked('<!DOCTYPE x [<!ENTITY a "佐藤">]><x>&a;</x>') == "＊＊＊"


def test_a_payload_that_can_be_read_now_is_taken_in(as_aoi, connection, channel):
    row = make_quarantined(connection, "N-1", payload=PAYLOAD)
    answer = as_aoi.post(reverse("channels:replay", args=[row.pk]))
    assert answer["Location"] == reverse("channels:quarantine")
    assert Order.objects.get().channel_order_no == "N-1"
    assert not QuarantinedOrder.objects.filter(resolved_at__isnull=True).exists()


def test_one_that_fails_again_stays_with_its_new_cause(as_aoi, connection, channel):
    channel.readable = False
    row = make_quarantined(connection, "N-1", payload=PAYLOAD)
    text = text_of(as_aoi.post(reverse("channels:replay", args=[row.pk]), follow=True))
    row.refresh_from_db()
    assert row.attempts == 2 and row.cause == "まだ読み取れません。" and row.cause in text


def test_one_without_a_payload_is_fetched_anew(as_aoi, connection, channel):
    row = make_quarantined(connection, "N-1")
    text = text_of(as_aoi.post(reverse("channels:replay", args=[row.pk]), follow=True))
    assert "モールにこの注文が見つかりません" in text
    channel.orders["N-1"] = RawOrder("N-1", PAYLOAD, "application/json")
    as_aoi.post(reverse("channels:replay", args=[row.pk]))
    assert Order.objects.count() == 1


def test_all_are_tried_again_by_a_worker(as_aoi, connection, channel, sent_later):
    make_quarantined(connection, "N-1", payload=PAYLOAD)
    make_quarantined(make_connection("rakuten-2"), "N-2")
    as_aoi.post(reverse("channels:replay-all"), {"shop": connection.shop_id})
    assert sent_later == [("channels.tasks.intake_replay", connection.shop_id)]
    tasks.replay_quarantined(connection.shop_id)
    assert Order.objects.count() == 1


def test_a_worker_keeps_what_fails_again(connection, channel):
    channel.down = True
    row = make_quarantined(connection, "N-1")
    tasks.replay_quarantined(connection.shop_id)
    row.refresh_from_db()
    assert row.attempts == 2 and row.cause == "モールにつながりません。"


def test_an_order_is_fetched_anew_from_its_page(as_aoi, connection, channel):
    order = bring_in(connection, make_channel_order(number="N-1"), mapped(make_sku("CHAIR")))
    channel.orders["N-1"] = RawOrder("N-1", PAYLOAD, "application/json")
    url = reverse("channels:reimport", args=[order.pk])
    answer = as_aoi.post(url, headers={"HX-Request": "true"})
    assert "order-changed" in answer["HX-Trigger"] and "取り込みました" in text_of(answer)
    assert "変わった項目: " in text_of(answer), "what changed is named"
    channel.down = True
    answer = as_aoi.post(url, headers={"HX-Request": "true"})
    assert "モールにつながりません。" in text_of(answer)


def test_ben_may_look_but_not_try_again(client_of, ben, connection, sent_later):
    row = make_quarantined(connection, "N-1")
    order = bring_in(connection, make_channel_order(), mapped(make_sku("CHAIR")))
    client = client_of(ben)
    for url in (
        reverse("channels:replay", args=[row.pk]),
        reverse("channels:replay-all"),
        reverse("channels:reimport", args=[order.pk]),
    ):
        assert client.post(url).status_code == 403
        assert client.get(url).status_code in {403, 405}
    assert "再取込</button>" not in text_of(client.get(reverse("channels:quarantine")))
