"""ログインの決まり: what each role asks of a sign-in; and the journal of coming and going."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.keyset import keyset_page
from oms.kernel.roles import label_of
from oms.kernel.services import devices, sign_in_rules
from oms.kernel.web import person_of, render_page
from oms.kernel.whence import address_of
from oms.pages.queries import sign_in as queries
from oms.pages.sign_in_forms import JournalForm, RuleForm, rule_initial


@require_GET
@permission_required("kernel.manage_sign_in", raise_exception=True)
def rules(request: HttpRequest) -> HttpResponse:
    context = {"roles": queries.roles(), "may_trust": devices.may_trust(), "trust_days": devices.TRUST_DAYS}
    return render_page(request, "pages/sign_in_rules.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("kernel.manage_sign_in", raise_exception=True)
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    """One role's rule. A list that shuts out who saves it is refused, and says why."""
    group = get_object_or_404(Group.objects.select_related("sign_in_rule"), pk=pk)
    form = RuleForm(request.POST if request.method == "POST" else None, initial=rule_initial(group))
    label, address = label_of(group), address_of(request)
    if form.is_valid():
        data = form.cleaned_data
        try:
            sign_in_rules.save_rule(
                group,
                second_step=data["second_step"],
                networks=data["networks"],
                by=person_of(request),
                address=address,
            )
        except sign_in_rules.LocksOut:
            form.add_error(
                "networks",
                _(
                    "この一覧には、あなたが今使っている接続元 %(address)s が入っていません。"
                    "保存するとあなた自身が使えなくなるため、保存しませんでした。"
                    "%(address)s を含むネットワークを加えてください。"
                )
                % {"address": address},
            )
        else:
            messages.success(request, _("%(role)sの決まりを保存しました。") % {"role": label})
            return redirect("pages:sign-in-rules")
    context = {"form": form, "group": group, "label": label, "address": address}
    return render_page(request, "pages/sign_in_rule.html", context)


@require_POST
@permission_required("kernel.manage_sign_in", raise_exception=True)
def trust(request: HttpRequest) -> HttpResponse:
    may = "may_trust" in request.POST
    if sign_in_rules.save_trust(may, by=person_of(request), address=address_of(request)):
        messages.success(
            request,
            _("信頼した端末ではコードを省略できるようにしました。") if may else _("コードの省略をやめました。"),
        )
    return redirect("pages:sign-in-rules")


@require_GET
@permission_required("kernel.manage_sign_in", raise_exception=True)
def history(request: HttpRequest) -> HttpResponse:
    """ログインの記録: who came and went, and what was changed about it."""
    form = JournalForm(request.GET)
    wanted = form.wanted
    page = keyset_page(request, queries.journal(wanted), order=("-at", "-id"))
    context = {"form": form, "wanted": wanted, "page": page, "rows": queries.told(list(page.rows))}
    return render_page(request, "pages/sign_in_history.html", context)
