"""店舗ごとのメールの設定、送らない宛先, and the public page where a customer ends advertising."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel import privacy
from oms.kernel.keyset import keyset_page
from oms.kernel.said import said
from oms.kernel.web import render_page
from orders.mail_forms import PolicyForm, StopForm
from orders.models import MailPolicy, MailStop, Shop
from orders.queries import mails
from orders.queries.detail import PERSONAL
from orders.queries.mail_policies import policy_changes
from orders.services import mail_addresses, mail_policies
from orders.views.order import user_of

SEND = ["orders.send_mail", PERSONAL]


@require_GET
@permission_required("orders.change_mailtemplate", raise_exception=True)
def policy_list(request: HttpRequest) -> HttpResponse:
    return render_page(request, "orders/mail_policies.html", {"rows": mails.policy_rows()})


@require_http_methods(["GET", "POST"])
@permission_required("orders.change_mailtemplate", raise_exception=True)
def policy_edit(request: HttpRequest, code: str) -> HttpResponse:
    shop = get_object_or_404(Shop, code=code)
    policy = MailPolicy.objects.filter(shop=shop).first() or MailPolicy(shop=shop)
    form = PolicyForm(request.POST or None, instance=policy)
    if form.is_bound and form.is_valid():
        mail_policies.save_policy(shop, form.cleaned_data, by=user_of(request))
        messages.success(request, _("メールの設定を保存しました。"))
        return redirect("orders:mail-policies")
    context = {"form": form, "shop": shop, "changes": policy_changes(shop)}
    return render_page(request, "orders/mail_policy.html", context)


@require_http_methods(["GET", "POST"])
@permission_required(SEND, raise_exception=True)
def stop_list(request: HttpRequest) -> HttpResponse:
    """Addresses that get no mail; a POST adds one that wants no advertising."""
    form = StopForm(request.POST or None)
    if form.is_bound and form.is_valid():
        reason = form.cleaned_data["reason"] or _("担当者が登録しました。")
        address = form.cleaned_data["address"]
        made = mail_addresses.stop(address, MailStop.Kind.OPT_OUT, reason=reason, by=user_of(request))
        messages.success(request, _("配信停止に登録しました。") if made else _("すでに登録済みです。"))
        return redirect("orders:mail-stops")
    rows = MailStop.objects.select_related("by")
    if typed := request.GET.get("q", "").strip().lower():
        rows = rows.filter(address__contains=typed)
    page = keyset_page(request, rows, order=("-id",))
    return render_page(request, "orders/mail_stops.html", {"form": form, "page": page, "typed": typed})


@require_POST
@permission_required(SEND, raise_exception=True)
def stop_lift(request: HttpRequest, pk: int) -> HttpResponse:
    if mail_addresses.lift(pk):
        messages.success(request, _("解除しました。この宛先へまた送れます。"))
    return redirect("orders:mail-stops")


@login_not_required
@csrf_exempt  # a mail program posts here by itself (one-click unsubscribe); the signed token is the right to do so
@require_http_methods(["GET", "POST"])
def opt_out(request: HttpRequest, token: str) -> HttpResponse:
    """The owner of an address ends advertising. GET asks, POST does it: a link checker changes nothing."""
    address = mail_addresses.address_in(token)
    if address is None:
        raise Http404
    done = request.method == "POST"
    if done:
        mail_addresses.stop(address, MailStop.Kind.OPT_OUT, reason=said("受信者が配信停止のページで手続きしました。"))
    context = {"address": privacy.mask_mail(address), "done": done}
    return render_page(request, "orders/mail_opt_out.html", context)
