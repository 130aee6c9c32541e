"""The desk's filters. Everything is in the URL; between fields AND, inside one field OR."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from oms.kernel.address import PREFECTURES
from oms.kernel.models import User
from oms.kernel.money import yen
from oms.kernel.search import matching
from orders.decide.reasons import CATALOGUE
from orders.models import Order, OrderTag, ReviewReason, Shop
from orders.models.order import ChannelSync, PaymentMethod, PaymentState, Priority, Stage

# An order that has not left and will. Only these have a deadline.
STILL_DUE = Q(shipped_at__isnull=True, cancelled_at__isnull=True, ship_by__isnull=False)

DUE = (("past", lazy("期限切れ")), ("today", lazy("今日まで")), ("tomorrow", lazy("明日まで")))
HAS: dict[str, tuple[Any, Q]] = {
    "remarks": (lazy("備考あり"), ~Q(remarks="")),
    "memo": (lazy("社内メモあり"), ~Q(internal_note="")),
    "gift": (lazy("ラッピング・のし"), ~Q(gift="") | ~Q(noshi="")),
    "wish": (lazy("配達希望日あり"), Q(wish_date__isnull=False)),
    "important": (lazy("重要"), Q(important=True)),
    "fba": (lazy("モール出荷"), Q(fulfilled_by_channel=True)),
}


class AnyOf(django_filters.MultipleChoiceFilter):
    """Rows whose column is one of the chosen values; unlike its parent without DISTINCT and without a chain of ORs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, widget=forms.CheckboxSelectMultiple, **kwargs)

    def filter(self, qs: QuerySet[Order], value: Sequence[str]) -> QuerySet[Order]:
        return qs.filter(**{f"{self.field_name}__in": list(value)}) if value else qs


def shop_choices() -> list[tuple[int, str]]:
    return list(Shop.objects.order_by("channel", "code").values_list("pk", "name"))


def channel_choices() -> list[tuple[str, str]]:
    return list(Shop.objects.order_by("channel").values_list("channel", "channel_label").distinct())


def tag_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in OrderTag.objects.values_list("name", flat=True)]


def person_choices() -> list[tuple[int, str]]:
    return [(user.pk, str(user)) for user in User.objects.filter(is_active=True).order_by("username")]


def reason_choices() -> list[tuple[str, Any]]:
    return [(code, reason.label) for code, reason in CATALOGUE.items()]


def prefecture_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in PREFECTURES.values()]


def has_choices() -> list[tuple[str, Any]]:
    return [(code, label) for code, (label, _condition) in HAS.items()]


