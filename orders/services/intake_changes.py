"""A known order came again and differs: apply the parts that the channel changed, as far as that is still possible.

Until the shipping instruction the channel's newer data is taken and the order goes on with it; the reason
`channel_changed` opens only for what needs a person (`orders.decide.taking_over`). After the instruction the address,
lines and wishes stay as they were instructed, and the reason says what the channel wants instead; should the parcel
be stopped, the order is fetched again and gets them then. State and payment are always taken.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from customers.services import identity
from inventory.models import AllocatorMark
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.said import said, together
from oms.kernel.sql import next_ids, update_rows
from orders.channel_order import ChannelLine, ChannelOrder, ChannelState, PaymentState
from orders.decide.taking_over import PART_NAMES
from orders.models import Order, OrderLine, Shop
from orders.models.order import PAYABLE, Phase
from orders.services import (
    adjustments,
    cancel,
    channel_change,
    intake_rows,
    journal,
    ledger,
    lines,
    mail,
    mail_stages,
    recipients,
    review,
    set_parts,
)
from orders.services import stage as stages
from orders.services.channel_change import Change
from orders.services.intake_rows import SkuOf
from orders.services.journal import Entry
from orders.services.regrant import regrant
from orders.services.reservation import NO_RESERVE, line_ids_of, takes_stock, want_of
from orders.services.rules import run as rules
from orders.services.rules.verbs import GIFT
from orders.signals import lines_released

COLUMN_TYPES = {
    "state": {
        "channel_state": "text", "sub_state": "text", "confirm_by": "timestamptz", "phase": "text",
        "channel_extra": "jsonb", "fulfilled_by_channel": "bool",
        "confirmed_at": "timestamptz", "cancel_requested": "bool", "cancel_reason": "text",
    },
    "buyer": {
        "buyer_name": "text", "buyer_kana": "text", "buyer_phone": "text", "buyer_email": "text",
        "buyer_postal_code": "text", "buyer_prefecture": "text", "buyer_city": "text", "buyer_address": "text",
        "buyer_company": "text",
    },
    "recipients": {"recipient_name": "text", "recipient_prefecture": "text"},
    "lines": {"item_summary": "text", "quantity": "int", "release_date": "date"},
    "totals": {
        "goods": "int", "shipping_fee": "int", "fees": "int", "gift_fees": "int", "discount": "int",
        "coupons_shop": "int", "coupons_channel": "int", "points": "int", "tax_excluded": "int", "tax": "int",
        "total": "int", "coupon_list": "jsonb", "tax_by_rate": "jsonb",
    },
    "payment": {
        "payment_method": "text", "payment_name": "text", "payment_state": "text", "paid_at": "timestamptz",
        "pay_by": "timestamptz", "authorized_until": "timestamptz",
    },
    "delivery": {
        "wish_date": "date", "wish_slot": "text", "delivery_method": "text", "carrier": "text",
        "ship_by": "timestamptz", "deliver_by": "timestamptz", "planned_ship_date": "date", "packing_note": "text",
    },
    "remarks": {"remarks": "text", "gift": "text", "noshi": "text", "message_card": "text"},
    "memo": {"shop_memo": "text"},
}  # fmt: skip

# What we may know before the channel tells it: its silence erases nothing.
OURS_TOO = {"confirmed_at", "cancel_reason", "paid_at", "pay_by", "ship_by"}

READERS: dict[str, Callable[[ChannelOrder, SkuOf], dict[str, Any]]] = {
    "state": lambda order, _: intake_rows.state_columns(order),
    "buyer": lambda order, _: intake_rows.buyer_columns(order.buyer),
    "recipients": lambda order, _: intake_rows.recipient_columns(order.recipients),
    "lines": lambda order, sku_of: intake_rows.line_columns(order.lines, sku_of),
    "totals": lambda order, _: intake_rows.totals_columns(order),
    "payment": lambda order, _: intake_rows.payment_columns(order),
    "delivery": lambda order, _: intake_rows.delivery_columns(order),
    "remarks": lambda order, _: intake_rows.remarks_columns(order),
    "memo": lambda order, _: {"shop_memo": order.shop_memo},
}


def apply_changes(shop: Shop, orders: Sequence[ChannelOrder], sku_of: SkuOf) -> None:
    """Apply newer versions of stored orders in the caller's transaction.

    Locks: members, then the orders by pk, then stock, last; once, unless `orders` mixes orders that the channel
    cancelled with others.
    """
    members = identity.match_members([_person(order) for order in orders])
    member_of = {order.channel_order_no: member for order, member in zip(orders, members, strict=True)}
    by_no = {order.channel_order_no: order for order in orders}
    locked = Order.objects.select_for_update(no_key=True).filter(shop=shop, channel_order_no__in=by_no).order_by("pk")
    changes = [
        channel_change.compare(stored, by_no[stored.channel_order_no])
        for stored in locked
        if not is_older(by_no[stored.channel_order_no], stored.channel_updated_at)  # stored since it was looked at
    ]
    channel_change.settle_fields(changes)
    _write_columns(changes, sku_of)
    adjustments.keep_on([change.stored.pk for change in changes if "totals" in change.parts])
    _write_heads(changes, member_of, sku_of)
    ledger.settle([c.stored.pk for c in changes if c.stored.paid_amount and c.parts & {"payment", "totals"}])
    recipients.replace([(c.stored.pk, c.order) for c in changes if "recipients" in c.parts])
    cancelled = [
        c.stored.pk for c in changes if c.order.state == ChannelState.CANCELLED and channel_change.may_cancel(c.stored)
    ]
    _write_lines([c for c in changes if "lines" in c.parts and c.stored.pk not in cancelled], sku_of)
    cancel.cancel_at_channel(cancelled)
    ids = [change.stored.pk for change in changes]
    channel_change.judge_all(shop, changes)
    journal.write([_entry(change) for change in changes])
    channel_change.tell_upstairs(changes)
    _ask_for_stock([c for c in changes if NO_RESERVE in c.stored.flags and takes_stock(c.order)])
    review.sync(
        ids,
        changes={c.stored.pk: together(c.news, "\n") for c in changes if c.news},
        reflected={c.stored.pk: c.informs for c in changes if c.informs},
    )
    channel_change.close_what_was_caught_up(changes)
    channel_change.ask_for_new_authorisations(shop, changes)
    rules.run_behind(ids, {change.stored.pk: _events(change) for change in changes})
    mail.schedule(
        shop, "order_received", [(c.stored.pk, c.order.buyer.email) for c in changes if mail.wants_thanks(c.order)]
    )
    mail_stages.payment_failed([c.stored.pk for c in changes if _just_failed(c)])
    mail_stages.paid_there([c.stored.pk for c in changes if _just_paid(c) and mail.wants_thanks(c.order)])
    otherwise = [c.stored.pk for c in changes if _paid_otherwise(c) and mail.wants_thanks(c.order)]
    mail_stages.asked_no_more(otherwise)
    stages.recompute(ids)
    mail_stages.way_changed(otherwise, suffix=":changed")


def _events(change: Change) -> list[str]:
    """What this change means to rules."""
    paid = change.order.payment_state == PaymentState.PAID != change.stored.payment_state
    confirmed = change.order.confirmed_at is not None and change.stored.confirmed_at is None
    return ["channel_changed", *(["paid"] if paid else []), *(["confirmed"] if confirmed else [])]


def _just_failed(change: Change) -> bool:
    return "payment" in change.parts and change.order.payment_state == PaymentState.FAILED


def _just_paid(change: Change) -> bool:
    """Of an order that was known to be unpaid; one that waited for its payment to be complete is thanked for itself."""
    known = change.stored.phase != Phase.PROVISIONAL and change.stored.payment_state in PAYABLE
    return "payment" in change.parts and known and change.order.payment_state not in PAYABLE


def _paid_otherwise(change: Change) -> bool:
    return "payment" in change.parts and change.order.payment_method != change.stored.payment_method


def is_older(order: ChannelOrder, stored_at: datetime | None) -> bool:
    """The channel says itself that this version came before the stored one."""
    return bool(stored_at and order.updated_at and order.updated_at < stored_at)


def _person(order: ChannelOrder) -> identity.Person:
    buyer = order.buyer
    return identity.Person(buyer.name, buyer.kana, buyer.phone, buyer.email, buyer.postal_code, buyer.prefecture)


def _write_columns(changes: Sequence[Change], sku_of: SkuOf) -> None:
    """One UPDATE per part, for the orders in which that part changed."""
    for part, types in COLUMN_TYPES.items():
        rows = []
        for change in changes:
            if part in change.parts:
                columns = READERS[part](change.order, sku_of)
                for name in OURS_TOO & columns.keys():
                    columns[name] = columns[name] or getattr(change.stored, name)
                columns |= {name: value for name, value in change.columns.items() if name in columns}
                rows.append((change.stored.pk, *(columns[name] for name in types)))
        update_rows("orders_order", types, rows)
    alone = [c for c in changes if "planned_ship_date" in c.columns and "delivery" not in c.parts]
    rows = [(c.stored.pk, c.columns["planned_ship_date"]) for c in alone]
    update_rows("orders_order", {"planned_ship_date": "date"}, rows)
    late = [(c.stored.pk, *c.deadlines) for c in changes if c.deadlines]
    update_rows("orders_order", {"ship_by": "timestamptz", "deliver_by": "timestamptz"}, late)
    _write_flags([change for change in changes if "state" in change.parts])


def _write_flags(changes: Sequence[Change]) -> None:
    """Apart, because arrays of arrays cannot be unnested by row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_order o SET flags = ARRAY(SELECT jsonb_array_elements_text(v.flags)) "
            "FROM unnest(%s::bigint[], %s::jsonb[]) AS v(id, flags) WHERE o.id = v.id",
            [[c.stored.pk for c in changes], [Jsonb(list(c.order.flags)) for c in changes]],
        )


