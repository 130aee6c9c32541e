"""How the desk's own actions are taken back: what each remembers of an order, and how that is put back."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from oms.kernel.said import said
from orders.actions import Memory, Outcome, Params
from orders.models import Order, ReviewReason
from orders.services import delivery, hold, labels, reopen, unpay
from orders.services.journal import Actor

Values = dict[int, dict[str, Any]]
Before = Mapping[int, dict[str, Any]]


def plain(value: Any) -> Any:
    """A column's value as JSON has it."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def columns_of(order_ids: Sequence[int], *columns: str) -> Values:
    rows = Order.objects.filter(pk__in=order_ids).values("pk", *columns)
    return {row["pk"]: {name: plain(row[name]) for name in columns} for row in rows}


def alike(before: Before, key: Callable[[dict[str, Any]], Any]) -> dict[Any, list[int]]:
    """Orders that get the same value back, together."""
    found: dict[Any, list[int]] = defaultdict(list)
    for order_id, values in before.items():
        found[key(values)].append(order_id)
    return dict(found)


def outcome(before: Before, done: Sequence[int], why: str) -> Outcome:
    """What was put back, and one reason for the rest."""
    changed = set(done)
    return Outcome(list(done), {id_: why for id_ in before if id_ not in changed})


# ---- reasons


def open_codes(order_ids: Sequence[int], params: Params) -> Values:
    found: Values = {id_: {"open": []} for id_ in order_ids}
    rows = ReviewReason.objects.filter(
        order__in=order_ids, state=ReviewReason.State.OPEN, code__in=params["codes"] or []
    )
    for order_id, code in rows.order_by("code").values_list("order_id", "code"):
        found[order_id]["open"].append(code)
    return found


def reopen_codes(before: Before, _params: Params, actor: Actor) -> Outcome:
    done = reopen.reopen_reasons({id_: values["open"] for id_, values in before.items()}, actor=actor)
    return outcome(before, done, said("出荷指示やキャンセルのあとのため、確認理由は開き直しませんでした。"))


# ---- holding


def held(order_ids: Sequence[int], _params: Params) -> Values:
    rows = Order.objects.filter(pk__in=order_ids).values_list("pk", "held_at", "hold_reason", "hold_until")
    return {pk: {"held": at is not None, "reason": why, "until": plain(until)} for pk, at, why, until in rows}


def hold_as_before(before: Before, _params: Params, actor: Actor) -> Outcome:
    done: list[int] = []
    for (was_held, why, until), ids in alike(before, lambda v: (v["held"], v["reason"], v["until"])).items():
        if not was_held:
            done += hold.lift_holds(ids, actor=actor)
            continue
        day = date.fromisoformat(until) if until else None
        done += hold.hold_orders(ids, reason=why, until=day, actor=actor)
    return outcome(before, done, said("出荷やキャンセルのあとのため、そのままにしました。"))


# ---- payments


def paid(order_ids: Sequence[int], _params: Params) -> Values:
    return columns_of(order_ids, "payment_state", "paid_at")


def take_payment_back(before: Before, _params: Params, actor: Actor) -> Outcome:
    done = unpay.take_back(list(before), actor=actor)
    return outcome(before, done, said("モールへ伝えたか、出荷指示のあとのため、入金は取り消しませんでした。"))


# ---- labels


def has_tag(order_ids: Sequence[int], params: Params) -> Values:
    rows = Order.objects.filter(pk__in=order_ids).values_list("pk", "tags")
    return {pk: {"has": params["tag"] in tags} for pk, tags in rows}


def tag_as_before(before: Before, params: Params, actor: Actor) -> Outcome:
    done: list[int] = []
    for had, ids in alike(before, lambda values: values["has"]).items():
        put_back = labels.add_tag if had else labels.remove_tag
        done += put_back(ids, params["tag"], actor=actor)
    return outcome(before, done, said("あとから変更されたため、そのままにしました。"))


def label(name: str) -> Memory:
    """Of one column that `labels.change` writes; `name` is its name there."""
    column = {"assignee": "assignee_id"}.get(name, name)

    def read(order_ids: Sequence[int], _params: Params) -> Values:
        return columns_of(order_ids, column)

    def undo(before: Before, _params: Params, actor: Actor) -> Outcome:
        done: list[int] = []
        for value, ids in alike(before, lambda values: values[column]).items():
            done += labels.change(ids, {name: value}, actor=actor)
        return outcome(before, done, said("あとから変更されたため、そのままにしました。"))

    return Memory(read, undo)


def noted(order_ids: Sequence[int], params: Params) -> Values:
    """Whether the note ends with what was added; the note itself is nobody's to keep here."""
    rows = Order.objects.filter(pk__in=order_ids).values_list("pk", "internal_note")
    return {pk: {"noted": labels.ends_with(note, params["text"])} for pk, note in rows}


def note_as_before(before: Before, params: Params, actor: Actor) -> Outcome:
    done = labels.take_note([pk for pk, held in before.items() if not held["noted"]], params["text"], actor=actor)
    return outcome(before, done, said("あとから変更されたため、そのままにしました。"))


# ---- delivery


def sending(*columns: str) -> Memory:
    """Of columns that `delivery.change` writes."""

    def read(order_ids: Sequence[int], _params: Params) -> Values:
        return columns_of(order_ids, *columns)

    def undo(before: Before, _params: Params, actor: Actor) -> Outcome:
        done: list[int] = []
        for values, ids in alike(before, lambda values: tuple(values[name] for name in columns)).items():
            wanted = {name: delivery.from_plain(name, value) for name, value in zip(columns, values, strict=True)}
            done += delivery.change(ids, wanted, actor=actor)
        return outcome(before, done, said("出荷指示やキャンセルのあとのため、そのままにしました。"))

    return Memory(read, undo)


REASONS = Memory(open_codes, reopen_codes)
HOLD = Memory(held, hold_as_before)
PAYMENT = Memory(paid, take_payment_back)
TAG = Memory(has_tag, tag_as_before)
NOTE = Memory(noted, note_as_before)
