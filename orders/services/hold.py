"""Holding orders by hand, and lifting the hold."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction

from oms.kernel import clock
from oms.kernel.halves import in_halves
from oms.kernel.said import said, together
from orders.models import Order
from orders.models.order import Stage
from orders.services import journal
from orders.services import stage as stages
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.stage import Hold

BATCH = 500


@transaction.atomic
def hold_orders(order_ids: Sequence[int], *, reason: str, actor: Actor, until: date | None = None) -> list[int]:
    """Put open orders on hold; returns those that were not held before. On the day `until` it ends by itself."""
    held = _lock(order_ids, held_at__isnull=True, cancelled_at__isnull=True, shipped_at__isnull=True)
    text = together([reason, said("%(day)s まで", day=f"{until:%Y/%m/%d}")], " ") if until else reason
    journal.write([Entry(order_id, "held", text) for order_id in held], actor=actor)
    stages.recompute(held, actor=actor, hold=Hold(clock.now(), reason, until))
    return held


@transaction.atomic
def lift_holds(order_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """End the hold of these orders; returns those that were held."""
    lifted = _lock(order_ids, held_at__isnull=False)
    was = Order.objects.filter(pk__in=lifted).order_by("pk").values_list("pk", "hold_reason", "hold_until")
    journal.write([Entry(pk, "lifted", changes=_ended(why, until)) for pk, why, until in was], actor=actor)
    stages.recompute(lifted, actor=actor, hold=Hold(None))
    return lifted


def _ended(why: str, until: date | None) -> dict[str, tuple[str, str]]:
    """What the hold was, for who takes its end back."""
    day = {"hold_until": (until.isoformat(), "")} if until else {}
    return {"hold_reason": (why, "")} | day


def lift_due() -> int:
    """End the holds whose day has come; returns how many."""
    due = Order.objects.filter(stage=Stage.ON_HOLD, hold_until__lte=clock.today(), cancelled_at__isnull=True)
    return sum(len(lifted) for lifted in in_halves(_lift, list(due.values_list("pk", flat=True)[:BATCH]), "not_lifted"))


def _lift(order_ids: Sequence[int]) -> list[int]:
    return lift_holds(order_ids, actor=SYSTEM)


def _lock(order_ids: Sequence[int], **conditions: object) -> list[int]:
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids, **conditions).order_by("pk")
    return list(rows.values_list("pk", flat=True))
