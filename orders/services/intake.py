"""Taking orders in: a batch of a channel's orders becomes stored orders with members, reasons, promises and stage.

Idempotent by (shop, channel order number): the same order again changes nothing, an older version is not applied, and
of a newer one only the parts that the channel changed. New, changed and cancelled orders of a batch have a transaction
each, because each goes through the stock door; one that is refused is halved until the culprit stands alone, so one bad
order never stops the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from customers.services import identity
from customers.services.blacklist import Where
from customers.services.identity import Person
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.clock import TOKYO
from oms.kernel.said import said
from oms.kernel.sql import copy_rows, next_ids, was_in_the_way
from orders.channel_order import MOVED_IN, ChannelOrder, ChannelState, PaymentState
from orders.decide import reasons
from orders.decide.payments import Terms, pay_by
from orders.decide.reasons import OrderFacts
from orders.decide.schedule import END_OF_DAY, default_ship_by
from orders.decide.ship_plan import ShipPlan
from orders.decide.stage import Facts, stage
from orders.models import Order, Shop
from orders.models.order import PAYABLE, FulfillmentState, Stage
from orders.models.payment import Collector
from orders.services import (
    background,
    channel_change,
    intake_changes,
    journal,
    lines,
    listed,
    mail,
    mail_stages,
    options,
    reason_settings,
    recipients,
    review,
)
from orders.services import stage as stages
from orders.services.background import Background
from orders.services.facts import mark_reserved
from orders.services.intake_rows import (
    SkuOf,
    day_of,
    facts_of,
    has_line_due,
    mapped_of,
    next_release,
    order_columns,
    ordered_on,
    part_digests,
    standing_quantity,
)
from orders.services.journal import Entry
from orders.services.payment_gates import TermsOfShops
from orders.services.reason_settings import Reader
from orders.services.reservation import line_ids_of, takes_stock, want_of
from orders.services.rules import active
from orders.services.rules import run as rules

log = structlog.get_logger(__name__)

BATCH = 500
TRIES = 3


@dataclass
class Outcome:
    """What became of a batch, by channel order number."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)  # (number, plain-word cause)

    def add(self, other: "Outcome") -> None:
        for name in ("created", "updated", "unchanged", "stale", "failed"):
            getattr(self, name).extend(getattr(other, name))


def take_in(shop: Shop, orders: Sequence[ChannelOrder], *, sku_of: SkuOf) -> Outcome:
    """Store these orders of one shop. `sku_of` maps the channel's product codes that are known.

    At most one caller per shop at a time (the channels hold an advisory lock); a second one is safe but may fail on
    the unique key, and its batch is then tried anew.
    """
    outcome = Outcome()
    unique = newest_each(orders)
    sku_of = options.learned(shop, unique, sku_of)
    for start in range(0, len(unique), BATCH):
        for part in _by_work(shop, unique[start : start + BATCH]):
            outcome.add(_take_part(shop, part, sku_of))
    return outcome


def _by_work(shop: Shop, orders: Sequence[ChannelOrder]) -> list[list[ChannelOrder]]:
    """New orders, known ones, and known ones that the channel cancelled: together they would lock members and stock
    twice in one transaction, and two shops' imports would deadlock."""
    known = set(
        Order.objects.filter(shop=shop, channel_order_no__in=[order.channel_order_no for order in orders]).values_list(
            "channel_order_no", flat=True
        )
    )
    parts: tuple[list[ChannelOrder], list[ChannelOrder], list[ChannelOrder]] = ([], [], [])
    for order in orders:
        is_known = order.channel_order_no in known
        parts[is_known + (is_known and order.state == ChannelState.CANCELLED)].append(order)
    return [part for part in parts if part]


def newest_each(orders: Sequence[ChannelOrder]) -> list[ChannelOrder]:
    """One version per order number: the one updated last, else the one named last."""
    best: dict[str, ChannelOrder] = {}
    for order in orders:
        held = best.get(order.channel_order_no)
        if held is None or not (held.updated_at and order.updated_at and order.updated_at < held.updated_at):
            best[order.channel_order_no] = order
    return list(best.values())


