"""What rules do for people: who of a team looks after an order, reminders, tags and notes of the member."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Count

from customers.services import labels
from customers.services.labels import NewLabel
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said
from orders.models import Order, OrderTask, TaskKind
from orders.models.order import Stage
from orders.services.rules.verbs import Run, Verb, key_of_job, places_by_code, register, restore
from orders.services.rules.work import Job, Work

OVER = [Stage.SHIPPED, Stage.COMPLETED, Stage.CANCELLED]


def _assign_team(work: Work, jobs: Sequence[Job]) -> None:
    """Whoever of the team looks after the fewest open orders; the next order of a batch counts this one."""
    for team in sorted({job.action["team"] for job in jobs}):
        people = User.objects.filter(is_active=True, groups__name=team).order_by("pk")
        busy = dict.fromkeys(people.values_list("pk", flat=True), 0)
        counts = Order.objects.filter(assignee__in=busy).exclude(stage__in=OVER).values("assignee")
        busy |= dict(counts.annotate(n=Count("pk")).values_list("assignee", "n"))
        for job in jobs:
            if job.action["team"] != team:
                continue
            if not busy:
                job.note = said("このチームの人がいません。")
                continue
            chosen = min(busy, key=lambda pk: (busy[pk], pk))
            busy[chosen] += 1
            job.did(*work.put(job.order_id, assignee_id=chosen))


# ---- reminders


def _set_reminders(work: Work, jobs: Sequence[Job]) -> None:
    users = work.look_up("user", lambda: dict(User.objects.filter(is_active=True).values_list("username", "pk")))
    teams = work.look_up("team", lambda: dict(Group.objects.values_list("name", "pk")))
    places, new = places_by_code(work), []
    for job in jobs:
        day = _day(job.action, work.orders[job.order_id])
        if day is None:
            job.note = said("もとになる日付がないため、置きませんでした。")
            continue
        new.append(
            OrderTask(
                order_id=job.order_id,
                kind=TaskKind.REMINDER,
                text=job.action["text"],
                assignee_id=users.get(job.action["user"]),
                team_id=teams.get(job.action["team"]),
                location_id=places.get(job.action.get("location", "")),
                shown_from=datetime.combine(day, time.min, clock.TOKYO),
                due_at=datetime.combine(day + timedelta(days=1), time.min, clock.TOKYO),
                key=_task_key(job),
                created_at=clock.now(),
            )
        )
        job.did()
    OrderTask.objects.bulk_create(new, ignore_conflicts=True)


def _day(action: Any, row: Any) -> date | None:
    if action["mode"] == "fixed":
        return date.fromisoformat(action["date"])
    begins = {"today": clock.today(), "planned": row["planned_ship_date"], "wish": row["wish_date"]}[action["mode"]]
    return begins + timedelta(days=action["days"]) if begins else None


def _task_key(job: Job) -> str:
    return f"{job.order_id}:{key_of_job(job)}"


def _remove_reminders(_work: Work, jobs: Sequence[Job]) -> None:
    """One that somebody has dealt with stays."""
    open_keys = {_task_key(job): job for job in jobs}
    rows = OrderTask.objects.filter(key__in=open_keys, done_at__isnull=True)
    gone = set(rows.values_list("key", flat=True))
    rows.delete()
    for key, job in open_keys.items():
        job.done = key in gone
        job.note = "" if job.done else said("すでに完了した作業のため、そのままにしました。")


# ---- members


def _labeller(add: Callable[[Sequence[NewLabel]], None], what: str) -> Run:
    """`what` is the parameter that holds the tag or the sentence."""

    def run(work: Work, jobs: Sequence[Job]) -> None:
        known = []
        for job in jobs:
            if work.orders[job.order_id]["member_id"] is None:
                job.note = said("会員が分からない受注のため、しませんでした。")
            else:
                known.append(job)
                job.did()
        add([_label(work, job, job.action[what]) for job in known])

    return run


def _label(work: Work, job: Job, text: str) -> NewLabel:
    row = work.orders[job.order_id]
    source = said("ルール「%(rule)s」・受注 %(no)s", rule=job.rule.name, no=row["channel_order_no"])
    return NewLabel(row["member_id"], text, _task_key(job), source, job.order_id)


def _unlabel(_work: Work, jobs: Sequence[Job]) -> None:
    labels.remove([_task_key(job) for job in jobs])
    for job in jobs:
        job.done = True


register("assign_team", Verb(_assign_team, restore))
register("set_reminder", Verb(_set_reminders, _remove_reminders))
register("add_member_tag", Verb(_labeller(labels.add_tags, "tag"), _unlabel))
register("add_member_note", Verb(_labeller(labels.add_notes, "text"), _unlabel))