class DayInput(forms.DateInput):
    """The browser's own calendar, which wants ISO dates in whatever language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class OrderFilter(django_filters.FilterSet):
    """`q` searches number, name, kana, phone, mail and SKU by any two characters.

    `due` and the range of `ship_by` imply orders that still have to leave, like the red numbers on the tiles.
    """

    base_filters: dict[str, django_filters.Filter]

    def __init__(self, data: Any = None, *args: Any, whole: bool = False, **kwargs: Any) -> None:
        """Only the filters that `data` names are built, which is most of the cost; `whole`: all, for the panel."""
        if not whole:
            self.base_filters = {name: one for name, one in self.base_filters.items() if name in (data or {})}
        super().__init__(data, *args, **kwargs)

    q = django_filters.CharFilter(label=lazy("検索"), method="search", widget=forms.SearchInput)
    stage = AnyOf(label=lazy("ステータス"), choices=Stage.choices)
    channel = AnyOf(label=lazy("モール"), choices=channel_choices, method="at_channel")
    shop = AnyOf(label=lazy("店舗"), choices=shop_choices)
    reason = AnyOf(label=lazy("確認理由"), choices=reason_choices, method="with_reason")
    due = django_filters.ChoiceFilter(
        label=lazy("出荷期限"), choices=DUE, method="due_by", empty_label=lazy("指定なし"), widget=forms.RadioSelect
    )
    ship_by_from = django_filters.DateFilter(label=lazy("出荷期限（開始）"), widget=DayInput, method="ship_by_since")
    ship_by_to = django_filters.DateFilter(label=lazy("出荷期限（終了）"), widget=DayInput, method="ship_by_until")
    ordered_from = django_filters.DateFilter(label=lazy("注文日（開始）"), widget=DayInput, method="ordered_since")
    ordered_to = django_filters.DateFilter(label=lazy("注文日（終了）"), widget=DayInput, method="ordered_until")
    payment_method = AnyOf(label=lazy("支払方法"), choices=PaymentMethod.choices)
    payment_state = AnyOf(label=lazy("入金状況"), choices=PaymentState.choices)
    prefecture = AnyOf(field_name="recipient_prefecture", label=lazy("届け先の都道府県"), choices=prefecture_choices)
    total_min = django_filters.NumberFilter(field_name="total", lookup_expr="gte", label=lazy("合計金額（下限）"))
    total_max = django_filters.NumberFilter(field_name="total", lookup_expr="lte", label=lazy("合計金額（上限）"))
    sync = AnyOf(field_name="channel_sync", label=lazy("モール反映"), choices=ChannelSync.choices)
    tag = AnyOf(label=lazy("タグ"), choices=tag_choices, method="tagged")
    assignee = AnyOf(field_name="assignee", label=lazy("担当"), choices=person_choices)
    priority = AnyOf(field_name="priority", label=lazy("優先度"), choices=Priority.choices)
    has = AnyOf(label=lazy("含むもの"), choices=has_choices, method="having")

    class Meta:
        model = Order
        fields: Mapping[str, Any] = {}

    def search(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        return matching(rows, "search", typed)

    def at_channel(self, rows: QuerySet[Order], _name: str, channels: Sequence[str]) -> QuerySet[Order]:
        """By the shops' ids, so that the list is read from the shops' index."""
        return rows.filter(shop__in=list(Shop.objects.filter(channel__in=channels).values_list("pk", flat=True)))

    def with_reason(self, rows: QuerySet[Order], _name: str, codes: Sequence[str]) -> QuerySet[Order]:
        open_reasons = ReviewReason.objects.filter(order=OuterRef("pk"), code__in=list(codes), state="open")
        return rows.filter(Exists(open_reasons))

    def tagged(self, rows: QuerySet[Order], _name: str, tags: Sequence[str]) -> QuerySet[Order]:
        return rows.filter(tags__overlap=list(tags))

    def due_by(self, rows: QuerySet[Order], _name: str, when: str) -> QuerySet[Order]:
        limits = {
            "past": clock.now(),
            "today": clock.end_of_today(),
            "tomorrow": clock.end_of_today() + timedelta(days=1),
        }
        return rows.filter(STILL_DUE, ship_by__lt=limits[when])

    def ship_by_since(self, rows: QuerySet[Order], _name: str, day: date) -> QuerySet[Order]:
        return rows.filter(STILL_DUE, ship_by__gte=midnight(day))

    def ship_by_until(self, rows: QuerySet[Order], _name: str, day: date) -> QuerySet[Order]:
        return rows.filter(STILL_DUE, ship_by__lt=midnight(day + timedelta(days=1)))

    def ordered_since(self, rows: QuerySet[Order], _name: str, day: date) -> QuerySet[Order]:
        return rows.filter(ordered_at__gte=midnight(day))

    def ordered_until(self, rows: QuerySet[Order], _name: str, day: date) -> QuerySet[Order]:
        return rows.filter(ordered_at__lt=midnight(day + timedelta(days=1)))

    def having(self, rows: QuerySet[Order], _name: str, codes: Sequence[str]) -> QuerySet[Order]:
        """All that are ticked, not any."""
        for code in codes:
            rows = rows.filter(HAS[code][1])
        return rows


def midnight(day: date) -> datetime:
    """The beginning of a day in Tokyo."""
    return datetime.combine(day, time.min, clock.TOKYO)


@dataclass(frozen=True, slots=True)
class Chip:
    """One chosen value, and the query string without it."""

    text: str
    without: str


def chips(filters: OrderFilter) -> list[Chip]:
    """What is switched on, value by value, for removing one with a click."""
    found: list[Chip] = []
    form = filters.form
    chosen = form.cleaned_data if filters.is_bound and not form.errors else getattr(form, "cleaned_data", {})
    for name, value in chosen.items():
        if value in (None, "", []):
            continue
        values = value if isinstance(value, list) else [value]
        labels = dict(_flat_choices(form.fields[name]))
        found += [
            Chip(f"{form.fields[name].label}: {labels.get(str(one), _words(name, one))}", _without(filters, name, one))
            for one in values
        ]
    return found


def _flat_choices(field: forms.Field) -> Iterable[tuple[str, str]]:
    return ((str(code), str(label)) for code, label in getattr(field, "choices", []) if code != "")


def _words(name: str, value: Any) -> str:
    if isinstance(value, date):
        return f"{value:%Y/%m/%d}"
    if name.startswith("total_"):
        return yen(int(value))
    return _("「%(text)s」") % {"text": value}


def _without(filters: OrderFilter, name: str, value: Any) -> str:
    """The query string without one value of one field; the page starts anew, the order stays."""
    query = filters.data.copy()
    for gone in ("after", "before", "chosen"):
        query.pop(gone, None)
    rest = [one for one in query.getlist(name) if isinstance(value, str) and one != value]
    query.setlist(name, rest)
    return query.urlencode()
