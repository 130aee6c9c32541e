"""How each action of `orders.decide.rules.actions` is carried out and taken back, for a batch of jobs.

A verb changes the `Work`'s columns or writes rows of its own. It never locks more than the orders, which are locked
already, and leaves stock to the end of the run. Upper apps add verbs with `register`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import F

from inventory.models import Location, Sku
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.services.outbox import NewEffect, put
from oms.kernel.sql import next_ids
from orders.decide.reasons import CATALOGUE
from orders.decide.ship_plan import Destination
from orders.models import Mail, Order, OrderLine, OrderTask, OrderText, Recipient, ReviewReason
from orders.services import mail, set_parts, ship_plans
from orders.services.reservation import ref_of
from orders.services.rules.work import Job, NewLine, Work
from orders.signals import lines_released

Run = Callable[[Work, Sequence[Job]], None]
GIFT = "rule:"  # how lines that rules added are told from the channel's


@dataclass(frozen=True)
class Verb:
    """`undo` takes back what `run` did, given the marks' before and after; None: it cannot be taken back.
    `again`: done anew at every run, because its effect can be lost meanwhile."""

    run: Run
    undo: Run | None = None
    again: bool = False


VERBS: dict[str, Verb] = {}


def register(code: str, verb: Verb) -> None:
    if code in VERBS:
        raise ValueError(f"verb {code} is registered twice")
    VERBS[code] = verb


# ---- columns


Columns = Callable[[Work, Job], dict[str, Any] | str]  # new values, or why not


def _setter(columns: Columns) -> Run:
    def run(work: Work, jobs: Sequence[Job]) -> None:
        for job in jobs:
            values = columns(work, job)
            if isinstance(values, str):
                job.note = values
            else:
                job.did(*work.put(job.order_id, **values))

    return run


def restore(work: Work, jobs: Sequence[Job]) -> None:
    """Put back what was there, unless somebody has changed it since."""
    for job in jobs:
        row = work.orders[job.order_id]
        if any(_as_json(row[name]) != value for name, value in job.after.items()):
            job.note = said("あとで変更されたため、そのままにしました。")
        else:
            work.put(job.order_id, **{name: from_json(name, value) for name, value in job.before.items()})
            job.done = True


def _as_json(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def from_json(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in {"planned_ship_date", "wish_date", "hold_until"}:
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if name == "held_at" else value


def _flag(_work: Work, _job: Job) -> dict[str, Any]:
    return {"important": True}


def _assign(work: Work, job: Job) -> dict[str, Any] | str:
    users = work.look_up("user", lambda: dict(User.objects.filter(is_active=True).values_list("username", "pk")))
    found = users.get(job.action["user"])
    return {"assignee_id": found} if found else said("担当者が見つかりません。")


def _priority(_work: Work, job: Job) -> dict[str, Any]:
    return {"priority": int(job.action["priority"])}


def _planned(work: Work, job: Job) -> dict[str, Any] | str:
    day = _moved(job.action, work.orders[job.order_id]["planned_ship_date"] or clock.today())
    return {"planned_ship_date": day} if day else said("日付がありません。")


def _wish(work: Work, job: Job) -> dict[str, Any] | str:
    """The day to ship follows the wish, as it does when a person edits it."""
    row = work.orders[job.order_id]
    if job.action["mode"] == "shift" and row["wish_date"] is None:
        return said("配達希望日がありません。")
    wish = None if job.action["mode"] == "clear" else _moved(job.action, row["wish_date"])
    plan = work.once("ship_plans", ship_plans.read).of(row["preferred_location_id"])
    codes = work.once("postal_codes", lambda: _postal_codes(list(work.orders)))
    to = Destination(row["recipient_prefecture"], codes.get(job.order_id, ""), row["carrier"])
    planned = plan.planned_day(wish, to, at=row["ordered_at"])
    return {"wish_date": wish, "planned_ship_date": planned}


def _postal_codes(order_ids: Sequence[int]) -> dict[int, str]:
    """Of each order's first recipient."""
    return dict(Recipient.objects.filter(order__in=order_ids, position=0).values_list("order", "postal_code"))


def _moved(action: Any, day: date) -> date:
    if action["mode"] == "fixed":
        return date.fromisoformat(action["date"])
    return (clock.today() if action["mode"] == "today" else day) + timedelta(days=action["days"])


def _slot(_work: Work, job: Job) -> dict[str, Any]:
    return {"wish_slot": job.action["slot"]}


