"""掛売: the accounts, what the next closing of each would say, closing them, and their terms."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.models import Member
from oms.kernel import clock
from oms.kernel.typed import row_id, row_ids
from oms.kernel.web import person_of, render_page
from orders.billing_forms import (
    AccountForm,
    CameForm,
    CloseForm,
    NewAccountForm,
    OpeningForm,
    values_of,
    values_of_member,
)
from orders.models import BillingAccount, Order
from orders.queries import billing as reading
from orders.queries.detail import PERSONAL
from orders.services import account_balance, billing
from orders.services.documents import Refused
from orders.views.order import actor_of

SEE = ["orders.view_issueddocument", PERSONAL]
CLOSE = [*SEE, "orders.issue_document"]
PAY = [*SEE, "orders.record_payment"]
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
    form = CloseForm(request.GET if "on" in request.GET else {"on": row.closes_on if row.may_close else clock.today()})
    closing = reading.closing_of(own, form.cleaned_data["on"]) if form.is_valid() else None
    context = {"account": own, "row": row, "form": form, "closing": closing, "bills": reading.bills_of(own)}
    context |= {"entries": reading.entries_of(own), "came_form": CameForm(), "elsewhere": reading.count_elsewhere(own)}
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
def account_opening(request: HttpRequest, pk: int) -> HttpResponse:
    """What the account owed when it moved in; later a correction of that, as a further entry."""
    own = get_object_or_404(reading.accounts(), pk=pk)
    begun = own.opening_on is not None
    initial = {"amount": account_balance.opening_of(pk), "on": own.opening_on} if begun else {}
    form = OpeningForm(request.POST or None, initial=initial, begun=begun)
    if form.is_valid():
        values = form.cleaned_data
        try:
            changed = account_balance.set_opening(
                pk, values["amount"], values["on"], note=values["note"], actor=actor_of(request)
            )
        except account_balance.Refused as refused:
            form.add_error(None, str(refused))
        else:
            if changed:
                messages.success(request, _("開始残高を記帳しました。次の合計請求書に載ります。"))
            return redirect("orders:billing-account", pk)
    title = _("開始残高を訂正") if begun else _("開始残高を登録")
    return render_page(request, "orders/billing/opening.html", {"form": form, "account": own, "title": title})


@require_POST
@permission_required(PAY, raise_exception=True)
def account_came(request: HttpRequest, pk: int) -> HttpResponse:
    """Money for what the account owes beside its orders."""
    get_object_or_404(reading.accounts(), pk=pk)
    form = CameForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("入金日と金額を確かめてください。"))
        return redirect("orders:billing-account", pk)
    values = form.cleaned_data
    try:
        done = account_balance.record(
            pk, values["amount"], values["came_on"], note=values["note"], key=values["key"], actor=actor_of(request)
        )
    except account_balance.Refused as refused:
        messages.warning(request, str(refused))
    else:
        if done:
            messages.success(request, _("入金を登録しました。"))
    return redirect("orders:billing-account", pk)


@require_POST
@permission_required(PAY, raise_exception=True)
def account_undo(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    """Take back money that was entered by hand."""
    get_object_or_404(reading.accounts(), pk=pk)
    if account_balance.undo_recorded(pk, entry, actor=actor_of(request)):
        messages.success(request, _("入金を取り消しました。"))
    return redirect("orders:billing-account", pk)


@require_http_methods(["GET", "POST"])
@permission_required(SET, raise_exception=True)
def account_new(request: HttpRequest) -> HttpResponse:
    """A new account: of the shop and the member of `?order=`, filled with what that order says, or of `?member=` and a
    shop that is chosen, for one that moves in without an order here."""
    order = Order.objects.select_related("shop", "member").filter(pk=row_id(request.GET.get("order", "")) or 0).first()
    if order is not None and order.member is not None:
        form, member = AccountForm(request.POST or None, initial=values_of(order)), order.member
    else:
        member = get_object_or_404(Member.objects.all(), pk=row_id(request.GET.get("member", "")) or 0)
        form = NewAccountForm(request.POST or None, initial=values_of_member(member))
    if form.is_valid():
        values = dict(form.cleaned_data)
        shop = values.pop("shop", None) or (order.shop if order else None)
        try:
            made = billing.save_account(BillingAccount(shop=shop, member=member), values, by=person_of(request))
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("取引先を登録しました。"))
            return redirect("orders:billing-account", made.pk)
    context = {"form": form, "title": _("掛売の取引先を登録"), "shop": order.shop if order else None, "member": member}
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
