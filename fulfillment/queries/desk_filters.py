"""What fulfilment adds to the filters of 受注一覧: who travels together, in how many parcels, and who lacks goods."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django.utils.translation import gettext_lazy as lazy

from fulfillment.models import MergedOrder, Shipment, ShipmentLine, SplitCharge
from fulfillment.models.shipment import ENDED
from fulfillment.queries.shortage import orders_short_of, orders_that_get
from orders.filter_fields import Among
from orders.filter_ranges import Condition


def _parcels(order: OuterRef) -> Any:
    return Shipment.objects.filter(recipient__order=order).exclude(state__in=ENDED)


# `reference` counts an order's shipments: only those with a second one are looked at, by an index of their own.
_SECOND = _parcels(OuterRef("pk")).filter(reference__gt=1)
_BESIDE = Shipment.objects.filter(recipient__order=OuterRef("recipient__order"), pk__lt=OuterRef("pk")).exclude(
    state__in=ENDED
)

FACTS: tuple[tuple[str, Any, Any], ...] = (
    (
        "merged",
        lazy("同梱する受注"),
        Exists(MergedOrder.objects.filter(order=OuterRef("pk"), active=True)),
    ),
    ("split", lazy("分けて出荷"), Exists(_SECOND.filter(Exists(_BESIDE)))),
    (
        "split_asked",
        lazy("分割の返事待ち"),
        Exists(SplitCharge.objects.filter(order=OuterRef("pk"), state=SplitCharge.State.ASKED)),
    ),
)


def parcels_at_least(count: Any) -> Q:
    """個口, of everything that carries goods of the order, another's parcel too. Most have one: for more than that
    only those are counted that have a second shipment or a shipment of several parcels, which an index knows."""
    enough = Q(GreaterThanOrEqual(_parcel_count(), int(count)))
    return enough if int(count) < 2 else Q(pk__in=_SEVERAL) & enough


def parcels_at_most(count: Any) -> Q:
    enough = Q(LessThanOrEqual(_parcel_count(), int(count)))
    return enough if int(count) < 1 else ~Q(pk__in=_SEVERAL) | enough


def arrives_since(day: date) -> Q:
    return _among(order for order, coming in orders_that_get().items() if coming >= day)


def arrives_until(day: date) -> Q:
    return _among(order for order, coming in orders_that_get().items() if coming <= day)


def lacks_sku(words: Sequence[str]) -> Q:
    return _among(orders_short_of(words))


CONDITIONS: Mapping[str, Condition] = {
    "parcels_min": parcels_at_least,
    "parcels_max": parcels_at_most,
    "arrival_from": arrives_since,
    "arrival_to": arrives_until,
    "short_sku": lacks_sku,
}

_SEVERAL = (
    ShipmentLine.objects.filter(Q(shipment__reference__gt=1) | Q(shipment__package_count__gt=1))
    .exclude(shipment__state__in=ENDED)
    .values("order_line__order")
)


def _parcel_count() -> Coalesce:
    carried = ShipmentLine.objects.filter(order_line__order=OuterRef(OuterRef("pk"))).values("shipment")
    parcels = Shipment.objects.filter(pk__in=carried).exclude(state__in=ENDED)
    return Coalesce(Subquery(parcels.order_by().values(one=Value(1)).annotate(n=Sum("package_count")).values("n")), 0)


def _among(ids: Iterable[int]) -> Q:
    return Q(Among(F("pk"), Value(list(ids), ArrayField(BigIntegerField()))))
