"""What an order waits for, and who does what next, in one line: the failing gate in words. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.clock import in_tokyo
from orders.decide.reasons import CATALOGUE
from orders.models.order import AllocationState, ChannelSync, PaymentMethod, PaymentState, Phase, Stage
from orders.models.reason import Level


@dataclass(frozen=True, slots=True)
class Step:
    """`text` for people. `action` names the desk's action that solves it (`orders.actions`), or is empty:
    nothing to press, the order waits for somebody else or is done. `urgent`: a person must act. `reason`: the review
    reason that stops it, by its code."""

    text: str
    action: str = ""
    urgent: bool = False
    reason: str = ""


FAILED_AT_CHANNEL = {
    Stage.NEW: lazy("モールへの注文確定をやり直す"),
    Stage.SHIPPED: lazy("モールへの出荷反映をやり直す"),
    Stage.PARTIALLY_SHIPPED: lazy("モールへの出荷反映をやり直す"),
    Stage.COMPLETED: lazy("モールへの出荷反映をやり直す"),
    Stage.CANCELLED: lazy("モールへのキャンセル反映をやり直す"),
}

# What `next_step` reads of an order, for queries that fetch plain values.
FIELDS = (
    "stage",
    "phase",
    "payment_method",
    "payment_state",
    "allocation_state",
    "release_date",
    "planned_ship_date",
    "hold_reason",
    "location_label",
    "channel_sync",
    "fulfilled_by_channel",
    "stop_asked_at",
)


def next_step(order: Mapping[str, Any], reasons: Sequence[tuple[str, str]]) -> Step:
    """The step of an order, given as the values of `FIELDS`; `reasons` are its open (code, level)."""
    stage = order["stage"]
    if order["channel_sync"] == ChannelSync.FAILED:
        return Step(str(FAILED_AT_CHANNEL.get(stage, _("モールへの反映をやり直す"))), urgent=True)
    if order["stop_asked_at"]:
        return Step(
            _("出荷停止の返事を待つ（%(time)s から）")
            % {"time": in_tokyo(order["stop_asked_at"]).strftime("%-m/%-d %H:%M")}
        )
    if stage == Stage.REVIEW:
        return _review(reasons)
    step_of = STEPS.get(stage)
    return step_of(order) if step_of else Step("")


def _review(reasons: Sequence[tuple[str, str]]) -> Step:
    """The first blocking reason's own step, and how many more wait."""
    blocking = [code for code, level in reasons if level == Level.BLOCK]
    if not blocking:
        return Step(_("確認理由を見る"), "accept", urgent=True)
    first = CATALOGUE.get(blocking[0])
    text = str(first.next_step) if first else _("確認理由を見る")
    if len(blocking) > 1:
        text = _("%(text)s（ほか%(n)s件）") % {"text": text, "n": len(blocking) - 1}
    return Step(text, "accept", urgent=True, reason=blocking[0])


def _new(order: Mapping[str, Any]) -> Step:
    if order["phase"] != Phase.TO_CONFIRM:
        return Step(_("モールの注文情報がそろうのを待つ"))
    if order["channel_sync"] == ChannelSync.PENDING:
        return Step(_("モールへの注文確定の結果を待つ"))
    return Step(_("モールへ注文を確定する"), "confirm", urgent=True)


def _payment(order: Mapping[str, Any]) -> Step:
    if order["payment_state"] == PaymentState.FAILED:
        return Step(_("決済エラーを購入者に知らせる"), urgent=True)
    return {
        PaymentMethod.BANK_TRANSFER: Step(_("入金を確かめて登録する"), "pay", urgent=True),
        PaymentMethod.CONVENIENCE: Step(_("コンビニでの支払いを待つ"), "pay"),
        PaymentMethod.DEFERRED: Step(_("後払いの審査結果を待つ")),
    }.get(order["payment_method"], Step(_("モールでの決済完了を待つ")))


def _stock(order: Mapping[str, Any]) -> Step:
    partly = order["allocation_state"] == AllocationState.PARTIAL
    return Step(_("残りの在庫の引当を待つ") if partly else _("在庫の引当を待つ"))


def _release(order: Mapping[str, Any]) -> Step:
    return Step(_("発売日 %(day)s を待つ") % {"day": _day(order["release_date"])})


def _schedule(order: Mapping[str, Any]) -> Step:
    return Step(_("出荷日 %(day)s を待つ") % {"day": _day(order["planned_ship_date"])})


def _instruct(_order: Mapping[str, Any]) -> Step:
    return Step(_("出荷指示を出す"), "instruct", urgent=True)


def _lift(order: Mapping[str, Any]) -> Step:
    why = order["hold_reason"]
    return Step(_("保留を解除する（%(why)s）") % {"why": why} if why else _("保留を解除する"), "lift", urgent=True)


def _shipment(order: Mapping[str, Any]) -> Step:
    if order["fulfilled_by_channel"]:
        return Step(_("モールからの出荷を待つ"))
    place = order["location_label"]
    return Step(_("%(place)sの出荷を待つ") % {"place": place} if place else _("出荷を待つ"))


def _rest(_order: Mapping[str, Any]) -> Step:
    return Step(_("残りの出荷を待つ"))


def _over(order: Mapping[str, Any]) -> Step:
    """Done with, but for money that still has to go back."""
    return Step(_("返金を済ませる"), urgent=True) if order["payment_state"] == PaymentState.REFUND_DUE else Step("")


def _day(day: date | None) -> str:
    return f"{day.month}/{day.day}" if day else "–"


STEPS: dict[str, Callable[[Mapping[str, Any]], Step]] = {
    Stage.NEW: _new,
    Stage.AWAITING_PAYMENT: _payment,
    Stage.AWAITING_STOCK: _stock,
    Stage.AWAITING_RELEASE: _release,
    Stage.SCHEDULED: _schedule,
    Stage.READY: _instruct,
    Stage.IN_FULFILLMENT: _shipment,
    Stage.PARTIALLY_SHIPPED: _rest,
    Stage.ON_HOLD: _lift,
    **dict.fromkeys((Stage.SHIPPED, Stage.COMPLETED, Stage.CANCELLED), _over),
}
