"""Labels of one order (tags, importance, priority, person), its tasks, its rules' trace, and drafts of mails."""

from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.typed import DayField
from oms.kernel.web import person_of, render_page
from orders.models import Mail, Order, OrderTask
from orders.models.order import Priority
from orders.queries import labels as label_queries
from orders.queries import rules as queries
from orders.queries.detail import PERSONAL
from orders.rule_form import SEPARATORS
from orders.services import labels, mail, tasks
from orders.services.journal import Actor
from orders.services.mail_send import why_not_ready
from orders.views.order import actor_of, changed
from orders.views.payments import finish_task


class LabelsForm(forms.Form):
    tags = forms.CharField(
        label=lazy("タグ"), required=False, max_length=400, help_text=lazy("「、」で区切って、いくつでも書けます。")
    )
    important = forms.BooleanField(label=lazy("重要"), required=False)
    priority = forms.TypedChoiceField(label=lazy("優先度"), choices=Priority.choices, coerce=int)
    assignee = forms.ModelChoiceField(
        User.objects.filter(is_active=True), label=lazy("担当"), required=False, empty_label=lazy("担当なし")
    )

    def clean_tags(self) -> list[str]:
        tags = list(dict.fromkeys(tag.strip() for tag in SEPARATORS.split(self.cleaned_data["tags"]) if tag.strip()))
        if any(len(tag) > 40 for tag in tags):
            raise forms.ValidationError(_("タグは 40 字までです。"))
        return tags


@require_http_methods(["GET", "POST"])
@permission_required("orders.change_order", raise_exception=True)
def order_labels(request: HttpRequest, pk: int) -> HttpResponse:
    order = get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
    initial = {
        "tags": "、".join(order.tags),
        "important": order.important,
        "priority": order.priority,
        "assignee": order.assignee_id,
    }
    form = LabelsForm(request.POST) if request.method == "POST" else LabelsForm(initial=initial)
    if form.is_bound and form.is_valid():
        _write(order, form, actor_of(request))
        messages.success(request, _("保存しました。"))
        return changed(request, pk)
    context = {
        "order": order,
        "form": form,
        "title": _("タグ・担当"),
        "action": _("保存"),
        "by_hand": False,
        "instructed": False,
    }
    return render_page(request, "orders/action.html", context, fragment="orders/_action.html")


def _write(order: Order, form: LabelsForm, actor: Actor) -> None:
    wanted = form.cleaned_data["tags"]
    for tag in [tag for tag in wanted if tag not in order.tags]:
        labels.add_tag([order.pk], tag, actor=actor)
    for tag in [tag for tag in order.tags if tag not in wanted]:
        labels.remove_tag([order.pk], tag, actor=actor)
    person = form.cleaned_data["assignee"]
    values = {name: form.cleaned_data[name] for name in ("important", "priority")}
    labels.change([order.pk], {**values, "assignee": person.pk if person else None}, actor=actor)


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def order_rules(request: HttpRequest, pk: int) -> HttpResponse:
    """What the rules said of this order: a panel on its page, or a page."""
    order = get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
    context = {"order": order, "trace": queries.trace_of(pk), "manages": request.user.has_perm("orders.manage_rules")}
    return render_page(request, "orders/rules/order.html", context, fragment="orders/rules/_trace.html")


# ---- tasks

TASKS = "orders.view_ordertask"


@require_GET
@permission_required(TASKS, raise_exception=True)
def task_list(request: HttpRequest) -> HttpResponse:
    """Open tasks of oneself and one's teams, with what each needs; `?all=1` shows everybody's and those that rest to
    who may see orders, `?reminders=1` only reminders."""
    mine = "all" not in request.GET or not request.user.has_perm("orders.view_order")
    reminders = "reminders" in request.GET
    rows = label_queries.open_tasks(person_of(request), mine=mine, reminders=reminders)
    context = {"rows": rows, "mine": mine, "reminders": reminders, "later": label_queries.LATER}
    return render_page(request, "orders/rules/tasks.html", context)


class PutOffForm(forms.Form):
    """Until when a task rests: in so many days, or on a day."""

    days = forms.TypedChoiceField(choices=label_queries.LATER, coerce=int, required=False, empty_value=None)
    on = DayField(required=False)

    @property
    def until(self) -> date | None:
        """None when nothing usable was said."""
        if not self.is_valid():
            return None
        days, on = self.cleaned_data["days"], self.cleaned_data["on"]
        until = on or (clock.today() + timedelta(days=days) if days else None)
        return until if until and clock.today() < until <= clock.today() + timedelta(days=366) else None


@require_POST
@permission_required(TASKS, raise_exception=True)
def task_later(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a task off (`days`, or `on` a day); the order's journal says who did."""
    task = _own_task(request, pk)
    until = PutOffForm(request.POST).until
    if until is None:
        messages.error(request, _("あとにする日は、明日から1年以内で選んでください。"))
    elif tasks.put_off(pk, until, actor=actor_of(request)):
        messages.success(request, _("%(day)s まであとにしました。") % {"day": f"{until:%Y/%m/%d}"})
    return _after_task(request, task)


@require_POST
@permission_required(TASKS, raise_exception=True)
def task_done(request: HttpRequest, pk: int) -> HttpResponse:
    """Also by somebody who may not change orders, when the task is for them: at a store, in the warehouse."""
    task = _own_task(request, pk)
    finish_task(request, task)
    return _after_task(request, task)


def _after_task(request: HttpRequest, task: OrderTask) -> HttpResponse:
    if "list" in request.POST or not request.user.has_perm("orders.view_order"):
        return HttpResponseRedirect(reverse("orders:tasks"))
    return changed(request, task.order_id)


def _own_task(request: HttpRequest, pk: int) -> OrderTask:
    """Raises Http404, PermissionDenied."""
    task = get_object_or_404(OrderTask, pk=pk)
    if not label_queries.may_finish(person_of(request), task):
        raise PermissionDenied
    return task


# ---- drafts of mails


@require_POST
@permission_required(["orders.send_mail", PERSONAL], raise_exception=True)
def mail_send(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft is fine: send it, if nothing is missing in it. With `drop`, do not."""
    found = get_object_or_404(Mail.objects.select_related("order__shop"), pk=pk)
    if "drop" in request.POST:
        waiting = Mail.objects.filter(pk=pk)
        if mail.withdraw(waiting, reason=said("送らないことにしました。"), actor=actor_of(request)):
            messages.success(request, _("メールを送らないことにしました。"))
    elif why := why_not_ready(found):
        messages.error(request, why)
    elif mail.send_draft(pk, actor=actor_of(request)):
        messages.success(request, _("メールを送ります。"))
    return HttpResponseRedirect(reverse("orders:detail", args=[found.order_id]))
