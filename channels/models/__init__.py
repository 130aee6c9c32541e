from channels.models.call import ApiCall, ServiceLimit
from channels.models.connection import Connection, CredentialEvent
from channels.models.credential import Credential, CredentialUse, KeyRotation, Protection, Renewal
from channels.models.listing import Listing, PushLog
from channels.models.raw import QuarantinedOrder, RawOrder

__all__ = [
    "ApiCall",
    "Connection",
    "Credential",
    "CredentialEvent",
    "CredentialUse",
    "KeyRotation",
    "Listing",
    "Protection",
    "PushLog",
    "QuarantinedOrder",
    "RawOrder",
    "Renewal",
    "ServiceLimit",
]
