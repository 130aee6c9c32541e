"""掛売: the accounts, what the next closing of each would say, closing them, and their terms."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.typed import row_id, row_ids
from oms.kernel.web import person_of, render_page
from orders.billing_forms import AccountForm, CloseForm, values_of
from orders.models import BillingAccount, Order
from orders.queries import billing as reading
from orders.queries.detail import PERSONAL
from orders.services import billing
from orders.services.documents import Refused
from orders.views.order import actor_of

SEE = ["orders.view_issueddocument", PERSONAL]
CLOSE = [*SEE, "orders.issue_document"]
SET = [*SEE, "orders.change_paymentgate"]


@require_GET
@permission_required(SEE, raise_exception=True)
def accounts(request: HttpRequest) -> HttpResponse:
    rows = reading.account_rows()
    context = {"rows": rows, "strangers": reading.strangers(), "any_to_close": any(row.may_close for row in rows)}
    return render_page(request, "orders/billing/list.html", context)


@require_GET
@permission_required(SEE, raise_exception=True)
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: what its next bill would say, and those it got. `?on=`: as of that closing."""
    own = get_object_or_404(reading.accounts(), pk=pk)
    [row] = [row for row in reading.account_rows() if row.account.pk == pk]
    form = CloseForm(request.GET if "on" in request.GET else {"on": row.closes_on})
    closing = reading.closing_of(own, form.cleaned_data["on"]) if form.is_valid() else None
    context = {"account": own, "row": row, "form": form, "closing": closing, "bills": reading.bills_of(own)}
    return render_page(request, "orders/billing/account.html", context)


@require_POST
@permission_required(CLOSE, raise_exception=True)
def close(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(reading.accounts(), pk=pk)
    form = CloseForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("締日を確かめてください。"))
        return redirect("orders:billing-account", pk)
    closed = billing.close([pk], form.cleaned_data["on"], actor=actor_of(request))
    if pk in closed.refused:
        messages.warning(request, closed.refused[pk])
        return redirect("orders:billing-account", pk)
    messages.success(request, _("締めて、合計請求書を発行しました。"))
    return redirect("orders:paper", closed.bills[0].document_id)


@require_POST
@permission_required(CLOSE, raise_exception=True)
def close_many(request: HttpRequest) -> HttpResponse:
    """Each chosen account at its own last closing day."""
    chosen = {row.account.pk: row for row in reading.account_rows() if row.may_close}
    made, refused = 0, []
    for pk in row_ids(request.POST.getlist("ids")):
        if row := chosen.get(pk):
            closed = billing.close([pk], row.closes_on, actor=actor_of(request))
            made += len(closed.bills)
            refused += [f"{row.account.name}: {why}" for why in closed.refused.values()]
    if made:
        text = ngettext("合計請求書を %(n)d 件発行しました。", "合計請求書を %(n)d 件発行しました。", made) % {
            "n": made
        }
        messages.success(request, text)
    for text in refused[:10]:
        messages.warning(request, text)
    if not made and not refused:
        messages.info(request, _("締める取引先を選んでください。"))
    return redirect("orders:billing")


@require_http_methods(["GET", "POST"])
@permission_required(SET, raise_exception=True)
def account_new(request: HttpRequest) -> HttpResponse:
    """A new account for the shop and the member of `?order=`, filled with what that order says."""
    number = row_id(request.GET.get("order", "")) or 0
    order = Order.objects.select_related("shop", "member").filter(pk=number).first()
    if order is None or order.member is None:
        raise Http404
    form = AccountForm(request.POST or None, initial=values_of(order))
    if form.is_valid():
        try:
            fresh = BillingAccount(shop=order.shop, member=order.member)
            made = billing.save_account(fresh, form.cleaned_data, by=person_of(request))
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("取引先を登録しました。"))
            return redirect("orders:billing-account", made.pk)
    context = {"form": form, "title": _("掛売の取引先を登録"), "shop": order.shop, "member": order.member}
    return render_page(request, "orders/billing/form.html", context)


@require_http_methods(["GET", "POST"])
@permission_required(SET, raise_exception=True)
def account_edit(request: HttpRequest, pk: int) -> HttpResponse:
    own = get_object_or_404(reading.accounts(), pk=pk)
    form = AccountForm(request.POST or None, instance=own)
    if form.is_valid():
        billing.save_account(BillingAccount.objects.get(pk=pk), form.cleaned_data, by=person_of(request))
        messages.success(request, _("保存しました。発行済みの請求書は変わりません。"))
        return redirect("orders:billing-account", pk)
    context = {"form": form, "title": _("取引先の条件"), "account": own, "shop": own.shop, "member": own.member}
    return render_page(request, "orders/billing/form.html", context)