def _take_part(shop: Shop, orders: Sequence[ChannelOrder], sku_of: SkuOf) -> Outcome:
    try:
        return _write_soon(shop, orders, sku_of)
    except (InterfaceError, OperationalError):  # the database, not an order: the next import goes on from here
        raise
    except Exception as error:  # whatever one order makes our program stumble over concerns this order only
        if len(orders) == 1:
            log.warning(
                "order_not_stored", shop=shop.code, order=orders[0].channel_order_no, error=type(error).__name__
            )
            return Outcome(
                failed=[
                    (
                        orders[0].channel_order_no,
                        said("データを保存できませんでした（%(name)s）。", name=type(error).__name__),
                    )
                ]
            )
    middle = len(orders) // 2
    outcome = _take_part(shop, orders[:middle], sku_of)
    outcome.add(_take_part(shop, orders[middle:], sku_of))
    return outcome


def _write_soon(shop: Shop, orders: Sequence[ChannelOrder], sku_of: SkuOf) -> Outcome:
    """`_write` in a transaction; again when another worker was in the way (a deadlock, a lock held for long, stock that
    moved, or the same order stored just now, which is a known one then)."""
    for _attempt in range(TRIES - 1):
        try:
            with transaction.atomic():
                return _write(shop, orders, sku_of)
        except (IntegrityError, OperationalError, stock.StockMoved) as error:
            if connection.in_atomic_block or (isinstance(error, OperationalError) and not was_in_the_way(error)):
                raise
    with transaction.atomic():
        return _write(shop, orders, sku_of)


