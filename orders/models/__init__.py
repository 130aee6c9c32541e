from orders.models.bulk import BulkRun
from orders.models.event import OrderEvent, OrderEventValue
from orders.models.mail import Mail, MailPolicy, MailStop, MailTemplate, MailTemplateVersion
from orders.models.order import Order, OrderLine, Recipient
from orders.models.reason import ReviewReason
from orders.models.shop import Shop
from orders.models.stage import StageCount, StageDelta

__all__ = [
    "BulkRun",
    "Mail",
    "MailPolicy",
    "MailStop",
    "MailTemplate",
    "MailTemplateVersion",
    "Order",
    "OrderEvent",
    "OrderEventValue",
    "OrderLine",
    "Recipient",
    "ReviewReason",
    "Shop",
    "StageCount",
    "StageDelta",
]
