"""The desk's filters. Everything is in the URL; between fields AND, inside one field OR."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import and_
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from oms.kernel.address import PREFECTURES
from oms.kernel.models import User
from oms.kernel.money import yen
from oms.kernel.typed import DayInput
from orders.decide import numbers
from orders.decide.reasons import CATALOGUE
from orders.filter_facts import condition_of, has_choices, lack_of
from orders.filter_fields import YES, AnyOf, FactFilter, PartOf, words_of
from orders.filter_goods import GoodsFilter
from orders.filter_people import PeopleFilter
from orders.filter_ranges import Stated, StatedChoice, StatedDay, days, ends_of, figures, moments, values
from orders.models import Order, OrderEvent, OrderFigure, OrderTag, ReviewReason, Shop
from orders.models.order import ChannelSync, PaymentMethod, PaymentState, Priority, Stage
from orders.queries import visible
from orders.queries.quick_search import found_by
from orders.services.internal import INTERNAL

# An order that has not left and will. Only these have a deadline.
STILL_DUE = Q(shipped_at__isnull=True, cancelled_at__isnull=True, ship_by__isnull=False)

ON_DELIVERY = Q(payment_method=PaymentMethod.COD)

# Exchanges and resends: no buyer's orders, and no channel judges us by them.
OF_OUR_MAKING = Q(flags__contains=[INTERNAL])

EMPTY: tuple[Any, ...] = (None, "", [])
DUE = (("past", lazy("期限切れ")), ("today", lazy("今日まで")), ("tomorrow", lazy("明日まで")))

# How long an order stands where it stands, in days from and to.
WAITING: dict[str, tuple[Any, int, int | None]] = {
    "0": (lazy("1日以内"), 0, 1),
    "1": (lazy("1〜3日"), 1, 3),
    "3": (lazy("3日より長い"), 3, None),
}


def due_by(when: str) -> Q:
    limits = {
        "past": clock.now(),
        "today": clock.end_of_today(),
        "tomorrow": clock.end_of_today() + timedelta(days=1),
    }
    return STILL_DUE & Q(ship_by__lt=limits[when])


def tag_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in OrderTag.objects.values_list("name", flat=True)]


def person_choices() -> list[tuple[int, str]]:
    return [(user.pk, str(user)) for user in User.objects.filter(is_active=True).order_by("username")]


def reason_choices() -> list[tuple[str, Any]]:
    return [(code, reason.label) for code, reason in CATALOGUE.items()]


def prefecture_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in PREFECTURES.values()]


class OrderFilter(FactFilter, GoodsFilter, PeopleFilter):
    """`q` searches number, names, kana, phone, mail, postal code, tracking number, SKU, JAN and product by any two
    characters; `@出荷待ち` in it asks for stages whose name holds that, `#至急` for tags whose name begins so.

    A field named in `not` is turned round: orders that it would not find. `due` and the range of `ship_by` imply
    orders that still have to leave, like the red numbers on the tiles.
    """

    def __init__(self, data: Any = None, *args: Any, whole: bool = False, **kwargs: Any) -> None:
        """Only the filters that `data` names are built, which is most of the cost; `whole`: all, for the panel."""
        if not whole:
            self.base_filters = {name: one for name, one in self.base_filters.items() if name in (data or {})}
        super().__init__(data, *args, **kwargs)
        if "shop" in self.filters:
            self.filters["shop"].extra["choices"] = [(shop.pk, shop.name) for shop in self.shops]
        if "channel" in self.filters:
            labels = {shop.channel: shop.channel_label for shop in self.shops}
            self.filters["channel"].extra["choices"] = list(labels.items())

    @cached_property
    def turned(self) -> set[str]:
        """Names of fields that are turned round."""
        return set(self.data.getlist("not")) if hasattr(self.data, "getlist") else set()

    def filter_queryset(self, queryset: QuerySet[Order]) -> QuerySet[Order]:
        for name, value in self.form.cleaned_data.items():
            one = self.filters[name]
            if isinstance(one, Stated) and self.is_turned(name):
                continue  # both ends at once, below
            if name in self.turned and isinstance(one, AnyOf) and one.whole and value:
                others = one.others(value)
                queryset = one.filter(queryset, others) if others else queryset.none()
            elif name in self.turned and isinstance(one, PartOf) and value:
                queryset = one.but(queryset, value)
            elif name in self.turned and value not in EMPTY:
                those = one.filter(Order.objects.all(), value)
                queryset = queryset.filter(~Exists(those.filter(pk=OuterRef("pk"))))
            else:
                queryset = one.filter(queryset, value)
        for condition in self._contraries():
            queryset = queryset.filter(~condition)
        return queryset

    def is_turned(self, name: str) -> bool:
        """Whether the field is turned round; a range is, by whichever of its ends `not` names."""
        return not self.turned.isdisjoint(ends_of(name))

    def _contraries(self) -> Iterator[Q]:
        """What the orders must not be: the conditions turned round, those of a range as one."""
        asked = {name: value for name, value in self.form.cleaned_data.items() if value not in EMPTY}
        for name, one in self.filters.items():
            ends = [end for end in ends_of(name) if end in asked]
            if isinstance(one, Stated) and self.is_turned(name) and ends and name == ends[0]:
                yield reduce(and_, (self.filters[end].condition(asked[end]) for end in ends))

    @cached_property
    def shops(self) -> list[Shop]:
        """By channel; one query for both filters and what they need."""
        return list(visible.shops().order_by("channel", "code").only("name", "channel", "channel_label"))

    q = django_filters.CharFilter(label=lazy("検索"), method="search", widget=forms.SearchInput)
    stage = AnyOf(label=lazy("ステータス"), choices=Stage.choices, whole=True)
    channel = AnyOf(label=lazy("モール"), choices=(), method="at_channel")
    shop = AnyOf(label=lazy("店舗"), choices=())
    reason = AnyOf(label=lazy("確認理由"), choices=reason_choices, method="with_reason")
    due = StatedChoice(
        label=lazy("出荷期限"), choices=DUE, condition=due_by, empty_label=lazy("指定なし"), widget=forms.RadioSelect
    )
    ship_by_from, ship_by_to = days(
        lazy("出荷期限（開始）"), lazy("出荷期限（終了）"), moments("ship_by", among=STILL_DUE)
    )
    ordered_from, ordered_to = days(lazy("注文日（開始）"), lazy("注文日（終了）"), moments("ordered_at"))
    payment_method = AnyOf(label=lazy("支払方法"), choices=PaymentMethod.choices, whole=True)
    payment_state = AnyOf(label=lazy("入金状況"), choices=PaymentState.choices, whole=True)
    prefecture = AnyOf(field_name="recipient_prefecture", label=lazy("届け先の都道府県"), choices=prefecture_choices)
    total_min, total_max = figures(lazy("合計金額（下限）"), lazy("合計金額（上限）"), values("total"))
    cod_min, cod_max = figures(lazy("代引金額（下限）"), lazy("代引金額（上限）"), values("total", among=ON_DELIVERY))
    sync = AnyOf(field_name="channel_sync", label=lazy("モール反映"), choices=ChannelSync.choices, whole=True)
    tag = AnyOf(label=lazy("タグ"), choices=tag_choices, method="tagged")
    assignee = AnyOf(field_name="assignee", label=lazy("担当"), choices=person_choices)
    priority = AnyOf(field_name="priority", label=lazy("優先度"), choices=Priority.choices, whole=True)
    has = AnyOf(label=lazy("含むもの"), choices=has_choices, method="having")
    lack = AnyOf(label=lazy("含まないもの"), choices=has_choices, method="lacking")

    # What the channels count against the shop: the lists behind the figures of 店舗・モール.
    late = django_filters.ChoiceFilter(
        label=lazy("期限に遅れて出荷"), choices=YES, method="shipped_late", empty_label=lazy("指定なし")
    )
    fault = django_filters.ChoiceFilter(
        label=lazy("店舗都合のキャンセル"), choices=YES, method="cancelled_by_us", empty_label=lazy("指定なし")
    )
    own = django_filters.ChoiceFilter(
        label=lazy("自社出荷のみ"), choices=YES, method="shipped_by_us", empty_label=lazy("指定なし")
    )
    shipped_from = StatedDay(label=lazy("出荷日（開始）"), widget=DayInput, condition=moments("shipped_at")[0])
    cancelled_from = StatedDay(
        label=lazy("キャンセル日（開始）"), widget=DayInput, condition=moments("cancelled_at")[0]
    )

    # The lists behind the figures of 数字 and of the home page.
    number = django_filters.ChoiceFilter(
        label=lazy("数字"),
        choices=lambda: [(code, one.label) for code, one in numbers.NUMBERS.items()],
        method="counted",
        empty_label=lazy("指定なし"),
    )
    number_from = django_filters.DateFilter(label=lazy("集計の開始日"), widget=DayInput, method="counted_with")
    number_to = django_filters.DateFilter(label=lazy("集計の終了日"), widget=DayInput, method="counted_with")
    waiting = django_filters.ChoiceFilter(
        label=lazy("滞留"),
        choices=[(code, label) for code, (label, _since, _until) in WAITING.items()],
        method="standing",
        empty_label=lazy("指定なし"),
    )
    imported_from = django_filters.IsoDateTimeFilter(
        label=lazy("取込日時（開始）"), field_name="imported_at", lookup_expr="gte"
    )
    hands = django_filters.ChoiceFilter(
        label=lazy("人の操作"),
        choices=(("none", lazy("なし")),),
        method="untouched",
        empty_label=lazy("指定なし"),
    )

    class Meta:
        model = Order
        fields: Mapping[str, Any] = {}

    def counted(self, rows: QuerySet[Order], _name: str, code: str) -> QuerySet[Order]:
        """The orders that one number of the dashboards counts, within its days."""
        asked = self.form.cleaned_data
        wanted = numbers.listed(code, asked.get("number_from"), asked.get("number_to"))
        return rows.filter(pk__in=OrderFigure.objects.filter(wanted).values("pk"))

    def counted_with(self, rows: QuerySet[Order], _name: str, _day: date) -> QuerySet[Order]:
        """The days belong to `number`, which reads them."""
        return rows

    def standing(self, rows: QuerySet[Order], _name: str, code: str) -> QuerySet[Order]:
        _label, since, until = WAITING[code]
        now = clock.now()
        rows = rows.filter(stage_since__lte=now - timedelta(days=since))
        return rows if until is None else rows.filter(stage_since__gt=now - timedelta(days=until))

    def untouched(self, rows: QuerySet[Order], _name: str, _none: str) -> QuerySet[Order]:
        return rows.filter(~Exists(OrderEvent.objects.filter(order=OuterRef("pk"), by__isnull=False)))

    def shipped_late(self, rows: QuerySet[Order], _name: str, _yes: str) -> QuerySet[Order]:
        return rows.filter(shipped_at__gt=F("ship_by"), fulfilled_by_channel=False).exclude(OF_OUR_MAKING)

    def cancelled_by_us(self, rows: QuerySet[Order], _name: str, _yes: str) -> QuerySet[Order]:
        """A person here cancelled, and the buyer had not asked for it."""
        by_person = OrderEvent.objects.filter(order=OuterRef("pk"), kind="cancelled", by__isnull=False)
        return rows.filter(Exists(by_person), cancelled_at__isnull=False, cancel_requested=False).exclude(OF_OUR_MAKING)

    def shipped_by_us(self, rows: QuerySet[Order], _name: str, _yes: str) -> QuerySet[Order]:
        return rows.filter(fulfilled_by_channel=False).exclude(OF_OUR_MAKING)

    def search(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        return found_by(rows, typed)

    def at_channel(self, rows: QuerySet[Order], _name: str, channels: Sequence[str]) -> QuerySet[Order]:
        """By the shops' ids, so that the list is read from the shops' index."""
        return rows.filter(shop__in=[shop.pk for shop in self.shops if shop.channel in channels])

    def with_reason(self, rows: QuerySet[Order], _name: str, codes: Sequence[str]) -> QuerySet[Order]:
        open_reasons = ReviewReason.objects.filter(order=OuterRef("pk"), code__in=list(codes), state="open")
        return rows.filter(Exists(open_reasons))

    def tagged(self, rows: QuerySet[Order], _name: str, tags: Sequence[str]) -> QuerySet[Order]:
        return rows.filter(~Q(tags=[]), tags__overlap=list(tags))

    def having(self, rows: QuerySet[Order], _name: str, codes: Sequence[str]) -> QuerySet[Order]:
        """All that are ticked, not any."""
        for code in codes:
            rows = rows.filter(condition_of(code))
        return rows

    def lacking(self, rows: QuerySet[Order], _name: str, codes: Sequence[str]) -> QuerySet[Order]:
        """None of those that are ticked."""
        for code in codes:
            rows = rows.filter(lack_of(code))
        return rows


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
        label = form.fields[name].label
        if filters.is_turned(name):
            label = _("%(label)s（以外）") % {"label": label}
        found += [
            Chip(f"{label}: {labels.get(str(one), _words(name, one))}", _without(filters, name, one)) for one in values
        ]
    return found


def _flat_choices(field: forms.Field) -> Iterable[tuple[str, str]]:
    return ((str(code), str(label)) for code, label in getattr(field, "choices", []) if code != "")


def _words(name: str, value: Any) -> str:
    if isinstance(value, date):
        return f"{value:%Y/%m/%d}"
    if name.startswith(("total_", "cod_")):
        return yen(int(value))
    if name == "numbers":
        return _("%(n)s件") % {"n": len(words_of(value))}
    return _("「%(text)s」") % {"text": value}


def _without(filters: OrderFilter, name: str, value: Any) -> str:
    """The query string without one value of one field; the page starts anew, the order stays."""
    query = filters.data.copy()
    for gone in ("after", "before", "chosen"):
        query.pop(gone, None)
    rest = [one for one in query.getlist(name) if isinstance(value, str) and one != value]
    query.setlist(name, rest)
    ends = ends_of(name)
    if not any(query.get(end) for end in ends):
        query.setlist("not", [one for one in query.getlist("not") if one not in ends])
    return query.urlencode()
