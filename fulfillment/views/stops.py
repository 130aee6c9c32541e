"""出荷停止依頼: the locations' list with its two answers, the race before asking, and what the order's page asks."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fulfillment.forms_stop_policy import StopPolicyForm
from fulfillment.models import Shipment, StopRequest
from fulfillment.queries import stops as queries
from fulfillment.services import reopen as reopening
from fulfillment.services import stop
from oms.kernel.text import clean_text
from oms.kernel.web import answer, person_of, render_page
from orders.models import Order, ReturnCase
from orders.models.order import Carrier
from orders.services.returns import Refused
from orders.views.order import actor_of, changed

What = StopRequest.What
LIST, FRAGMENT = "fulfillment/stops.html", "fulfillment/_stops.html"


class ChangeForm(forms.Form):
    what = forms.MultipleChoiceField(
        label=lazy("変えるもの"), choices=What, required=False, widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(label=lazy("変更する内容"), max_length=200, help_text=lazy("出荷元に伝わります。"))


@require_GET
@permission_required("fulfillment.view_shipment", raise_exception=True)
def stop_list(request: HttpRequest) -> HttpResponse:
    return _show(request)


def _show(request: HttpRequest, *, errors: dict[int, str] | None = None) -> HttpResponse:
    rows = queries.waiting_requests()
    for row in rows:
        row["error"] = (errors or {}).get(row["shipment"].pk, "")  # type: ignore[index]
    context = {
        "rows": rows,
        "answered": queries.answered_lately(),
        "policies": queries.policies() if request.user.has_perm("fulfillment.change_stoppolicy") else [],
        "carriers": Carrier.choices,
        "may_answer": request.user.has_perm("fulfillment.ship_shipment"),
    }
    return render_page(request, LIST, context, fragment=FRAGMENT)


@require_POST
@permission_required("fulfillment.ship_shipment", raise_exception=True)
def stop_done(request: HttpRequest, pk: int) -> HttpResponse:
    """「止めた」"""
    get_object_or_404(Shipment, pk=pk)
    answered = stop.stopped(pk, actor=actor_of(request), note=clean_text(request.POST.get("note", "")))
    if answered.refused:
        messages.warning(request, answered.refused)
    elif answered.to_change:
        messages.success(request, _("止めました。受注は変更されるまで保留になります。"))
    else:
        messages.success(request, _("止めました。商品を棚に戻してください。"))
    return answer(request, to=reverse("fulfillment:stops"))


@require_POST
@permission_required("fulfillment.ship_shipment", raise_exception=True)
def stop_too_late(request: HttpRequest, pk: int) -> HttpResponse:
    """「間に合わなかった」, with the number of the parcel that left."""
    get_object_or_404(Shipment, pk=pk)
    carrier = request.POST.get("carrier", "")
    if carrier not in Carrier.values:
        carrier = Carrier.OTHER.value
    number = clean_text(request.POST.get("tracking_no", ""))[:40]
    answered = stop.too_late(pk, carrier=carrier, tracking_no=number, actor=actor_of(request))
    if answered.refused:
        messages.error(request, answered.refused)
        return _show(request, errors={pk: answered.refused})
    messages.success(request, _("出荷済みにしました。受注担当に知らせ、必要なら返品として受け付けます。"))
    return answer(request, to=reverse("fulfillment:stops"))


@require_POST
@permission_required("fulfillment.change_stoppolicy", raise_exception=True)
def stop_policy(request: HttpRequest) -> HttpResponse:
    form = StopPolicyForm(request.POST, policies=queries.policies())
    if not form.is_valid():
        messages.error(request, _("拠点を選び直してください。"))
        return answer(request, to=reverse("fulfillment:stops"))
    stop.set_policies(form.wanted, by=person_of(request))
    messages.success(request, _("設定を保存しました。"))
    return answer(request, to=reverse("fulfillment:stops"))


@require_GET
@permission_required(["fulfillment.view_shipment", "orders.view_order"], raise_exception=True)
def race(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether a stop can still win, for the dialogs that ask for one."""
    context = {"races": queries.race_of(pk), "order_id": pk}
    return render_page(request, "fulfillment/race.html", context, fragment="fulfillment/_race.html")


@require_http_methods(["GET", "POST"])
@permission_required(["fulfillment.ask_stop", "orders.view_order"], raise_exception=True)
def ask_change(request: HttpRequest, pk: int) -> HttpResponse:
    """An order that the warehouse works on shall be changed: stop it first."""
    order = get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
    form = ChangeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        told = form.cleaned_data
        asked = stop.ask_for_change([pk], note=told["note"], what=told["what"], actor=actor_of(request))
        if asked.waiting:
            messages.warning(request, _("出荷元に停止を依頼しました。返事のあとに変更できます。"))
        elif asked.stopped:
            messages.success(request, _("出荷を止めました。内容を変更して、保留を解除してください。"))
        else:
            messages.warning(request, _("止められる出荷がありません。"))
        return changed(request, pk)
    context = {"order": order, "form": form, "races": queries.race_of(pk)}
    return render_page(request, "fulfillment/ask_change.html", context, fragment="fulfillment/_ask_change.html")


@require_POST
@permission_required(["fulfillment.ask_stop", "orders.view_order"], raise_exception=True)
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Nobody wants it stopped any more."""
    get_object_or_404(Order, pk=pk)
    if stop.withdraw(pk, actor=actor_of(request)):
        messages.success(request, _("停止の依頼を取り下げました。出荷が続きます。"))
    else:
        messages.warning(request, _("返事待ちの停止依頼はありません。"))
    return changed(request, pk)


@require_POST
@permission_required("fulfillment.reopen_shipment", raise_exception=True)
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Shipment, pk=pk)
    try:
        reopening.reopen(pk, actor=actor_of(request))
    except Refused as refused:
        messages.error(request, refused.cause)
    else:
        messages.success(request, _("出荷確定を取り消しました。在庫と引当を元に戻しました。"))
    return answer(request, to=reverse("fulfillment:shipment", args=[pk]))


@require_POST
@permission_required("fulfillment.ship_shipment", raise_exception=True)
def parcel_returned(request: HttpRequest, pk: int) -> HttpResponse:
    """The carrier brings it back."""
    get_object_or_404(Shipment, pk=pk)
    try:
        case = reopening.parcel_returned(pk, actor=actor_of(request))
    except Refused as refused:
        messages.error(request, refused.cause)
        return answer(request, to=reverse("fulfillment:shipment", args=[pk]))
    named = ReturnCase.objects.filter(key__startswith=f"undelivered:{pk}:")
    cases = named.exclude(state=ReturnCase.State.WITHDRAWN).order_by("pk")  # one for each order in it
    numbers = _("、").join(one.number for one in cases) or case.number
    messages.success(request, _("持戻りとして返品 %(no)s を作りました。") % {"no": numbers})
    if request.user.has_perm("orders.view_returncase"):
        return answer(request, to=reverse("orders:return", args=[case.pk]))
    return answer(request, to=reverse("fulfillment:shipment", args=[pk]))