def _write_heads(changes: Sequence[Change], member_of: dict[str, int | None], sku_of: SkuOf) -> None:
    """What every changed order gets: digests, version, the channel's time, and what FBA orders tell of shipping."""
    now = clock.now()
    update_rows(
        "orders_order",
        {
            "channel_parts": "jsonb",
            "channel_updated_at": "timestamptz",
            "version": "int",
            "member_id": "bigint",
            "shipped_at": "timestamptz",
            "search": "text",
        },
        [
            (
                c.stored.pk,
                c.digests,
                c.order.updated_at or c.stored.channel_updated_at,
                c.stored.version + 1,
                c.stored.member_id or member_of[c.stored.channel_order_no],
                c.stored.shipped_at
                or (now if c.order.state == ChannelState.SHIPPED and c.order.fulfilled_by_channel else None),
                intake_rows.search_column(c.order, sku_of)
                if c.parts & {"buyer", "recipients", "lines"}
                else c.stored.search,
            )
            for c in changes
        ],
    )


def _entry(change: Change) -> Entry:
    """What was taken over, with what stood before; of an order under way, what was only told."""
    state = change.order.channel_state
    text = said("モールの状態: %(state)s", state=state)
    if change.late:
        return Entry(change.stored.pk, channel_change.NOTED, text, change.settled.taken)
    if names := [PART_NAMES[part] for part in PART_NAMES if part in change.parts]:
        text = said("モールの状態: %(state)s（%(names)s）", state=state, names=names)
    taken = {} if change.is_under_way else dict(change.settled.taken)
    if change.lines_moved:
        pieces = sum(intake_rows.standing_quantity(line) for line in change.order.lines)
        taken["quantity"] = (str(change.stored.quantity), str(pieces))
    return Entry(change.stored.pk, channel_change.APPLIED, text, taken)


