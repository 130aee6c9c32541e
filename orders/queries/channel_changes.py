"""What the channel changed of an order, beside what stands here, for whoever decides between the two."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from oms.kernel.privacy import HIDDEN
from orders.models import Order, OrderEventValue, Recipient, ReviewReason
from orders.models.order import FulfillmentState
from orders.queries.timeline import OPEN_FIELDS, field_label
from orders.services.edit import BUYER_FIELDS, DELIVERY_FIELDS, RECIPIENT_FIELDS, why_closed
from orders.services.taking_over import APPLIED, NOTED, PART_OF, as_text

SHOWN = (*PART_OF, "quantity")


@dataclass(frozen=True, slots=True)
class Row:
    """One field: what stood here before, what the channel told, and whether ours can be put back (`choice`)."""

    name: str
    label: str
    ours: str
    theirs: str
    at: datetime
    applied: bool
    choice: bool


def changed_fields(order: Order, *, personal: bool) -> list[Row]:
    """The newest word of the channel on each field, newest first. Two queries."""
    rows = OrderEventValue.objects.filter(
        event__order=order.pk, event__kind__in=[APPLIED, NOTED], field__in=SHOWN
    ).select_related("event")
    newest: dict[str, OrderEventValue] = {}
    for value in rows.order_by("-event", "pk"):
        newest.setdefault(value.field, value)
    now = standing(order) if newest else {}
    may_choose = personal and not why_closed(order)
    return [_row(value, now, personal=personal, may_choose=may_choose) for value in newest.values()]


def standing(order: Order) -> dict[str, Any]:
    """The fields that can be put back, as they stand now; of several recipients the first."""
    first = Recipient.objects.filter(order=order, position=0).first()
    values = {name: getattr(order, name) for name in (*BUYER_FIELDS, *DELIVERY_FIELDS)}
    return values | {name: getattr(first, name) for name in RECIPIENT_FIELDS if first}


def page(order: Order, *, personal: bool) -> dict[str, Any]:
    """The context of the page."""
    rows = changed_fields(order, personal=personal)
    reason = order.reasons.filter(code="channel_changed", state=ReviewReason.State.OPEN).first()
    return {
        "order": order,
        "rows": rows,
        "waiting": [row for row in rows if not row.applied],
        "choices": any(row.choice for row in rows),
        "reason": reason,
        "closed": why_closed(order),
        "left_in_part": order.fulfillment_state == FulfillmentState.PARTIALLY_SHIPPED,
    }


def _row(value: OrderEventValue, now: dict[str, Any], *, personal: bool, may_choose: bool) -> Row:
    applied = value.event.kind == APPLIED
    as_told = value.field in now and as_text(now[value.field]) == value.after
    seen = personal or value.field in OPEN_FIELDS
    return Row(
        name=value.field,
        label=field_label(value.field),
        ours=_shown(value.before, seen=seen),
        theirs=_shown(value.after, seen=seen),
        at=value.event.at,
        applied=applied,
        choice=may_choose and applied and as_told,
    )


def _shown(text: str, *, seen: bool) -> str:
    if text and not seen:
        return HIDDEN
    return text or _("（なし）")
