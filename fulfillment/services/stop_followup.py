"""What keeps a stop request from being forgotten: a reminder while nobody answers, a task once it was too late."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.urls import reverse

from fulfillment.models import StopRequest
from oms.kernel.said import said
from orders.models import OrderTask, TaskKind
from orders.services import tasks
from orders.services.journal import Actor
from orders.services.tasks import NewTask

# After so long somebody should ring up the place: parcels are handed over several times a day.
REMIND_AFTER = timedelta(minutes=30)
TEAM = "operator"  # whose it is when nobody of ours asked, but the channel
What = StopRequest.What


def remind(requests: Sequence[StopRequest], *, actor: Actor) -> None:
    """Whoever asked is reminded on the home page when `REMIND_AFTER` has gone by without an answer. The requests come
    with their shipments and those with their places; the caller holds the orders' locks."""
    tasks.ask(
        [
            NewTask(
                key=_reminder(one),
                order_id=one.order_id,
                text=said(
                    "出荷停止の返事を確かめる（%(place)s・%(no)s）。まだなら電話する",
                    place=one.shipment.location.name,
                    no=one.shipment.number,
                ),
                kind=TaskKind.REMINDER,
                link=reverse("fulfillment:stops"),
                shown_from=one.asked_at + REMIND_AFTER,
                assignee_id=one.asked_by_id,
                team="" if one.asked_by_id else TEAM,
            )
            for one in requests
        ],
        actor=actor,
    )


def answered(requests: Sequence[StopRequest], *, actor: Actor) -> None:
    """Nobody has to ring up any more."""
    tasks.withdraw([_reminder(one) for one in requests], actor=actor)


def _reminder(one: StopRequest) -> str:
    return f"stop_reminder:{one.pk}"


def tell_too_late(
    requests: Sequence[StopRequest], cases: Mapping[int, int], *, tracking_no: str, actor: Actor
) -> list[OrderTask]:
    """A task for whoever asked: the parcel has left, so the buyer has to be told and something else done. `cases`:
    order → the return that was opened for what should have been cancelled."""
    return tasks.ask(
        [
            NewTask(
                key=f"stop_too_late:{one.pk}",
                order_id=one.order_id,
                text=_too_late(one, tracking_no),
                link=reverse("orders:return", args=[cases[one.order_id]]) if one.order_id in cases else "",
                assignee_id=one.asked_by_id,
                team="" if one.asked_by_id else TEAM,
            )
            for one in requests
        ],
        actor=actor,
    )


def _too_late(one: StopRequest, tracking_no: str) -> str:
    if one.purpose == StopRequest.Purpose.CANCEL:
        return said(
            "キャンセルは間に合わず出荷されました（送り状番号 %(no)s）。お客様に知らせ、返品の手続きを進める",
            no=tracking_no,
        )
    if not one.what:
        return said("変更は間に合わず出荷されました（送り状番号 %(no)s）。お客様に知らせる", no=tracking_no)
    return said(
        "%(what)sの変更は間に合わず出荷されました（送り状番号 %(no)s）。お客様に知らせ、次の手を打つ",
        what=[said(What(what).label) for what in one.what],
        no=tracking_no,
    )
