"""Marks that say: a rule may now concern this order. Left inside the transaction that changed it; inserts only."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from oms.kernel import clock
from oms.kernel.later import later
from oms.kernel.sql import copy_rows
from orders.services.rules import active

DEEPEST = 5
_depth: ContextVar[int] = ContextVar("rule_depth", default=0)
_silent: ContextVar[bool] = ContextVar("rules_silent", default=False)


@contextmanager
def silent() -> Iterator[None]:
    """What happens here wakes no rule: history that is written down, not work that is done."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


@contextmanager
def running(depth: int) -> Iterator[None]:
    """While rules run, what they change wakes others one step deeper."""
    token = _depth.set(depth + 1)
    try:
        yield
    finally:
        _depth.reset(token)


def note(order_ids: Sequence[int], event: str) -> None:
    """Tell rules that listen to `event` ("paid", "stage_entered:ready"), if there are any."""
    if order_ids and event in active.active().events:
        put([(order_id, event) for order_id in order_ids])


def note_moves(moves: Sequence[tuple[int, str, str]]) -> None:
    """Stages that changed (order, before, after), and what that means: placed, instructed, shipped."""
    listened = active.active().events
    found = [(order_id, event) for order_id, before, after in moves for event in _events(before, after)]
    put([(order_id, event) for order_id, event in found if event in listened])


PLACED = {"ready", "scheduled", "awaiting_release"}
MEANS = {"in_fulfillment": "instructed", "shipped": "shipped"}


def _events(before: str, after: str) -> list[str]:
    events = [f"stage_entered:{after}"]
    if before == "awaiting_stock" and after in PLACED:
        events += ["allocated", "shipment_planned"]
    return events + ([MEANS[after]] if after in MEANS else [])


def put(wakes: Sequence[tuple[int, str]]) -> None:
    """Append (order, event), whoever listens. Beyond the deepest step the worker reports the loop."""
    if not wakes or _silent.get():
        return
    now, depth = clock.now(), _depth.get()
    copy_rows(
        "orders_rulewake", ["order_id", "event", "depth", "at"], [(id_, event, depth, now) for id_, event in wakes]
    )
    later("orders.tasks.run_rules")
