"""要注意リスト: whom to look at before shipping; who put them there and who took them off again, and why."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers.forms_blacklist import EntryForm, LiftForm
from customers.models import BlacklistEntry
from customers.services import blacklist
from oms.kernel import clock
from oms.kernel.keyset import keyset_page
from oms.kernel.web import person_of, render_page

MANAGE = ["customers.manage_blacklist", "orders.view_personal_data"]


@require_http_methods(["GET", "POST"])
@permission_required(MANAGE, raise_exception=True)
def entries(request: HttpRequest) -> HttpResponse:
    """Those that stand first; a POST adds one."""
    form = EntryForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            blacklist.put_on(**form.cleaned_data, by=person_of(request))
        except blacklist.Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("要注意リストに登録しました。次に届く受注から確認待ちになります。"))
            return redirect("customers:blacklist")
    state = request.GET.get("state", "")
    page = keyset_page(request, _of_state(state).select_related("by", "lifted_by"), order=("-id",))
    context = {"form": form, "page": page, "rows": [(row, _scope_of(row)) for row in page.rows], "state": state}
    return render_page(request, "customers/blacklist.html", context)


def _of_state(state: str) -> QuerySet[BlacklistEntry]:
    if state == "lifted":
        return BlacklistEntry.objects.filter(lifted_at__isnull=False)
    if state == "over":
        return BlacklistEntry.objects.filter(lifted_at=None, until__lt=clock.today())
    return BlacklistEntry.objects.in_force(clock.today())


def _scope_of(entry: BlacklistEntry) -> list[str]:
    """The shops and payment methods it is limited to, in words."""
    chosen = {"shops": entry.shops, "payments": entry.payments}
    known = {kind: dict(blacklist.CHOICES[kind]()) if codes else {} for kind, codes in chosen.items()}
    return [str(known[kind].get(code, code)) for kind, codes in chosen.items() for code in codes]


@require_POST
@permission_required(MANAGE, raise_exception=True)
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    form = LiftForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("解除の理由を入力してください。"))
    elif blacklist.lift(pk, why=form.cleaned_data["why"], by=person_of(request)):
        messages.success(request, _("要注意リストから外しました。登録と解除の記録は残ります。"))
    else:
        messages.info(request, _("すでに解除されています。"))
    return redirect("customers:blacklist")
