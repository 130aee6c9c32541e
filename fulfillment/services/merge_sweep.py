"""Finding orders for one recipient: merged by themselves, put to a person, or left to go their own ways in time."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from fulfillment.decide.merging import Candidate, Kind, ask_until, groups, judge, pair, policy_of, same_key
from fulfillment.models import Merge, MergedOrder, MergePair, ReleaseTime, Shipment
from fulfillment.queries import merging as reading
from fulfillment.services import merge, merge_keys
from oms.kernel import clock
from oms.kernel.said import said
from orders.decide.reasons import Found
from orders.models import Order, ReviewReason, Shop
from orders.services import review
from orders.services.journal import SYSTEM


def sweep() -> int:
    """Mend what may not travel together any more, merge what the shops want merged, ask about the rest.

    Returns how many merges were made. May run twice, and beside people: every step takes its orders' locks and looks
    again.
    """
    merge_keys.sweep()
    mend_broken()
    ids = reading.meeting()
    pairs = reading.decided(ids)
    apart = frozenset(found for found, decision in pairs.items() if decision != MergePair.Decision.ASKED)
    guests = reading.guests(ids)
    found = [candidate for candidate in reading.candidates(ids) if candidate.order_id not in guests]
    by_rule = reading.merged_by_rule(ids)
    made, asked = 0, dict[int, list[Candidate]]()
    for alike in reading.by_key(found):
        for group in groups(alike, apart=apart):
            if policy_of(group) == "automatic" or all(candidate.order_id in by_rule for candidate in group):
                made += _merge(group)
            else:
                asked |= {candidate.order_id: group for candidate in group}
    _ask(asked)
    return made


def _merge(group: Sequence[Candidate]) -> int:
    try:
        merge.merge_orders([candidate.order_id for candidate in group], actor=SYSTEM)
    except merge.CannotMerge:
        return 0  # the world moved since it was read; the next sweep looks again
    return 1


def mend_broken() -> int:
    """Undo merges whose orders may not travel together any more: cancelled, another address now, or one of them stuck
    while the others' time comes. Returns how many. Where their money cannot be put back any more, those that are only
    stuck stay together until a person parts them."""
    rows = MergedOrder.objects.filter(active=True, merge__shipment__state=Shipment.State.PLANNED)
    of: dict[int, list[int]] = {}
    for merge_id, order_id in rows.order_by("merge", "pk").values_list("merge", "order"):
        of.setdefault(merge_id, []).append(order_id)
    stages = dict(
        Order.objects.filter(pk__in=[id_ for ids in of.values() for id_ in ids]).values_list("pk", "stage")
    )  # fmt: skip
    keys = reading.keys_of(stages)
    broken = 0
    for merge_id, ids in of.items():
        if _is_broken([stages[id_] for id_ in ids], [keys.get(id_, "") for id_ in ids]):
            broken += _undo(merge_id)
    return broken


def _undo(merge_id: int) -> bool:
    try:
        return merge.undo(merge_id, actor=SYSTEM, why=said("一緒に出荷できなくなったため"))
    except merge.CannotMerge:
        return False  # its money went another way, or it was instructed since it was read: the other merges go on


def _is_broken(stages: Sequence[str], keys: Sequence[str]) -> bool:
    """Scheduled orders wait for their day together; any earlier stage holds the others up."""
    stuck = any(stage not in {"ready", "scheduled"} for stage in stages) and "ready" in stages
    return "cancelled" in stages or stuck or not same_key(keys)


# ---- asking


def _ask(wanted: Mapping[int, Sequence[Candidate]]) -> None:
    """Open the reason where a group waits for a decision and its time has not run out; close it everywhere else."""
    open_now = ReviewReason.objects.filter(code=merge.REASON, state=ReviewReason.State.OPEN)
    raised = dict(open_now.values_list("order", "raised_at"))
    now, cut_offs = clock.now(), list(ReleaseTime.objects.filter(active=True).values_list("at", flat=True))
    minutes = dict(Shop.objects.values_list("pk", "merge_until_min"))
    found, expired = [], list[Sequence[Candidate]]()
    for order_id, group in wanted.items():
        since: datetime = min((raised[c.order_id] for c in group if c.order_id in raised), default=now)
        limit = max(minutes[candidate.shop_id] for candidate in group)
        if now < ask_until(since, cut_offs, limit):
            found.append((order_id, _found(order_id, group)))
        elif group not in expired:
            expired.append(group)
    for group in expired:
        _let_go(group)
    asking = {order_id for order_id, _reason in found}
    _write(found, sorted(raised.keys() - asking))


def _found(order_id: int, group: Sequence[Candidate]) -> Found:
    others = [candidate.order_id for candidate in group if candidate.order_id != order_id]
    numbers = list(Order.objects.filter(pk__in=others).order_by("pk").values_list("channel_order_no", flat=True))
    return Found(merge.REASON, said("同じ届け先の受注があります: %(names)s", names=numbers), "recipient")


def _let_go(group: Sequence[Candidate]) -> None:
    """Nobody decided in time: these orders go separately, and are not asked about again."""
    for place, one in enumerate(group):
        for other in group[place + 1 :]:
            merge.keep_apart(
                one.order_id, other.order_id, decision=MergePair.Decision.EXPIRED, actor=SYSTEM
            )  # fmt: skip


@transaction.atomic
def _write(found: Sequence[tuple[int, Found]], over: Sequence[int]) -> None:
    ids = sorted({order_id for order_id, _reason in found} | set(over))
    locked = Order.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    list(locked.values_list("pk", flat=True))
    if found:
        review.open_from_above(found)
    if over:
        review.close_from_above(over, merge.REASON)


def last_merge_of(order_id: int) -> Merge | None:
    """The merge that the order is in now."""
    latest = MergedOrder.objects.filter(order=order_id, active=True).aggregate(latest=Max("merge"))["latest"]
    return Merge.objects.filter(pk=latest).first() if latest else None


__all__ = ["Kind", "judge", "last_merge_of", "mend_broken", "pair", "sweep"]
