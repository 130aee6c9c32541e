from channels.models.comparison import CatchUp, CatchUpRead, DayCheck, MissedOrder
from channels.models.connection import Connection, CredentialEvent
from channels.models.listing import Listing, PushLog
from channels.models.matching import CsvBatch, ListingEvent, MatchRule, Proposal
from channels.models.raw import QuarantinedOrder, RawOrder
from channels.models.reimport import Reimport

__all__ = [
    "CatchUp",
    "CatchUpRead",
    "Connection",
    "CredentialEvent",
    "CsvBatch",
    "DayCheck",
    "Listing",
    "ListingEvent",
    "MatchRule",
    "MissedOrder",
    "Proposal",
    "PushLog",
    "QuarantinedOrder",
    "RawOrder",
    "Reimport",
]
