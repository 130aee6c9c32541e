"""What came back of the shipped orders: by reason, and by SKU against how many orders with it were shipped."""

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse

from oms.pages.queries.numbers import Counted, Period, percent
from orders.decide import numbers
from orders.decide.returns import LIVE, REASONS
from orders.filter_fields import words_of
from orders.models import OrderLine, ReturnCase, ReturnLine

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Line:
    """`shipped` is None where it cannot be listed by the code."""

    label: str
    returned: Counted
    shipped: Counted | None = None
    percent: float | None = None


def by_reason(period: Period) -> list[Line]:
    """One query. An order that came back for two reasons counts under both."""
    rows = ReturnCase.objects.filter(_counted("returned", period, "order__"), state__in=sorted(LIVE))
    found = rows.values("reason").annotate(n=Count("order", distinct=True)).order_by("-n", "reason")
    return [
        Line(_label(reason), Counted(n, _url("returned", period, return_reason=reason)))
        for reason, n in found.values_list("reason", "n")
    ]


def by_sku(period: Period) -> list[Line]:
    """The SKUs that came back in most orders. Two queries."""
    rows = ReturnLine.objects.filter(
        _counted("returned", period, "case__order__"), case__state__in=sorted(LIVE), line__sku__isnull=False
    )
    most = rows.values("line__sku").annotate(n=Count("case__order", distinct=True)).order_by("-n", "line__sku")
    found = list(most.values_list("line__sku", "line__sku__code", "line__sku__name", "n")[:SHOWN])
    lines = OrderLine.objects.filter(
        _counted("shipped", period, "order__"), quantity__gt=0, sku__in=[sku for sku, *_rest in found]
    )
    shipped = dict(
        lines.values("sku").annotate(n=Count("order", distinct=True)).order_by().values_list("sku", "n")
    )  # fmt: skip
    return [
        Line(
            f"{code} {name}",
            Counted(n, _url("returned", period, returned_sku=code)),
            Counted(shipped.get(sku, 0), _url("shipped", period, sku=code)) if words_of(code) == [code] else None,
            percent(n, shipped.get(sku, 0)),
        )
        for sku, code, name, n in found
    ]


def _counted(code: str, period: Period, path: str) -> Q:
    """The condition of a number, asked of what belongs to an order; `path` leads to the order."""
    wanted = _through(numbers.listed(code, period.since, period.until), f"{path}figure__")
    return wanted & Q(**{f"{path}shop__in": period.shops}) if period.shops else wanted


def _through(wanted: Q, path: str) -> Q:
    """The same condition, asked of a related row."""
    parts: list[Any] = []
    for part in wanted.children:
        if isinstance(part, Q):
            parts.append(_through(part, path))
        else:
            name, value = cast("tuple[str, Any]", part)
            parts.append((f"{path}{name}", value))
    return Q(*parts, _connector=wanted.connector, _negated=wanted.negated)


def _url(code: str, period: Period, **more: str) -> str:
    days = [("number", code), ("number_from", period.since.isoformat()), ("number_to", period.until.isoformat())]
    return f"{reverse('orders:list')}?{urlencode([*days, *(('shop', pk) for pk in period.shops), *more.items()])}"


def _label(reason: str) -> str:
    return str(REASONS[reason].label) if reason in REASONS else reason
