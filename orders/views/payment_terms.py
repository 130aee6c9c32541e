"""支払方法の設定: each shop's terms by method and payment code."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.web import answer, person_of, render_page
from orders.models import PaymentGate, Shop
from orders.payment_forms import FeeForm, TermsForm
from orders.queries import payment_terms as queries
from orders.queries import payments
from orders.services import payment_fees, payment_gates
from orders.services.payment_gates import RefOfTerms

RIGHT = "orders.change_paymentgate"


@require_GET
@permission_required(RIGHT, raise_exception=True)
def terms_list(request: HttpRequest) -> HttpResponse:
    context = {"shops": queries.shop_terms()} | payments.tab_counts()
    return render_page(request, "orders/payments/terms.html", context)


@require_http_methods(["GET", "POST"])
@permission_required(RIGHT, raise_exception=True)
def terms_edit(request: HttpRequest, code: str) -> HttpResponse:
    """`?method=` or `?code=` names the row to start from; a new one starts from the standard."""
    shop = get_object_or_404(Shop, code=code)
    start = queries.starting_values(shop, method=request.GET.get("method", ""), code=request.GET.get("code", ""))
    form = TermsForm(request.POST) if request.method == "POST" else TermsForm(initial=start)
    if form.is_bound and form.is_valid():
        payment_gates.save_gate(shop, form.terms, by=person_of(request))
        messages.success(request, _("支払条件を保存しました。待っている受注に反映しました。"))
        return answer(request, to=reverse("orders:payment-terms"))
    known = RefOfTerms(shop, str(start["method"]), str(start["code"])) if request.GET else ""
    context = {"shop": shop, "form": form, "versions_ref": known}
    return render_page(request, "orders/payments/terms_edit.html", context)


@require_POST
@permission_required(RIGHT, raise_exception=True)
def terms_reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Back to the standard."""
    row = PaymentGate.objects.select_related("shop").filter(pk=pk).first()
    if row is not None:
        payment_gates.forget_gate(row, by=person_of(request))
        messages.success(request, _("標準の条件に戻しました。"))
    return answer(request, to=reverse("orders:payment-terms"))


@require_http_methods(["GET", "POST"])
@permission_required(RIGHT, raise_exception=True)
def fees_edit(request: HttpRequest, code: str, method: str) -> HttpResponse:
    """What this shop charges for one payment method, by steps of the amount."""
    shop = get_object_or_404(Shop, code=code)
    if method not in queries.METHODS:
        raise Http404
    known = queries.fee_table(shop, method)
    form = FeeForm(request.POST if request.method == "POST" else None, table=known)
    if form.is_bound and form.is_valid():
        payment_fees.save_table(shop, method, form.table, by=person_of(request))
        messages.success(
            request, _("手数料表を保存しました。これから支払方法や商品を変える受注と、手入力の受注に使います。")
        )
        return answer(request, to=reverse("orders:payment-terms"))
    context = {
        "shop": shop,
        "form": form,
        "method": method,
        "method_label": queries.METHODS[method],
        "known": known,
        "versions_ref": f"{shop.pk}/{method}",
    }
    return render_page(request, "orders/payments/fees_edit.html", context)


@require_POST
@permission_required(RIGHT, raise_exception=True)
def fees_reset(request: HttpRequest, code: str, method: str) -> HttpResponse:
    """No table any more: orders keep the fees they have."""
    payment_fees.forget_table(get_object_or_404(Shop, code=code), method, by=person_of(request))
    messages.success(request, _("手数料表を消しました。受注の手数料は今のまま変わりません。"))
    return answer(request, to=reverse("orders:payment-terms"))
