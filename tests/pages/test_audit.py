"""The audit finds each kind of damage. Damage needs a hand in the database: no service can do it."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from channels.models import RawOrder
from channels.services import credentials
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import BundleComponent
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services.outbox import deliver_due
from oms.pages.audit import violations
from orders.services import mail
from orders.services.cancel import cancel_orders
from orders.services.journal import Actor
from tests.channels.builders import bring_in, make_connection
from tests.orders.builders import make_channel_order, make_line, make_location, make_sku, mapped

pytestmark = pytest.mark.django_db
ACTOR = Actor()


@pytest.fixture(scope="module")
def house(module_rows):
    """Four orders: shipped, placed (a bundle), waiting for stock, cancelled."""
    connection_ = make_connection()
    mail.ensure_standard_templates()
    place = make_location()
    chair, desk = make_sku("CHAIR", stock_units=9), make_sku("DESK", stock_units=9)
    lamp, suite = make_sku("LAMP"), make_sku("SUITE", is_bundle=True)
    BundleComponent.objects.create(bundle=suite, component=chair, quantity=2)
    BundleComponent.objects.create(bundle=suite, component=desk, quantity=1)
    skus = mapped(chair, desk, lamp, suite)

    def order(no, line):
        return bring_in(connection_, make_channel_order(line, number=no), skus)

    shipped = order("shipped", make_line("CHAIR", 2))
    order("placed", make_line("SUITE", 2))
    order("waiting", make_line("LAMP"))
    cancelled = order("cancelled", make_line("DESK"))
    allocate_waiting()
    cancel_orders([cancelled.pk], reason="顧客都合", actor=ACTOR)
    instructed = instruct_orders([shipped.pk], actor=ACTOR)
    confirm_shipments([Departure(instructed.shipments[0], "yamato", "471203984412")], actor=ACTOR)
    return place


ENTRY = (
    "INSERT INTO inventory_entry (balance_id, on_hand, reserved, kind, ref, note, at)"
    " SELECT b.id, 0, {n}, 'reserve', 'line:' || l.id, '', '2026-01-01Z' FROM inventory_balance b, orders_orderline l"
    " JOIN orders_order o ON o.id = l.order_id WHERE o.channel_order_no = '{no}' AND b.sku_id = l.sku_id"
    " AND b.location_id IS {place}"
)
ORDER = "(SELECT id FROM orders_order WHERE channel_order_no = '{}')"
LINES = "UPDATE orders_orderline SET {} WHERE order_id = " + ORDER

DAMAGE = {
    "is not the sum of its entries": "UPDATE inventory_balance SET on_hand = on_hand + 1",
    "is stored 2 times": "ALTER TABLE orders_order DROP CONSTRAINT order_once_per_shop;"
    "UPDATE orders_order SET channel_order_no = 'shipped' WHERE channel_order_no = 'placed'",
    "the tile counts": "UPDATE orders_stagedelta SET delta = delta + 1",
    "stage ready is stored, its facts say on_hold": "UPDATE orders_order SET held_at = now()"
    " WHERE channel_order_no = 'placed'",
    "blocking reasons are counted": "UPDATE orders_order SET blocking_reasons = 1 WHERE channel_order_no = 'waiting'",
    "and no reason says so": "UPDATE orders_order SET total = total + 1 WHERE channel_order_no = 'waiting'",
    "the order is promised 1, the ledger holds 0": LINES.format("reserved = true", "waiting"),
    "the order is promised 0, the ledger holds 4": LINES.format("reserved = false", "placed"),
    "the order is promised 0, the ledger holds 3": ENTRY.format(n=3, no="cancelled", place="NULL"),
    "pieces are allocated, its shipments carry 2": LINES.format("allocated_quantity = 1", "placed"),
    "pieces are shipped, its shipped shipments carry 2": LINES.format("shipped_quantity = 1", "shipped"),
    "shipments wait for 2, the ledger holds 1": "UPDATE inventory_entry SET reserved = 1 WHERE kind = 'allocate'"
    " AND reserved = 2 AND balance_id IN (SELECT b.id FROM inventory_balance b JOIN inventory_sku s ON s.id = b.sku_id"
    " WHERE s.code = 'DESK')",
    "left without tracking number": "UPDATE fulfillment_shipment SET tracking_no = '' WHERE state = 'shipped'",
    "0 mails say that it left": "DELETE FROM orders_mail WHERE event = 'shipped'",
    "the channel was not told": "DELETE FROM kernel_effect WHERE kind = 'channel_ship'",
    "nobody thanked the customer": "DELETE FROM orders_mail WHERE event = 'order_received'",
    "and nothing will send it": "DELETE FROM kernel_effect WHERE kind = 'mail'",
    "mail twice was written": "ALTER TABLE orders_mail DROP CONSTRAINT IF EXISTS orders_mail_key_key;"
    "UPDATE orders_mail SET key = 'twice'",
    "effect twice was written": "ALTER TABLE kernel_effect DROP CONSTRAINT IF EXISTS kernel_effect_key_key;"
    "UPDATE kernel_effect SET key = 'twice'",
    "trigger of orders_orderevent is missing": "DROP TRIGGER orders_orderevent_is_append_only ON orders_orderevent",
    "trigger of fulfillment_shipmentevent is missing": "ALTER TABLE fulfillment_shipmentevent DISABLE TRIGGER"
    " fulfillment_shipmentevent_is_append_only",
    "trigger of channels_credentialevent is missing": "DROP TRIGGER channels_credentialevent_is_append_only"
    " ON channels_credentialevent",
    "has no raw payload": "DELETE FROM channels_raworder WHERE channel_order_no = 'waiting'",
    "became neither an order nor a quarantine case": "UPDATE channels_raworder SET channel_order_no = 'lost',"
    " first_seen_at = first_seen_at - interval '1 hour' WHERE channel_order_no = 'waiting'",
    "has 2 current payloads": "DROP INDEX raw_current_once; UPDATE channels_raworder SET channel_order_no = 'shipped'"
    " WHERE channel_order_no = 'placed'",
    "is stored in the clear": "UPDATE channels_raworder SET payload = '{}'",
    "credentials of shop rakuten-1 are stored in the clear": 'UPDATE channels_connection SET secrets = \'{"a": "b"}\'',
    "cannot be decrypted": "UPDATE channels_connection SET secrets = overlay(secrets PLACING 'AAAA'::bytea FROM 40)",
}


def run(sql):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL oms.privacy_purge = 'on'")
        cursor.execute(sql)


def test_a_house_in_order_has_nothing_to_say(house):
    assert violations() == []
    deliver_due()
    assert [line for line in violations() if "mail" in line] == []


@pytest.mark.parametrize("says", DAMAGE)
def test_each_damage_is_named(house, says):
    run(DAMAGE[says])
    assert any(says in line for line in violations()), violations()


def test_what_a_stock_fact_took_away_is_given_time_until_its_effect_has_run(house):
    chair = make_sku("CHAIR")
    stock.count([stock.Counted(chair.pk, house.pk, 1, "count")])
    assert Effect.objects.filter(kind="promises_lost", state="waiting").exists()
    assert violations() == []
    Effect.objects.filter(kind="promises_lost").update(state="failed")
    assert any("the ledger holds" in line for line in violations())


def test_a_stage_that_the_next_sweep_will_change_is_no_damage(house):
    run("UPDATE orders_order SET stage_due_at = now() - interval '1 minute', held_at = now() WHERE stage = 'ready'")
    assert violations() == []


def test_a_payload_that_is_being_taken_in_is_no_damage(house):
    RawOrder.objects.create(
        shop=make_connection().shop,
        channel_order_no="on-its-way",
        digest="",
        payload=credentials.encrypt(b"{}"),
        content_type="application/json",
        first_seen_at=clock.now() - timedelta(minutes=1),
        last_seen_at=clock.now(),
    )
    assert violations() == []


def test_the_command_prints_one_json_line_and_says_so_by_its_exit(house, capsys):
    call_command("audit")
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"ok": True, "violations": []}
    run(DAMAGE["has no raw payload"])
    with pytest.raises(SystemExit) as end:
        call_command("audit")
    assert end.value.code == 1
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert not printed["ok"] and "channels: order waiting of shop" in printed["violations"][0]
