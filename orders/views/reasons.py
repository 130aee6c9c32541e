"""確認理由の設定: what each reason is worth, how it is set, and the rows behind each number."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.keyset import keyset_page
from oms.kernel.typed import row_id
from oms.kernel.web import answer, person_of, render_page
from orders.decide.catalogue import CATALOGUE
from orders.decide.stage_presets import PRESETS
from orders.models import Order
from orders.models.order import STANDARD_STAGES
from orders.queries import reasons as queries
from orders.queries.detail import PERSONAL
from orders.queries.order_reasons import shown_evidence
from orders.reason_forms import ReasonForm, StageNamesForm, is_fixed
from orders.services import names, reason_preview, reason_settings
from orders.services.reason_settings import Setting, StaleSetting

RIGHT = "orders.manage_reasons"
DEFAULT_DAYS = 30
NAMED = 20  # orders of a preview that are named


@require_GET
@permission_required(RIGHT, raise_exception=True)
def reason_list(request: HttpRequest) -> HttpResponse:
    days = _days(request)
    context = {
        "groups": queries.reason_list(days),
        "days": days,
        "windows": queries.WINDOWS,
        "outcomes": queries.OUTCOMES,
    }
    return render_page(request, "orders/reasons/list.html", context)


@require_http_methods(["GET", "POST"])
@permission_required(RIGHT, raise_exception=True)
def reason_edit(request: HttpRequest, code: str) -> HttpResponse:
    """`preview` shows what a change would do; `save` stores it."""
    setting = _setting(code)
    form = ReasonForm(setting, request.POST if request.method == "POST" else None)
    preview = None
    status = 200
    if form.is_bound and form.is_valid():
        if "preview" in request.POST:
            preview = reason_preview.preview(form.wanted)
        else:
            try:
                return _saved(request, form.wanted, form.cleaned_data["version"])
            except StaleSetting:
                form = ReasonForm(setting, {**request.POST.dict(), "version": str(setting.version)})
                form.add_error(
                    None,
                    _(
                        "開いているあいだに、ほかの人がこの理由の設定を変えました。下の変更の記録を見て、もう一度保存してください。"
                    ),
                )
                status = 409
    days = _days(request)
    context = {
        "code": code,
        "entry": CATALOGUE[code],
        "label": setting.label or CATALOGUE[code].standard,
        "form": form,
        "fixed": is_fixed(code),
        "preview": preview,
        "preview_stopped": _named(preview.stopped) if preview else [],
        "preview_freed": _named(preview.freed) if preview else [],
        "windows": queries.WINDOWS,
        "stats": queries.stats(days, code=code).get(code, queries.NO_STATS),
        "outcomes": queries.OUTCOMES,
        "days": days,
        "changes": queries.changes_of(code),
    }
    return render_page(request, "orders/reasons/edit.html", context, status=status)


@require_POST
@permission_required(RIGHT, raise_exception=True)
def reason_reset(request: HttpRequest, code: str) -> HttpResponse:
    """Back to what the catalogue says."""
    return _saved(request, replace(reason_settings.default(code), version=_setting(code).version), None)


@require_GET
@permission_required([RIGHT, "orders.view_order"], raise_exception=True)
def reason_rows(request: HttpRequest, code: str) -> HttpResponse:
    """The reasons that a number counted."""
    setting, days, outcome = _setting(code), _days(request), request.GET.get("outcome", "")
    if outcome and outcome not in queries.OUTCOMES:
        raise Http404
    rows = queries.rows_behind(code, days, outcome)
    page = keyset_page(request, rows, order=("-raised_at", "-id"))
    personal = person_of(request).has_perm(PERSONAL)
    context = {
        "code": code,
        "label": setting.label or CATALOGUE[code].standard,
        "days": days,
        "outcome": queries.OUTCOMES.get(outcome, ""),
        "outcomes": queries.OUTCOMES,
        "count": rows.count(),
        "page": page,
        "rows": [(row, shown_evidence(row, personal), queries.OUTCOMES[row.outcome]) for row in page],
    }
    return render_page(request, "orders/reasons/rows.html", context, fragment="orders/reasons/_rows.html")


@require_http_methods(["GET", "POST"])
@permission_required(RIGHT, raise_exception=True)
def stage_names(request: HttpRequest) -> HttpResponse:
    """What the stages are called. `?preset=` fills the form with a ready-made set."""
    preset = PRESETS.get(request.GET.get("preset", ""))
    start = {code: str(name) for code, name in preset.names.items()} if preset else names.stage_names()
    form = StageNamesForm(start, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        wanted = {code: form.cleaned_data[code] for code in STANDARD_STAGES}
        if names.rename_stages(wanted, by=person_of(request)):
            messages.success(request, _("呼び名を保存しました。ほかの人の画面にも、まもなく反映されます。"))
        else:
            messages.info(request, _("変更はありませんでした。"))
        return answer(request, to=reverse("orders:stage-names"))
    context = {
        "form": form,
        "presets": _presets(),
        "changes": queries.changes_of(*(f"stage:{code}" for code in STANDARD_STAGES)),
    }
    return render_page(request, "orders/reasons/stages.html", context)


def _presets() -> list[tuple[str, Any, list[tuple[Any, Any]]]]:
    """(code, label, [(standard name, the preset's name)]) of each ready-made set."""
    return [
        (code, preset.label, [(STANDARD_STAGES[stage], name) for stage, name in preset.names.items()])
        for code, preset in PRESETS.items()
    ]


def _saved(request: HttpRequest, wanted: Setting, seen: int | None) -> HttpResponse:
    if reason_settings.save(wanted, by=person_of(request), seen=seen):
        messages.success(request, _("設定を保存しました。まだ出荷指示を出していない受注に、順に反映しています。"))
    else:
        messages.info(request, _("変更はありませんでした。"))
    return answer(request, to=reverse("orders:reason", args=[wanted.code]))


def _named(order_ids: list[int]) -> list[Order]:
    """The first of these orders, to be named with a link."""
    rows = Order.objects.filter(pk__in=order_ids[:NAMED]).only("pk", "channel_order_no")
    return list(rows.order_by("-pk"))


def _setting(code: str) -> Setting:
    if code not in CATALOGUE:
        raise Http404
    return reason_settings.read().of(code)


def _days(request: HttpRequest) -> int:
    text = request.GET.get("days", "")
    return days if (days := row_id(text)) in queries.WINDOWS else DEFAULT_DAYS
