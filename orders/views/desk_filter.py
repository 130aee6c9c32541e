"""The filter panel of 受注一覧: every condition in groups that open, and a search among the conditions themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET

from oms.kernel.text import search_word
from oms.kernel.web import render_page
from orders.filter_ranges import RANGES, ends_of
from orders.filters import OrderFilter
from orders.models import Order

# From top to bottom; a range is named by its first end (`orders.filter_ranges`).
# The first group stands open, the others when something in them is chosen or looked for.
GROUPS: Sequence[tuple[Any, Sequence[str]]] = (
    (
        lazy("受注と出荷期限"),
        (
            "q",
            "stage",
            "due",
            "ordered_from",
            "ship_by_from",
            "taken_from",
            "shop",
            "channel",
            "source",
            "numbers",
        ),
    ),
    (lazy("確認・担当"), ("reason", "level", "tag", "assignee", "priority", "edited")),
    (
        lazy("注文者・届け先"),
        (
            "person",
            "phone",
            "mail",
            "member",
            "rank",
            "bought_min",
            "nth",
            "region",
            "prefecture",
            "city",
            "postal",
            "country",
        ),
    ),
    (
        lazy("お金"),
        (
            "total_min",
            "payment_method",
            "payment_state",
            "cod_min",
            "paid_from",
            "pay_by_from",
            "overdue",
            "overdue_days",
            "tax",
        ),
    ),
    (
        lazy("商品・在庫"),
        (
            "goods",
            "sku",
            "sku_only",
            "brand",
            "category",
            "supplier",
            "units_min",
            "lines_min",
            "temperature",
            "allocation",
            "short_sku",
            "arrival_from",
        ),
    ),
    (
        lazy("配送"),
        (
            "planned_from",
            "wish_from",
            "slot",
            "carrier",
            "method",
            "location",
            "parcels_min",
            "fulfillment",
            "sync",
        ),
    ),
    (lazy("特徴（含むもの・含まないもの）"), ("has", "lack")),
    (lazy("メール"), ("mailed", "unmailed", "mail_failed")),
    (lazy("返品"), ("return_reason", "returned_sku")),
)
LONG = 16  # so many choices are folded away under their title

# What belongs to the panel or to the place in the list; everything else in the address is carried along.
OWN = frozenset(("after", "before", "token", "chosen", "shown", "not", "find"))


@dataclass(frozen=True, slots=True)
class Part:
    """One condition: one field, or the two ends of a range. `picked` counts what is chosen in it."""

    label: str
    fields: Sequence[forms.BoundField]
    picked: int
    shown: bool
    turned: bool
    choices: Sequence[tuple[Any, bool]] = ()  # each with whether it is shown

    @property
    def first(self) -> forms.BoundField:
        return self.fields[0]

    @property
    def folded(self) -> bool:
        return len(self.choices) > LONG


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    parts: Sequence[Part]
    picked: int
    open: bool
    shown: bool

    @property
    def inside(self) -> str:
        return _("、").join(part.label for part in self.parts)


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def order_filter(request: HttpRequest) -> HttpResponse:
    """The panel; its form leads back to the list. `?find=` shows only the conditions that speak of that."""
    filters = OrderFilter(request.GET, queryset=Order.objects.none(), whole=True)
    find = request.GET.get("find", "").strip()[:40]
    groups = list(_groups(filters.form, request.GET, find))
    context = {
        "groups": groups,
        "find": find,
        "nothing": not any(group.shown for group in groups),
        "carried": list(_carried(request.GET)),
    }
    return render_page(request, "orders/desk_filter.html", context, fragment=_fragment(request))


def _fragment(request: HttpRequest) -> str:
    """While one looks for a condition only the groups change, so that the field keeps the focus."""
    looking = request.headers.get("HX-Target") == "desk-filter-groups"
    return "orders/_desk_filter_groups.html" if looking else "orders/_desk_filter.html"


def _groups(form: forms.Form, query: QueryDict, find: str) -> Iterator[Group]:
    word = search_word(find)
    for place, (title, names) in enumerate(GROUPS):
        whole = not word or word in search_word(str(title))
        parts = [_part(form, query, one, "" if whole else word) for one in names]
        picked, shown = sum(part.picked for part in parts), any(part.shown for part in parts)
        yield Group(str(title), parts, picked, bool(picked) or (shown if word else place == 0), shown)


def _part(form: forms.Form, query: QueryDict, one: str, word: str) -> Part:
    names = ends_of(one)
    title = str(RANGES[one][0] if one in RANGES else form[one].label)
    picked = sum(len([value for value in query.getlist(name) if value]) for name in names)
    named = not word or word in search_word(title)
    choices = _choices(form[names[0]], word="" if named else word)
    shown, turned = named or any(on for _one, on in choices), not set(query.getlist("not")).isdisjoint(names)
    return Part(title, [form[name] for name in names], picked, shown, turned, choices)


def _choices(field: forms.BoundField, *, word: str) -> list[tuple[Any, bool]]:
    """Those of several choices that speak of the word; what is chosen stays."""
    if field.widget_type not in {"checkboxselectmultiple", "radioselect"}:
        return []
    return [(one, not word or word in search_word(str(one.choice_label))) for one in field]


def _carried(query: QueryDict) -> Iterator[tuple[str, str]]:
    """Conditions and looks that the panel has no field for."""
    offered = {name for _title, names in GROUPS for one in names for name in ends_of(one)}
    for name, values in query.lists():
        if name not in OWN and name not in offered:
            yield from ((name, value) for value in values)
