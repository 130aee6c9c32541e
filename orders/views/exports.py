"""書き出し: from the ticked orders to a file, the log of who took what out, and the saved layouts.

What is personal is asked for three times: when a layout is offered, when the file is begun, when it is taken.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.keyset import keyset_page
from oms.kernel.web import answer, render_page
from orders.decide.export_columns import READY_MADE, Layout
from orders.export_forms import ExportForm, LayoutForm, LogForm
from orders.models import ExportFormat, ExportLayout, ExportRun
from orders.queries import exports as queries
from orders.services import export, export_layouts
from orders.services.export_layouts import PERSONAL
from orders.views.desk import chosen_ids
from orders.views.order import user_of

MAY = ["orders.view_order", "orders.export_order"]
TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.CP932: "text/csv; charset=shift_jis",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@require_POST
@permission_required(MAY, raise_exception=True)
def choose(request: HttpRequest) -> HttpResponse:
    """Freeze what is chosen on the list, and lead to the layouts."""
    query = request.POST.get("query", "")
    ids = chosen_ids(request, most=export.MOST)
    if not ids:
        messages.warning(request, _("受注が選択されていません。"))
        return answer(request, to=f"{reverse('orders:list')}?{query}", trigger="nothing-chosen")
    if len(ids) > export.MOST:
        text = _("一度に書き出せるのは %(n)s件までです。期間などの条件で絞り込んでください。")
        messages.warning(request, text % {"n": f"{export.MOST:,}"})
        return answer(request, to=f"{reverse('orders:list')}?{query}", trigger="too-many-chosen")
    return _to(export.draft(ids, by=user_of(request), query=query))


@require_GET
@permission_required(MAY, raise_exception=True)
def show(request: HttpRequest, key: UUID) -> HttpResponse:
    """The layouts of a draft, the progress of a run, the file or what went wrong. Another's run is shown without
    its file."""
    run = ExportRun.of(user_of(request), key) or _begun(key)
    form = ExportForm(layouts=export_layouts.offered_to(user_of(request))) if run.state == _DRAFT else None
    return _shown(request, run, form)


@require_POST
@permission_required(MAY, raise_exception=True)
def begin(request: HttpRequest, key: UUID) -> HttpResponse:
    """Write the file. The second click finds it begun and is led to it."""
    run = _own(request, key)
    form = ExportForm(request.POST, layouts=export_layouts.offered_to(user_of(request)))
    if run.state == _DRAFT and not form.is_valid():
        return _shown(request, run, form)
    if run.state == _DRAFT:
        export.start(run, form.chosen, kind=form.chosen_kind, reason=form.cleaned_data["reason"])
    return _to(run)


@require_POST
@permission_required(MAY, raise_exception=True)
def retry(request: HttpRequest, key: UUID) -> HttpResponse:
    run = _own(request, key)
    _check_personal(request, run)
    if not export.retry(run, by=user_of(request)):
        messages.info(request, _("この書き出しは、もう動いているか、終わっています。"))
    return _to(run)


@require_POST
@permission_required(MAY, raise_exception=True)
def again(request: HttpRequest, key: UUID) -> HttpResponse:
    """The same orders once more, with whatever layout is chosen then."""
    return _to(export.again(_own(request, key), by=user_of(request)))


@require_GET
@permission_required(MAY, raise_exception=True)
def file(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """The file, for who had it written; its personal data only for who may still see them."""
    run = _own(request, key)
    _check_personal(request, run)
    try:
        path = export.take(run, by=user_of(request))
        opened = path.open("rb")
    except (export.Unreadable, OSError) as error:
        messages.error(
            request, str(error) if isinstance(error, export.Unreadable) else _("ファイルを開けませんでした。")
        )
        return _to(run)
    response = FileResponse(opened, content_type=TYPES[ExportFormat(run.format)])
    disposition = content_disposition_header(as_attachment=True, filename=queries.file_name(run))
    response.headers["Content-Disposition"] = disposition or "attachment"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_GET
@permission_required(MAY, raise_exception=True)
def log(request: HttpRequest) -> HttpResponse:
    """Every export of everybody: who, when, how many, why, and whether the file was taken."""
    form = LogForm(request.GET)
    page = keyset_page(request, queries.log_rows(form.wanted), order=("-created_at", "-key"))
    context = {
        "form": form,
        "page": page,
        "rows": queries.log_lines(page.rows, user_of(request)),
        "papers": queries.papers_taken(form.wanted),
        "lines": queries.lines_taken(form.wanted),
    }
    return render_page(request, "orders/exports/log.html", context, fragment="orders/exports/_log.html")


# ---- layouts


@require_GET
@permission_required(MAY, raise_exception=True)
def layouts(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    stored = [(one, export_layouts.as_layout(one)) for one in export_layouts.stored_for(user)]
    ready = [one for one in READY_MADE if user.has_perm(PERSONAL) or not one.personal]
    return render_page(request, "orders/exports/layouts.html", {"ready": ready, "stored": stored, "user_id": user.pk})


@require_http_methods(["GET", "POST"])
@permission_required(MAY, raise_exception=True)
def layout_new(request: HttpRequest) -> HttpResponse:
    """A layout of one's own, begun from another (`from`)."""
    return _edited(request, None, _pattern(request))


