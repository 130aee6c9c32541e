from orders.models.bulk import BulkRun
from orders.models.event import OrderEvent, OrderEventValue
from orders.models.figure import DayFigure, FigureState, OrderFigure
from orders.models.mail import Mail, MailTemplate
from orders.models.order import Order, OrderLine, Recipient
from orders.models.reason import ReviewReason
from orders.models.shop import Shop
from orders.models.stage import StageCount, StageDelta

__all__ = [
    "BulkRun",
    "DayFigure",
    "FigureState",
    "Mail",
    "MailTemplate",
    "Order",
    "OrderEvent",
    "OrderEventValue",
    "OrderFigure",
    "OrderLine",
    "Recipient",
    "ReviewReason",
    "Shop",
    "StageCount",
    "StageDelta",
]
