"""What the desk offers for orders that shall leave in spite of what stops them: 強制出荷可."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.said import said
from orders import desk_undo
from orders.actions import Action, ActionForm, Group, Memory, Outcome, Params, Plan
from orders.decide.catalogue import CATALOGUE
from orders.desk_actions import outcome, split
from orders.models import ReviewReason
from orders.models.order import Phase
from orders.models.reason import Level
from orders.services import force_ready
from orders.services.journal import Actor

COLUMNS = ("stage", "phase")
STUBBORN = [code for code, entry in CATALOGUE.items() if not entry.clearable]


class ForceForm(ActionForm):
    live = False

    note = forms.CharField(label=lazy("強制出荷可にする理由"), max_length=200)


def why_not(order: Mapping[str, Any]) -> str:
    if order["phase"] == Phase.PROVISIONAL:
        return said("モールの情報がまだそろっていません。")
    return (
        ""
        if order["stage"] in force_ready.STOPPED
        else said("確認・入金・出荷予定日・保留のどれでも止まっていません。")
    )


def plan_force(order_ids: Sequence[int], _params: Params) -> Plan:
    will, skipped = split(order_ids, COLUMNS, why_not)
    effects = [said("保留を解除し、確認理由を閉じ、入金と出荷予定日を待たずに、在庫があれば出荷指示待ちになります。")]
    open_rows = ReviewReason.objects.filter(order__in=will, state=ReviewReason.State.OPEN, level=Level.BLOCK)
    if still := open_rows.filter(code__in=STUBBORN).values("order").distinct().count():
        effects.append(said("原因を直さないと閉じない理由が残るため、%(n)s件は確認待ちのままです。", n=f"{still:,}"))
    return Plan(will, skipped, effects)


def run_force(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    _will, skipped = split(order_ids, COLUMNS, why_not)
    return outcome(order_ids, force_ready.force(order_ids, note=params.get("note") or "", actor=actor), skipped)


def stood(order_ids: Sequence[int], _params: Params) -> dict[int, dict[str, Any]]:
    """What forcing changes: the order's columns, its hold, and the reasons that are open."""
    columns = desk_undo.columns_of(order_ids, "ships_unpaid", "planned_ship_date")
    holds, reasons = desk_undo.held(order_ids, {}), desk_undo.open_codes(order_ids, {"codes": list(CATALOGUE)})
    return {pk: columns[pk] | holds[pk] | reasons[pk] for pk in columns}


def as_before(before: Mapping[int, dict[str, Any]], _params: Params, actor: Actor) -> Outcome:
    done = force_ready.put_back(before, actor=actor)
    standing = {pk: before[pk] for pk in done}
    desk_undo.reopen_codes(standing, {}, actor)
    desk_undo.hold_as_before({pk: one for pk, one in standing.items() if one["held"]}, {}, actor)
    return desk_undo.outcome(before, done, said("出荷指示やキャンセルのあとのため、そのままにしました。"))


ACTIONS = (
    Action(
        "force_ready",
        lazy("強制出荷可にする"),
        lazy("%(n)s件を強制出荷可にしました。"),
        "ship",
        "orders.force_order",
        plan_force,
        run_force,
        form=ForceForm,
        rank=58,
        group=Group.FLOW,
        memory=Memory(stood, as_before),
    ),
)
