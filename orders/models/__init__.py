from orders.models.bulk import BulkRun
from orders.models.event import OrderEvent, OrderEventValue
from orders.models.mail import Mail, MailTemplate
from orders.models.order import Order, OrderLine, Recipient
from orders.models.papers import (
    DocumentEvent,
    DocumentKind,
    DocumentLink,
    DocumentSeries,
    IssuedDocument,
    Logo,
    PaperSettings,
    StoredPdf,
)
from orders.models.reason import ReviewReason
from orders.models.shop import Shop
from orders.models.stage import StageCount, StageDelta

__all__ = [
    "BulkRun",
    "DocumentEvent",
    "DocumentKind",
    "DocumentLink",
    "DocumentSeries",
    "IssuedDocument",
    "Logo",
    "Mail",
    "MailTemplate",
    "Order",
    "OrderEvent",
    "OrderEventValue",
    "OrderLine",
    "PaperSettings",
    "Recipient",
    "ReviewReason",
    "Shop",
    "StageCount",
    "StageDelta",
    "StoredPdf",
]
