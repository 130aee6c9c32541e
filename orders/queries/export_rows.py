"""The lines of an export file for a portion of orders: a fixed number of queries, whatever the portion holds."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models.expressions import RawSQL

from orders.decide.export_columns import NOTHING, ExportColumn, Facts, Source, Words, needs_of
from orders.models import ExportGrain, Order, OrderLine, Recipient

OPEN_REASONS = RawSQL(
    "(SELECT array_agg(r.code ORDER BY r.id) FROM orders_reviewreason r"
    " WHERE r.order_id = orders_order.id AND r.state = 'open')",
    (),
)
# What all pieces of a set's line are made of, as it was sold.
PARTS = RawSQL(
    "(SELECT string_agg(s.code || '×' || c.units * orders_orderline.quantity, ' / ' ORDER BY c.position)"
    " FROM orders_linecomponent c JOIN inventory_sku s ON s.id = c.sku_id WHERE c.line_id = orders_orderline.id)",
    (),
)
LINE = (
    "order_id", "position", "recipient_position", "channel_sku", "sku__code", "sku__jan", "units", "name", "options",
    "quantity", "unit_price", "amount", "tax_rate", "discount", "gift", "release_date", "allocated_quantity",
    "shipped_quantity", "parts", "set_line__sku__code",
)  # fmt: skip
RECIPIENT = (
    "order_id", "position", "name", "kana", "phone", "postal_code", "prefecture", "city", "address", "company",
    "wish_date", "wish_slot", "method", "sender", "gift", "noshi", "message_card",
)  # fmt: skip


def sources(
    order_ids: Sequence[int], columns: Sequence[ExportColumn], grain: str, words: Words
) -> Iterator[tuple[Facts, list[Source]]]:
    """Each order that exists, in the order given, with what its lines of the file are made of (at least one).

    One query for the orders, one more for lines and one for recipients where a column or the grain wants them.
    """
    needs = needs_of(columns, grain)
    orders = _orders(order_ids, columns, needs)
    lines = (
        _by_order(OrderLine.objects.filter(quantity__gt=0).annotate(parts=PARTS), LINE, order_ids)
        if "lines" in needs
        else {}
    )
    people = _by_order(Recipient.objects.all(), RECIPIENT, order_ids) if "recipients" in needs else {}
    for order_id in order_ids:
        order = orders.get(order_id)
        if order is not None:
            yield order, _of_one(order, lines.get(order_id, []), people.get(order_id, []), grain, words)


def _orders(order_ids: Sequence[int], columns: Sequence[ExportColumn], needs: frozenset[str]) -> dict[int, Facts]:
    reads = {name for column in columns for name in column.reads}
    rows = Order.objects.filter(pk__in=order_ids)
    if "reasons" in needs:
        rows = rows.annotate(open_reasons=OPEN_REASONS)
        reads.add("open_reasons")
    return {row["id"]: row for row in rows.values("id", "channel_order_no", *(reads - {"id", "channel_order_no"}))}


def _by_order(rows: Any, fields: Sequence[str], order_ids: Sequence[int]) -> Mapping[int, list[Facts]]:
    found: dict[int, list[Facts]] = defaultdict(list)
    for row in rows.filter(order__in=order_ids).order_by("order", "position", "pk").values(*fields):
        found[row["order_id"]].append(row)
    return found


def _of_one(
    order: Facts, lines: Sequence[Facts], recipients: Sequence[Facts], grain: str, words: Words
) -> list[Source]:
    first = recipients[0] if recipients else NOTHING
    if grain == ExportGrain.LINE and lines:
        at = {one["position"]: one for one in recipients}
        return [
            Source(order, at.get(line["recipient_position"], first), line, [line], place == 0, words)
            for place, line in enumerate(lines)
        ]
    if grain == ExportGrain.RECIPIENT and len(recipients) > 1:
        return [
            Source(order, one, NOTHING, _going_to(one, lines), place == 0, words)
            for place, one in enumerate(recipients)
        ]
    return [Source(order, first, NOTHING, lines, True, words)]


def _going_to(recipient: Facts, lines: Sequence[Facts]) -> list[Facts]:
    return [line for line in lines if line["recipient_position"] == recipient["position"]]
