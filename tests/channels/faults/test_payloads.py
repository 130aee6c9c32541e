"""Odd payloads, unknown goods, wrong credentials, news twice and in the wrong order: at each mall over HTTP, through
the services, with the cause on the screens."""

import json
from dataclasses import replace

import pytest
from defusedxml import ElementTree
from django.urls import reverse

from channels.models import Listing, QuarantinedOrder, RawOrder
from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World
from channels.services import credentials, intake, mapping, shops
from orders.models import Order
from tests.channels.company import open_company
from tests.channels.faults.test_matrix import CHANNELS
from tests.channels.stepped import Time, forget, time

__all__ = ["time"]
pytestmark = pytest.mark.django_db

SECRETS = {
    "amazon": {"client_secret": "wrong-secret", "refresh_token": "Atzr|wrong"},
    "rakuten": {"license_key": "SL_wrong_wrong"},
    "yahoo": {"refresh_token": "wrong-token", "client_secret": "wrong-secret"},
    "qoo10": {"certification_key": "wrong-key", "api_key": "wrong-key", "password": "wrong"},
    "futureshop": {"client_secret": "wrong-secret"},
}


@pytest.fixture
def company(time: Time, channel: str):
    forget(channel)
    with running_sandbox(World(seed=1, clock=time.now)) as sandbox:
        yield open_company(time, sandbox, [channel])


@pytest.fixture
def changed_on_the_way(monkeypatch):
    """`changed_on_the_way(change)`: every payload passes through `change(number, text)` before we see it."""
    real = shops.connector_of

    def begin(change):
        def connector_of(connection):
            connector = real(connection)
            fetch, fetch_one = connector.fetch_orders, connector.fetch_order

            def altered(raw):
                return raw and replace(raw, payload=change(raw.channel_order_no, raw.payload))

            connector.fetch_orders = lambda since, until: (
                replace(page, orders=[altered(raw) for raw in page.orders]) for page in fetch(since, until)
            )
            connector.fetch_order = lambda no: altered(fetch_one(no))
            return connector

        monkeypatch.setattr(shops, "connector_of", connector_of)

    yield begin
    monkeypatch.setattr(shops, "connector_of", real)


def with_unknown_fields(_number: str, text: str) -> str:
    """Fields and elements that no document names, at every depth."""
    try:
        return json.dumps(_grown(json.loads(text)), ensure_ascii=False)
    except ValueError:
        root = ElementTree.fromstring(text)
        for element in list(root.iter()):
            if len(element):
                element.append(element.makeelement("BrandNewElement", {"since": "2027"}))
        return str(ElementTree.tostring(root, encoding="unicode"))


def _grown(value):
    if isinstance(value, dict):
        return {key: _grown(inner) for key, inner in value.items()} | {"brandNewField": {"deep": [1, None, "新"]}}
    return [_grown(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("channel", CHANNELS)
def test_fields_that_are_new_to_us_change_nothing(company, channel, changed_on_the_way):
    changed_on_the_way(with_unknown_fields)
    placed = company.sells(channel, 2)
    for _round in range(5):
        company.round([channel])
    order = company.order(placed)
    assert (order.stage, order.total) == ("ready", placed.amount_due)
    assert not QuarantinedOrder.objects.exists()


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_payload_cut_short_stops_this_order_only_and_its_cause_is_on_the_screen(
    company, channel, changed_on_the_way, client_of, aoi
):
    bad, good = company.sells(channel), company.sells(channel)
    number = company.number(bad)
    changed_on_the_way(lambda no, text: text[: len(text) // 2] if no == number else text)
    for _round in range(4):
        company.round([channel])
    assert company.order(good)
    row = QuarantinedOrder.objects.get(resolved_at=None)
    assert row.channel_order_no == number and row.raw and not Order.objects.filter(channel_order_no=number).exists()
    client = client_of(aoi)
    assert row.cause in client.get(reverse("channels:quarantine")).content.decode()
    assert row.cause in client.get(reverse("channels:quarantined", args=[row.pk])).content.decode()
    changed_on_the_way(lambda _no, text: text)
    RawOrder.objects.filter(pk=row.raw_id).update(is_current=True)
    intake.pull_order(company.connection(channel), number)
    row.refresh_from_db()
    assert row.resolved_at and company.order(bad)


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_unknown_product_waits_in_review_until_it_is_mapped(company, channel, client_of, aoi):
    Listing.objects.all().delete()
    company.sku.code = "OTHER-CODE"
    company.sku.save(update_fields=["code"])
    placed = company.sells(channel)
    for _round in range(4):
        company.round([channel])
    order = company.order(placed)
    assert order.stage == "review" and order.reasons.filter(code="item_unmapped", state="open").exists()
    code = order.lines.get().channel_sku
    client = client_of(aoi)
    assert code in client.get(reverse("channels:map")).content.decode()
    mapping.map_code(order.shop, code, company.sku)
    for _round in range(3):
        company.round([channel])
    order.refresh_from_db()
    assert order.stage == "ready"


@pytest.mark.parametrize("channel", CHANNELS)
def test_wrong_credentials_stop_the_shop_with_a_cause_and_right_ones_bring_everything(company, channel, client_of, aoi):
    connection = company.connection(channel)
    right = credentials.read(connection)
    wrong = {key: value for key, value in SECRETS[channel].items() if key in right}
    assert wrong
    credentials.change(connection.pk, wrong, by=None)
    forget(channel)
    placed = company.sells(channel)
    company.round([channel])
    stopped = company.connection(channel)
    assert (stopped.health, bool(stopped.stopped_since)) == ("stopped", True)
    text = client_of(aoi).get(reverse("channels:list")).content.decode()
    assert stopped.health_cause in text and not any(secret in text for secret in wrong.values())
    credentials.change(connection.pk, right, by=None)
    forget(channel)
    for _round in range(4):
        company.round([channel])
    assert company.order(placed) and company.connection(channel).health == "running"


@pytest.mark.parametrize("channel", CHANNELS)
def test_news_that_comes_twice_changes_nothing_the_second_time(company, channel):
    placed = company.sells(channel)
    for _round in range(4):
        company.round([channel])
    order, raws = company.order(placed), RawOrder.objects.count()
    events = order.events.count()
    for _again in range(2):
        again = intake.pull_order(company.connection(channel), company.number(placed))
        assert (again.created, again.updated, again.unchanged) == (0, 0, 1)
    order.refresh_from_db()
    assert (RawOrder.objects.count(), order.events.count(), Order.objects.count()) == (raws, events, 1)


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_older_version_that_arrives_late_does_not_bring_the_past_back(company, channel):
    """Where the mall tells when an order changed; elsewhere the version fetched last is the newest there is."""
    placed = company.sells(channel)
    for _round in range(2):
        company.round([channel])
    connection = company.connection(channel)
    connector = shops.connector_of(connection)
    old = connector.fetch_order(company.number(placed))
    told = connector.parse(old.payload).updated_at
    if told is None:
        pytest.skip(f"{channel} does not say when an order changed")
    company.time.skip(minutes=30)
    company.world.cancel(channel, placed.number, by="buyer", reason="お客様都合")
    for _round in range(3):
        company.round([channel])
    assert company.order(placed).stage == "cancelled"
    intake.take_raw(connection, connector, [old], intake.Pulled())
    assert company.order(placed).stage == "cancelled"
