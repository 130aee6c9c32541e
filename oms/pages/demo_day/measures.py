"""What a day was worth: our books against the sandbox's truth."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count

from channels.models import PushLog
from oms.kernel.models import Effect
from oms.pages.audit import violations
from orders.decide.numbers import NO_TOUCH
from orders.models import Mail, Order, OrderEvent, ReviewReason

Truth = dict[str, dict[str, dict[str, Any]]]


def measure(truth: dict[str, Any]) -> dict[str, Any]:
    """The keys that `demo_day` prints, but for the durations of the run itself."""
    orders: Truth = truth["orders"]
    stored = {(o.shop.channel, o.channel_order_no): o for o in Order.objects.select_related("shop")}
    touched = touched_orders()
    visible = [(channel, no, facts) for channel, own in orders.items() for no, facts in own.items()]
    imported = len(stored)
    touches = actions()
    return {
        "orders": {channel: len(own) for channel, own in orders.items()},
        "touchless_rate": round(1 - len(touched) / imported, 4) if imported else 0.0,
        "missed": sum(is_missed(facts, stored.get((channel, no)), touched) for channel, no, facts in visible),
        "touches": touches,
        "touches_per_order": round(touches / imported, 4) if imported else 0.0,
        "oversold": oversold(),
        "oversell_cases": len(truth["oversell_cases"]),
        "lost": sum((channel, no) not in stored for channel, no, _facts in visible),
        "doubled": doubled(orders),
        "publish_delay_s": spread(publish_delays()),
        "import_delay_s": spread(import_delays(orders, stored)),
        "stages": dict(Counter(order.stage for order in stored.values())),
        "audit": violations(lambda room: None),
        "judged": judged(visible, stored, touched),
        "touched_for": touched_for(visible, stored, touched),
        "unfinished_effects": Effect.objects.exclude(state__in=["done", "manual_done", "cancelled"]).count(),
    }


def touched_orders() -> set[int]:
    """Orders on which a person did anything at the desk."""
    events = OrderEvent.objects.filter(by__isnull=False).exclude(kind__in=NO_TOUCH)
    return set(events.values_list("order", flat=True))


def actions() -> int:
    """Human actions at the desk; a bulk action on many orders is one."""
    events = OrderEvent.objects.filter(by__isnull=False).exclude(kind__in=NO_TOUCH)
    return events.exclude(action="").values("action").distinct().count() + events.filter(action="").count()


def is_missed(facts: dict[str, Any], order: Order | None, touched: set[int]) -> bool:
    """It needed judgement, and left without any."""
    if not facts["needs_judgement"] or order is None or order.shipped_at is None or order.pk in touched:
        return False
    needed_since = facts["needed_since"]
    return needed_since is None or datetime.fromisoformat(needed_since) <= order.shipped_at


def judged(
    visible: Iterable[tuple[str, str, dict[str, Any]]], stored: dict[Any, Order], touched: set[int]
) -> dict[str, str]:
    """Per class of judgement: how many of how many a person saw."""
    needed: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for channel, no, facts in visible:
        if kind := facts["needs_judgement"]:
            needed[kind] += 1
            order = stored.get((channel, no))
            seen[kind] += order is not None and order.pk in touched
    return {kind: f"{seen[kind]}/{count}" for kind, count in sorted(needed.items())}


def touched_for(
    visible: Iterable[tuple[str, str, dict[str, Any]]], stored: dict[Any, Order], touched: set[int]
) -> dict[str, int]:
    """Which reasons made a person look at orders that needed no judgement."""
    idle = [
        stored[channel, no].pk
        for channel, no, facts in visible
        if not facts["needs_judgement"] and (channel, no) in stored and stored[channel, no].pk in touched
    ]
    rows = ReviewReason.objects.filter(order__in=idle, state=ReviewReason.State.ACCEPTED)
    return dict(rows.values_list("code").annotate(n=Count("pk")))


def oversold() -> int:
    """Units promised beyond stock and agreed room, over all pools and places."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(greatest(reserved - on_hand - overcommit, 0)), 0) FROM inventory_balance")
        return int(cursor.fetchone()[0])


def doubled(orders: Truth) -> int:
    """Orders stored twice, mails sent twice, parcels told twice."""
    twice = Order.objects.values("shop", "channel_order_no").annotate(n=Count("pk")).filter(n__gt=1).count()
    mails = Mail.objects.filter(state="sent", event="order_received").values("order").annotate(n=Count("pk"))
    parcels = sum(_told_twice(facts["parcels"]) for own in orders.values() for facts in own.values())
    return twice + mails.filter(n__gt=1).count() + parcels


def _told_twice(parcels: Sequence[dict[str, Any]]) -> int:
    """Lines told again under the same number. (A mall that books by line keeps one parcel row per line.)"""
    told = [(parcel["tracking"], line) for parcel in parcels for line in parcel["lines"]]
    return len(told) - len(set(told))


def publish_delays() -> list[float]:
    """Commit of the stock change → request on the wire."""
    rows = PushLog.objects.filter(error="").values_list("changed_at", "sent_at")
    return [max(0.0, (sent - changed).total_seconds()) for changed, sent in rows]


def import_delays(orders: Truth, stored: dict[Any, Order]) -> list[float]:
    """The mall shows the order → it stands on our desk."""
    delays = []
    for (channel, no), order in stored.items():
        if facts := orders.get(channel, {}).get(no):
            shown = datetime.fromisoformat(facts["visible_at"])
            delays.append(max(0.0, (order.imported_at - shown).total_seconds()))
    return delays


def spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {"median": 0.0, "p95": 0.0, "max": 0.0}
    ordered = sorted(values)
    return {
        "median": round(ordered[len(ordered) // 2], 2),
        "p95": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 2),
        "max": round(ordered[-1], 2),
    }