def _method(work: Work, job: Job) -> dict[str, Any] | str:
    if work.orders[job.order_id]["allocation_state"] != "none":
        return said("出荷伝票ができたあとのため、変えませんでした。")
    return {"delivery_method": job.action["method"], "carrier": job.action["carrier"]}


def _location(work: Work, job: Job) -> dict[str, Any] | str:
    places = places_by_code(work)
    if work.orders[job.order_id]["allocation_state"] != "none":
        return said("引き当てたあとのため、変えませんでした。")
    found = places.get(job.action["location"])
    return {"preferred_location_id": found} if found else said("拠点が見つかりません。")


def places_by_code(work: Work) -> Mapping[str, int]:
    return work.look_up("location", lambda: dict(Location.objects.filter(active=True).values_list("code", "pk")))


def _hold(work: Work, job: Job) -> dict[str, Any] | str:
    if work.orders[job.order_id]["held_at"]:
        return said("すでに保留中です。")
    days, day = job.action.get("days"), job.action.get("until")
    until = date.fromisoformat(day) if day else clock.today() + timedelta(days=days) if days else None
    if until and until <= clock.today():
        return said("解除する日になったため、保留にしませんでした。")
    return {"held_at": clock.now(), "hold_reason": job.action["text"][:200], "hold_until": until}


def _add_notes(work: Work, jobs: Sequence[Job]) -> None:
    """The mark keeps nothing of what people wrote."""
    for job in jobs:
        old, text = work.orders[job.order_id]["internal_note"], job.action["text"]
        if text in old.split("\n"):
            job.note = said("すでに書かれています。")
        else:
            work.put(job.order_id, internal_note=f"{old}\n{text}" if old else text)
            job.did()


def _erase_note(work: Work, jobs: Sequence[Job]) -> None:
    for job in jobs:
        rest = [line for line in work.orders[job.order_id]["internal_note"].split("\n") if line != job.action["text"]]
        work.put(job.order_id, internal_note="\n".join(rest))
        job.done = True


# ---- tags


def _tagger(*, put_on: bool) -> Run:
    def run(work: Work, jobs: Sequence[Job]) -> None:
        for job in jobs:
            tags, tag = work.orders[job.order_id]["tags"], job.action["tag"]
            had = tag in tags
            if had != put_on:
                work.put(job.order_id, tags=[*tags, tag] if put_on else [one for one in tags if one != tag])
            job.did({"had": had}, {"has": put_on})

    return run


def _untagger(*, put_on: bool) -> Run:
    """Undo of adding takes off what was not there before; undo of removing puts back what was."""

    def undo(work: Work, jobs: Sequence[Job]) -> None:
        for job in jobs:
            tags, tag = work.orders[job.order_id]["tags"], job.action["tag"]
            if put_on and not job.before["had"] and tag in tags:
                work.put(job.order_id, tags=[one for one in tags if one != tag])
            elif not put_on and job.before["had"] and tag not in tags:
                work.put(job.order_id, tags=[*tags, tag])
            job.done = True

    return undo


# ---- lines


def _add_lines(work: Work, jobs: Sequence[Job]) -> None:
    """One line for nothing, if the stock has it now; the door has the last word at the end of the run."""
    if work.behind:
        _do_later(work, jobs)
        return
    skus = {sku.code: sku for sku in Sku.objects.filter(code__in={job.action["sku"] for job in jobs}, active=True)}
    free = stock.available(sku.pk for sku in skus.values())
    fitting = []
    for job in jobs:
        sku = skus.get(job.action["sku"])
        if sku is None or free[sku.pk] < job.action["quantity"]:
            job.note = said("在庫がないため、足しませんでした。")
        elif work.orders[job.order_id]["allocation_state"] != "none":
            job.note = said("引き当てたあとのため、足しませんでした。")
        else:
            free[sku.pk] -= job.action["quantity"]
            fitting.append((job, sku))
    ids = next_ids("orders_orderline", len(fitting))
    OrderLine.objects.bulk_create(_gift_line(id_, job, sku) for id_, (job, sku) in zip(ids, fitting, strict=True))
    set_parts.keep((id_, sku.pk, 1, sku.tax_rate) for id_, (_job, sku) in zip(ids, fitting, strict=True))
    for id_, (job, sku) in zip(ids, fitting, strict=True):
        quantity = job.action["quantity"]
        work.lines.append(NewLine(id_, job, sku.pk, quantity))
        work.restage.add(job.order_id)
        job.did({}, {"line": id_, "quantity": quantity})
    _count_pieces([(job.order_id, job.action["quantity"]) for job, _sku in fitting])


