"""入金待ち, one order's money, and refunds."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel import clock
from oms.kernel.keyset import keyset_page
from oms.kernel.money import yen
from oms.kernel.web import answer, person_of, render_page
from orders.models import Order, OrderTask, Refund
from orders.payment_forms import HeldForm, RecordForm, RefundForm
from orders.queries import payments
from orders.queries.detail import PERSONAL
from orders.services import authorisations, payment, refund_requests, refunds, tasks
from orders.services.refund_limits import NeedsApproval
from orders.views.order import CHANGED, actor_of, say_asked

RIGHT = "orders.record_payment"


@require_GET
@permission_required(RIGHT, raise_exception=True)
def payment_list(request: HttpRequest) -> HttpResponse:
    filters = payments.PaymentFilter(request.GET, queryset=payments.waiting_orders())
    page = keyset_page(request, filters.qs, order=("pay_by", "pk"))
    rows = payments.rows_of(page.rows, personal=_personal(request))
    context = {"filters": filters, "page": page, "rows": rows, "tally": payments.tally()}
    context |= payments.tab_counts()
    return render_page(request, "orders/payments/list.html", context, fragment="orders/payments/_list.html")


@require_GET
@permission_required(RIGHT, raise_exception=True)
def payment_expired(request: HttpRequest) -> HttpResponse:
    """Who would be cancelled as unpaid; the bulk action's preview comes before anything is."""
    rows = payments.expired_rows(personal=_personal(request))
    return render_page(request, "orders/payments/expired.html", {"rows": rows} | payments.tab_counts())


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def order_payment(request: HttpRequest, pk: int) -> HttpResponse:
    """The money of one order: a panel on its page, or a page."""
    return render_page(request, "orders/payments/order.html", _money(pk), fragment="orders/payments/_order.html")


@require_http_methods(["GET", "POST"])
@permission_required(RIGHT, raise_exception=True)
def payment_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Money by hand, with its day and amount."""
    order = _order(pk)
    initial = {"amount": max(payments.due_of(order), 0) or None, "on": clock.today(), "key": uuid4().hex}
    form = RecordForm(request.POST) if request.method == "POST" else RecordForm(initial=initial)
    if form.is_bound and form.is_valid():
        done = payment.record_payments([pk], actor=actor_of(request), **form.cleaned_data)
        made = bool(done) or payment.is_recorded(pk, form.cleaned_data["key"])  # a second click finds it made
        _say(request, made, _("入金を登録しました。"), _("この受注は入金を登録できません。"))
        return _changed(request, pk)
    context = {"order": order, "form": form, "title": _("入金を登録"), "action": _("入金を登録")}
    return render_page(request, "orders/action.html", context, fragment="orders/_action.html")


@require_http_methods(["GET", "POST"])
@permission_required(RIGHT, raise_exception=True)
def payment_held(request: HttpRequest, pk: int) -> HttpResponse:
    """The provider holds the order's total anew."""
    order = _order(pk)
    form = HeldForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            authorisations.renew(pk, form.cleaned_data["until"], actor=actor_of(request))
        except authorisations.NotHeld as problem:
            messages.warning(request, str(problem))
        else:
            messages.success(request, _("与信を登録しました。"))
        return _changed(request, pk)
    title = _("与信を取り直した（%(amount)s）") % {"amount": yen(order.total or 0)}
    context = {"order": order, "form": form, "title": title, "action": _("登録")}
    return render_page(request, "orders/action.html", context, fragment="orders/_action.html")


