from channels.models.call import ApiCall, ServiceLimit
from channels.models.connection import Connection, CredentialEvent
from channels.models.credential import Credential, CredentialUse, KeyRotation, Protection, Renewal
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
    "ApiCall",
    "Connection",
    "Credential",
    "CredentialEvent",
    "CredentialUse",
    "KeyRotation",
    "Listing",
    "MaintenanceWindow",
    "OversellCase",
    "OversellEvent",
    "PlaceRule",
    "Protection",
    "PublishRule",
    "PublishingEvent",
    "PushLog",
    "QuarantinedOrder",
    "RawOrder",
    "Renewal",
    "SalesPace",
    "ServiceLimit",
    "SkuRule",
    "StockComparison",
]
