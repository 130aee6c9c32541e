"""How and when orders leave, changed in bulk before they are handed to the warehouse."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import F

from orders.models import Order
from orders.models.order import FulfillmentState
from orders.services import journal, review
from orders.services import stage as stages
from orders.services.journal import Actor, Entry

FIELDS = ("carrier", "delivery_method", "planned_ship_date")


@transaction.atomic
def change(order_ids: Sequence[int], values: Mapping[str, Any], *, actor: Actor) -> list[int]:
    """Set some of `FIELDS` on orders not yet instructed; returns those where something changed.

    Takes the orders' locks by pk; reasons and stages follow: another carrier has other hours, widths and areas.
    """
    unknown = set(values) - set(FIELDS)
    if unknown:
        raise ValueError(f"not a field of delivery: {sorted(unknown)}")
    rows = (
        Order.objects.select_for_update(no_key=True)
        .filter(pk__in=order_ids, cancelled_at=None, fulfillment_state=FulfillmentState.NONE)
        .order_by("pk")
        .values("pk", *values)
    )
    changes = {
        row["pk"]: {name: (_word(row[name]), _word(value)) for name, value in values.items() if row[name] != value}
        for row in rows
    }
    ids = [id_ for id_, fields in changes.items() if fields]
    Order.objects.filter(pk__in=ids).update(**values, version=F("version") + 1)
    journal.write([Entry(id_, "edited", changes=changes[id_]) for id_ in ids], actor=actor)
    review.sync(ids)
    stages.recompute(ids, actor=actor)
    return ids


def from_plain(name: str, value: Any) -> Any:
    """A value of one of `FIELDS` as JSON keeps it, as the column has it."""
    return date.fromisoformat(value) if name == "planned_ship_date" and value else value


def _word(value: Any) -> str:
    return "" if value is None else str(value)
