"""閲覧履歴: who saw whose personal data, by person, order, member and days."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from orders.filter_ranges import midnight
from orders.models import PersonalView


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; days in Tokyo, both included. None and "" do not narrow. `order` is a row's id, `number` the
    number that people know."""

    since: date
    until: date
    person: int | None = None
    order: int | None = None
    number: str = ""
    member: int | None = None


def views(wanted: Wanted) -> QuerySet[PersonalView]:
    first, last = midnight(wanted.since), midnight(wanted.until + timedelta(days=1))
    rows = PersonalView.objects.filter(at__gte=first, at__lt=last)
    if wanted.person is not None:
        rows = rows.filter(by=wanted.person)
    if wanted.order is not None:
        rows = rows.filter(order=wanted.order)
    if wanted.number:
        rows = rows.filter(order__channel_order_no=wanted.number)
    if wanted.member is not None:
        rows = rows.filter(member=wanted.member)
    return rows.select_related("by", "order__shop", "member").defer("order__search", "member__search")
