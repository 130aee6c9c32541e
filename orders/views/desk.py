"""受注一覧: one screen for every order of every channel."""

import copy
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from oms.kernel import own_words
from oms.kernel.keyset import KeysetPage, chosen_order, keyset_page
from oms.kernel.links import url_if_served
from oms.kernel.models import User
from oms.kernel.templatetags.desk import number
from oms.kernel.typed import row_ids
from oms.kernel.web import live, render_page
from orders import actions
from orders.filters import STILL_DUE, OrderFilter, chips
from orders.models import BulkRun, Order
from orders.models.order import Stage
from orders.queries import desk, desk_columns, visible
from orders.services import presence
from orders.services.bulk import LARGEST
from orders.views.order import CHANGED, user_of

SORTS: Mapping[str, Sequence[str]] = {
    "-ordered_at": ("-ordered_at", "-id"),
    "ordered_at": ("ordered_at", "id"),
    "ship_by": ("ship_by", "id"),
    "-ship_by": ("-ship_by", "-id"),
    "told": ("channel_updated_at", "id"),
    "-told": ("-channel_updated_at", "-id"),
}
# Sorted by these, the list holds only what has one: the index knows nothing else.
ONLY: Mapping[str, Q] = {
    "ship_by": STILL_DUE,
    "-ship_by": STILL_DUE,
    "told": Q(channel_updated_at__isnull=False),
    "-told": Q(channel_updated_at__isnull=False),
}
NEWEST = "-ordered_at"
# Parameters of the URL that say where one stands, not what is listed.
PLACE = ("after", "before", "token", "chosen", "shown", "find")
# And those that say how it looks.
LOOKS = ("col", "width", "sort")


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def order_list(request: HttpRequest) -> HttpResponse:
    page, filters = listed(request)
    board = desk.tiles()
    run = BulkRun.of(user_of(request), request.GET.get("chosen", ""))
    table = table_context(request, page, board)
    context = {
        **table,
        "filters": filters,
        "chips": chips(filters),
        "typed": request.GET.get("q", ""),
        "kept_fields": kept_fields(request.GET),
        "buttons": buttons_for(user_of(request), table["offered"]),
        "chosen": run.left_over if run else [],
        "sort": NEWEST,
        "only_due": sorts_by_deadline(request.GET),
        "only_told": sorts_by_channel(request.GET),
        "cut_off_url": url_if_served("fulfillment:cut-off") if leaves_today(request.GET) else "",
    }
    return render_page(request, "orders/desk.html", context, fragment="orders/_desk.html")


MOST_SHOWN = 200


def buttons_for(user: User, offered: Sequence[actions.Action]) -> SafeString:
    """What one may do with chosen orders; empty for who may do nothing."""
    codes, doors = tuple(action.code for action in offered), tuple(actions.doors_for(user))
    exports = user.has_perm("orders.export_order")
    return _buttons(codes, doors, exports=exports, language=get_language(), edition=own_words.edition())


@lru_cache(maxsize=64)
def _buttons(
    codes: Sequence[str], doors: Sequence[actions.Door], *, exports: bool, language: str | None, edition: int
) -> SafeString:
    """The same for all who may do the same and read the same words; to render it takes a tenth of a page's time.

    The exports have no action: they stand beside the papers.
    """
    offered = [action for code in codes if (action := actions.get(code))]
    bar = actions.bar(offered, also=[actions.Group.PAPER] if doors or exports else [])
    return render_to_string("orders/_desk_actions.html", {"bar": bar, "doors": doors, "exports": exports})


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def order_list_live(request: HttpRequest) -> HttpResponse:
    """The ten-second poll of the list with the same query: tiles and rows, when one of them looks different now.

    `shown` are the ids that stand on the screen; the answer says where those went that are no longer listed.
    """
    shown = as_list(request)
    page, filters = listed(shown)
    board = desk.tiles()
    looked = desk_columns.looked_up(page.rows, columns_of(shown))
    was = [
        int(value)
        for value in request.GET.get("shown", "").split(",")[:MOST_SHOWN]
        if value.isdecimal() and len(value) < 18
    ]
    return live(
        request,
        token=desk.digest(page.rows, board, others_at(request, page), looked),
        fragments=["orders/_desk_tiles.html", "orders/_desk_rows.html", "orders/_desk_live.html"],
        context=lambda: {
            "request": shown,
            **table_context(shown, page, board),
            "left": desk.left_for(narrowed(filters.qs, shown.GET), was, page.rows, by_id=user_of(request).pk),
        },
        to=f"{shown.path}?{shown.GET.urlencode()}",
    )


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def home_panel(request: HttpRequest) -> HttpResponse:
    return render_page(request, "orders/_home_panel.html", {"tiles": desk.tiles()})


def listed(request: HttpRequest) -> tuple[KeysetPage, OrderFilter]:
    """The page of plain rows that the URL asks for."""
    filters = OrderFilter(request.GET, queryset=visible.orders())
    matching = narrowed(filters.qs, request.GET)
    rows = desk.table_rows(matching, columns_of(request))
    page = keyset_page(request, rows, order=chosen_order(request, SORTS, NEWEST))
    return page, filters


