"""The plans by which places ship: read for a batch, changed with versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db import transaction

from oms.kernel.models import User
from oms.kernel.services import setting_versions
from oms.kernel.sql import update_rows
from orders.decide.ship_plan import PLAIN, Destination, ShipPlan, Transit
from orders.models import Order, Recipient, ShippingPlan
from orders.services import journal
from orders.services import stage as stages
from orders.services.journal import Actor, Entry

KIND = "ship_plan"
FIELDS = (
    "cutoffs", "lead_days", "closed_weekdays", "closed_on_holidays", "closed_days", "open_days", "transit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plans:
    """`by_place`: location → its own plan."""

    company: ShipPlan = PLAIN
    by_place: Mapping[int, ShipPlan] | None = None

    def of(self, location_id: int | None) -> ShipPlan:
        return (self.by_place or {}).get(location_id or 0, self.company)


def read() -> Plans:
    """One query."""
    rows = list(ShippingPlan.objects.all())
    company = next((plan_of(row) for row in rows if row.location_id is None), PLAIN)
    return Plans(company, {row.location_id: plan_of(row) for row in rows if row.location_id is not None})


def plan_of(row: ShippingPlan) -> ShipPlan:
    return ShipPlan(
        cutoffs={carrier: time.fromisoformat(text) for carrier, text in row.cutoffs.items()},
        lead_days=row.lead_days,
        closed_weekdays=frozenset(row.closed_weekdays),
        closed_on_holidays=row.closed_on_holidays,
        closed_days=frozenset(row.closed_days),
        open_days=frozenset(row.open_days),
        transit=[Transit(carrier, area, days) for carrier, area, days in row.transit],
    )


def planned_for(order: Order, *, wish: date | None, prefecture: str = "", postal_code: str = "") -> date | None:
    """The day this order has to leave to meet the wish, to its first recipient unless told another place. Two queries
    where there is a wish."""
    if wish is None:
        return None
    if not postal_code:
        rows = Recipient.objects.filter(order=order.pk, position=0)
        postal_code = rows.values_list("postal_code", flat=True).first() or ""
    to = Destination(prefecture or order.recipient_prefecture, postal_code, order.carrier)
    return read().of(order.preferred_location_id).planned_day(wish, to, at=order.ordered_at)


@transaction.atomic
def follow_places(place_of: Mapping[int, int], *, actor: Actor) -> list[int]:
    """Orders (→ the place that ships them) whose planned day is still the one of the company's plan take that of their
    place, where it has its own; one that was set by hand stays. Returns those that moved. The caller holds the orders'
    locks; stages follow."""
    plans = read()
    wanted = [pk for pk, place in place_of.items() if place in (plans.by_place or {})]
    if not wanted:
        return []
    codes = dict(Recipient.objects.filter(order__in=wanted, position=0).values_list("order", "postal_code"))
    rows = Order.objects.filter(pk__in=wanted, wish_date__isnull=False, preferred_location=None).order_by("pk")
    moved = {}
    for order in rows.only("wish_date", "planned_ship_date", "recipient_prefecture", "carrier", "ordered_at"):
        to = Destination(order.recipient_prefecture, codes.get(order.pk, ""), order.carrier)
        usual, own = (
            plan.planned_day(order.wish_date, to, at=order.ordered_at)
            for plan in (plans.company, plans.of(place_of[order.pk]))
        )
        if order.planned_ship_date == usual != own:
            moved[order.pk] = (usual, own)
    update_rows("orders_order", {"planned_ship_date": "date"}, [(pk, own) for pk, (_usual, own) in moved.items()])
    journal.write(
        [Entry(pk, "edited", changes={"planned_ship_date": (str(was), str(own))}) for pk, (was, own) in moved.items()],
        actor=actor,
    )
    stages.recompute(sorted(moved), actor=actor)
    return sorted(moved)


class Stale(Exception):
    """Somebody else stored another plan since it was shown."""


@transaction.atomic
def save(location_id: int | None, values: Mapping[str, Any], *, by: User | None, seen: int) -> bool:
    """Store the plan (`FIELDS`) of a place, or the company's (None); False when nothing changes. `seen` is the version
    that was shown, 0 for none. Days that are planned already stay; what is planned from now on follows."""
    with setting_versions.kept(KIND, ref_of(location_id), by=by):
        row = _locked(location_id)
        if document(row) == document(ShippingPlan(location_id=location_id, **values)):
            return False
        if seen != (row.version if row else 0):
            raise Stale
        if row is None:
            ShippingPlan.objects.create(location_id=location_id, **values)
        else:
            ShippingPlan.objects.filter(pk=row.pk).update(**values, version=row.version + 1)
        return True


@transaction.atomic
def remove(location_id: int | None, *, by: User | None) -> bool:
    """The place follows the company's plan again; the company (None) works every day again."""
    with setting_versions.kept(KIND, ref_of(location_id), by=by):
        row = _locked(location_id)
        if row is None:
            return False
        row.delete()
        return True


def _locked(location_id: int | None) -> ShippingPlan | None:
    rows = ShippingPlan.objects.select_for_update(no_key=True).filter(location=location_id)
    return rows.order_by("pk").first()


def ref_of(location_id: int | None) -> str:
    """What its versions call the plan of a place, or of the company."""
    return "-" if location_id is None else str(location_id)


def document(row: ShippingPlan | None) -> dict[str, Any]:
    """A plan as plain values; nothing for none."""
    if row is None:
        return {}
    return {name: _plain(getattr(row, name)) for name in FIELDS}


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