def _gift_line(id_: int, job: Job, sku: Sku) -> OrderLine:
    return OrderLine(
        id=id_,
        order_id=job.order_id,
        position=900,
        channel_line_id=f"{GIFT}{job.rule.id}:{job.key}"[:64],
        channel_sku=sku.code,
        sku=sku,
        name=sku.name[:300],
        quantity=job.action["quantity"],
        unit_price=0,
        amount=0,
        tax_rate=sku.tax_rate,
    )


def _count_pieces(pieces: Sequence[tuple[int, int]]) -> None:
    for order_id, quantity in pieces:
        Order.objects.filter(pk=order_id).update(quantity=F("quantity") + quantity)


def drop_lines(lines: Sequence[NewLine]) -> None:
    """Lines that the door refused: as if they had never been."""
    OrderLine.objects.filter(pk__in=[line.id for line in lines]).delete()
    _count_pieces([(line.job.order_id, -line.quantity) for line in lines])


def _take_lines_back(work: Work, jobs: Sequence[Job]) -> None:
    if work.behind:
        _do_later(work, jobs)
        return
    ids = {job.after["line"]: job for job in jobs}
    found = list(OrderLine.objects.filter(pk__in=ids, shipped_quantity=0, quantity__gt=0).values_list("pk", "quantity"))
    standing = [id_ for id_, _quantity in found]
    lines_released.send(sender=OrderLine, line_ids=standing)
    OrderLine.objects.filter(pk__in=standing).update(
        quantity=0, cancelled_quantity=F("quantity"), reserved=False, allocated_quantity=0
    )
    work.let_go += [ref_of(id_) for id_ in standing]
    _count_pieces([(ids[id_].order_id, -quantity) for id_, quantity in found])
    for id_, job in ids.items():
        work.restage.add(job.order_id)
        job.done = id_ in standing
        job.note = "" if job.done else said("すでに出荷したため、そのままにしました。")


def _do_later(work: Work, jobs: Sequence[Job]) -> None:
    for job in jobs:
        work.again.add(job.order_id)
        job.note = said("続けて処理します。")


# ---- texts, tasks, notices


def _add_texts(_work: Work, jobs: Sequence[Job]) -> None:
    OrderText.objects.bulk_create(
        [
            OrderText(order_id=job.order_id, reader=job.action["reader"], text=job.action["text"], key=key_of_job(job))
            for job in jobs
        ],
        ignore_conflicts=True,
    )
    for job in jobs:
        job.did()


def _remove_texts(_work: Work, jobs: Sequence[Job]) -> None:
    for job in jobs:
        OrderText.objects.filter(order=job.order_id, reader=job.action["reader"], key=key_of_job(job)).delete()
        job.done = True


def key_of_job(job: Job) -> str:
    """Unique for rule and action, of one order."""
    return f"{job.rule.id}:{job.key}"[:60]


def _create_tasks(work: Work, jobs: Sequence[Job]) -> None:
    users = work.look_up("user", lambda: dict(User.objects.filter(is_active=True).values_list("username", "pk")))
    teams = work.look_up("team", lambda: dict(Group.objects.values_list("name", "pk")))
    places, now = places_by_code(work), clock.now()
    OrderTask.objects.bulk_create(
        [
            OrderTask(
                order_id=job.order_id,
                text=job.action["text"],
                assignee_id=users.get(job.action["user"]),
                team_id=teams.get(job.action["team"]),
                location_id=places.get(job.action.get("location", "")),
                due_at=now + timedelta(hours=job.action["hours"]) if job.action["hours"] else None,
                key=f"{job.order_id}:{key_of_job(job)}",
                created_at=now,
            )
            for job in jobs
        ],
        ignore_conflicts=True,
    )
    for job in jobs:
        job.did()


def _remove_tasks(_work: Work, jobs: Sequence[Job]) -> None:
    for job in jobs:
        gone, _rows = OrderTask.objects.filter(key=f"{job.order_id}:{key_of_job(job)}", done_at__isnull=True).delete()
        job.done = bool(gone)
        job.note = "" if gone else said("すでに完了した作業のため、そのままにしました。")


def _send_mails(_work: Work, jobs: Sequence[Job]) -> None:
    for job in jobs:
        when, hours = job.action["when"], job.action.get("hours") or 0
        mail.schedule_for(
            [job.order_id],
            job.action["event"],
            suffix=f":{key_of_job(job)}",
            delay_s=hours * 3600 if when == "hours" else None,
            draft=when == "draft",
        )
        job.did()


