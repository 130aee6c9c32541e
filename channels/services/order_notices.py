"""What channels could not be told of orders, and what people do about it, many orders at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction

from oms.kernel.models import Effect
from oms.kernel.services import outbox
from orders.models import Order
from orders.services import journal
from orders.services.journal import Actor, Entry


def failed(order_ids: Sequence[int]) -> dict[int, list[Effect]]:
    """Order → its failed notices to the channel, in the order in which they go out. One query."""
    order_of = {f"order:{pk}:channel": pk for pk in order_ids}
    found: dict[int, list[Effect]] = defaultdict(list)
    rows = Effect.objects.filter(subject__in=order_of, state=Effect.State.FAILED, kind__startswith="channel_")
    for effect in rows.order_by("pk"):
        found[order_of[effect.subject]].append(effect)
    return dict(found)


@transaction.atomic
def retry(order_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """Send what failed once more, at once; returns the orders it was about."""
    found = failed(order_ids)
    outbox.retry((one.pk for own in found.values() for one in own), by=actor.by)
    return _note(found, "notice_retried", "", actor)


@transaction.atomic
def close_by_hand(order_ids: Sequence[int], *, note: str, actor: Actor) -> list[int]:
    """A person did at the channel what could not be told: the failed notices close with this note. Returns the orders
    it was about. Locks the notices by pk, then the orders by pk."""
    rows = Effect.objects.filter(pk__in=[one.pk for own in failed(order_ids).values() for one in own])
    list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk").values_list("pk"))
    found = failed(order_ids)
    signed = f"{note}（{actor.by}）" if actor.by else note
    for one in sorted((one for own in found.values() for one in own), key=lambda effect: effect.pk):
        outbox.mark_done_by_hand(one.pk, note=signed, by=actor.by)
    return _note(found, "notice_by_hand", note, actor)


def _note(order_ids: Iterable[int], kind: str, text: str, actor: Actor) -> list[int]:
    ids = sorted(order_ids)
    journal.write([Entry(pk, kind, text) for pk in ids], actor=actor)
    return ids
