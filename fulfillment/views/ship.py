"""出荷確定: tracking numbers in, parcels out. What is refused keeps what was typed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from fulfillment.forms import LIMIT, PasteForm, Typed, chosen_shipments, judge_pasted, read_typed
from fulfillment.models import Shipment
from fulfillment.queries import shipments
from fulfillment.queries.visible import order_in
from fulfillment.services.ship import Shipped, confirm_shipments
from fulfillment.services.tracking_numbers import take_numbers
from oms.kernel.web import answer, render_page
from orders.models.order import Carrier
from orders.views.order import actor_of, changed, user_of

FORM, FRAGMENT = "fulfillment/ship.html", "fulfillment/_ship.html"


@require_http_methods(["GET", "POST"])
@permission_required("fulfillment.ship_shipment", raise_exception=True)
def ship_form(request: HttpRequest) -> HttpResponse:
    """The form for the chosen shipments: a POST brings the list's selection and changes nothing."""
    ids = chosen_shipments(request.POST if request.method == "POST" else request.GET)
    if len(ids) > LIMIT:
        text = _("一度に確定できるのは%(n)s件までです。先頭の%(n)s件を表示しています。")
        messages.warning(request, text % {"n": f"{LIMIT:,}"})
    waiting = Shipment.objects.filter(pk__in=ids[:LIMIT], state=Shipment.State.INSTRUCTED)
    rows = waiting.values_list("pk", "carrier", "tracking_no", "more_tracking_nos")
    typed = [Typed(pk, carrier, no, more=tuple(more)) for pk, carrier, no, more in rows]
    if left := min(len(ids), LIMIT) - len(typed):
        messages.info(request, _("出荷作業中でない%(n)s件は表示していません。") % {"n": left})
    return _show(request, typed)


@require_POST
@permission_required("fulfillment.ship_shipment", raise_exception=True)
def ship_paste(request: HttpRequest) -> HttpResponse:
    """Fill the form from a carrier's file or pasted lines and report on each; nothing is written before it is
    confirmed."""
    form = PasteForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, read_typed(request.POST), paste=form)
    typed, report = judge_pasted(form.cleaned_data["read"])
    pasted = {row.shipment_id for row in typed}
    kept = [row for row in read_typed(request.POST) if row.shipment_id not in pasted]
    return _show(request, [*typed, *kept], paste=form, report=report)


@require_POST
@permission_required("fulfillment.ship_shipment", raise_exception=True)
def ship_confirm(request: HttpRequest) -> HttpResponse:
    """Confirm the rows that have a number; rows without one simply stay, doubtful ones are asked about first."""
    typed = read_typed(request.POST)
    ready = [row for row in typed if row.tracking_no and not row.error and not row.is_doubtful]
    shipped = confirm_shipments([row.departure for row in ready], actor=actor_of(request)) if ready else Shipped()
    if shipped.shipments:
        n = len(shipped.shipments)
        messages.success(request, ngettext("%(n)s件を出荷しました。", "%(n)s件を出荷しました。", n) % {"n": n})
    gone = set(shipped.shipments)
    rest = [
        replace(row, error=shipped.refused.get(row.shipment_id, row.error))
        for row in typed
        if row.shipment_id not in gone
    ]
    if refused := sum(bool(row.error) for row in rest):
        messages.warning(request, _("%(n)s件は出荷できませんでした。理由を確かめてください。") % {"n": refused})
    doubtful = sum(row.is_doubtful and not row.error for row in typed)
    if doubtful:
        text = _("%(n)s件は送り状番号の検査数字が合わないため、まだ出荷していません。番号を確かめてください。")
        messages.warning(request, text % {"n": doubtful})
    elif not ready and not refused:
        messages.info(request, _("送り状番号を入力してください。"))
    return _show(request, rest, done=shipped.shipments)


