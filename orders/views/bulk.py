"""Bulk actions: choose, look, run, see the result. Each step is a URL, so a reload or a second click does no harm."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from oms.kernel.keyset import keyset_page
from oms.kernel.models import User
from oms.kernel.said import heard
from oms.kernel.web import answer, render_page
from orders import actions
from orders.actions import Action, ActionForm
from orders.models import BulkRun
from orders.queries import bulk as bulk_queries
from orders.services import bulk
from orders.services import bulk_undo as undoing
from orders.views.desk import chosen_ids
from orders.views.order import CHANGED, user_of

PORTION = 900  # what takes ids takes a thousand at once


@require_POST
@permission_required("orders.view_order", raise_exception=True)
def bulk_choose(request: HttpRequest) -> HttpResponse:
    """Freeze what is chosen on the list, and lead to the preview."""
    action = _allowed(request, request.POST.get("action", ""))
    query = request.POST.get("query", "")
    ids = chosen_ids(request)
    if not ids:
        messages.warning(request, _("受注が選択されていません。"))
        return answer(request, to=f"{reverse('orders:list')}?{query}", trigger="nothing-chosen")
    if len(ids) > bulk.LARGEST:
        messages.warning(
            request, _("一度に処理できるのは %(n)s件までです。条件で絞り込んでください。") % {"n": f"{bulk.LARGEST:,}"}
        )
        return answer(request, to=f"{reverse('orders:list')}?{query}", trigger="too-many-chosen")
    run = bulk.draft(action.code, ids, by=user_of(request), query=query)
    return HttpResponseRedirect(reverse("orders:bulk", args=[run.key]))


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def bulk_show(request: HttpRequest, key: str) -> HttpResponse:
    """The preview of a draft, the progress of a run, the result of what is finished."""
    run = _readable(request, key)
    action = _allowed(request, run.action)
    context: dict[str, Any] = {"run": run, "action": action, "list_url": _list_url(run)}
    if run.state == BulkRun.State.DRAFT:
        form = action.form(request.GET or None, order_ids=run.order_ids)
        context |= _preview(run, form, user_of(request))
    elif run.state == BulkRun.State.FINISHED:
        context |= _result(run, action)
    response = render_page(request, "orders/bulk.html", context, fragment="orders/_bulk_dialog.html")
    if run.state == BulkRun.State.FINISHED:
        trigger_client_event(response, CHANGED)  # the list behind the dialog follows
    return response


@require_POST
@permission_required("orders.view_order", raise_exception=True)
def bulk_run(request: HttpRequest, key: str) -> HttpResponse:
    """Begin the run. The second click finds it begun and is led to its result."""
    run = _own(request, key)
    action = _allowed(request, run.action)
    form = action.form(request.POST, order_ids=run.order_ids)
    if run.state == BulkRun.State.DRAFT and not form.is_valid():
        context = {"run": run, "action": action, "list_url": _list_url(run), **_preview(run, form, user_of(request))}
        return render_page(request, "orders/bulk.html", context, fragment="orders/_bulk_dialog.html")
    bulk.start(run, form.params)
    return HttpResponseRedirect(reverse("orders:bulk", args=[run.key]))


@require_POST
@permission_required("orders.view_order", raise_exception=True)
def bulk_undo(request: HttpRequest, key: str) -> HttpResponse:
    """Take a finished run back, one's own or another's whose action one may take. The second click finds it begun."""
    run = _readable(request, key)
    _allowed(request, run.action)
    if not undoing.start(run, by=user_of(request)) and not run.undo_state:
        messages.warning(request, _("この操作は、もう元に戻せません。"))
    return HttpResponseRedirect(reverse("orders:bulk", args=[run.key]))


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def bulk_last(request: HttpRequest) -> HttpResponse:
    """The result of one's own last action, with its way back; the log where there is none."""
    run = bulk_queries.last_of(user_of(request))
    return HttpResponseRedirect(reverse("orders:bulk", args=[run]) if run else reverse("orders:bulk-log"))


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def bulk_log(request: HttpRequest) -> HttpResponse:
    """Every bulk action of everybody: who, what, when, what came of it, and whether it was taken back."""
    page = keyset_page(request, bulk_queries.log_rows(), order=("-created_at", "-key"))
    context = {"page": page, "rows": bulk_queries.log_lines(page.rows, user_of(request))}
    return render_page(request, "orders/bulk_log.html", context, fragment="orders/_bulk_log.html")


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def bulk_csv(request: HttpRequest, key: str) -> StreamingHttpResponse:
    """The preview's or the result's list: each order, whether it changes, and why not."""
    run = _readable(request, key)
    action = _allowed(request, run.action)
    if run.state == BulkRun.State.DRAFT:
        plan = bulk.preview(run, action.form(request.GET or None, order_ids=run.order_ids).params)
        told = {id_: (_("対象"), plan.notes.get(id_, "")) for id_ in plan.will} | {
            id_: (_("対象外"), why) for id_, why in plan.skipped.items()
        }
    else:
        told = bulk_queries.told(run)
    response = StreamingHttpResponse(
        bulk_queries.csv_lines(run.order_ids, told), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="bulk-{run.action}.csv"'
    return response


def _preview(run: BulkRun, form: ActionForm, user: User) -> dict[str, Any]:
    plan = bulk.preview(run, form.params)
    return {
        "form": form,
        "will": len(plan.will),
        "nothing": not plan.will,  # then the causes stand open
        "skipped": len(plan.skipped),
        "skipped_groups": bulk_queries.grouped(plan.skipped),
        "effects": [*plan.effects, *(plan.costs if user.has_perm("inventory.view_cost") else ())],
        "notes": bulk_queries.noted(plan.notes),
        "notes_more": max(0, len(plan.notes) - bulk_queries.SHOWN),
    }


def _readable(request: HttpRequest, key: str) -> BulkRun:
    """One's own run, or anybody's that is over."""
    finished = BulkRun.objects.filter(pk=key, state=BulkRun.State.FINISHED)
    run = BulkRun.of(user_of(request), str(key)) or finished.first()
    if run is None:
        raise Http404
    return run


def _result(run: BulkRun, action: Action) -> dict[str, Any]:
    skipped = {int(order_id): why for order_id, why in run.skipped.items()}
    failed = {int(order_id): why for order_id, why in run.failed.items()}
    query = QueryDict(run.query, mutable=True)
    if failed:
        query["chosen"] = str(run.key)
    return {
        "done_text": action.told(run.params) % {"n": f"{len(run.done):,}"},
        "nothing": not run.done,
        "skipped_groups": bulk_queries.grouped(skipped),
        "failed_groups": bulk_queries.grouped(failed),
        "back_url": f"{reverse('orders:list')}?{query.urlencode()}",
        "left_over": run.left_over,
        "offers": _offers(run),
        "may_undo": undoing.memory_of(run) is not None,
        "undo_groups": bulk_queries.grouped({int(order_id): why for order_id, why in run.undo_skipped.items()}),
        "undo_total": len(run.done),
        "undo_so_far": len(run.undone) + len(run.undo_skipped),
    }


def _offers(run: BulkRun) -> list[dict[str, Any]]:
    """The run's offers in portions that one form can post."""
    found = []
    for offer in run.offers:
        portions = [offer["ids"][at : at + PORTION] for at in range(0, max(len(offer["ids"]), 1), PORTION)]
        for place, ids in enumerate(portions, start=1):
            part = f"（{place}/{len(portions)}）" if len(portions) > 1 else ""
            found.append({"text": f"{heard(offer['text'])}{part}", "url": offer["url"], "ids": ids})
    return found


def _own(request: HttpRequest, key: str) -> BulkRun:
    run = BulkRun.of(user_of(request), str(key))
    if run is None:
        raise Http404
    return run


def _allowed(request: HttpRequest, code: str) -> Action:
    action = actions.get(code)
    if action is None:
        raise Http404
    if not actions.may_take(user_of(request), action):
        raise PermissionDenied
    return action


def _list_url(run: BulkRun) -> str:
    return f"{reverse('orders:list')}?{run.query}" if run.query else reverse("orders:list")
