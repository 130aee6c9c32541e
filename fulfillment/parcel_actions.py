"""What the desk offers for several orders' parcels: travelling together, coming apart, in one again after a split."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as lazy

from fulfillment.decide.merging import Candidate, Kind, judge
from fulfillment.models import MergedOrder
from fulfillment.queries import merging as reading
from fulfillment.services import merge, merge_keys, split, split_charge
from oms.kernel.said import said
from orders.actions import Action, Group, Memory, Outcome, Params, Plan
from orders.desk_actions import outcome
from orders.models import Order
from orders.services.journal import Actor

ALONE = lazy("選んだ受注の中に、同じ届け先で同梱できる受注がありません。")
GUEST = lazy("すでに同梱されています。")
CHANGE = "orders.change_order"


# ---- together


def groups(order_ids: Sequence[int]) -> tuple[list[list[int]], dict[int, str]]:
    """Orders among these that may travel together, and why the others do not. The first of the selection leads."""
    merge_keys.renew(order_ids)  # kept beside the orders, made where it is asked for
    place = {order_id: at for at, order_id in enumerate(order_ids)}
    merged = set(MergedOrder.objects.filter(order__in=order_ids, active=True).values_list("order", flat=True))
    found = [one for one in reading.candidates(order_ids) if one.order_id not in merged]
    alike: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in sorted(found, key=lambda one: place[one.order_id]):
        alike[candidate.key].append(candidate)
    made, why = [], dict[int, str]()
    for own in alike.values():
        first, *rest = own
        group = [first]
        for other in rest:
            verdicts = [judge(one, other) for one in group]
            if all(verdict.kind == Kind.MERGE for verdict in verdicts):
                group.append(other)
            else:
                why[other.order_id] = next((verdict.cause for verdict in verdicts if verdict.cause), "")
        if len(group) > 1:
            made.append([one.order_id for one in group])
        elif rest:
            why.setdefault(first.order_id, next((why[one.order_id] for one in rest if why.get(one.order_id)), ""))
    inside = {order_id for group in made for order_id in group}
    left = {
        id_: said(GUEST) if id_ in merged else why.get(id_) or said(ALONE) for id_ in order_ids if id_ not in inside
    }
    return made, left


def plan_merge(order_ids: Sequence[int], _params: Params) -> Plan:
    made, left = groups(order_ids)
    effects = [
        said("荷物は%(n)s個になります。同じ届け先の受注をそれぞれ1つにまとめます。", n=f"{len(made):,}"),
        said("送料は1回分にし、二重に頂いた分は店舗の設定に従って値引します。"),
    ]
    return Plan([order_id for group in made for order_id in group], left, effects if made else [])


def run_merge(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    _lock(order_ids)
    made, left = groups(order_ids)
    done: list[int] = []
    for group in made:
        try:
            merge.merge_orders(group, actor=actor)
        except merge.CannotMerge as cannot:
            left |= dict.fromkeys(group, cannot.cause)
        else:
            done += group
    return outcome(order_ids, done, left)


def merges_of(order_ids: Sequence[int], _params: Params) -> dict[int, dict[str, Any]]:
    held = dict(MergedOrder.objects.filter(order__in=order_ids, active=True).values_list("order", "merge"))
    return {order_id: {"merge": held.get(order_id)} for order_id in order_ids}


def apart_again(before: Mapping[int, dict[str, Any]], _params: Params, actor: Actor) -> Outcome:
    return _come_apart(list(before), actor)


# ---- apart


def plan_unmerge(order_ids: Sequence[int], _params: Params) -> Plan:
    held = merges_of(order_ids, {})
    will = [order_id for order_id in order_ids if held[order_id]["merge"]]
    skipped = {order_id: said("同梱されていません。") for order_id in order_ids if not held[order_id]["merge"]}
    n = len({held[order_id]["merge"] for order_id in will})
    effects = [said("同梱 %(n)s組を解除し、それぞれ元の出荷伝票と金額に戻します。", n=f"{n:,}")] if will else []
    return Plan(will, skipped, effects)


def run_unmerge(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    return _come_apart(order_ids, actor)


def together_again(before: Mapping[int, dict[str, Any]], _params: Params, actor: Actor) -> Outcome:
    """Those that travelled together do so again, the same one leading, where the rules still allow it."""
    merges = sorted({held["merge"] for held in before.values() if held["merge"]})
    rows = MergedOrder.objects.filter(merge__in=merges).order_by("pk").values_list("merge", "order")
    group_of: dict[int, list[int]] = defaultdict(list)
    for merge_id, order_id in rows:
        group_of[merge_id].append(order_id)
    _lock([order_id for group in group_of.values() for order_id in group])
    done, left = [], dict[int, str]()
    for group in group_of.values():
        try:
            merge.merge_orders(group, actor=actor)
        except merge.CannotMerge as cannot:
            left |= dict.fromkeys(group, cannot.cause)
        else:
            done += [order_id for order_id in group if order_id in before]
    return outcome(list(before), done, left)


def _come_apart(order_ids: Sequence[int], actor: Actor) -> Outcome:
    """The orders that travel with these come apart too: a parcel is not half undone."""
    held = {id_: one["merge"] for id_, one in merges_of(order_ids, {}).items()}
    standing = {one for one in held.values() if one}
    _lock(list(MergedOrder.objects.filter(merge__in=standing, active=True).values_list("order", flat=True)))
    left: dict[int, str] = {}
    for merge_id in sorted(standing):
        try:
            merge.undo(merge_id, actor=actor)
        except merge.CannotMerge as cannot:
            left |= {id_: cannot.cause for id_, own in held.items() if own == merge_id}
    done = [id_ for id_ in order_ids if held[id_] and id_ not in left]
    return outcome(order_ids, done, {id_: said("同梱されていません。") for id_ in order_ids if not held[id_]} | left)


# ---- in one parcel again


def plan_join(order_ids: Sequence[int], _params: Params) -> Plan:
    joinable = split.joinable(order_ids)
    skipped = {id_: said("分割されていません。") for id_ in order_ids if id_ not in joinable}
    will = [order_id for order_id in order_ids if order_id not in skipped]
    effects = [said("出荷元と届け先ごとに、出荷伝票を1つに戻します。お客様に請求した分割の送料も取り消します。")]
    return Plan(will, skipped, effects if will else [])


def run_join(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    plan = plan_join(order_ids, params)
    _lock(plan.will)
    done = [order_id for order_id in sorted(plan.will) if split_charge.join(order_id, actor=actor)]
    return outcome(order_ids, done, plan.skipped)


def _lock(order_ids: Sequence[int]) -> None:
    """All of them at once, by pk, since what follows takes them group by group."""
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk")
    list(rows.values_list("pk", flat=True))


def _action(code: str, label: Any, done: Any, plan: Any, run: Any, *, rank: int, **more: Any) -> Action:
    return Action(
        code, label, done, "stock", CHANGE, plan, run, rank=rank, group=Group.DELIVERY, all_places=True, **more
    )


ACTIONS = (
    _action("merge", lazy("同梱"), lazy("%(n)s件を同梱しました。"), plan_merge, run_merge, rank=76, key="g",
            memory=Memory(merges_of, apart_again)),
    _action("unmerge", lazy("同梱を解除"), lazy("%(n)s件の同梱を解除しました。"), plan_unmerge, run_unmerge, rank=77,
            memory=Memory(merges_of, together_again)),
    _action("join", lazy("分割を戻す"), lazy("%(n)s件の分割を戻しました。"), plan_join, run_join, rank=79),
)  # fmt: skip
