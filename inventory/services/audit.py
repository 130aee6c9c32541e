"""Invariants of stock, checked against the database as it stands."""

from collections.abc import Mapping

from django.db import connection

CHECKS: Mapping[str, str] = {
    "balance {} is not the sum of its entries": """
        SELECT b.id FROM inventory_balance b
          LEFT JOIN (SELECT balance_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved
                       FROM inventory_entry GROUP BY balance_id) e ON e.balance_id = b.id
         WHERE b.on_hand <> coalesce(e.on_hand, 0) OR b.reserved <> coalesce(e.reserved, 0)""",
    "entries of a balance that does not exist: {}": """
        SELECT DISTINCT e.balance_id FROM inventory_entry e
         WHERE NOT EXISTS (SELECT FROM inventory_balance b WHERE b.id = e.balance_id)""",
    "balance {} breaks 0 ≤ reserved ≤ on_hand + overcommit": """
        SELECT id FROM inventory_balance
         WHERE on_hand < 0 OR reserved < 0 OR reserved > on_hand + overcommit""",
    "SKU {}: the pool differs from the sum of its places": """
        SELECT sku_id FROM inventory_balance GROUP BY sku_id
        HAVING coalesce(sum(on_hand) FILTER (WHERE location_id IS NULL), 0)
            <> coalesce(sum(on_hand) FILTER (WHERE in_pool), 0)""",
    "SKU {}: more is allocated at places than promised in the pool": """
        SELECT sku_id FROM inventory_balance GROUP BY sku_id
        HAVING coalesce(sum(reserved) FILTER (WHERE location_id IS NULL), 0)
             < coalesce(sum(reserved) FILTER (WHERE location_id IS NOT NULL), 0)""",
    "balance {}: a ref gave back more than it held": """
        SELECT DISTINCT balance_id FROM (
          SELECT balance_id FROM inventory_entry WHERE reserved <> 0
           GROUP BY balance_id, ref HAVING sum(reserved) < 0) overdrawn""",
    "balance {}: in_pool differs from its location's sells_online": """
        SELECT b.id FROM inventory_balance b JOIN inventory_location l ON l.id = b.location_id
         WHERE b.in_pool <> l.sells_online""",
    "the ledger's append-only trigger is missing{}": """
        SELECT '' WHERE NOT EXISTS (
          SELECT FROM pg_trigger WHERE tgname = 'inventory_entry_is_append_only'
             AND tgrelid = 'inventory_entry'::regclass AND tgenabled IN ('O', 'A'))""",
}


def violations() -> list[str]:
    """What is broken, in words; empty when all is well. Reads every balance and the whole ledger."""
    found = []
    with connection.cursor() as cursor:
        for message, sql in CHECKS.items():
            cursor.execute(f"{sql} ORDER BY 1 LIMIT 100")
            found += [message.format(row[0]) for row in cursor.fetchall()]
    return found
