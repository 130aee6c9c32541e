"""The audit finds each kind of damage. Damage needs a hand in the database: no service can do it."""

import pytest
from django.db import connection

from inventory.services import stock
from inventory.services.audit import violations
from tests.inventory.builders import make_goods, make_location

pytestmark = pytest.mark.django_db

DAMAGE = {
    "is not the sum of its entries": "UPDATE inventory_balance SET on_hand = on_hand + 1",
    "the pool differs": "UPDATE inventory_balance SET on_hand = on_hand + 1 WHERE location_id IS NULL",
    "differs from its location": "UPDATE inventory_balance SET in_pool = false",
    "append-only trigger is missing": "DROP TRIGGER inventory_entry_is_append_only ON inventory_entry",
    "does not exist": "INSERT INTO inventory_entry (balance_id, on_hand, reserved, kind, ref, note, at)"
    " VALUES (999999, 1, 0, 'receive', '', '', '2026-01-01Z')",
    "gave back more than it held": "INSERT INTO inventory_entry (balance_id, on_hand, reserved, kind, ref, note, at)"
    " SELECT id, 0, d, 'release', 'line:' || d, '', '2026-01-01Z' FROM inventory_balance, unnest(array[1, -1]) AS d",
    "more is allocated": "UPDATE inventory_balance SET reserved = 0 WHERE location_id IS NULL",
    "breaks 0 ≤ reserved": "SET CONSTRAINTS ALL IMMEDIATE;"
    "ALTER TABLE inventory_balance DROP CONSTRAINT balance_promise;"
    "UPDATE inventory_balance SET reserved = 9",
}


@pytest.mark.parametrize("says", DAMAGE)
def test_each_damage_is_found(says):
    tokyo = make_location("tokyo")
    chair = make_goods("chair", {tokyo: 5})
    stock.reserve({chair.pool: 2}, ref="line:1")
    stock.allocate([stock.Request.of("line:1", chair.at(tokyo).pk, 2)])
    assert violations() == []
    with connection.cursor() as cursor:
        cursor.execute(DAMAGE[says])
    assert any(says in line for line in violations())
