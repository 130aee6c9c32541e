"""What the desk and the shortage list offer for orders without stock: wait, send what is there, cancel the rest."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import F, Sum
from django.utils.translation import gettext_lazy as lazy

from fulfillment.services import shortage
from oms.kernel.said import said
from oms.kernel.typed import DayField
from orders import desk_undo
from orders.actions import Action, ActionForm, Group, Memory, Outcome, Params, Plan
from orders.desk_actions import outcome, split
from orders.models import Order, OrderLine
from orders.services import put_together
from orders.services.delivery import from_plain
from orders.services.journal import Actor
from orders.services.waiting import promisable

Facts = Mapping[str, Any]


def lines_without_stock(order_ids: Sequence[int]) -> dict[int, list[Facts]]:
    """Order → its lines that hold no promise, with the pieces that are still to come."""
    rows = promisable().filter(order__in=order_ids).annotate(open=F("quantity") - F("shipped_quantity"))
    found: dict[int, list[Facts]] = defaultdict(list)
    for row in rows.order_by("order", "position").values("pk", "order", "sku__code", "name", "open"):
        found[row["order"]].append(row)
    return dict(found)


NOTHING_LACKS = lazy("在庫が足りない明細はありません。")


# ---- waiting


class WaitForm(ActionForm):
    planned_ship_date = DayField(
        label=lazy("新しい出荷予定日"),
        required=False,
        help_text=lazy("わからなければ空欄のままにします。"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    mail = forms.BooleanField(label=lazy("納期遅延メールの下書きを作る"), required=False, initial=True)

    @property
    def params(self) -> dict[str, Any]:
        """The day as ISO text, which fits into JSON."""
        found = super().params
        day = found.get("planned_ship_date")
        return {"planned_ship_date": day.isoformat() if day else None, "mail": bool(found.get("mail"))}


WAIT_COLUMNS = ("cancelled_at", "fulfillment_state", "fulfilled_by_channel", "tags")


def plan_wait(order_ids: Sequence[int], params: Params) -> Plan:
    lacking = lines_without_stock(order_ids)

    def why_not(order: Facts) -> str:
        if order["id"] not in lacking:
            return str(NOTHING_LACKS)
        return said("すでに入荷待ちにしています。") if shortage.WAITING_TAG in order["tags"] else ""

    will, skipped = split(order_ids, WAIT_COLUMNS, why_not)
    effects = [
        said(
            "タグ「%(tag)s」を付け、引当の順番はそのまま残します。在庫がそろうとタグは外れます。",
            tag=shortage.WAITING_TAG,
        )
    ]
    if params.get("mail"):
        effects.append(said("納期遅延メールの下書きを作ります。メールの画面で確かめてから送ります。"))
    return Plan(will, skipped, effects)


def run_wait(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    lacking = lines_without_stock(order_ids)
    day = from_plain("planned_ship_date", params.get("planned_ship_date"))
    wanted = [id_ for id_ in order_ids if id_ in lacking]
    done = shortage.wait_for_stock(wanted, planned_ship_date=day, mail_draft=bool(params.get("mail")), actor=actor)
    why = {id_: str(NOTHING_LACKS) for id_ in order_ids if id_ not in lacking}
    return outcome(order_ids, done, {id_: said("すでに入荷待ちにしています。") for id_ in wanted} | why)


def waits(order_ids: Sequence[int], _params: Params) -> desk_undo.Values:
    rows = Order.objects.filter(pk__in=order_ids).values_list("pk", "tags", "planned_ship_date")
    return {pk: {"waits": shortage.WAITING_TAG in tags, "planned": desk_undo.plain(day)} for pk, tags, day in rows}


def wait_no_more(before: desk_undo.Before, _params: Params, actor: Actor) -> Outcome:
    done: list[int] = []
    for planned, ids in desk_undo.alike(before, lambda values: values["planned"]).items():
        day = from_plain("planned_ship_date", planned)
        done += shortage.wait_no_more(ids, planned_ship_date=day, actor=actor)
    return desk_undo.outcome(before, done, said("あとから変更されたため、そのままにしました。"))


# ---- sending what is there


def plan_partly(order_ids: Sequence[int], _params: Params) -> Plan:
    whys = shortage.why_not_partly(order_ids)
    will, skipped = split(order_ids, [], lambda o: whys.get(o["id"], ""))
    return Plan(will, skipped, [said("引当済みの商品を先に出荷し、残りは在庫がそろってから別の荷物で送ります。")])


def run_partly(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    done, skipped = shortage.send_what_is_there(order_ids, actor=actor)
    return outcome(order_ids, done, skipped)


def apart(order_ids: Sequence[int], _params: Params) -> desk_undo.Values:
    found: desk_undo.Values = {id_: {"apart": [], "taken": []} for id_ in order_ids}
    rows = OrderLine.objects.filter(order__in=order_ids, apart=True).order_by("pk").values_list("order", "pk")
    for order_id, line_id in rows:
        found[order_id]["apart"].append(line_id)
    for order_id, taking in put_together.standing(order_ids).order_by("pk").values_list("line__order", "pk"):
        found[order_id]["taken"].append(taking)
    return found


def together_again(before: desk_undo.Before, _params: Params, actor: Actor) -> Outcome:
    taken = [taking for values in before.values() for taking in values.get("taken", ())]
    apart_before = {id_: values["apart"] for id_, values in before.items()}
    done = shortage.send_together(apart_before, taken_before=taken, actor=actor)
    return desk_undo.outcome(before, done, said("出荷指示やキャンセルのあとのため、そのままにしました。"))


# ---- cancelling what is not there


class CancelShortForm(ActionForm):
    """The SKUs that lack among the chosen orders. Where there is more than one, none is ticked: one says which."""

    skus = forms.MultipleChoiceField(label=lazy("キャンセルする商品"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, data: Any = None, *, order_ids: Sequence[int] = ()) -> None:
        super().__init__(data, order_ids=order_ids)
        rows = promisable().filter(order__in=order_ids).values_list("sku__code", "sku__name")
        counted = list(rows.annotate(n=Sum(F("quantity") - F("shipped_quantity"))).order_by("-n", "sku__code"))
        field = self.fields["skus"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [
            (code, said("%(code)s %(name)s（%(n)s点）", code=code, name=name, n=f"{n:,}")) for code, name, n in counted
        ]
        field.initial = [counted[0][0]] if len(counted) == 1 else []


def _cut(order_ids: Sequence[int], params: Params) -> dict[int, dict[int, int]]:
    """Order → line → pieces to take off."""
    codes = set(params.get("skus") or [])
    found = {
        id_: {row["pk"]: row["open"] for row in rows if row["sku__code"] in codes}
        for id_, rows in lines_without_stock(order_ids).items()
    }
    return {id_: pieces for id_, pieces in found.items() if pieces}


NOT_CHOSEN = lazy("選んだ商品が足りない明細はありません。")


def plan_cancel_short(order_ids: Sequence[int], params: Params) -> Plan:
    cut = _cut(order_ids, params)
    columns = ("cancelled_at", "stop_asked_at", "fulfillment_state", "quantity")
    will, skipped = split(order_ids, columns, lambda o: _why_not_cut(o, cut))
    pieces = sum(sum(cut[id_].values()) for id_ in will)
    standing = dict(Order.objects.filter(pk__in=will).values_list("pk", "quantity"))
    whole = sum(sum(cut[id_].values()) == standing[id_] for id_ in will)
    effects = [
        said("在庫のない商品 %(n)s点をキャンセルし、金額を直します。", n=f"{pieces:,}"),
        said("モールへのキャンセルと返金は、店舗ごとの決まりどおりに進みます。元に戻せません。"),
    ]
    if whole:
        effects.append(said("%(n)s件は残る商品がないため、受注ごとキャンセルします。", n=f"{whole:,}"))
    return Plan(will, skipped, effects)


def _why_not_cut(order: Facts, cut: Mapping[int, Mapping[int, int]]) -> str:
    if order["stop_asked_at"]:
        return said("出荷停止を依頼中です。出荷元の返事を待ってください。")
    return "" if order["id"] in cut else str(NOT_CHOSEN)


def run_cancel_short(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    result = shortage.cancel_short(_cut(order_ids, params), actor=actor)
    waiting = dict.fromkeys(result.waiting, said("出荷元に停止を依頼しました。返事のあとにキャンセルされます。"))
    why = dict.fromkeys(order_ids, str(NOT_CHOSEN))
    return outcome(order_ids, result.orders, {**why, **result.refused, **waiting})


ACTIONS = (
    Action("wait_stock", lazy("入荷を待つ"), lazy("%(n)s件を入荷待ちにしました。"), "clock", "orders.change_order",
           plan_wait, run_wait, form=WaitForm, rank=86, group=Group.DELIVERY, memory=Memory(waits, wait_no_more)),
    Action("ship_partly", lazy("ある分を先に出荷"), lazy("%(n)s件を、ある分だけ先に出荷できるようにしました。"), "ship",
           "orders.change_order", plan_partly, run_partly, rank=87, group=Group.DELIVERY, all_places=True,
           memory=Memory(apart, together_again)),
    Action("cancel_short", lazy("欠品の明細をキャンセル"), lazy("%(n)s件の欠品の明細をキャンセルしました。"), "close",
           "orders.cancel_order", plan_cancel_short, run_cancel_short, form=CancelShortForm, danger=True, rank=89,
           group=Group.CANCEL),
)  # fmt: skip