def _write(shop: Shop, orders: Sequence[ChannelOrder], sku_of: SkuOf) -> Outcome:
    stored = {
        no: (digests, updated_at, state != FulfillmentState.NONE)
        for no, digests, updated_at, state in Order.objects.filter(
            shop=shop, channel_order_no__in=[order.channel_order_no for order in orders]
        ).values_list("channel_order_no", "channel_parts", "channel_updated_at", "fulfillment_state")
    }
    outcome, new, changed = Outcome(), [], []
    for order in orders:
        no = order.channel_order_no
        if no not in stored:
            new.append(order)
            outcome.created.append(no)
            continue
        digests, updated_at, under_way = stored[no]
        if intake_changes.is_older(order, updated_at):
            outcome.stale.append(no)
        elif channel_change.is_known(digests, part_digests(order), under_way=under_way):
            outcome.unchanged.append(no)
        else:
            changed.append(order)
            outcome.updated.append(no)
    if changed:
        intake_changes.apply_changes(shop, changed, sku_of)
    if new:
        _create(shop, new, sku_of)
    return outcome


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order about to be written, with everything decided about it."""

    id: int
    order: ChannelOrder
    columns: dict[str, Any]
    found: Sequence[reasons.Found]
    stage: Stage
    line_ids: Sequence[int]


def _create(shop: Shop, orders: Sequence[ChannelOrder], sku_of: SkuOf) -> None:
    people = [_person(order) for order in orders]
    members = identity.match_members(people)
    identity.count_orders([member for member in members if member is not None])
    wheres = [Where(shop.code, order.payment_method.value) for order in orders]
    settings = reason_settings.read()
    suspicious = listed.look([listed.told_of(order) for order in orders], wheres, settings)
    told = [facts_of(order, sku_of, listed=suspect) for order, suspect in zip(orders, suspicious, strict=True)]
    behind = background.behind_new(members, told, [order.ordered_at for order in orders], settings)
    ids = next_ids("orders_order", len(orders))
    line_ids = iter(next_ids("orders_orderline", sum(len(order.lines) for order in orders)))
    terms, plan = TermsOfShops([shop]), behind.plans.company
    new = [
        _decide(
            shop,
            terms,
            id_,
            order,
            sku_of,
            member=member,
            facts=facts,
            behind=behind,
            plan=plan,
            line_ids=[next(line_ids) for _ in order.lines],
        )
        for id_, order, member, facts in zip(ids, orders, members, told, strict=True)
    ]
    _copy_orders(new)
    _copy_recipients(new)
    review.insert([(item.id, found) for item in new for found in item.found])
    stages.count_moves([(shop.pk, "", item.stage) for item in new])
    journal.write([Entry(item.id, "imported", item.order.channel_state) for item in new])
    mail.schedule(shop, "order_received", [(i.id, i.order.buyer.email) for i in new if mail.wants_thanks(i.order)])
    mail_stages.follow([(item.id, "", item.stage) for item in new])
    mail_stages.payment_failed(
        [i.id for i in new if i.order.payment_state == PaymentState.FAILED and mail.wants_thanks(i.order)]
    )
    moved = _promise(new, sku_of)
    stages.ask_confirm(
        [
            item.id
            for item in new
            if shop.auto_confirm and moved.get(item.id, item.stage) == Stage.NEW and _waits(shop, item.order)
        ]
    )
    stages.wake(moved.get(item.id, item.stage) for item in new)


def _promise(new: Sequence[NewOrder], sku_of: SkuOf) -> dict[int, str]:
    """Write the lines and promise their stock. Rules look at the lines first, and what they add asks the door with
    them. Returns where orders stand that rules moved."""
    wants = _wants(new, sku_of)
    if not active.active().rules:
        _copy_lines(new, sku_of, stock.grant(stock.requests_for(wants), kind="reserve"))
        return {}
    _copy_lines(new, sku_of, set())
    ours = [item for item in new if not _is_history(item.order)]
    begun = rules.prepare([item.id for item in ours], {item.id: _events(item) for item in ours})
    added = begun.wants if begun else []
    granted = stock.grant(stock.requests_for([*wants, *added]), kind="reserve")
    mark_reserved(line_ids_of(granted))
    return rules.finish(begun, granted) if begun else {}


def _is_history(order: ChannelOrder) -> bool:
    """Brought along from another system and over there already: no rule may write to its buyer or move goods."""
    return MOVED_IN in order.flags and order.state != ChannelState.OPEN


def _events(item: NewOrder) -> list[str]:
    """What rules may listen to when an order comes in: it may be paid and confirmed already."""
    events = ["imported", f"stage_entered:{item.stage}"]
    events += ["paid"] if item.order.payment_state == PaymentState.PAID else []
    return events + (["confirmed"] if item.order.confirmed_at else [])


def _decide(
    shop: Shop,
    terms: TermsOfShops,
    id_: int,
    order: ChannelOrder,
    sku_of: SkuOf,
    *,
    member: int | None,
    facts: OrderFacts,
    behind: Background,
    plan: ShipPlan,
    line_ids: Sequence[int],
) -> NewOrder:
    now = clock.now()
    columns = order_columns(order, sku_of, now, plan)
    handled_by_us = order.state not in {ChannelState.CANCELLED, ChannelState.SHIPPED} and not order.fulfilled_by_channel
    if handled_by_us:
        columns["ship_by"] = columns["ship_by"] or default_ship_by(
            shop.ship_within_days,
            ordered_on(order),
            release_date=columns["release_date"],
            planned_ship_date=columns["planned_ship_date"],
        )
    own = terms.of(shop.pk, columns["payment_method"], columns["payment_name"])
    columns["pay_by"] = columns["pay_by"] or _pay_by(own, columns, ordered_on(order))
    reader = Reader(
        shop.channel, shop.code, columns["payment_method"], behind.rank_of(member), columns["carrier"],
        behind.kind_of_buyer(member), reason_settings.stopped_by(shop),
    )  # fmt: skip
    told = behind.fill_new(_wished(facts, columns), member, order, shop.pk, reader) if handled_by_us else facts
    found = behind.settings.leveled(reasons.evaluate(told), reader) if handled_by_us else []
    blocking = sum(reason.level == "block" for reason in found)
    stage_, due_at = stage(_stage_facts(shop, own, order, sku_of, columns, blocking, plan.lead_days), now)
    columns |= {
        "id": id_,
        "shop_id": shop.pk,
        "member_id": member,
        "blocking_reasons": blocking,
        "stage": stage_,
        "stage_since": now,
        "stage_due_at": due_at,
    }
    return NewOrder(id_, order, columns, found, stage_, line_ids)


def _wished(facts: OrderFacts, columns: dict[str, Any]) -> OrderFacts:
    """A wish may stand in the remark, so it is taken from the columns."""
    return replace(
        facts,
        carrier=columns["carrier"],
        wish_date=columns["wish_date"],
        wish_slot=columns["wish_slot"],
        ships_on=columns["planned_ship_date"],
        promised_on=day_of(columns["ship_by"]),
    )


def _waits(shop: Shop, order: ChannelOrder) -> bool:
    return order.state == ChannelState.TO_CONFIRM and shop.can("confirm") and order.confirmed_at is None


def _pay_by(terms: Terms, columns: dict[str, Any], day: date) -> datetime | None:
    """The end of the day until which the buyer may pay us, where the channel sets no limit."""
    last = pay_by(terms, day) if terms.collector == Collector.US and columns["payment_state"] in PAYABLE else None
    return datetime.combine(last, END_OF_DAY, TOKYO) if last else None


def _stage_facts(  # noqa: PLR0917 - what a new order is made of
    shop: Shop, terms: Terms, order: ChannelOrder, sku_of: SkuOf, columns: dict[str, Any], blocking: int, lead: int
) -> Facts:
    """A new order has no place for its goods yet: whatever it has to ship today is unallocated."""
    return Facts(
        phase=columns["phase"],
        cancelled=columns["cancelled_at"] is not None,
        held=False,
        fulfilled_by_channel=order.fulfilled_by_channel,
        fulfillment_state="none",
        shipped_at=columns["shipped_at"],
        follow_up_days=shop.follow_up_days,
        blocking_reasons=blocking,
        waits_for_confirm=_waits(shop, order),
        ships_when=terms.ships_when,
        payment_state=columns["payment_state"],
        due_unallocated=has_line_due(order.lines, sku_of, clock.today()),
        release_date=columns["release_date"],
        next_release=next_release(order.lines, sku_of, clock.today()) if columns["release_date"] else None,
        planned_ship_date=columns["planned_ship_date"],
        lead_days=lead,
    )


def _person(order: ChannelOrder) -> Person:
    buyer = order.buyer
    return Person(buyer.name, buyer.kana, buyer.phone, buyer.email, buyer.postal_code, buyer.prefecture)


# Columns of a new order that upper apps or people fill later.
LATER: dict[str, Any] = {
    "internal_note": "",
    "allocation_state": "none",
    "fulfillment_state": "none",
    "location_label": "",
    "tracking_label": "",
    "channel_sync": "none",
    "instructed_at": None,
    "held_at": None,
    "hold_reason": "",
    "tags": [],
    "important": False,
    "priority": 0,
    "version": 1,
}


def _copy_orders(new: Sequence[NewOrder]) -> None:
    names = [*new[0].columns, *LATER]
    copy_rows("orders_order", names, [[(item.columns | LATER)[name] for name in names] for item in new])


def _copy_recipients(new: Sequence[NewOrder]) -> None:
    recipients.insert([(item.id, item.order) for item in new])


def _wants(new: Sequence[NewOrder], sku_of: SkuOf) -> list[stock.Want]:
    """Promises for every mapped line of orders that we shall ship, provisional ones too."""
    wants = []
    for item in new:
        order = item.order
        if not takes_stock(order):
            continue
        for line_id, line in zip(item.line_ids, order.lines, strict=True):
            if (mapped := mapped_of(sku_of, line)) and (quantity := standing_quantity(line)):
                wants.append(
                    want_of(line_id, mapped.sku_id, quantity * mapped.units, item.columns["ship_by"], order.ordered_at)
                )
    return wants


def _copy_lines(new: Sequence[NewOrder], sku_of: SkuOf, granted: set[str]) -> None:
    lines.insert(
        [
            (line_id, item.id, position, line)
            for item in new
            for position, (line_id, line) in enumerate(zip(item.line_ids, item.order.lines, strict=True))
        ],
        sku_of,
        granted,
    )