@require_http_methods(["GET", "POST"])
@permission_required(MAY, raise_exception=True)
def layout_edit(request: HttpRequest, pk: int) -> HttpResponse:
    stored = get_object_or_404(ExportLayout, pk=pk, owner=user_of(request))
    return _edited(request, stored, _values(export_layouts.as_layout(stored)) | {"shared": stored.shared})


@require_POST
@permission_required(MAY, raise_exception=True)
def layout_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Files that were written with it stay as they are."""
    stored = get_object_or_404(ExportLayout, pk=pk, owner=user_of(request))
    export_layouts.remove(stored)
    messages.success(request, _("「%(name)s」を消しました。") % {"name": stored.name})
    return answer(request, to=reverse("orders:export-layouts"))


def _edited(request: HttpRequest, stored: ExportLayout | None, initial: dict[str, Any]) -> HttpResponse:
    user = user_of(request)
    may_see = user.has_perm(PERSONAL)
    if "arrange" in request.POST:
        form = LayoutForm(may_see=may_see, initial=LayoutForm.as_filled_in(request.POST))
    else:
        form = LayoutForm(request.POST if request.method == "POST" else None, may_see=may_see, initial=initial)
    if form.is_bound and form.is_valid():
        values = form.cleaned_data | {"name": form.cleaned_data["name"].strip()}
        try:
            saved = export_layouts.save(user, stored, values)
        except export_layouts.NameTaken:
            form.add_error("name", _("同じ名前のレイアウトがあります。別の名前にしてください。"))
        except export_layouts.TooMany:
            text = _("保存できるのは %(n)s個までです。使わないものを消してください。")
            form.add_error("name", text % {"n": export_layouts.MOST})
        else:
            messages.success(request, _("「%(name)s」を保存しました。") % {"name": saved.name})
            return answer(request, to=reverse("orders:export-layouts"))
    return render_page(request, "orders/exports/layout.html", {"form": form, "layout": stored})


def _pattern(request: HttpRequest) -> dict[str, Any]:
    offered = {one.code: one for one in export_layouts.offered_to(user_of(request))}
    found = offered.get(request.GET.get("from", ""))
    return _values(found) if found else {"keep_zeros": True, "columns": ["no"]}


def _values(layout: Layout) -> dict[str, Any]:
    return {
        "name": layout.name,
        "grain": layout.grain,
        "format": layout.format,
        "keep_zeros": layout.keep_zeros,
        "columns": list(layout.columns),
    }


# ---- shared by the steps

_DRAFT = ExportRun.State.DRAFT


def _shown(request: HttpRequest, run: ExportRun, form: ExportForm | None) -> HttpResponse:
    user = user_of(request)
    context = {
        "run": run,
        "form": form,
        "layouts": list(form.layouts.values()) if form else [],
        "total": export.total_of(run.pk),
        "name": queries.shown_name(run.layout_name),
        "at_once": export.AT_ONCE,
        "own": run.by_id == user.pk,
        "may_take": run.by_id == user.pk and (not run.personal or user.has_perm(PERSONAL)),
        "may_see": user.has_perm(PERSONAL),
        "events": list(run.events.select_related("by").order_by("pk")),
        "list_url": f"{reverse('orders:list')}?{run.query}" if run.query else reverse("orders:list"),
    }
    return render_page(request, "orders/exports/run.html", context, fragment="orders/exports/_dialog.html")


def _to(run: ExportRun) -> HttpResponse:
    return HttpResponseRedirect(reverse("orders:export", args=[run.pk]))


def _own(request: HttpRequest, key: UUID) -> ExportRun:
    run = ExportRun.of(user_of(request), key)
    if run is None:
        raise Http404
    return run


def _begun(key: UUID) -> ExportRun:
    begun = ExportRun.objects.defer("order_ids").select_related("by").exclude(state=_DRAFT)
    return get_object_or_404(begun, pk=key)


def _check_personal(request: HttpRequest, run: ExportRun) -> None:
    if run.personal and not request.user.has_perm(PERSONAL):
        export.refuse(run, by=user_of(request))
        raise PermissionDenied
