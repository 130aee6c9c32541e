"""What payments offer the desk and the list of unpaid orders: reminding many buyers at once."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.money import yen
from oms.kernel.said import said, together
from orders import desk_undo
from orders.actions import Action, ActionForm, Group, Memory, Outcome, Params, Plan
from orders.desk_actions import outcome
from orders.models import Order, Reminder
from orders.models.order import PaymentMethod, PaymentState
from orders.queries.matching import unpaid_to_us
from orders.services import bulk_undo, payment_method, reminders
from orders.services.journal import Actor
from orders.services.mail_stages import PAID_BY_THEMSELVES
from orders.services.payment_method import Quote

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


def plan_method(order_ids: Sequence[int], params: Params) -> Plan:
    will, skipped, quotes = _judged(order_ids, params["method"])
    effects = [
        said(
            "入金の確認と支払期限は、店舗ごとの新しい支払方法の決まりに従います。手数料と合計は支払方法の手数料表に従います。"
        )
    ]
    if params["method"] in PAID_BY_THEMSELVES:
        effects.append(said("入金のお願いのメールは自動では送りません。必要なら「メールを送る」から送ってください。"))
    counted = [
        (sum(q.bound for q in quotes),
         lazy("%(n)s件はモールの合計金額がそのまま有効で、モールの支払方法も変わりません。モールの画面で変更してください。")),
        (sum(q.no_table and not q.bound for q in quotes),
         lazy("%(n)s件は店舗に手数料表がないため、手数料は今のままです。「支払条件」で設定できます。")),
        (sum(q.asks_consent for q in quotes),
         lazy("%(n)s件は合計が上がります。お客様に確かめるメールを下書きします。送る前に内容を確認してください。")),
        (sum(bool(q.refund) for q in quotes), lazy("%(n)s件は入金が合計を超えるため、差額の返金を手配します。")),
        (sum(q.order.payment_state == PaymentState.AUTHORIZED for q in quotes),
         lazy("%(n)s件は与信済みです。決済会社の画面で与信を取り消す作業を残します。")),
    ]  # fmt: skip
    effects += [said(sentence, n=f"{n:,}") for n, sentence in counted if n]
    return Plan(will, skipped, effects, {q.order.pk: _note(q) for q in quotes if q.more})


def _judged(order_ids: Sequence[int], method: str) -> tuple[list[int], dict[int, str], list[Quote]]:
    found = payment_method.quotes(order_ids, method)
    skipped = {id_: found.get(id_, said("見つかりません。")) for id_ in order_ids}
    quotes = [quote for quote in skipped.values() if isinstance(quote, Quote)]
    return (
        [quote.order.pk for quote in quotes],
        {id_: why for id_, why in skipped.items() if isinstance(why, str)},
        quotes,
    )


def _note(quote: Quote) -> str:
    parts = [
        said(
            "手数料 %(before)s → %(after)s、合計 %(total_before)s → %(total_after)s",
            before=yen(quote.before.fees),
            after=yen(quote.after.fees),
            total_before=yen(quote.before.total),
            total_after=yen(quote.after.total),
        )
    ]
    if quote.asks_consent:
        parts.append(said("確認メールを下書き"))
    if quote.refund:
        parts.append(said("%(yen)s を返金", yen=yen(quote.refund)))
    return together(parts)


def run_method(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    _will, skipped, _quotes = _judged(order_ids, params["method"])
    return outcome(order_ids, payment_method.change(order_ids, params["method"], actor=actor), skipped)


def paid_how(order_ids: Sequence[int], _params: Params) -> desk_undo.Values:
    return payment_method.remembered(order_ids)


def pay_as_before(before: desk_undo.Before, _params: Params, actor: Actor) -> Outcome:
    done, stay = payment_method.put_back(before, actor=actor, action=actor.action.removesuffix(bulk_undo.MARK))
    return Outcome(done, stay)


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
