"""Fact columns that upper apps write on orders, after which the stage follows. The caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import F

from oms.kernel.sql import update_rows
from oms.kernel.text import search_text
from orders.models import Order, OrderLine
from orders.services import authorisations
from orders.services import stage as stages
from orders.services.journal import SYSTEM, Actor


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """How far one order's goods are."""

    order_id: int
    allocation_state: str
    fulfillment_state: str
    location_label: str
    tracking_label: str
    instructed_at: datetime | None
    shipped_at: datetime | None


def write_fulfilment(facts: Sequence[Fulfilment], *, actor: Actor = SYSTEM) -> None:
    """Write the columns and recompute the stages. The caller holds the orders' locks."""
    update_rows(
        "orders_order",
        {
            "allocation_state": "text",
            "fulfillment_state": "text",
            "location_label": "text",
            "tracking_label": "text",
            "instructed_at": "timestamptz",
            "shipped_at": "timestamptz",
        },
        [
            (
                f.order_id,
                f.allocation_state,
                f.fulfillment_state,
                f.location_label[:60],
                f.tracking_label[:120],
                f.instructed_at,
                f.shipped_at,
            )
            for f in facts
        ],
    )
    authorisations.ask_capture([f.order_id for f in facts if f.shipped_at])
    stages.recompute([f.order_id for f in facts], actor=actor)


def write_allocated(rows: Sequence[tuple[int, int]]) -> None:
    """(line id, pieces that have a place); the caller holds the orders' locks."""
    update_rows("orders_orderline", {"allocated_quantity": "int"}, rows)


def write_stop_asked(asked: Mapping[int, datetime | None]) -> None:
    """Since when a location has been asked to stop these orders' parcels; None when nobody waits for an answer.
    The caller holds the orders' locks."""
    update_rows("orders_order", {"stop_asked_at": "timestamptz"}, list(asked.items()))


def write_channel_sync(order_ids: Sequence[int], state: str) -> None:
    Order.objects.filter(pk__in=order_ids).update(channel_sync=state, version=F("version") + 1)


def mark_reserved(line_ids: Sequence[int]) -> None:
    """These lines hold their promise now."""
    OrderLine.objects.filter(pk__in=line_ids).update(reserved=True)


def add_search_words(words: Mapping[int, str]) -> None:
    """Make orders findable by more text (order id → words); the caller holds the locks. Adding again does nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_order o SET search = o.search || v.words "
            "FROM unnest(%s::bigint[], %s::text[]) AS v(id, words) "
            "WHERE o.id = v.id AND position(v.words IN o.search) = 0",
            [list(words), [search_text(text) for text in words.values()]],
        )
