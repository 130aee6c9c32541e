"""The sums of a paper with prices, and the sums of a pick list."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from oms.kernel.money import RateTotal, TaxRate, rate_totals, spread_discount
from orders.documents.values import Deduction, Fee, Letterhead, Line, PickItem, PickList


class Priced(Protocol):
    """What has sums: a delivery note, an invoice, a receipt."""

    @property
    def shop(self) -> Letterhead: ...
    @property
    def lines(self) -> tuple[Line, ...]: ...
    @property
    def fees(self) -> tuple[Fee, ...]: ...
    @property
    def deductions(self) -> tuple[Deduction, ...]: ...


@dataclass(frozen=True, slots=True)
class Figures:
    """`total` is what the tax is computed on; `due` is what remains to be paid in money."""

    goods: int
    fees: int
    price_cut: int
    total: int
    paid_otherwise: int
    due: int
    rates: list[RateTotal]


@dataclass(frozen=True, slots=True)
class PickTotal:
    """One row of the total pick."""

    shelf: str
    code: str
    jan: str
    name: str
    options: str
    quantity: int
    orders: int
    set_names: tuple[str, ...]
    slots: tuple[tuple[str, int], ...] = ()  # (slot, pieces), where orders have slots


def figures(note: Priced) -> Figures:
    """Tax once per rate, the shop's discounts shared over the lines first.

    Raises ValueError when the discounts exceed goods and fees: such an order needs a person before it is printed.
    """
    goods = sum(line.amount for line in note.lines)
    fees = sum(fee.amount for fee in note.fees)
    cut = sum(part.amount for part in note.deductions if part.lowers_price)
    paid = sum(part.amount for part in note.deductions if not part.lowers_price)
    total = goods + fees - cut
    rates = rate_totals(taxed(note.lines, note.fees, note.deductions), note.shop.rounding)
    return Figures(goods, fees, cut, total, paid, total - paid, rates)


def taxed(
    lines: Sequence[Line], fees: Sequence[Fee], deductions: Sequence[Deduction]
) -> list[tuple[TaxRate, int]]:  # fmt: skip
    """What each line and each fee costs after the shop's discounts, with its rate. Raises ValueError as `figures`."""
    cut = sum(part.amount for part in deductions if part.lowers_price)
    off_goods, off_fees = spread_discount([line.amount for line in lines], [fee.amount for fee in fees], cut)
    return [
        *((line.rate, line.amount - off) for line, off in zip(lines, off_goods, strict=True)),
        *((fee.rate, fee.amount - off) for fee, off in zip(fees, off_fees, strict=True)),
    ]


def pick_totals(pick: PickList) -> list[PickTotal]:
    """Sums per shelf and product, in walking order."""
    groups: dict[tuple[str, str], list[tuple[int, PickItem]]] = {}
    for place, order in enumerate(pick.orders):
        for item in order.items:
            groups.setdefault((item.shelf, item.code), []).append((place, item))
    slots = [order.slot for order in pick.orders]
    rows = [_pick_total(members, slots) for members in groups.values()]
    return sorted(rows, key=lambda row: (shelf_order(row.shelf), row.code))


def _pick_total(members: list[tuple[int, PickItem]], slots: list[str]) -> PickTotal:
    per_slot: dict[str, int] = {}
    for place, item in members:
        per_slot[slots[place]] = per_slot.get(slots[place], 0) + item.quantity
    first = members[0][1]
    return PickTotal(
        shelf=first.shelf,
        code=first.code,
        jan=first.jan,
        name=first.name,
        options=first.options,
        quantity=sum(item.quantity for _, item in members),
        orders=len({place for place, _ in members}),
        set_names=tuple(dict.fromkeys(item.set_name for _, item in members if item.set_name)),
        slots=tuple((slot, pieces) for slot, pieces in per_slot.items() if slot),
    )


def shelf_order(shelf: str) -> list[tuple[int, int, str]]:
    """A-2 before A-10; products without a shelf last."""
    parts: Iterable[str] = re.findall(r"\d+|\D+", shelf)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts] or [(2, 0, "")]
