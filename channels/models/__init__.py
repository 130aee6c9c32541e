from channels.models.connection import Connection, CredentialEvent
from channels.models.listing import Listing, PushLog
from channels.models.raw import QuarantinedOrder, RawOrder

__all__ = ["Connection", "CredentialEvent", "Listing", "PushLog", "QuarantinedOrder", "RawOrder"]
