"""What payments offer the desk and the list of unpaid orders: reminding many buyers at once."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.said import said
from orders import desk_undo
from orders.actions import Action, ActionForm, Group, Memory, Outcome, Params, Plan
from orders.desk_actions import outcome, split
from orders.models import Order, Reminder, Shop
from orders.models.order import PaymentMethod, PaymentState
from orders.queries.matching import unpaid_to_us
from orders.services import payment_method, reminders
from orders.services.journal import Actor
from orders.services.mail_stages import PAID_BY_THEMSELVES

STEPS = [(Reminder.Step.FIRST.value, lazy("督促")), (Reminder.Step.FINAL.value, lazy("最終督促"))]


class RemindForm(ActionForm):
    step = forms.ChoiceField(label=lazy("送るメール"), choices=STEPS)
    again = forms.BooleanField(label=lazy("同じ督促を送った受注にも、もう一度送る"), required=False)


def _split(order_ids: Sequence[int], params: Params) -> tuple[list[int], dict[int, str]]:
    ours = set(unpaid_to_us().filter(pk__in=order_ids).values_list("pk", flat=True))
    taken = set(Reminder.objects.filter(order__in=ours, step=params["step"]).values_list("order", flat=True))
    will, skipped = [], {}
    for pk in order_ids:
        if pk not in ours:
            skipped[pk] = said("当社への入金を待っている受注ではありません。")
        elif pk in taken and not params.get("again"):
            skipped[pk] = said("同じ督促を送っています。")
        else:
            will.append(pk)
    return will, skipped


def plan_remind(order_ids: Sequence[int], params: Params) -> Plan:
    will, skipped = _split(order_ids, params)
    no_mail = Order.objects.filter(pk__in=will, buyer_email="").count()
    effects = [said("督促を記録し、メールのテンプレートが使われていれば送ります。")]
    if no_mail:
        effects.append(said("%(n)s件はメールアドレスがありません。電話などで連絡してください。", n=f"{no_mail:,}"))
    return Plan(will, skipped, effects)


def run_remind(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    will, skipped = _split(order_ids, params)
    done = reminders.remind(will, params["step"], actor=actor, again=bool(params.get("again")))
    return outcome(order_ids, done, skipped)


# ---- another way to pay


class MethodForm(ActionForm):
    method = forms.ChoiceField(
        label=lazy("支払方法"), choices=PaymentMethod.choices, initial=PaymentMethod.BANK_TRANSFER
    )


METHOD_COLUMNS = ("cancelled_at", "shipped_at", "payment_state", "payment_method", "paid_amount")


def why_not_paid_otherwise(order: Mapping[str, Any], method: str) -> str:
    if order["cancelled_at"]:
        return said("キャンセル済みです。")
    if order["shipped_at"]:
        return said("出荷済みです。")
    if order["payment_method"] == method:
        return said("すでにその支払方法です。")
    if order["payment_state"] == PaymentState.AUTHORIZED:
        return said("与信済みです。与信を取り消してから変更してください。")
    if order["payment_state"] not in payment_method.CHANGEABLE or order["paid_amount"]:
        return said("入金のあとのため変更できません。返金してから変更してください。")
    return ""


def plan_method(order_ids: Sequence[int], params: Params) -> Plan:
    will, skipped = split(order_ids, METHOD_COLUMNS, lambda order: why_not_paid_otherwise(order, params["method"]))
    effects = [
        said("入金の確認と支払期限は、店舗ごとの新しい支払方法の決まりに従います。金額（手数料を含む）は変わりません。")
    ]
    if params["method"] in PAID_BY_THEMSELVES:
        effects.append(said("入金のお願いのメールは自動では送りません。必要なら「メールを送る」から送ってください。"))
    shops = Shop.objects.filter(pk__in=Order.objects.filter(pk__in=will).values("shop"))
    malls = [shop.pk for shop in shops if not shop.can("own_payments")]
    if in_malls := Order.objects.filter(pk__in=will, shop__in=malls).count():
        effects.append(
            said("%(n)s件はモールの支払方法が変わりません。モールの画面でも変更してください。", n=f"{in_malls:,}")
        )
    return Plan(will, skipped, effects)


def run_method(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    why = partial(why_not_paid_otherwise, method=params["method"])
    _will, skipped = split(order_ids, METHOD_COLUMNS, why)
    return outcome(order_ids, payment_method.change(order_ids, params["method"], actor=actor), skipped)


def paid_how(order_ids: Sequence[int], _params: Params) -> desk_undo.Values:
    return desk_undo.columns_of(order_ids, *payment_method.COLUMNS)


def pay_as_before(before: desk_undo.Before, _params: Params, actor: Actor) -> Outcome:
    done = payment_method.put_back(before, actor=actor)
    return desk_undo.outcome(before, done, said("入金や出荷、キャンセルのあとのため、そのままにしました。"))


ACTIONS = (
    Action(
        "payment_method",
        lazy("支払方法を変える"),
        lazy("%(n)s件の支払方法を変えました。"),
        "yen",
        "orders.change_order",
        plan_method,
        run_method,
        form=MethodForm,
        rank=71,
        group=Group.FLOW,
        memory=Memory(paid_how, pay_as_before),
    ),
    Action(
        "remind",
        lazy("入金の督促"),
        lazy("%(n)s件に督促しました。"),
        "mail",
        "orders.record_payment",
        plan_remind,
        run_remind,
        form=RemindForm,
        rank=72,
        group=Group.FLOW,
    ),
)
