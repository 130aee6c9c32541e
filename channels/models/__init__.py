from channels.models.call import ApiCall, ServiceLimit
from channels.models.comparison import CatchUp, CatchUpRead, DayCheck, MissedOrder
from channels.models.connection import Connection, CredentialEvent
from channels.models.credential import Credential, CredentialUse, KeyRotation, Protection, Renewal
from channels.models.listing import Listing, PushLog
from channels.models.matching import CsvBatch, ListingEvent, MatchRule, Proposal
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
from channels.models.reimport import Reimport

__all__ = [
    "ApiCall",
    "CatchUp",
    "CatchUpRead",
    "Connection",
    "Credential",
    "CredentialEvent",
    "CredentialUse",
    "CsvBatch",
    "DayCheck",
    "KeyRotation",
    "Listing",
    "ListingEvent",
    "MaintenanceWindow",
    "MatchRule",
    "MissedOrder",
    "OversellCase",
    "OversellEvent",
    "PlaceRule",
    "Proposal",
    "Protection",
    "PublishRule",
    "PublishingEvent",
    "PushLog",
    "QuarantinedOrder",
    "RawOrder",
    "Reimport",
    "Renewal",
    "SalesPace",
    "ServiceLimit",
    "SkuRule",
    "StockComparison",
]
