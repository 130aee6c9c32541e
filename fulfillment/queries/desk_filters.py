"""What fulfilment adds to the filters of 受注一覧: who travels together, and what goes in several parcels."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as lazy

from fulfillment.models import MergedOrder, Shipment

GONE = (Shipment.State.CANCELLED, Shipment.State.STOPPED)


def _parcels(order: OuterRef) -> Any:
    return Shipment.objects.filter(recipient__order=order).exclude(state__in=GONE)


# `reference` counts an order's shipments: only those with a second one are looked at, by an index of their own.
_SECOND = _parcels(OuterRef("pk")).filter(reference__gt=1)
_BESIDE = Shipment.objects.filter(recipient__order=OuterRef("recipient__order"), pk__lt=OuterRef("pk")).exclude(
    state__in=GONE
)

FACTS: tuple[tuple[str, Any, Any], ...] = (
    (
        "merged",
        lazy("同梱する受注"),
        Exists(MergedOrder.objects.filter(order=OuterRef("pk"), active=True)),
    ),
    ("split", lazy("分けて出荷"), Exists(_SECOND.filter(Exists(_BESIDE)))),
)
