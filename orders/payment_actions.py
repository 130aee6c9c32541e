"""What payments offer the desk and the list of unpaid orders: reminding many buyers at once."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from orders.actions import Action, ActionForm, Outcome, Params, Plan
from orders.desk_actions import outcome
from orders.models import Order, Reminder
from orders.queries.matching import unpaid_to_us
from orders.services import reminders
from orders.services.journal import Actor

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
            skipped[pk] = _("当社への入金を待っている受注ではありません。")
        elif pk in taken and not params.get("again"):
            skipped[pk] = _("同じ督促を送っています。")
        else:
            will.append(pk)
    return will, skipped


def plan_remind(order_ids: Sequence[int], params: Params) -> Plan:
    will, skipped = _split(order_ids, params)
    no_mail = Order.objects.filter(pk__in=will, buyer_email="").count()
    effects = [_("督促を記録し、メールのテンプレートが使われていれば送ります。")]
    if no_mail:
        effects.append(_("%(n)s件はメールアドレスがありません。電話などで連絡してください。") % {"n": f"{no_mail:,}"})
    return Plan(will, skipped, effects)


def run_remind(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    will, skipped = _split(order_ids, params)
    done = reminders.remind(will, params["step"], actor=actor, again=bool(params.get("again")))
    return outcome(order_ids, done, skipped)


ACTIONS = (
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
    ),
)
