"""The two answers of a card that asks whether orders travel together: 同梱する and 同梱しない, undone by one key."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fulfillment.decide.merging import pair
from fulfillment.models import MergePair
from fulfillment.queries import merging as reading
from fulfillment.services import merge
from oms.kernel.later import later
from oms.kernel.said import said
from orders.models import Order
from orders.services import decide_card, review
from orders.services.decide_card import Above, Refused, Wanted
from orders.services.journal import Actor

MOST = 20  # orders to one recipient on one card


def others(value: str) -> list[int]:
    """The orders that the button named, beside the card's own."""
    return [int(part) for part in value.split(",")[:MOST] if part.isdecimal() and len(part) < 18]


def _together(order: Order, wanted: Wanted, actor: Actor) -> dict[str, Any]:
    made = _or_refused(partial(merge.merge_orders, [order.pk, *others(wanted.value)], actor=actor))
    return {"merge": made.pk}


def _take_apart(kept: Mapping[str, Any], actor: Actor) -> None:
    _or_refused(partial(merge.undo, kept["merge"], actor=actor))
    later("fulfillment.tasks.merge_sweep")  # the other orders ask again


def _apart(order: Order, wanted: Wanted, actor: Actor) -> dict[str, Any]:
    """Remembered for this order and each of the others; where they were but two, both are done."""
    ids = others(wanted.value)
    if not ids or not set(ids) <= set(reading.meeting_with(order.pk)):
        raise Refused(said("届け先が異なるか、店舗の設定で同梱できません。"))
    before = {other: _decision(order.pk, other) for other in ids}
    for other in ids:
        _or_refused(partial(merge.keep_apart, order.pk, other, actor=actor))
    review.close_from_above([order.pk, *(ids if len(ids) == 1 else [])], merge.REASON, actor=actor)
    later("fulfillment.tasks.merge_sweep")
    return {"order": order.pk, "pairs": [[other, decision] for other, decision in before.items()]}


def _ask_again(kept: Mapping[str, Any], _actor: Actor) -> None:
    for other, decision in kept["pairs"]:
        low, high = pair(kept["order"], other)
        rows = MergePair.objects.filter(low=low, high=high)
        if decision:
            rows.update(decision=decision)
        else:
            rows.delete()


def _decision(one: int, other: int) -> str:
    low, high = pair(one, other)
    return MergePair.objects.filter(low=low, high=high).values_list("decision", flat=True).first() or ""


def _or_refused(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except merge.CannotMerge as cannot:
        raise Refused(cannot.cause) from cannot


def register() -> None:
    decide_card.register("merge", Above(others, _together, _take_apart))
    decide_card.register("apart", Above(others, _apart, _ask_again))