def _ask_for_stock(changes: Sequence[Change]) -> None:
    """Orders that may hold stock from now on: their SKUs are marked, and the allocator promises them."""
    now = clock.now()
    skus = OrderLine.objects.filter(order__in=[c.stored.pk for c in changes], sku__isnull=False)
    AllocatorMark.objects.bulk_create(
        AllocatorMark(sku_id=sku, at=now) for sku in set(skus.values_list("sku", flat=True))
    )


def _write_lines(changes: Sequence[Change], sku_of: SkuOf) -> None:
    """Bring stored lines to what the channel says now, and their promises with them; stock is locked here, last."""
    if not changes:
        return
    stored = {
        (line.order_id, line.channel_line_id): line
        for line in OrderLine.objects.filter(order__in=[change.stored.pk for change in changes])
    }
    plan = LinePlan(sku_of)
    apart = _taken_apart(stored.values())
    for change in changes:
        kept = set()
        for position, line in enumerate(change.order.lines):
            kept.add(line.line_id)
            known = stored.get((change.stored.pk, line.line_id))
            if known and (own := apart.get(known.pk)) and _stays_apart(line, known, own):
                kept.update(part.channel_line_id for part in own)
                continue
            plan.bring(change, position, line, stored.get((change.stored.pk, line.line_id)))
        for (order_id, line_id), known in stored.items():
            if order_id == change.stored.pk and line_id not in kept and known.quantity and not line_id.startswith(GIFT):
                plan.drop(change, known)
    plan.write()


def _taken_apart(lines: Iterable[OrderLine]) -> dict[int, list[OrderLine]]:
    """Set's line → the lines of its components."""
    found: dict[int, list[OrderLine]] = {}
    for line in lines:
        if line.set_line_id:
            found.setdefault(line.set_line_id, []).append(line)
    return found


