from channels.models.connection import Connection, CredentialEvent
from channels.models.listing import Listing, PushLog
from channels.models.oversell import OversellCase, OversellEvent
from channels.models.publishing import (
    MaintenanceWindow,
    PlaceRule,
    PublishingEvent,
    PublishRule,
    SalesPace,
    SkuRule,
    StockComparison,
)
from channels.models.raw import QuarantinedOrder, RawOrder

__all__ = [
    "Connection",
    "CredentialEvent",
    "Listing",
    "MaintenanceWindow",
    "OversellCase",
    "OversellEvent",
    "PlaceRule",
    "PublishRule",
    "PublishingEvent",
    "PushLog",
    "QuarantinedOrder",
    "RawOrder",
    "SalesPace",
    "SkuRule",
    "StockComparison",
]
