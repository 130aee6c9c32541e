"""Saved lists of 受注一覧 and its columns: a panel to save, name, order and share them, and the tiles with counts."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_POST

from oms.kernel.models import User
from oms.kernel.web import render_page
from orders.models import DeskView
from orders.queries import desk_columns, desk_counts
from orders.services import desk_views
from orders.views.desk import list_query
from orders.views.order import user_of

MOST_SHOWN = 20


class SaveForm(forms.Form):
    name = forms.CharField(label=lazy("名前"), max_length=40)
    shared = forms.BooleanField(label=lazy("全員に共有する"), required=False)
    pinned = forms.BooleanField(label=lazy("件数を一覧の横に出す"), required=False, initial=True)
    query = forms.CharField(widget=forms.HiddenInput, required=False, max_length=8000)


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def views(request: HttpRequest) -> HttpResponse:
    """The panel: columns of this list, saving it, and all saved ones. Its address is the list's own query."""
    query = list_query(request.GET)
    context = panel(user_of(request), query, SaveForm(initial={"query": query, "pinned": True}))
    return render_page(request, "orders/desk_views.html", context, fragment="orders/_desk_views_panel.html")


def panel(user: User, query: str, form: SaveForm) -> dict[str, Any]:
    found = desk_views.visible_to(user)
    known = desk_counts.counts([view.query for view in found])
    chosen = desk_columns.chosen(QueryDict(query).getlist("col"), user.has_perm)
    rest = [column for column in desk_columns.offered(user.has_perm) if column not in chosen]
    return {
        "form": form,
        "list_query": query,
        "views": [lined(view, known, user) for view in found],
        "columns": [(column, True) for column in chosen] + [(column, False) for column in rest],
        "may_share": user.has_perm("orders.change_order"),
    }


def lined(view: DeskView, known: dict[str, desk_counts.Count], user: User, here: str = "") -> dict[str, Any]:
    return {
        "view": view,
        "url": f"{reverse('orders:list')}?{view.query}",
        "late_url": f"{reverse('orders:list')}?{view.query}&due=today",
        "count": known[view.query],
        "own": view.owner_id == user.pk,
        "current": view.query == here,
    }


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def tiles(request: HttpRequest) -> HttpResponse:
    """The pinned views with their counts; fetched beside the list, so that the list never waits for them."""
    user, here = user_of(request), list_query(request.GET)
    found = [view for view in desk_views.visible_to(user) if view.pinned][:MOST_SHOWN]
    known = desk_counts.counts([view.query for view in found])
    context = {"views": [lined(view, known, user, here) for view in found], "list_query": here}
    return render_page(request, "orders/desk_view_tiles.html", context, fragment="orders/_desk_view_tiles.html")


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def columns(request: HttpRequest) -> HttpResponse:
    """From the ticked columns and their places to the list with them."""
    query = QueryDict(request.GET.get("query", ""), mutable=True)
    wanted = [code for code in request.GET.getlist("col") if code in desk_columns.COLUMNS]
    wanted.sort(key=lambda code: _place(request.GET.get(f"place-{code}", "")))
    standing = [column.code for column in desk_columns.STANDING]
    query.setlist("col", [] if "default" in request.GET or wanted == standing else wanted)
    if "default" in request.GET:
        query.pop("width", None)
    return HttpResponseRedirect(f"{reverse('orders:list')}?{query.urlencode()}")


def _place(typed: str) -> int:
    return int(typed) if typed.isdecimal() and len(typed) < 5 else 999


@require_POST
@permission_required("orders.view_order", raise_exception=True)
def save(request: HttpRequest) -> HttpResponse:
    form, user = SaveForm(request.POST), user_of(request)
    if form.is_valid():
        said = form.cleaned_data
        shared = said["shared"] and user.has_perm("orders.change_order")
        query = list_query(QueryDict(said["query"]))
        try:
            view = desk_views.save(user, said["name"].strip(), query, shared=shared, pinned=said["pinned"])
        except desk_views.TooMany:
            form.add_error(
                "name", _("保存できるのは %(n)s個までです。使わないものを消してください。") % {"n": desk_views.MOST}
            )
        else:
            messages.success(request, _("「%(name)s」を保存しました。") % {"name": view.name})
            return HttpResponseRedirect(f"{reverse('orders:list')}?{view.query}")
    return render_page(request, "orders/desk_views.html", panel(user, request.POST.get("query", ""), form))


@require_POST
@permission_required("orders.view_order", raise_exception=True)
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename, share, pin, move or delete one's own view: `do` says which."""
    view = get_object_or_404(DeskView, pk=pk, owner=user_of(request))
    match request.POST.get("do", ""):
        case "delete":
            view.delete()
            messages.success(request, _("「%(name)s」を消しました。") % {"name": view.name})
        case "up":
            desk_views.move(view, -1)
        case "down":
            desk_views.move(view, 1)
        case _:
            _keep(request, view)
    query = request.POST.get("query", "")
    return HttpResponseRedirect(f"{reverse('orders:views')}?{query}")


def _keep(request: HttpRequest, view: DeskView) -> None:
    """Name, sharing and pin as the line's form says."""
    name = request.POST.get("name", "").strip()[:40]
    taken = DeskView.objects.filter(owner=view.owner_id, name=name).exclude(pk=view.pk).exists()
    if not name or taken:
        messages.warning(request, _("名前が空か、同じ名前のビューがあります。別の名前にしてください。"))
        return
    view.name = name
    view.shared = "shared" in request.POST and request.user.has_perm("orders.change_order")
    view.pinned = "pinned" in request.POST
    view.save(update_fields=["name", "shared", "pinned"])
    messages.success(request, _("保存しました。"))