def _stays_apart(line: ChannelLine, known: OrderLine, own: Sequence[OrderLine]) -> bool:
    """The channel names as many sets as before, or components have left already: what we made of it stays. Another
    number of sets replaces it."""
    sold = max(-(-(part.quantity + part.cancelled_quantity) // part.set_units) for part in own)
    same = intake_rows.standing_quantity(line) == known.quantity + sold
    return same or any(part.shipped_quantity for part in own)


@dataclass
class LinePlan:
    """Lines to change or add, and what they should hold afterwards."""

    sku_of: SkuOf
    changed: list[tuple[Any, ...]] = field(default_factory=list)
    added: list[tuple[Change, int, ChannelLine]] = field(default_factory=list)
    wants: list[stock.Want] = field(default_factory=list)
    let_go: list[int] = field(default_factory=list)
    resold: list[set_parts.Sold] = field(default_factory=list)
    had: dict[int, Change] = field(default_factory=dict)  # lines that held goods before they changed

    def bring(self, change: Change, position: int, line: ChannelLine, stored: OrderLine | None) -> None:
        if stored is None:
            self.added.append((change, position, line))
            change.lines_moved = True
            return
        """Money alone costs the line nothing; another quantity or SKU asks for stock anew. A code that is no longer
        mapped stands for what it stood for."""
        quantity, mapped = intake_rows.standing_quantity(line), intake_rows.mapped_of(self.sku_of, line)
        sku_id, units = (mapped.sku_id, mapped.units) if mapped else (stored.sku_id, stored.units)
        same = (quantity, sku_id) == (stored.quantity, stored.sku_id)
        if same:
            units = stored.units  # what was promised
        amount = intake_rows.standing_amount(line)
        if same and (stored.unit_price, stored.amount, stored.cancelled_quantity) == (
            line.unit_price,
            amount,
            line.cancelled_quantity,
        ):
            return
        release = mapped.release_date if mapped and not same else stored.release_date
        self.changed.append(
            (stored.pk, quantity, line.cancelled_quantity, line.unit_price, amount, sku_id, units,
             line.channel_sku[:120], release)
        )  # fmt: skip
        if same:
            return
        change.lines_moved = True
        self.let_go.append(stored.pk)
        if (sku_id, units) != (stored.sku_id, stored.units):
            self.resold.append((stored.pk, sku_id, units, stored.tax_rate))
        if (stored.reserved or stored.allocated_quantity) and not _is_later(release):
            self.had[stored.pk] = change
        if sku_id and quantity and takes_stock(change.order):
            self.wants.append(
                want_of(stored.pk, sku_id, quantity * units, change.order.ship_by, change.order.ordered_at)
            )

    def drop(self, change: Change, line: OrderLine) -> None:
        """The channel no longer lists it: nothing stands of it."""
        change.lines_moved = True
        self.changed.append(
            (line.pk, 0, line.cancelled_quantity + line.quantity, line.unit_price, 0, line.sku_id, line.units,
             line.channel_sku, line.release_date)
        )  # fmt: skip
        self.let_go.append(line.pk)

    def write(self) -> None:
        update_rows(
            "orders_orderline",
            {
                "quantity": "int", "cancelled_quantity": "int", "unit_price": "int", "amount": "int",
                "sku_id": "bigint", "units": "int", "channel_sku": "text", "release_date": "date",
            },
            self.changed,
        )  # fmt: skip
        set_parts.keep_anew(self.resold)
        if self.let_go:
            OrderLine.objects.filter(pk__in=self.let_go).update(reserved=False, allocated_quantity=0)
            lines_released.send(sender=LinePlan, line_ids=list(self.let_go))
        ids = next_ids("orders_orderline", len(self.added))
        new_wants = []
        for id_, (change, _position, line) in zip(ids, self.added, strict=True):
            mapped = intake_rows.mapped_of(self.sku_of, line)
            if mapped and takes_stock(change.order) and (quantity := intake_rows.standing_quantity(line)):
                new_wants.append(
                    want_of(id_, mapped.sku_id, quantity * mapped.units, change.order.ship_by, change.order.ordered_at)
                )
        granted = regrant(self.wants + new_wants, self.let_go)
        OrderLine.objects.filter(pk__in=line_ids_of(granted)).update(reserved=True)
        owners = self.had | {
            id_: change
            for id_, (change, _position, line) in zip(ids, self.added, strict=True)
            if (mapped := self.sku_of.get(line.channel_sku)) and not _is_later(mapped.release_date)
        }
        short = set(line_ids_of(want.ref for want in self.wants + new_wants)) - set(line_ids_of(granted))
        for line_id in short & owners.keys():
            owners[line_id].short = True
        _copy_added(ids, self.added, self.sku_of, granted)


def _is_later(release: date | None) -> bool:
    """Goods still to come out are waited for anyway."""
    return release is not None and release > clock.today()


def _copy_added(
    ids: Sequence[int], added: Sequence[tuple[Change, int, ChannelLine]], sku_of: SkuOf, granted: set[str]
) -> None:
    lines.insert(
        [(id_, change.stored.pk, position, line) for id_, (change, position, line) in zip(ids, added, strict=True)],
        sku_of,
        granted,
    )
