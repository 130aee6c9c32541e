"""Rules that wait for stock to fall below or rise above a number: each crossing wakes the orders of that SKU once.

The door leaves marks for watched SKUs; whoever takes them compares what is there now with the side on which the rule
last saw it. Marks may double, come late or many at once: only a change of side wakes anybody.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from inventory.models import Location, Sku
from inventory.services import stock, watches
from oms.kernel import clock
from oms.kernel.later import later
from orders.decide.rules.engine import Compiled
from orders.models import OrderLine, RuleStockSide
from orders.services.rules import active

EVENT = "stock_level"


@transaction.atomic
def watch() -> None:
    """Watch what the rules in force ask for. A rule that begins to watch only notes where the stock is: what happened
    before is no crossing."""
    rules = _rules()
    sides = {side.rule_id: side for side in RuleStockSide.objects.all()}
    RuleStockSide.objects.exclude(rule__in=[rule.id for rule in rules]).delete()
    watches.watch({part for parts in _parts(rules).values() for part in parts})
    fresh = [rule for rule in rules if rule.id not in sides or sides[rule.id].watch != _watched(rule)]
    now = clock.now()
    for rule_id, beyond in _beyond(fresh).items():
        watched = next(_watched(rule) for rule in fresh if rule.id == rule_id)
        RuleStockSide.objects.update_or_create(
            rule_id=rule_id, defaults={"watch": watched, "beyond": beyond, "at": now}
        )


def _rules() -> list[Compiled]:
    return [rule for rule in active.active().rules if rule.document["when"]["event"] == EVENT]


def _watched(rule: Compiled) -> str:
    when = rule.document["when"]
    return ":".join(str(when[name]) for name in ("sku", "location", "side", "level"))


def _skus(rules: Iterable[Compiled]) -> dict[str, int]:
    codes = {rule.document["when"]["sku"] for rule in rules}
    return dict(Sku.objects.filter(code__in=codes).values_list("code", "pk")) if codes else {}


def _parts(rules: Collection[Compiled]) -> dict[int, set[int]]:
    """Rule → the stocked SKUs on which its own hangs; a set hangs on its components."""
    skus = _skus(rules)
    parts = stock.components(skus.values())
    found = {rule.id: skus.get(rule.document["when"]["sku"]) for rule in rules}
    return {rule_id: set(parts[sku]) for rule_id, sku in found.items() if sku is not None}


def _beyond(rules: Collection[Compiled]) -> dict[int, bool]:
    """Rule → whether its stock is below (or above) its level now. Rules whose SKU or place is gone are left out."""
    skus, found = _skus(rules), {}
    pool = stock.available(skus.values()) if skus else {}
    places = dict(Location.objects.values_list("code", "pk")) if rules else {}
    for rule in rules:
        when = rule.document["when"]
        sku = skus.get(when["sku"])
        if sku is None or (when["location"] and when["location"] not in places):
            continue
        units = stock.available_at([sku], places[when["location"]])[sku] if when["location"] else pool[sku]
        found[rule.id] = units < when["level"] if when["side"] == "below" else units > when["level"]
    return found


@transaction.atomic
def consume() -> int:
    """Take the marks and wake the orders of what crossed its level; returns how many were woken.

    Locks the marks and the rules' sides; killed at any line, the marks stay and the next run does it.
    """
    moved = watches.take()
    if not moved:
        return 0
    parts = _parts(_rules())
    rules = [rule for rule in _rules() if moved & parts.get(rule.id, set())]
    rows = RuleStockSide.objects.select_for_update(no_key=True).filter(rule__in=[rule.id for rule in rules])
    sides = {side.rule_id: side for side in rows.order_by("pk")}
    woken, beyond = 0, _beyond(rules)
    for rule in rules:
        side = sides.get(rule.id)
        if side is None or rule.id not in beyond or side.beyond == beyond[rule.id]:
            continue
        RuleStockSide.objects.filter(pk=rule.id).update(beyond=beyond[rule.id], at=clock.now())
        woken += _wake(rule) if beyond[rule.id] else 0
    return woken


WAKE = """
INSERT INTO orders_rulewake (order_id, event, depth, at)
SELECT DISTINCT o.id, %s, 0, %s::timestamptz FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
 WHERE l.sku_id = ANY(%s) AND l.quantity > l.shipped_quantity AND o.cancelled_at IS NULL AND o.shipped_at IS NULL
   AND NOT o.fulfilled_by_channel
"""


def _wake(rule: Compiled) -> int:
    """Orders that hold or wait for the SKU, alone or in a set."""
    with connection.cursor() as cursor:
        cursor.execute(WAKE, [rule.event, clock.now(), _sold_as(rule.document["when"])])
        woken = cursor.rowcount
    if woken:
        later("orders.tasks.run_rules")
    return woken


def _sold_as(when: Mapping[str, Any]) -> list[int]:
    ids = list(Sku.objects.filter(code=when["sku"]).values_list("pk", flat=True))
    return [*ids, *(bundle for bundles in stock.bundles_of(ids).values() for bundle in bundles)] if ids else []


def concerned(when: Mapping[str, Any], order_ids: Collection[int]) -> set[int] | None:
    """Of these orders, those that a crossing would wake; None for rules that do not wait for stock."""
    if when["event"] != EVENT:
        return None
    rows = OrderLine.objects.filter(order__in=order_ids, sku__in=_sold_as(when), quantity__gt=F("shipped_quantity"))
    return set(rows.values_list("order", flat=True))
