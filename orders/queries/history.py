"""操作の記録: what people did to which orders, searched over all of them. Pages by time, within a span of days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q, QuerySet
from django.utils.functional import Promise

from orders.filter_ranges import midnight
from orders.models import OrderEvent
from orders.queries.timeline import LABELS, Happening, happening

FOLLOWS = "stage"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; days in Tokyo, both included. Empty words and None do not narrow."""

    since: date
    until: date
    person: int | None = None
    kind: str = ""
    number: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """One entry of the journal with the order it stands in."""

    id: int
    order_id: int
    number: str
    shop: str
    what: Happening


def events(wanted: Wanted) -> QuerySet[OrderEvent]:
    """Entries of people; what follows from them by itself (`FOLLOWS`) is told on the order's page."""
    first, last = midnight(wanted.since), midnight(wanted.until + timedelta(days=1))
    rows = OrderEvent.objects.filter(by__isnull=False, at__gte=first, at__lt=last).exclude(kind=FOLLOWS)
    if wanted.person is not None:
        rows = rows.filter(by=wanted.person)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.number:
        rows = rows.filter(order__channel_order_no=wanted.number)
    if wanted.words:
        found = Q(text__icontains=wanted.words) | Q(values__before__icontains=wanted.words)
        rows = rows.filter(pk__in=rows.filter(found | Q(values__after__icontains=wanted.words)).values("pk"))
    return rows.select_related("by", "order__shop").defer("order__search").prefetch_related("values")


def deeds(rows: Sequence[OrderEvent], *, personal: bool) -> list[Deed]:
    return [
        Deed(row.pk, row.order_id, row.order.channel_order_no, row.order.shop.name, happening(row, personal))
        for row in rows
    ]


def kinds() -> list[tuple[str, str | Promise]]:
    return sorted(
        ((code, label) for code, (label, _tone) in LABELS.items() if code != FOLLOWS), key=lambda pair: str(pair[1])
    )
