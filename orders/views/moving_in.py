"""データ移行: files of the system used before, from upload to taking back."""

import csv
from collections.abc import Iterable, Iterator

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from oms.kernel.csv_text import harmless_text
from oms.kernel.keyset import keyset_page
from oms.kernel.web import answer, render_page
from orders.decide.csv_records import Record
from orders.forms_moving_in import MappingForm, MoveInForm
from orders.models import MoveIn
from orders.queries import moving_in as queries
from orders.queries.detail import PERSONAL
from orders.services import moving_in
from orders.views.order import user_of

State = MoveIn.State


@require_http_methods(["GET", "POST"])
@permission_required("orders.move_in", raise_exception=True)
def overview(request: HttpRequest) -> HttpResponse:
    """The checklist, the upload, and the files so far."""
    form = (
        MoveInForm(request.POST, request.FILES)
        if request.method == "POST"
        else MoveInForm(initial={"kind": request.GET.get("kind", "products")})
    )
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            move = moving_in.read(file, name=file.name, kind=form.cleaned_data["kind"], by=user_of(request))
        except moving_in.Unusable as fault:
            form.add_error("file", str(fault))
        else:
            return answer(request, to=reverse("orders:move-in-file", args=[move.pk]))
    page = keyset_page(request, queries.recent(), order=("-id",))
    return render_page(
        request, "orders/moving_in/overview.html", {"form": form, "steps": queries.checklist(), "page": page}
    )


@require_http_methods(["GET", "POST"])
@permission_required("orders.move_in", raise_exception=True)
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """One file: its columns while it is not begun, then its progress and result. A POST maps and checks."""
    move = get_object_or_404(MoveIn.objects.select_related("by", "shop", "location"), pk=pk)
    sample = moving_in.sample(move)
    if request.method == "GET" and (mapping := queries.preset_mapping(move, request.GET.get("preset", ""))):
        move.mapping = dict(mapping)
    form = MappingForm(request.POST or _initial(move), kind=move.kind, heads=move.heads)
    form.is_valid()
    if request.method == "POST" and form.is_valid():
        try:
            _map(move, form, request)
        except moving_in.Unusable as fault:
            form.add_error(None, str(fault))
        else:
            return answer(request, to=reverse("orders:move-in-file", args=[pk]))
    return render_page(request, "orders/moving_in/file.html", _context(move, form, sample, request))


def _map(move: MoveIn, form: MappingForm, request: HttpRequest) -> None:
    values = form.cleaned_data
    moving_in.map_columns(
        move, form.mapping, shop=values.get("shop"), location=values.get("location"), by=user_of(request)
    )
    if values["preset"]:
        moving_in.save_preset(move, values["preset"], by=user_of(request))


def _initial(move: MoveIn) -> dict[str, str]:
    chosen = {f"col_{name}": str(column) for name, column in move.mapping.items()}
    return {**chosen, "shop": str(move.shop_id or ""), "location": str(move.location_id or ""), "preset": ""}


def _context(move: MoveIn, form: MappingForm, sample: list[Record], request: HttpRequest) -> dict[str, object]:
    return {
        "move": move,
        "form": form,
        "posted": request.method == "POST",
        "columns": queries.columns(form, move, sample),
        "preview": queries.preview(move, sample),
        "preview_heads": [
            column.label
            for column, name in zip(queries.columns(form, move, sample), form_names(move), strict=True)
            if name in move.mapping
        ],
        "presets": queries.preset_choices(move),
        "own_presets": queries.own_presets(move),
        "may_take": not move.is_personal or user_of(request).has_perm(PERSONAL),
        "planned": queries.counted(move.planned),
        "result": queries.counted(move.result),
        "done": sum(move.result.values()),
        "units": sum(move.planned.values()),
        "errors": queries.errors(move),
        "failures": queries.failures(move),
        "events": move.events.select_related("by").order_by("pk"),
        "may_map": move.state in {State.READ, State.CHECKED},
        "working": move.state in {State.RUNNING, State.UNDOING},
    }


def form_names(move: MoveIn) -> list[str]:
    return list(queries.FIELDS[move.kind])


@require_POST
@permission_required("orders.move_in", raise_exception=True)
def errors(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The lines that cannot be read, to be put right in a spreadsheet and brought again. Where they name people, only
    for who may see them, and for a reason."""
    move = get_object_or_404(MoveIn, pk=pk)
    if move.is_personal and not request.user.has_perm(PERSONAL):
        raise PermissionDenied
    try:
        rows = moving_in.hand_out(move, why=request.POST.get("reason", "").strip()[:200], by=user_of(request))
    except moving_in.Unusable as fault:
        messages.error(request, str(fault))
        return answer(request, to=reverse("orders:move-in-file", args=[pk]))
    return StreamingHttpResponse(
        _written(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="errors-{move.pk}.csv"'},
    )


class _Echo:
    """What `csv` writes to gives the line back."""

    def write(self, line: str) -> str:
        return line


def _written(rows: Iterable[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield "\ufeff"
    for row in rows:
        yield writer.writerow([harmless_text(cell) for cell in row])


@require_POST
@permission_required("orders.move_in", raise_exception=True)
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    move = get_object_or_404(MoveIn, pk=pk)
    if moving_in.start(move, by=user_of(request)):
        messages.success(request, _("取り込みを始めました。"))
    else:
        messages.info(request, _("すでに始めています。"))
    return answer(request, to=reverse("orders:move-in-file", args=[pk]))


@require_POST
@permission_required("orders.move_in", raise_exception=True)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    move = get_object_or_404(MoveIn, pk=pk)
    if moving_in.undo(move, by=user_of(request)):
        messages.success(request, _("取り消しを始めました。そのあとで使われたものは残します。"))
    else:
        messages.info(request, _("このファイルは取り消せません。"))
    return answer(request, to=reverse("orders:move-in-file", args=[pk]))