@require_POST
@permission_required("fulfillment.ship_shipment", raise_exception=True)
def ship_numbers(request: HttpRequest) -> HttpResponse:
    """Write the numbers on the shipments and leave them under way: what ships them later finds the numbers there."""
    typed = read_typed(request.POST)
    ready = [row for row in typed if row.tracking_no and not row.error and not row.is_doubtful]
    taken = take_numbers([row.departure for row in ready], actor=actor_of(request))
    if taken.changed:
        text = _("%(n)s件の送り状番号を登録しました。出荷はまだ確定していません。")
        messages.success(request, text % {"n": f"{len(taken.changed):,}"})
    if taken.same:
        messages.info(request, _("%(n)s件は同じ番号が登録済みです。") % {"n": f"{len(taken.same):,}"})
    if doubtful := sum(row.is_doubtful and not row.error for row in typed):
        text = _("%(n)s件は送り状番号の検査数字が合わないため、登録していません。番号を確かめてください。")
        messages.warning(request, text % {"n": doubtful})
    if not ready and not doubtful:
        messages.info(request, _("送り状番号を入力してください。"))
    return _show(request, [replace(row, error=taken.refused.get(row.shipment_id, row.error)) for row in typed])


@require_POST
@permission_required("fulfillment.ship_shipment", raise_exception=True)
def ship_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm one shipment, from its own page or from its order's (`order`)."""
    get_object_or_404(Shipment, pk=pk)
    order = order_in(pk, request.POST.get("order", ""))
    data = request.POST.copy()
    data["ids"] = str(pk)
    row = read_typed(data)[0]
    if row.is_doubtful and not row.error:
        return _ask_again(request, row, order)
    shipped = Shipped(refused={pk: row.error}) if row.error else confirm_shipments(
        [row.departure], actor=actor_of(request)
    )  # fmt: skip
    if shipped.refused:
        return _refused_one(request, row, shipped.refused[pk])
    messages.success(request, _("出荷しました。"))
    if order is not None and user_of(request).has_perm("orders.view_order"):
        return changed(request, order)
    return answer(request, to=reverse("fulfillment:shipment", args=[pk]))


def _ask_again(request: HttpRequest, row: Typed, order: int | None) -> HttpResponse:
    """The form with the doubtful number and a button that means it; nothing has shipped."""
    form = {"chosen": row.carrier, "number": row.tracking_no, "warning": row.warning, "oob": True}
    form["order_id"] = order or ""
    return _shipment_again(request, row, fragment="fulfillment/_ship_one.html", more=form)


def _refused_one(request: HttpRequest, row: Typed, cause: str) -> HttpResponse:
    """The shipment's page again, with what was typed; on the order's page only the message comes, the row stays."""
    messages.error(request, cause)
    return _shipment_again(request, replace(row, error=cause), fragment="fulfillment/_refused.html")


def _shipment_again(
    request: HttpRequest, row: Typed, *, fragment: str, more: Mapping[str, Any] | None = None
) -> HttpResponse:
    shipment = get_object_or_404(shipments.with_contents(Shipment.objects.all()), pk=row.shipment_id)
    page = shipments.shipment_page(shipment, user_of(request))
    context = {**page, "carriers": Carrier.choices, "typed": row, **(more or {})}
    return render_page(request, "fulfillment/shipment.html", context, fragment=fragment)


def _show(
    request: HttpRequest,
    typed: Sequence[Typed],
    *,
    paste: PasteForm | None = None,
    report: object = None,
    done: Sequence[int] = (),
) -> HttpResponse:
    """The form with a row for each of `typed`, in the order of the list."""
    user = user_of(request)
    personal = shipments.sees_recipient(user)
    by_id: Mapping[int, Typed] = {row.shipment_id: row for row in typed}
    found = shipments.with_contents(Shipment.objects.filter(pk__in=[*by_id, *done]))
    rows = shipments.shipment_rows(
        list(found.order_by("location__priority", "recipient__order__ship_by", "pk")), personal=personal
    )
    context: dict[str, Any] = {
        "rows": [(row, by_id[row.shipment.pk]) for row in rows if row.shipment.pk in by_id],
        "done": [row for row in rows if row.shipment.pk in set(done)],
        "carriers": Carrier.choices,
        "paste": paste or PasteForm(),
        "report": report,
        "sees_orders": user.has_perm("orders.view_order"),
    }
    return render_page(request, FORM, context, fragment=FRAGMENT)
