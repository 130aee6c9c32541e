"""What the return screens and the papers show."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from inventory.models import Sku
from oms.kernel import clock, privacy, scope
from oms.kernel.models import User
from orders.decide import returns as decide
from orders.models import Refund, ReturnCase, ReturnLine, UnknownParcel
from orders.queries import visible
from orders.queries.detail import PERSONAL
from orders.queries.found import found_order_ids
from orders.services import returns

State = ReturnCase.State
TONES = {
    State.REQUESTED: "attention",
    State.APPROVED: "info",
    State.IN_TRANSIT: "info",
    State.RECEIVED: "attention",
    State.INSPECTED: "attention",
    State.SETTLED: "ready",
    State.CLOSED: "done",
    State.REJECTED: "neutral",
    State.WITHDRAWN: "neutral",
}
EVENTS = {
    "requested": _("返品を受け付けました"),
    "approved": _("承認しました"),
    "rejected": _("断りました"),
    "withdrawn": _("取り下げました"),
    "in_transit": _("発送されました"),
    "pickup": _("集荷を手配しました"),
    "received": _("到着しました"),
    "parcel_found": _("持ち主のわからない荷物がこの返品のものとわかりました"),
    "inspected": _("検品しました"),
    "settled": _("精算しました"),
    "credit_note": _("返還インボイス"),
    "closed": _("完了しました"),
}
# A tab: the states it lists.
TABS: Mapping[str, Sequence[str]] = {
    "open": sorted(decide.OPEN),
    "decide": [State.REQUESTED],
    "coming": [State.APPROVED, State.IN_TRANSIT],
    "inspect": [State.RECEIVED],
    "settle": [State.INSPECTED],
    "over": [State.CLOSED, State.REJECTED, State.WITHDRAWN],
}


def listed(tab: str, word: str = "") -> QuerySet[ReturnCase]:
    """The cases of a tab, of orders (or tracking numbers) that a word finds."""
    rows = visible.of_shops(ReturnCase.objects.filter(state__in=TABS[tab]))
    if word:
        number = word.upper().removeprefix("R").lstrip("0")
        own = Q(tracking_no=word) | Q(order__in=found_order_ids(word))
        rows = rows.filter(own | Q(pk=int(number)) if number.isdecimal() and len(number) <= 9 else own)
    return rows


def with_contents(rows: QuerySet[ReturnCase]) -> QuerySet[ReturnCase]:
    """With everything a row names; one query more for any number of rows."""
    return rows.select_related("order__shop", "exchange_order").prefetch_related(
        Prefetch("lines", ReturnLine.objects.select_related("line", "component").order_by("line__position"))
    )


def case_rows(cases: Sequence[ReturnCase], user: User) -> list[dict[str, Any]]:
    personal = user.has_perm(PERSONAL)
    return [
        {
            "case": case,
            "tone": TONES[State(case.state)],
            "buyer": case.order.buyer_name if personal else privacy.mask_name(case.order.buyer_name),
            "items": [(line.name, line.quantity) for line in case.lines.all()],
        }
        for case in cases
    ]


def tab_counts() -> dict[str, int]:
    """How many cases each tab of open work lists; one query."""
    rows = visible.of_shops(ReturnCase.objects.filter(state__in=decide.OPEN)).order_by()
    counts: dict[str, int] = dict(rows.values_list("state").annotate(count=Count("pk")))
    return {tab: sum(counts.get(state, 0) for state in states) for tab, states in TABS.items() if tab != "over"}


def overdue_exchanges() -> QuerySet[ReturnCase]:
    """Exchanges sent in advance whose goods have not come back within the days of their shop."""
    waits = ExpressionWrapper(
        F("approved_at") + F("order__shop__exchange_watch_days") * timedelta(days=1), output_field=DateTimeField()
    )
    rows = ReturnCase.objects.filter(ship_first=True, state__in=[State.APPROVED, State.IN_TRANSIT])
    rows = rows.annotate(waits_until=waits).filter(waits_until__lt=clock.now())
    return visible.of_shops(rows).order_by("approved_at")


def unknown_parcels() -> Sequence[UnknownParcel]:
    if scope.current().shops:  # nobody knows whose they are
        return []
    return list(UnknownParcel.objects.filter(case__isnull=True).order_by("-pk")[:100])


def units_to_grade(case: ReturnCase) -> list[tuple[Sku, int]]:
    units = returns.received_units(case)
    skus = Sku.objects.in_bulk(list(units))
    return [(skus[sku], count) for sku, count in units.items()]


def refund_of(case: ReturnCase) -> Refund | None:
    return Refund.objects.filter(key=case.refund_key).first()
