"""What the desk offers for questions to colleagues: 社内に聞く, with the order waiting for the answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.models import User
from oms.kernel.said import said
from orders import desk_undo
from orders.actions import Action, ActionForm, Memory, Outcome, Params, Plan
from orders.desk_actions import outcome, split
from orders.models import ReviewReason
from orders.services import labels, questions
from orders.services.journal import Actor

TOO_LATE = lazy("出荷指示やキャンセルのあとのため、たずねられません。応対メモに書いてください。")


class QuestionForm(ActionForm):
    live = False  # what is asked changes nothing of who is asked about

    to = forms.ModelChoiceField(User.objects.filter(is_active=True), label=lazy("たずねる相手"))
    question = forms.CharField(
        label=lazy("たずねること"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}), strip=True
    )

    @property
    def params(self) -> dict[str, Any]:
        """The person as an id, which fits into JSON."""
        found = super().params
        to = found.get("to")
        return {"to": to.pk if isinstance(to, User) else None, "question": found.get("question") or ""}


def plan_ask(order_ids: Sequence[int], _params: Params) -> Plan:
    will, skipped = split(
        order_ids, ["stage"], lambda o: "" if o["stage"] in questions.MAY_WAIT else str(TOO_LATE)
    )  # fmt: skip
    return Plan(
        will, skipped, [said("相手が担当になり、答えがメモに書かれるまで受注は「確認待ち」で止まります。")]
    )  # fmt: skip


def run_ask(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    to = User.objects.get(pk=params["to"])
    done = questions.ask(order_ids, to, params["question"], actor=actor)
    return outcome(order_ids, done, dict.fromkeys(order_ids, said("同じことをもうたずねています。")))


def asked(order_ids: Sequence[int], _params: Params) -> dict[int, dict[str, Any]]:
    rows = ReviewReason.objects.filter(
        order__in=order_ids, code=questions.CODE, state=ReviewReason.State.OPEN
    ).values_list("order", "evidence")
    texts, people = dict(rows), desk_undo.columns_of(order_ids, "assignee_id")
    return {pk: {"asked": texts.get(pk, ""), **people[pk]} for pk in order_ids if pk in people}


def withdraw(before: Mapping[int, dict[str, Any]], _params: Params, actor: Actor) -> Outcome:
    done = questions.withdraw(list(before), actor=actor)
    for person, ids in desk_undo.alike({pk: before[pk] for pk in done}, lambda v: v["assignee_id"]).items():
        labels.change(ids, {"assignee": person}, actor=actor)
    return desk_undo.outcome(before, done, said("もう答えがあるため、そのままにしました。"))


ACTIONS = (
    Action(
        "ask_colleague",
        lazy("社内に聞く"),
        lazy("%(n)s件について社内にたずねました。"),
        "members",
        "orders.change_order",
        plan_ask,
        run_ask,
        form=QuestionForm,
        rank=82,
        memory=Memory(asked, withdraw),
    ),
)
