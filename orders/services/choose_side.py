"""Deciding what the channel changed: its values stay, or ours are put back field by field."""

from collections.abc import Collection
from datetime import date
from typing import Any

from django.db import transaction

from orders.models import Order, OrderEventValue
from orders.queries.channel_changes import changed_fields, standing
from orders.services import edit, review
from orders.services.change_lines import Moved
from orders.services.edit import BUYER_FIELDS, DELIVERY_FIELDS, RECIPIENT_FIELDS, Edited, Seen, fingerprint
from orders.services.journal import Actor
from orders.services.taking_over import APPLIED


@transaction.atomic
def decide(order_id: int, *, ours: Collection[str], version: int, actor: Actor) -> list[str]:
    """Put these fields back to what stood here before the channel changed them, and close the reason; returns the
    fields that changed. Reasons and stage follow.

    Raises Moved when the order is another one by now, edit.TooLate when it may not be edited. Locks the order. Sent
    twice the second one is Moved.
    """
    order = Order.objects.select_for_update(no_key=True, of=("self",)).get(pk=order_id)
    if order.version != version:
        raise Moved
    may = {row.name for row in changed_fields(order, personal=True) if row.choice}
    wanted = {name: _before(order, name) for name in ours if name in may}
    done = _put_back(order, wanted, actor) if wanted else []
    review.accept([order_id], codes=["channel_changed", "channel_reflected"], actor=actor)
    return done


def _put_back(order: Order, wanted: dict[str, Any], actor: Actor) -> list[str]:
    def to(values: dict[str, Any], seen: Seen) -> Edited:
        return edit.edit_recipient(order.pk, 0, values, seen=seen, actor=actor)

    def by(values: dict[str, Any], seen: Seen) -> Edited:
        return edit.edit_buyer(order.pk, values, seen=seen, actor=actor)

    def how(values: dict[str, Any], seen: Seen) -> Edited:
        return edit.edit_delivery(order.pk, values, seen=seen, actor=actor)

    done: list[str] = []
    for names, write in ((BUYER_FIELDS, by), (RECIPIENT_FIELDS, to), (DELIVERY_FIELDS, how)):
        own = {name: value for name, value in wanted.items() if name in names}
        if own:
            current = {name: value for name, value in standing(order).items() if name in names}
            done += write(current | own, Seen(order.version, fingerprint(current))).fields
            order.refresh_from_db()
    return done


def _before(order: Order, name: str) -> Any:
    newest = OrderEventValue.objects.filter(event__order=order, event__kind=APPLIED, field=name).order_by("-event")
    text = newest.values_list("before", flat=True)[0]
    if name == "wish_date":
        return date.fromisoformat(text) if text else None
    return text