@require_POST
@permission_required(RIGHT, raise_exception=True)
def payment_undo(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    try:
        done = payment.undo_entry(pk, entry, actor=actor_of(request))
    except payment.GivenBack as problem:
        messages.warning(request, str(problem))
        return _changed(request, pk)
    _say(request, done, _("入金を取り消しました。"), _("この入金はすでに取り消されています。"))
    return _changed(request, pk)


@require_POST
@permission_required(RIGHT, raise_exception=True)
def payment_waive(request: HttpRequest, pk: int) -> HttpResponse:
    rest = payment.waive_rest(pk, actor=actor_of(request), note=request.POST.get("note", "")[:200])
    good = _("不足 %(amount)s を当社負担にしました。") % {"amount": yen(rest)}
    _say(request, bool(rest), good, _("不足している入金はありません。"))
    return _changed(request, pk)


# ---- refunds


@require_GET
@permission_required(RIGHT, raise_exception=True)
def refund_list(request: HttpRequest) -> HttpResponse:
    state = request.GET.get("state", Refund.State.DUE)
    if state not in Refund.State.values:
        raise Http404
    page = keyset_page(request, payments.refund_rows(state), order=("-made_at", "-pk"))
    context = {"page": page, "state": state, "states": Refund.State.choices, "money_tasks": payments.open_money_tasks()}
    context |= payments.tab_counts()
    return render_page(request, "orders/payments/refunds.html", context, fragment="orders/payments/_refunds.html")


@require_http_methods(["GET", "POST"])
@permission_required(RIGHT, raise_exception=True)
def refund_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose what goes back, look at the sums, open the refund. A second click on the same form opens nothing more."""
    order = _order(pk)
    rows, fees = payments.refundable_parts(order)
    form = RefundForm(request.POST if request.method == "POST" else None, rows=rows, fees=fees)
    context: dict[str, Any] = {
        "order": order,
        "form": form,
        "left": refunds.money_left(order),
        "key": _key(request, order),
    }
    if "preview" in request.POST:
        form.fields["reason"].required = False  # only looked at
    if form.is_bound and form.is_valid():
        try:
            if "preview" in request.POST:
                context["plan"] = refunds.preview(pk, form.wish)
                context["goods"] = payments.plan_rows(order, context["plan"])
            else:
                return _open(request, order, form)
        except refunds.NothingToRefund as problem:
            form.add_error(None, str(problem))
        except NeedsApproval as needs:
            return _ask_for(request, order, form, needs)
    return render_page(request, "orders/payments/refund.html", context, fragment="orders/payments/_refund_plan.html")


def _open(request: HttpRequest, order: Order, form: RefundForm) -> HttpResponse:
    refund = refunds.open_alone(
        order.pk,
        key=_key(request, order),
        wish=form.wish,
        reason=form.cleaned_data["reason"],
        actor=actor_of(request),
    )
    if refund is None:
        raise refunds.NothingToRefund(_("お客様のお金を預かっていないため、返金できません。"))
    messages.success(request, _("返金 %(amount)s の手配を始めました。") % {"amount": yen(refund.amount)})
    return answer(request, to=reverse("orders:payment", args=[order.pk]))


def _ask_for(request: HttpRequest, order: Order, form: RefundForm, needs: NeedsApproval) -> HttpResponse:
    asked = refund_requests.refund(
        order.pk,
        key=_key(request, order),
        wish=form.wish,
        reason=form.cleaned_data["reason"],
        needs=needs,
        actor=actor_of(request),
    )
    say_asked(request, asked)
    return answer(request, to=reverse("orders:payment", args=[order.pk]))


def _key(request: HttpRequest, order: Order) -> str:
    """One for each showing of the form, made of how often the order was refunded before."""
    typed = request.POST.get("key", "")
    return (
        typed
        if typed.startswith(f"manual:{order.pk}:") and len(typed) < 60
        else f"manual:{order.pk}:{order.refunds.count()}"
    )


@require_POST
@permission_required(RIGHT, raise_exception=True)
def refund_done(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    try:
        done = refunds.complete([pk], actor=actor, note=request.POST.get("note", ""))
    except NeedsApproval as needs:
        say_asked(request, refund_requests.pay(pk, needs=needs, actor=actor))
    else:
        _say(request, bool(done), _("返金済みにしました。"), _("この返金はすでに終わっています。"))
    return answer(request, to=reverse("orders:refunds"))


@require_POST
@permission_required(RIGHT, raise_exception=True)
def refund_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    done = refunds.withdraw([pk], actor=actor_of(request), note=request.POST.get("note", ""))
    _say(request, bool(done), _("返金を取りやめました。"), _("この返金はすでに終わっています。"))
    return answer(request, to=reverse("orders:refunds"))


@require_POST
@permission_required(RIGHT, raise_exception=True)
def money_task_done(request: HttpRequest, pk: int) -> HttpResponse:
    """A task about money, for those who may record money but not change orders."""
    task = get_object_or_404(OrderTask, pk=pk, kind__in=payments.MONEY_TASKS)
    finish_task(request, task)
    return answer(request, to=reverse("orders:refunds"))


def finish_task(request: HttpRequest, task: OrderTask) -> None:
    """Finish a task and say so; one whose refund this person may not pay alone asks for an approval instead."""
    actor = actor_of(request)
    try:
        if tasks.finish(task.pk, actor=actor):
            messages.success(request, _("作業を完了しました。"))
    except NeedsApproval as needs:
        say_asked(request, refund_requests.pay(refunds.refund_of(task), needs=needs, actor=actor))


# ---- shared


def _order(pk: int) -> Order:
    return get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)


def _money(pk: int) -> dict[str, Any]:
    return payments.order_money(_order(pk))


def _changed(request: HttpRequest, pk: int) -> HttpResponse:
    """The block as it is now, and word to the rest of the order's page."""
    return answer(
        request,
        to=reverse("orders:payment", args=[pk]),
        fragments=["orders/payments/_order.html"],
        context=_money(pk),
        trigger=CHANGED,
    )


def _personal(request: HttpRequest) -> bool:
    return person_of(request).has_perm(PERSONAL)


def _say(request: HttpRequest, done: bool, good: str, bad: str) -> None:
    if done:
        messages.success(request, good)
    else:
        messages.warning(request, bad)
