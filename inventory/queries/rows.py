"""Balances as plain rows."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

COLUMNS = "id, sku_id, location_id, release, in_pool, on_hand, reserved, overcommit"


@dataclass(frozen=True, slots=True)
class Row:
    """A balance as read. Read under its lock, it stays true until the transaction ends."""

    id: int
    sku_id: int
    location_id: int | None
    release: str
    in_pool: bool
    on_hand: int
    reserved: int
    overcommit: int

    @property
    def free(self) -> int:
        return self.on_hand + self.overcommit - self.reserved


def balances_of(sku_ids: Iterable[int]) -> list[Row]:
    """Every balance of these SKUs, pools and places, read unlocked."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM inventory_balance WHERE sku_id = ANY(%s) ORDER BY id", [sorted(set(sku_ids))]
        )
        return [Row(*row) for row in cursor.fetchall()]