def columns_of(request: HttpRequest) -> list[desk_columns.Column]:
    one_stage = len(request.GET.getlist("stage")) == 1 and "stage" not in request.GET.getlist("not")
    return desk_columns.chosen(request.GET.getlist("col"), request.user.has_perm, one_stage=one_stage)


def narrowed(orders: "QuerySet[Order]", query: QueryDict) -> "QuerySet[Order]":
    sort = query.get("sort", "")
    return orders.filter(ONLY[sort]) if sort in ONLY else orders


def sorts_by_deadline(query: QueryDict) -> bool:
    return query.get("sort", "") in {"ship_by", "-ship_by"}


def leaves_today(query: QueryDict) -> bool:
    """A view of what goes out next, where the time until the cut-off counts."""
    return bool(query.get("due")) or Stage.READY in query.getlist("stage")


def sorts_by_channel(query: QueryDict) -> bool:
    return query.get("sort", "") in {"told", "-told"}


def table_context(request: HttpRequest, page: KeysetPage, board: Sequence[desk.Tile]) -> dict[str, Any]:
    """What the tiles, the rows and the poller need."""
    query = request.GET.copy()
    query.pop("chosen", None)
    listed_by = list_query(request.GET)
    columns = columns_of(request)
    looked = desk_columns.looked_up(page.rows, columns)
    personal, here = request.user.has_perm("orders.view_personal_data"), others_at(request, page)
    offered = actions.offered_to(user_of(request))
    doable = {action.code for action in offered}
    rows = desk.rows(page.rows, personal=personal, columns=columns, looked=looked, doable=doable)
    return {
        "page": page,
        "offered": offered,
        "columns": columns,
        "widths": desk_columns.widths(request.GET.getlist("width")),
        "rows": desk.with_others(rows, here),
        "tiles": board_of(board, request.GET),
        "total": sum(tile.count for tile in board if tile.code in Stage.values),
        "everything": not any(name not in {*PLACE, *LOOKS} for name in request.GET),
        "list_url": reverse("orders:list"),
        "list_query": listed_by,
        "live_url": f"{reverse('orders:live')}?{query.urlencode()}",
        "changed_event": CHANGED,
        "token": desk.digest(page.rows, board, here, looked),
    }


def others_at(request: HttpRequest, page: KeysetPage) -> dict[int, list[presence.Present]]:
    return presence.present_at([row["id"] for row in page.rows], but=user_of(request).pk)


def board_of(board: Sequence[desk.Tile], query: QueryDict) -> list[dict[str, Any]]:
    """The tiles ready to print, with the one in use, and the keys that lead to its neighbours."""
    here, root = f"?{_only(query, 'stage', 'sync')}", reverse("orders:list")
    looks = [("col", code) for code in query.getlist("col")]
    looks += [("width", f"{code}-{pixels}") for code, pixels in desk_columns.widths(query.getlist("width")).items()]
    keep = f"&{urlencode(looks)}" if looks else ""  # the columns stay from tile to tile
    everything = -1 if here == "?" else None  # "すべて" stands before them all
    at = next((place for place, tile in enumerate(board) if tile.query == here), everything)
    keys = {} if at is None else {at - 1: "[", at + 1: "]"}
    return [
        {
            "url": f"{root}{tile.query}{keep}",
            "label": tile.label,
            "count": number(tile.count),
            "empty": not tile.count,
            "late": number(tile.late) if tile.late else "",
            "late_url": f"{root}{tile.late_query}{keep}",
            "current": place == at,
            "key": keys.get(place, ""),
        }
        for place, tile in enumerate(board)
    ]


def _only(query: QueryDict, *names: str) -> str:
    return "&".join(f"{name}={value}" for name in names for value in query.getlist(name))


def list_query(query: QueryDict) -> str:
    """What is listed, as a query string, without where one stands in it."""
    return urlencode([(name, value) for name, values in query.lists() if name not in PLACE for value in values])


def kept_fields(query: QueryDict) -> list[tuple[str, str]]:
    """The other conditions, which the search field's form carries along."""
    left_out = {*PLACE, "q"}
    return [(name, value) for name, values in query.lists() if name not in left_out for value in values]


def as_list(request: HttpRequest) -> HttpRequest:
    """The request as if it had come to the list itself, so that its pages lead there."""
    shown = copy.copy(request)
    query = request.GET.copy()
    for name in ("token", "shown"):
        query.pop(name, None)
    shown.GET = query  # type: ignore[assignment]
    shown.path = reverse("orders:list")
    return shown


def chosen_ids(request: HttpRequest, *, most: int = LARGEST) -> list[int]:
    """The ids that the list's form posts: the ticked ones, or everything that its query lists, in its order.

    At most one more than `most`; none when a condition cannot be read, since without it more would match.
    """
    if not request.POST.get("all_matching"):
        return visible.order_ids(row_ids(request.POST.getlist("ids")[: most + 1]))
    query = QueryDict(request.POST.get("query", ""))
    shown = copy.copy(request)
    shown.GET = query
    filters = OrderFilter(query, queryset=visible.orders())
    if filters.form.errors:
        return []
    orders = narrowed(filters.qs, query)
    order = chosen_order(shown, SORTS, NEWEST)
    return list(orders.order_by(*order).values_list("pk", flat=True)[: most + 1])
