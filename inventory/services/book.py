"""A scratch copy of some balances, to plan changes on before the door writes them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from inventory.queries.rows import Row
from inventory.services.door import Change, UnknownPlace

Key = TypeVar("Key")


class Book:
    """What these balances would be. Changes of one balance for one ref and kind become one ledger line."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = {row.id: row for row in rows}
        self.on_hand = {row.id: row.on_hand for row in self.rows.values()}
        self.reserved = {row.id: row.reserved for row in self.rows.values()}
        self._lines: dict[tuple[int, str, str], tuple[int, int]] = {}
        self._ended: dict[tuple[int, str], int] = {}
        self._places = {(row.sku_id, row.location_id): row.id for row in self.rows.values()}
        self._pools: dict[int, list[int]] = {}
        for row in sorted(self.rows.values(), key=lambda row: row.release):
            if row.location_id is None:
                self._pools.setdefault(row.sku_id, []).append(row.id)

    def move(self, balance_id: int, units: int, *, ref: str, kind: str = "") -> None:
        """Goods come (+) or go (−)."""
        self.on_hand[balance_id] += units
        self._log(balance_id, units, 0, ref, kind)

    def promise(self, balance_id: int, units: int, *, ref: str, kind: str = "") -> None:
        """Promised (+) or no longer (−)."""
        self.reserved[balance_id] += units
        if units < 0:
            self._ended[balance_id, ref] = self._ended.get((balance_id, ref), 0) - units
        self._log(balance_id, 0, units, ref, kind)

    def ended(self, balance_id: int, ref: str) -> int:
        """Units of a promise that this book takes back."""
        return self._ended.get((balance_id, ref), 0)

    def excess(self, balance_id: int) -> int:
        """Units promised beyond what there is; not positive when all is well."""
        return self.reserved[balance_id] - self.on_hand[balance_id] - self.rows[balance_id].overcommit

    def short(self) -> list[int]:
        """Balances that promise more than there is."""
        return [balance_id for balance_id in self.rows if self.excess(balance_id) > 0]

    def place(self, sku_id: int, location_id: int) -> int:
        """The SKU's balance there. Raises UnknownPlace."""
        try:
            return self._places[sku_id, location_id]
        except KeyError:
            raise UnknownPlace([], f"SKU {sku_id} has no balance at location {location_id}") from None

    def pools(self, sku_id: int) -> Sequence[int]:
        """The SKU's pool balances, the ordinary one first."""
        return self._pools[sku_id]

    def take_from_pool(self, sku_id: int, units: int, *, ref: str, kind: str = "", first: Sequence[int] = ()) -> None:
        """Goods leave the pool: from the rows of `first`, then from what is not promised, then from what is."""
        order = [*first, *(balance_id for balance_id in self.pools(sku_id) if balance_id not in first)]
        preferred = {balance_id: self.on_hand[balance_id] for balance_id in first}
        unpromised = {
            balance_id: min(self.on_hand[balance_id], max(0, -self.excess(balance_id))) for balance_id in order
        }
        for limits in (preferred, unpromised, self.on_hand):
            for balance_id, taken in spread(units, {b: min(limits.get(b, 0), self.on_hand[b]) for b in order}):
                self.move(balance_id, -taken, ref=ref, kind=kind)
                units -= taken
        if units:
            raise ValueError(f"SKU {sku_id}: the pool has {units} fewer than its places")

    def add_to_pool(self, sku_id: int, units: int, *, ref: str, kind: str = "") -> None:
        """Goods join the pool: pre-orders that wait for them are covered first, the rest is for everyone."""
        ordinary, *releases = self.pools(sku_id)
        wanting = {b: max(0, self.reserved[b] - self.on_hand[b]) for b in releases}
        for balance_id, covered in spread(units, wanting):
            self.move(balance_id, covered, ref=ref, kind=kind)
            units -= covered
        if units:
            self.move(ordinary, units, ref=ref, kind=kind)

    def changes(self) -> list[Change]:
        return [
            Change(balance_id, on_hand, reserved, ref, kind)
            for (balance_id, ref, kind), (on_hand, reserved) in self._lines.items()
        ]

    def _log(self, balance_id: int, on_hand: int, reserved: int, ref: str, kind: str) -> None:
        before = self._lines.get((balance_id, ref, kind), (0, 0))
        self._lines[balance_id, ref, kind] = (before[0] + on_hand, before[1] + reserved)


def spread(units: int, limits: Mapping[Key, int]) -> list[tuple[Key, int]]:
    """Share `units` out in order, each up to its limit; what fits nowhere is left out."""
    shares = []
    for key, limit in limits.items():
        if (share := min(units, limit)) > 0:
            shares.append((key, share))
            units -= share
    return shares