def _stop_mails(_work: Work, jobs: Sequence[Job]) -> None:
    """What has not been sent yet is not sent."""
    for job in jobs:
        waiting = Mail.objects.filter(key=f"{job.action['event']}:{job.order_id}:{key_of_job(job)}")
        stopped = mail.withdraw(waiting, reason=said("ルールの条件に当てはまらなくなりました。"))
        job.done = bool(stopped)
        job.note = "" if stopped else said("すでに送ったため、そのままにしました。")


def _suppress_mails(_work: Work, jobs: Sequence[Job]) -> None:
    for job in jobs:
        mail.switch_off(job.order_id, job.action["event"], reason=job.rule.name)
        job.did()


def _allow_mails(_work: Work, jobs: Sequence[Job]) -> None:
    for job in jobs:
        mail.switch_on(job.order_id, job.action["event"])
        job.done = True


def _call_webhooks(_work: Work, jobs: Sequence[Job]) -> None:
    put(
        [
            NewEffect(
                "webhook",
                f"webhook:{job.order_id}:{key_of_job(job)}"[:200],
                f"order:{job.order_id}:webhook",
                {"order": job.order_id, "rule": job.rule.id, "key": job.key},
            )
            for job in jobs
        ]
    )
    for job in jobs:
        job.did()


# ---- reasons


def _raise_reasons(work: Work, jobs: Sequence[Job]) -> None:
    """The marks are the reason: `orders.services.rules.reasons` writes one row from all of an order's."""
    for job in jobs:
        work.reasons.add(job.order_id)
        job.did()


def _drop_reasons(work: Work, jobs: Sequence[Job]) -> None:
    for job in jobs:
        work.reasons.add(job.order_id)
        job.done = True


def _clear_reasons(work: Work, jobs: Sequence[Job]) -> None:
    for job in jobs:
        code = job.action["code"]
        if not CATALOGUE[code].clearable:
            job.note = said("原因を直すまで閉じられない理由です。")
            continue
        closed = ReviewReason.objects.filter(order=job.order_id, code=code, state=ReviewReason.State.OPEN).update(
            state=ReviewReason.State.ACCEPTED, closed_at=clock.now(), note=job.rule.name
        )
        if closed:
            work.restage.add(job.order_id)
            job.did()
        else:
            job.note = said("この確認理由は開いていません。")


def _set_levels(work: Work, jobs: Sequence[Job]) -> None:
    for job in jobs:
        rows = ReviewReason.objects.filter(order=job.order_id, code=job.action["code"], state=ReviewReason.State.OPEN)
        old = rows.values_list("level", flat=True).first()
        if old is None:
            job.note = said("この確認理由は開いていません。")
        elif not CATALOGUE[job.action["code"]].clearable:
            job.note = said("原因を直すまで閉じられない理由です。")
        else:
            if old != job.action["level"]:
                rows.update(level=job.action["level"])
                work.restage.add(job.order_id)
            job.did({"level": old}, {"level": job.action["level"]})


def _reset_levels(work: Work, jobs: Sequence[Job]) -> None:
    for job in jobs:
        ReviewReason.objects.filter(order=job.order_id, code=job.action["code"], level=job.after["level"]).update(
            level=job.before["level"]
        )
        work.restage.add(job.order_id)
        job.done = True


for _code, _verb in {
    "add_tag": Verb(_tagger(put_on=True), _untagger(put_on=True)),
    "remove_tag": Verb(_tagger(put_on=False), _untagger(put_on=False)),
    "flag": Verb(_setter(_flag), restore),
    "assign": Verb(_setter(_assign), restore),
    "set_priority": Verb(_setter(_priority), restore),
    "set_planned_date": Verb(_setter(_planned), restore),
    "set_wish_date": Verb(_setter(_wish), restore),
    "set_slot": Verb(_setter(_slot), restore),
    "set_method": Verb(_setter(_method), restore),
    "set_location": Verb(_setter(_location), restore),
    "hold": Verb(_setter(_hold), restore),
    "add_note": Verb(_add_notes, _erase_note),
    "add_line": Verb(_add_lines, _take_lines_back),
    "add_text": Verb(_add_texts, _remove_texts),
    "raise_reason": Verb(_raise_reasons, _drop_reasons),
    "clear_reason": Verb(_clear_reasons),
    "set_level": Verb(_set_levels, _reset_levels, again=True),
    "send_mail": Verb(_send_mails, _stop_mails),
    "suppress_mail": Verb(_suppress_mails, _allow_mails),
    "create_task": Verb(_create_tasks, _remove_tasks),
    "call_webhook": Verb(_call_webhooks),
}.items():
    register(_code, _verb)

__all__ = ["GIFT", "VERBS", "Verb", "drop_lines", "from_json", "key_of_job", "places_by_code", "register", "restore"]
