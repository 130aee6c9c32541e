"""Filters that are conditions over `Order`, and those of them that are two ends of one range.

Such a condition is turned round (以外) by asking its contrary of the order's own columns, which their indexes serve.
The ends of a range are turned together: outside it, not beyond one of its ends.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from oms.kernel.typed import DayInput
from orders.models import Order

Condition = Callable[[Any], Q]
Ends = tuple[Condition, Condition]

# First end → what the range is called, last end.
RANGES: Mapping[str, tuple[Any, str]] = {
    "ordered_from": (lazy("注文日"), "ordered_to"),
    "ship_by_from": (lazy("出荷期限の日付"), "ship_by_to"),
    "taken_from": (lazy("取込日"), "taken_to"),
    "total_min": (lazy("合計金額"), "total_max"),
    "cod_min": (lazy("代引金額"), "cod_max"),
    "paid_from": (lazy("入金日"), "paid_to"),
    "pay_by_from": (lazy("支払期限"), "pay_by_to"),
    "units_min": (lazy("点数"), "units_max"),
    "lines_min": (lazy("明細数"), "lines_max"),
    "arrival_from": (lazy("不足商品の入荷予定日"), "arrival_to"),
    "planned_from": (lazy("出荷予定日"), "planned_to"),
    "wish_from": (lazy("配達希望日"), "wish_to"),
    "parcels_min": (lazy("個口数"), "parcels_max"),
}
FIRST_OF = {last: first for first, (_label, last) in RANGES.items()}


def ends_of(name: str) -> tuple[str, ...]:
    """The fields that are one condition with this one, from the first to the last."""
    first = FIRST_OF.get(name, name)
    return (first, RANGES[first][1]) if first in RANGES else (name,)


class Stated:
    """A filter whose condition over `Order` can be said, and so can its contrary."""

    def __init__(self, *args: Any, condition: Condition, **kwargs: Any) -> None:
        self.condition = condition
        super().__init__(*args, **kwargs)

    def filter(self, qs: QuerySet[Order], value: Any) -> QuerySet[Order]:
        return qs.filter(self.condition(value)) if value not in (None, "") else qs


class StatedDay(Stated, django_filters.DateFilter):
    pass


class StatedNumber(Stated, django_filters.NumberFilter):
    pass


class StatedChoice(Stated, django_filters.ChoiceFilter):
    pass


def days(first: Any, last: Any, ends: Ends) -> tuple[StatedDay, StatedDay]:
    """The two fields of a range of days, by their labels."""
    since, until = (
        StatedDay(label=label, widget=DayInput, condition=end) for label, end in zip((first, last), ends, strict=True)
    )
    return since, until


def figures(first: Any, last: Any, ends: Ends, **limits: int) -> tuple[StatedNumber, StatedNumber]:
    """The two fields of a range of whole numbers, by their labels."""
    least, most = (
        StatedNumber(label=label, condition=end, **limits) for label, end in zip((first, last), ends, strict=True)
    )
    return least, most


def moments(column: str, among: Q | None = None) -> Ends:
    """The ends of a range of days in Tokyo, of a column of moments; `among`: what the orders must be besides."""
    also = among or Q()
    return (
        lambda day: also & Q(**{f"{column}__gte": midnight(day)}),
        lambda day: also & Q(**{f"{column}__lt": midnight_after(day)}),
    )


def values(column: str, among: Q | None = None) -> Ends:
    """The ends of a range of days or figures, as the column holds them."""
    also = among or Q()
    return (
        lambda value: also & Q(**{f"{column}__gte": value}),
        lambda value: also & Q(**{f"{column}__lte": value}),
    )


def midnight(day: date) -> datetime:
    """The beginning of a day in Tokyo."""
    return datetime.combine(day, time.min, clock.TOKYO)


def midnight_after(day: date) -> datetime:
    """The end of a day in Tokyo; the calendar's very last day has none, and its beginning must do."""
    return midnight(day if day == date.max else day + timedelta(days=1))


# What only an upper app can say, by the field's name (`supply`, in `AppConfig.ready`).
_SUPPLIED: dict[str, Condition] = {}


def supply(name: str, condition: Condition) -> None:
    """Say what one of the fields that stand as `supplied` asks of an order."""
    _SUPPLIED[name] = condition


def supplied(name: str) -> Condition:
    """The condition of an upper app; nothing is found where none says it."""
    return lambda value: _SUPPLIED[name](value) if name in _SUPPLIED else Q(pk__in=[])
