"""A known order came again and differs: apply the parts that the channel changed, as far as that is still possible.

Until the shipping instruction the channel's newer data is taken. After it the address, lines and wishes stay as they
were instructed, and the reason `channel_changed` says what the channel wants instead. State and payment are always
taken.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from customers.services import identity
from inventory.models import AllocatorMark
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.said import said
from oms.kernel.sql import next_ids, update_rows
from orders.channel_order import ChannelLine, ChannelOrder, ChannelState, PaymentState
from orders.models import Order, OrderLine, Shop
from orders.models.order import FulfillmentState
from orders.services import cancel, intake_rows, journal, ledger, lines, mail, mail_stages, recipients, review
from orders.services import stage as stages
from orders.services.intake_rows import SkuOf
from orders.services.journal import Entry
from orders.services.reservation import NO_RESERVE, line_ids_of, takes_stock, want_of
from orders.services.rules import run as rules
from orders.services.rules.verbs import GIFT
from orders.signals import lines_released

PART_NAMES = {
    "buyer": said("注文者"),
    "recipients": said("届け先"),
    "lines": said("商品・数量"),
    "totals": said("金額"),
    "delivery": said("配達の希望"),
    "remarks": said("備考"),
}
# After the goods have left, what the channel masks or closes is no news.
NEWS_AFTER_SHIPPING = {"lines", "totals"}

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


@dataclass
class Change:
    """A stored order, what the channel says now, and which parts are to be taken."""

    stored: Order
    order: ChannelOrder
    digests: dict[str, str]
    parts: set[str]
    news: list[str] = field(default_factory=list)  # sentences for the reason channel_changed


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
        _compare(stored, by_no[stored.channel_order_no])
        for stored in locked
        if not is_older(by_no[stored.channel_order_no], stored.channel_updated_at)  # stored since it was looked at
    ]
    _write_columns(changes, sku_of)
    _write_heads(changes, member_of, sku_of)
    ledger.settle([c.stored.pk for c in changes if c.stored.paid_amount and c.parts & {"payment", "totals"}])
    recipients.replace([(c.stored.pk, c.order) for c in changes if "recipients" in c.parts])
    journal.write([_entry(change) for change in changes])
    cancelled = [c.stored.pk for c in changes if c.order.state == ChannelState.CANCELLED and _may_cancel(c.stored)]
    _write_lines([c for c in changes if "lines" in c.parts and c.stored.pk not in cancelled], sku_of)
    cancel.cancel_at_channel(cancelled)
    ids = [change.stored.pk for change in changes]
    _ask_for_stock([c for c in changes if NO_RESERVE in c.stored.flags and takes_stock(c.order)])
    review.sync(ids, changes={c.stored.pk: "\n".join(c.news) for c in changes if c.news})
    rules.run_behind(ids, {change.stored.pk: _events(change) for change in changes})
    mail.schedule(
        shop, "order_received", [(c.stored.pk, c.order.buyer.email) for c in changes if mail.wants_thanks(c.order)]
    )
    mail_stages.payment_failed([c.stored.pk for c in changes if _just_failed(c)])
    stages.recompute(ids)


def _events(change: Change) -> list[str]:
    """What this change means to rules."""
    paid = change.order.payment_state == PaymentState.PAID != change.stored.payment_state
    confirmed = change.order.confirmed_at is not None and change.stored.confirmed_at is None
    return ["channel_changed", *(["paid"] if paid else []), *(["confirmed"] if confirmed else [])]


def _just_failed(change: Change) -> bool:
    return "payment" in change.parts and change.order.payment_state == PaymentState.FAILED


def is_older(order: ChannelOrder, stored_at: datetime | None) -> bool:
    """The channel says itself that this version came before the stored one."""
    return bool(stored_at and order.updated_at and order.updated_at < stored_at)


def _person(order: ChannelOrder) -> identity.Person:
    buyer = order.buyer
    return identity.Person(buyer.name, buyer.kana, buyer.phone, buyer.email, buyer.postal_code, buyer.prefecture)


def _compare(stored: Order, order: ChannelOrder) -> Change:
    digests = intake_rows.part_digests(order)
    differ = {part for part, digest in digests.items() if stored.channel_parts.get(part) != digest}
    change = Change(stored, order, digests, differ)
    if stored.fulfillment_state != FulfillmentState.NONE:
        change.parts = differ & {"state", "payment", "memo"}
        told = NEWS_AFTER_SHIPPING if stored.fulfillment_state == FulfillmentState.SHIPPED else PART_NAMES.keys()
        change.news += [
            said("出荷指示のあとに、モールで%(part)sが変わりました。", part=PART_NAMES[p])
            for p in sorted(differ & set(told))
        ]
    if stored.cancelled_at is not None:
        change.parts -= {"lines"}  # nothing of it will ship: its lines must not take stock again
    if "state" in differ:
        change.news += _state_news(stored, order)
    return change


def _state_news(stored: Order, order: ChannelOrder) -> list[str]:
    if order.state == ChannelState.CANCELLED and not _may_cancel(stored) and stored.cancelled_at is None:
        return [said("出荷したあとに、モールでキャンセルされました。返品の手配が要ります。")]
    if (
        order.state == ChannelState.SHIPPED
        and stored.fulfillment_state == FulfillmentState.NONE
        and not order.fulfilled_by_channel
    ):
        return [said("こちらで出荷する前に、モールの画面で出荷済みになりました。")]
    return []


def _may_cancel(stored: Order) -> bool:
    return stored.cancelled_at is None and stored.fulfillment_state in {
        FulfillmentState.NONE,
        FulfillmentState.INSTRUCTED,
    }


def _write_columns(changes: Sequence[Change], sku_of: SkuOf) -> None:
    """One UPDATE per part, for the orders in which that part changed."""
    for part, types in COLUMN_TYPES.items():
        rows = []
        for change in changes:
            if part in change.parts:
                columns = READERS[part](change.order, sku_of)
                for name in OURS_TOO & columns.keys():
                    columns[name] = columns[name] or getattr(change.stored, name)
                rows.append((change.stored.pk, *(columns[name] for name in types)))
        update_rows("orders_order", types, rows)
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
    names = [PART_NAMES[part] for part in PART_NAMES if part in change.parts]
    state = change.order.channel_state
    text = said("モールの状態: %(state)s", state=state)
    if names:
        text = said("モールの状態: %(state)s（%(names)s）", state=state, names=names)
    return Entry(change.stored.pk, "channel_update", text)


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
    for change in changes:
        kept = set()
        for position, line in enumerate(change.order.lines):
            kept.add(line.line_id)
            plan.bring(change, position, line, stored.get((change.stored.pk, line.line_id)))
        for (order_id, line_id), known in stored.items():
            if order_id == change.stored.pk and line_id not in kept and known.quantity and not line_id.startswith(GIFT):
                plan.drop(known)
    plan.write()


@dataclass
class LinePlan:
    """Lines to change or add, and what they should hold afterwards."""

    sku_of: SkuOf
    changed: list[tuple[Any, ...]] = field(default_factory=list)
    added: list[tuple[Change, int, ChannelLine]] = field(default_factory=list)
    wants: list[stock.Want] = field(default_factory=list)
    let_go: list[int] = field(default_factory=list)

    def bring(self, change: Change, position: int, line: ChannelLine, stored: OrderLine | None) -> None:
        if stored is None:
            self.added.append((change, position, line))
            return
        """Money alone costs the line nothing; another quantity or SKU asks for stock anew. A code that is no longer
        mapped stands for what it stood for."""
        quantity, mapped = intake_rows.standing_quantity(line), self.sku_of.get(line.channel_sku)
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
        self.let_go.append(stored.pk)
        if sku_id and quantity and takes_stock(change.order):
            self.wants.append(
                want_of(stored.pk, sku_id, quantity * units, change.order.ship_by, change.order.ordered_at)
            )

    def drop(self, line: OrderLine) -> None:
        """The channel no longer lists it: nothing stands of it."""
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
        if self.let_go:
            OrderLine.objects.filter(pk__in=self.let_go).update(reserved=False, allocated_quantity=0)
            lines_released.send(sender=LinePlan, line_ids=list(self.let_go))
        ids = next_ids("orders_orderline", len(self.added))
        new_wants = []
        for id_, (change, _position, line) in zip(ids, self.added, strict=True):
            mapped = self.sku_of.get(line.channel_sku)
            if mapped and takes_stock(change.order) and (quantity := intake_rows.standing_quantity(line)):
                new_wants.append(
                    want_of(id_, mapped.sku_id, quantity * mapped.units, change.order.ship_by, change.order.ordered_at)
                )
        granted = regrant(self.wants + new_wants, self.let_go)
        OrderLine.objects.filter(pk__in=line_ids_of(granted)).update(reserved=True)
        _copy_added(ids, self.added, self.sku_of, granted)


# Ranks of one call are compared with each other, also those of lines that ask for nothing.
LAST = (float("inf"), float("inf"))


def regrant(wants: Sequence[stock.Want], let_go: Sequence[int]) -> set[str]:
    """One stock call: give back what `let_go` lines hold, and promise what `wants` ask. Returns the refs granted."""
    asked = stock.requests_for(wants)
    named = {request.ref for request in asked}
    empty = [stock.Request(ref, (), LAST) for line in let_go if (ref := f"line:{line}") not in named]
    return stock.regrant([*asked, *empty])


def _copy_added(
    ids: Sequence[int], added: Sequence[tuple[Change, int, ChannelLine]], sku_of: SkuOf, granted: set[str]
) -> None:
    lines.insert(
        [(id_, change.stored.pk, position, line) for id_, (change, position, line) in zip(ids, added, strict=True)],
        sku_of,
        granted,
    )
