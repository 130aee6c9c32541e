from orders.models.bulk import BulkRun
from orders.models.cancellation import Cancellation, CancellationLine
from orders.models.event import OrderEvent, OrderEventValue
from orders.models.mail import Mail, MailTemplate
from orders.models.order import Order, OrderLine, Recipient
from orders.models.reason import ReviewReason
from orders.models.refund import Refund, RefundLine
from orders.models.return_case import (
    ExchangeItem,
    ReturnCase,
    ReturnEvent,
    ReturnGrade,
    ReturnLine,
    UnknownParcel,
)
from orders.models.rule import Rule, RuleList, RuleMark, RuleOccasion, RuleTally, RuleTrace, RuleVersion, RuleWake
from orders.models.shop import Shop
from orders.models.stage import StageCount, StageDelta
from orders.models.tag import OrderTag, OrderTask, OrderText
from orders.models.task import Task, TaskKind

__all__ = [
    "BulkRun",
    "Cancellation",
    "CancellationLine",
    "ExchangeItem",
    "Mail",
    "MailTemplate",
    "Order",
    "OrderEvent",
    "OrderEventValue",
    "OrderLine",
    "OrderTag",
    "OrderTask",
    "OrderText",
    "Recipient",
    "Refund",
    "RefundLine",
    "ReturnCase",
    "ReturnEvent",
    "ReturnGrade",
    "ReturnLine",
    "ReviewReason",
    "Rule",
    "RuleList",
    "RuleMark",
    "RuleOccasion",
    "RuleTally",
    "RuleTrace",
    "RuleVersion",
    "RuleWake",
    "Shop",
    "StageCount",
    "StageDelta",
    "Task",
    "TaskKind",
    "UnknownParcel",
]
