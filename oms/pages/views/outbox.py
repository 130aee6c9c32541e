"""送信箱: what leaves the house, and what could not."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.keyset import keyset_page
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from oms.kernel.typed import row_id, row_ids
from oms.kernel.web import answer, person_of, render_page
from oms.pages.forms import DoneByHandForm
from oms.pages.queries import outbox as queries
from orders.models import Shop

RETRIED_AT_ONCE = 5000
CHANGED = "outbox-changed"  # the list hears it and fetches itself, with its own filters and page


@require_GET
@permission_required("kernel.view_effect", raise_exception=True)
def outbox_list(request: HttpRequest) -> HttpResponse:
    return render_page(request, "pages/outbox.html", _list(request), fragment="pages/_outbox.html")


def _list(request: HttpRequest) -> dict[str, Any]:
    query = request.GET
    tab = chosen_tab(query)
    page = keyset_page(request, _effects(query), order=queries.TABS[tab].order)
    counts = queries.counts()
    return {
        "tab": tab,
        "tabs": [(code, entry.label, counts.of(code)) for code, entry in queries.TABS.items()],
        "page": page,
        "rows": queries.rows(page.rows),
        "kinds": queries.kinds(),
        "kind": query.get("kind", ""),
        "shops": Shop.objects.order_by("code"),
        "shop_id": _number(query, "shop"),
        "order_id": _number(query, "order"),
        "typed": _typed(query),
        "by_kind": queries.by_kind(tab),
        "query": query.urlencode(),
        "cap": queries.CAP,
    }


def chosen_tab(query: QueryDict) -> str:
    wanted = query.get("state", "")
    return wanted if wanted in queries.TABS else "failed"


def _effects(query: QueryDict) -> Any:
    return queries.effects(
        chosen_tab(query),
        kind=query.get("kind", ""),
        shop_id=_number(query, "shop"),
        order_id=_number(query, "order"),
        typed=_typed(query),
    )


def _typed(query: QueryDict) -> str:
    return query.get("q", "").strip()[:100].replace("\x00", "")


def _number(query: QueryDict, name: str) -> int | None:
    return row_id(query.get(name, ""))


@require_POST
@permission_required("channels.retry_effect", raise_exception=True)
def retry(request: HttpRequest) -> HttpResponse:
    """Try the chosen failures again, or all that match the list's own query."""
    query = QueryDict(request.POST.get("query", ""))
    ids = row_ids(request.POST.getlist("ids"))
    if request.POST.get("all_matching") == "1":
        ids = list(_effects(query).order_by("pk").values_list("pk", flat=True)[:RETRIED_AT_ONCE])
    woken = outbox.retry(ids, by=person_of(request))
    if woken:
        messages.success(request, _("%(n)d件をもう一度送ります。") % {"n": woken})
    else:
        messages.info(request, _("送り直すものがありません。"))
    return answer(request, to=_back(query), trigger=CHANGED)


def _back(query: QueryDict) -> str:
    return f"{reverse('pages:outbox')}?{query.urlencode()}" if query else reverse("pages:outbox")


@require_http_methods(["GET", "POST"])
@permission_required("channels.retry_effect", raise_exception=True)
def mark_done(request: HttpRequest, pk: int) -> HttpResponse:
    """A person did it elsewhere: close a failure with a note that says how."""
    effect = get_object_or_404(Effect, pk=pk)
    if effect.state != Effect.State.FAILED:
        raise Http404
    form = DoneByHandForm(request.POST or None)
    if not form.is_valid():
        context = {"form": form, "row": queries.rows([effect])[0]}
        return render_page(request, "pages/outbox_done.html", context, fragment="pages/_outbox_done.html")
    if outbox.mark_done_by_hand(pk, note=f"{form.cleaned_data['note']}（{request.user}）", by=person_of(request)):
        messages.success(request, _("手動で完了にしました。"))
    else:
        messages.warning(request, _("すでに処理されています。"))
    return answer(request, to=reverse("pages:outbox"), trigger=CHANGED)


@require_GET
@permission_required("kernel.view_effect", raise_exception=True)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One effect: what it is about, what went wrong so far, and what goes out before and after it."""
    effect = get_object_or_404(Effect, pk=pk)
    context = {
        "row": queries.rows([effect])[0],
        "events": queries.journal(effect),
        "queue": [(one, queries.label_of(one.kind)) for one in queries.queue_of(effect)],
    }
    return render_page(request, "pages/outbox_detail.html", context)


@require_GET
@permission_required("kernel.view_effect", raise_exception=True)
def panel(request: HttpRequest) -> HttpResponse:
    return render_page(request, "pages/_outbox_panel.html", {"counts": queries.counts()})
