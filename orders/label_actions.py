"""What the desk offers for labels and rules: tags, priority, person, the mark "important", notes, running rules."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.text import clean_text
from orders import desk_undo
from orders.actions import Action, ActionForm, Group, Outcome, Params, Plan
from orders.desk_actions import outcome, split
from orders.models.order import Priority
from orders.services import labels
from orders.services.journal import Actor
from orders.services.rules import dry
from orders.services.rules import run as rules

SAMPLE = 8  # orders named in a preview


def labelled(order_ids: Sequence[int], done: Sequence[int], why: str) -> Outcome:
    return outcome(order_ids, done, dict.fromkeys(order_ids, why))


# ---- tags


class TagForm(ActionForm):
    tag = forms.CharField(
        label=lazy("タグ"), max_length=40, help_text=lazy("新しい名前を書くと、新しいタグになります。")
    )


def plan_add_tag(order_ids: Sequence[int], params: Params) -> Plan:
    tag = params.get("tag") or ""
    return Plan(*split(order_ids, ["tags"], lambda o: said("すでに付いています。") if tag in o["tags"] else ""))


def run_add_tag(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    done = labels.add_tag(order_ids, params["tag"], actor=actor)
    return labelled(order_ids, done, said("すでに付いています。"))


def plan_remove_tag(order_ids: Sequence[int], params: Params) -> Plan:
    tag = params.get("tag") or ""
    return Plan(*split(order_ids, ["tags"], lambda o: "" if tag in o["tags"] else said("このタグは付いていません。")))


def run_remove_tag(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    done = labels.remove_tag(order_ids, params["tag"], actor=actor)
    return labelled(order_ids, done, said("このタグは付いていません。"))


# ---- person, priority, mark


class AssignForm(ActionForm):
    assignee = forms.ModelChoiceField(
        User.objects.filter(is_active=True), label=lazy("担当"), required=False, empty_label=lazy("担当なし")
    )

    @property
    def params(self) -> dict[str, Any]:
        """The person as an id, which fits into JSON."""
        found = super().params.get("assignee")
        return {"assignee": found.pk if isinstance(found, User) else None}


class PriorityForm(ActionForm):
    priority = forms.TypedChoiceField(label=lazy("優先度"), choices=Priority.choices, coerce=int, initial=Priority.HIGH)


class ImportantForm(ActionForm):
    important = forms.TypedChoiceField(
        label=lazy("重要の印"),
        choices=((1, lazy("付ける")), (0, lazy("外す"))),
        coerce=lambda value: str(value) == "1",
        initial=1,
    )


SAME = lazy("すでにその値です。")
COLUMNS = {"assignee": "assignee_id", "priority": "priority", "important": "important"}


def plan_change(order_ids: Sequence[int], params: Params) -> Plan:
    [(name, value)] = params.items()
    wanted = bool(int(value)) if name == "important" else value
    return Plan(*split(order_ids, [COLUMNS[name]], lambda o: str(SAME) if o[COLUMNS[name]] == wanted else ""))


def run_change(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    done = labels.change(order_ids, params, actor=actor)
    return labelled(order_ids, done, str(SAME))


# ---- 社内メモ


class NoteForm(ActionForm):
    text = forms.CharField(
        label=lazy("社内メモに書き足すこと"), max_length=500, widget=forms.Textarea({"rows": 3}),
        help_text=lazy("いまのメモの下に足します。"),
    )  # fmt: skip
    live = False

    def clean_text(self) -> str:
        return clean_text(self.cleaned_data["text"])


def plan_note(order_ids: Sequence[int], _params: Params) -> Plan:
    return Plan(*split(order_ids, [], lambda _order: ""))


def run_note(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    done = labels.add_note(order_ids, params["text"], actor=actor)
    return labelled(order_ids, done, said("すでに書かれています。"))


# ---- rules


def plan_rerun(order_ids: Sequence[int], _params: Params) -> Plan:
    """Who would change, and how, in the words of the rules."""
    changes = dry.preview_replay(order_ids)
    touched = {change.order_id for change in changes}
    will, skipped = split(order_ids, [], lambda o: "" if o["id"] in touched else said("変わるところはありません。"))
    counted = Counter(text for change in changes for text in change.does)
    undone = Counter(text for change in changes for text in change.takes_back)
    effects = [said("＋ %(text)s: %(n)s件", text=text, n=f"{n:,}") for text, n in counted.most_common(SAMPLE)]
    effects += [said("− %(text)s: %(n)s件", text=text, n=f"{n:,}") for text, n in undone.most_common(SAMPLE)]
    return Plan(will, skipped, effects)


def run_rerun(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    done = rules.run(order_ids, {}, actor=actor, every=True)
    changed = {job.order_id for job in [*done.jobs, *done.taken_back] if job.done and not job.quiet} if done else set()
    none = dict.fromkeys(order_ids, said("変わるところはありません。"))
    return outcome(order_ids, [id_ for id_ in order_ids if id_ in changed], none)


CHANGE = "orders.change_order"
ACTIONS = (
    Action("add_tag", lazy("タグを付ける"), lazy("%(n)s件にタグを付けました。"), "note", CHANGE, plan_add_tag,
           run_add_tag, form=TagForm, key="t", rank=80, group=Group.BAR, memory=desk_undo.TAG),
    Action("remove_tag", lazy("タグを外す"), lazy("%(n)s件からタグを外しました。"), "note", CHANGE, plan_remove_tag,
           run_remove_tag, form=TagForm, rank=81, memory=desk_undo.TAG),
    Action("note", lazy("社内メモを書く"), lazy("%(n)s件の社内メモに書き足しました。"), "note", CHANGE, plan_note,
           run_note, form=NoteForm, key="n", rank=82, memory=desk_undo.NOTE),
    Action("assign", lazy("担当を決める"), lazy("%(n)s件の担当を決めました。"), "members", CHANGE, plan_change,
           run_change, form=AssignForm, rank=82, memory=desk_undo.label("assignee")),
    Action("priority", lazy("優先度を変える"), lazy("%(n)s件の優先度を変えました。"), "clock", CHANGE, plan_change,
           run_change, form=PriorityForm, rank=83, memory=desk_undo.label("priority")),
    Action("important", lazy("重要の印"), lazy("%(n)s件の重要の印を変えました。"), "review", CHANGE, plan_change,
           run_change, form=ImportantForm, rank=84, memory=desk_undo.label("important")),
    Action("rerun_rules", lazy("ルールを再実行"), lazy("%(n)s件でルールを再実行しました。"), "refresh",
           "orders.manage_rules", plan_rerun, run_rerun, rank=85),
)  # fmt: skip
