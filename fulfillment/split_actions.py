"""What the desk offers for parting many orders: 分割, by stock, release day, arrival, temperature or place."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as lazy

from fulfillment.decide.split_ways import Look, Payer
from fulfillment.forms_split import SplitForm
from fulfillment.queries import splits
from fulfillment.queries.splits import Wish
from fulfillment.services import split_charge, split_ways
from oms.kernel.money import yen
from oms.kernel.said import said
from orders import desk_undo
from orders.actions import Action, Group, Memory, Outcome, Params, Plan
from orders.desk_actions import outcome
from orders.services.journal import Actor


def plan_split(order_ids: Sequence[int], params: Params) -> Plan:
    judged = split_charge.judge(order_ids, Wish.of(params), params["payer"])
    looks, whys, quotes = judged.looks, judged.whys, judged.quotes
    if not looks:
        return Plan([], whys)
    n = f"{sum(look.further for look in looks.values()):,}"
    if params["payer"] == Payer.ASK:
        effects = [
            said("今は分けません。お客様にたずねるメールを下書きし、返事を記録する作業を残します。"),
            said("承諾を記録すると、荷物が %(n)s個増え、送料を受注の合計に加えます。", n=n),
        ]
    else:
        effects = [said("荷物が %(n)s個増えます。受注は1件のままです。", n=n)]
    if quotes:
        fees = sum(quote.fee for quote in quotes.values())
        effects.append(said("お客様に請求する分割の送料は、合わせて %(yen)s です。", yen=yen(fees)))
    if params["payer"] == Payer.BUYER:
        effects.append(
            said("入金済みや与信済みの受注は、足りない分が確認理由になります。代金引換は受け取る金額に加わります。")
        )
    notes = {
        id_: said(
            "分割の送料 %(fee)s、合計 %(before)s → %(after)s",
            fee=yen(quote.fee),
            before=yen(quote.total),
            after=yen(quote.total + quote.fee),
        )
        for id_, quote in quotes.items()
    }
    return Plan([id_ for id_ in order_ids if id_ in looks], whys, effects, notes, _costs(looks))


def _costs(looks: Mapping[int, Look]) -> list[str]:
    cost, unknown = splits.extra_freight(looks)
    found = (
        [said("運送会社に払う運賃は %(yen)s ほど増えます（税抜、運賃表による目安）。", yen=yen(cost))] if cost else []
    )
    if unknown:
        found.append(said("%(n)s件は運賃表に料金がないため、増える運賃がわかりません。", n=f"{unknown:,}"))
    return found


def run_split(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    done, whys = split_charge.carry_out(order_ids, Wish.of(params), params["payer"], actor=actor)
    return outcome(order_ids, done, whys)


def laid_out(order_ids: Sequence[int], params: Params) -> desk_undo.Values:
    charges = split_charge.states(order_ids)
    layouts = split_ways.layout(order_ids, Wish.of(params)) if params["payer"] != Payer.ASK else {}
    return {id_: {**layouts.get(id_, {}), "charges": charges[id_]} for id_ in order_ids}


def as_before(before: desk_undo.Before, params: Params, actor: Actor) -> Outcome:
    if params["payer"] == Payer.ASK:
        done = split_charge.withdraw(list(before), actor=actor)
        return desk_undo.outcome(before, done, said("返事を記録したあとのため、そのままにしました。"))
    done, left = split_ways.back(before, Wish.of(params), actor=actor)
    split_charge.take_back([id_ for id_ in done if not before[id_]["charges"]], actor=actor)
    return Outcome(done, left)


def _done(params: Params) -> Any:
    asked = lazy("%(n)s件についてお客様にたずねるメールを下書きしました。送る前に内容を確認してください。")
    return asked if params.get("payer") == Payer.ASK else lazy("%(n)s件を分割しました。")


ACTIONS = (
    Action(
        "split",
        lazy("分割"),
        lazy("%(n)s件を分割しました。"),
        "stock",
        "orders.change_order",
        plan_split,
        run_split,
        form=SplitForm,
        key="s",
        rank=78,
        group=Group.DELIVERY,
        all_places=True,
        memory=Memory(laid_out, as_before),
        done_with=_done,
    ),
)
