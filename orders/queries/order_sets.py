"""The sets of an order as its page folds them: what they are made of, what each component costs, what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from orders.decide import returns as returning
from orders.decide.refunds import parts_shares, shares_of
from orders.decide.set_shares import prices_of, weights_of
from orders.models import LineComponent, Order, OrderLine, ReturnLine, SetApart
from orders.services import put_together, refunds
from orders.services.set_parts import set_parts


@dataclass(frozen=True, slots=True)
class PartRow:
    """A component of a line: `units` of all its pieces, yen of all units before discounts and after."""

    part: LineComponent
    units: int
    list_value: int
    price: int
    net: int
    returned: int


@dataclass(frozen=True, slots=True)
class SetRow:
    """A set's line. `list_value`: of all its components; by units where none has a list price."""

    parts: Sequence[PartRow]
    list_value: int
    by_units: bool


def in_order(lines: Sequence[OrderLine]) -> list[OrderLine]:
    """Components of a set that was taken apart stand under it."""
    return sorted(lines, key=lambda line: (line.position, line.set_line_id or line.pk, line.pk))


def sets_of(order: Order, lines: Sequence[OrderLine]) -> dict[str, Any]:
    """`sets`: line → its components; `apart`: set's line → the lines it was taken apart into, whether they have all
    left; `takings`: set's line → what of it can be a set again. No query for an order without sets, at most eight
    with."""
    apart: dict[int, list[OrderLine]] = {}
    for line in lines:
        if line.set_line_id:
            apart.setdefault(line.set_line_id, []).append(line)
    left = {pk: all(own.shipped_quantity >= own.quantity for own in parts) for pk, parts in apart.items()}
    whole = [line for line in lines if line.sku and line.sku.is_bundle and line.quantity]
    return {
        "sets": _sets(order, whole) if whole else {},
        "apart": apart,
        "apart_shipped": left,
        "takings": _takings(order, lines) if apart else {},
    }


def _takings(order: Order, lines: Sequence[OrderLine]) -> dict[int, list[SetApart]]:
    by_id = {line.pk: line for line in lines}
    found: dict[int, list[SetApart]] = {}
    for taking in put_together.standing([order.pk]).order_by("pk"):
        parts = [by_id[pk] for pk in taking.parts if pk in by_id]
        if not put_together.why_not(order, taking, parts):
            found.setdefault(taking.line_id, []).append(taking)
    return found


def _sets(order: Order, lines: Sequence[OrderLine]) -> dict[int, SetRow]:
    components: dict[int, list[LineComponent]] = {}
    rows = LineComponent.objects.filter(line__in=[line.pk for line in lines]).select_related("sku")
    for part in rows.defer("sku__search_text").order_by("line", "position"):
        components.setdefault(part.line_id, []).append(part)
    if not components:
        return {}
    nets = _nets(order)
    returned = _returned(order.pk)
    return {
        line.pk: _row(line, components[line.pk], nets, returned) for line in lines if line.pk in components
    }  # fmt: skip


def _row(
    line: OrderLine, components: Sequence[LineComponent], nets: Mapping[int, int], returned: Mapping[Any, int]
) -> SetRow:
    from_sets = returned.get((line.pk, None), 0)
    prices = prices_of(set_parts(components), line.amount)
    weights = weights_of(set_parts(components))
    rows = [
        PartRow(
            part,
            part.units * line.quantity,
            part.list_value * line.quantity,
            price,
            nets.get(part.pk, price),
            from_sets * part.units + returned.get((line.pk, part.pk), 0),
        )
        for part, price in zip(components, prices, strict=True)
    ]
    values = [part.list_value for part in components]
    return SetRow(rows, sum(values) * line.quantity, by_units=values != weights)


def _nets(order: Order) -> dict[int, int]:
    """Component → what all its units cost after the shop's discounts."""
    bill = refunds.bill_of(order)
    return {
        part.id: own.price
        for line, share in zip(bill.lines, shares_of(bill)[0], strict=True)
        for part, own in zip(line.parts, parts_shares(line, share), strict=True)
    }


def _returned(order_id: int) -> dict[tuple[int, int | None], int]:
    """(line, component or None for whole sets) → how many are in a return."""
    rows = ReturnLine.objects.filter(case__order=order_id, case__state__in=returning.LIVE).order_by()
    sums = rows.values_list("line", "component").annotate(count=Sum("quantity"))
    return {(line, component): count for line, component, count in sums}
