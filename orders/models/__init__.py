from orders.models.bank import BankFile, BankLine, BankMatch, BankPreset, PayerAlias
from orders.models.bulk import BulkRun
from orders.models.cancellation import Cancellation, CancellationLine
from orders.models.event import OrderEvent, OrderEventValue
from orders.models.mail import Mail, MailTemplate
from orders.models.order import Order, OrderLine, Recipient
from orders.models.payment import PaymentEntry, PaymentGate, Reminder
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
from orders.models.tag import OrderTag, OrderTask, OrderText, TaskKind

__all__ = [
    "BankFile",
    "BankLine",
    "BankMatch",
    "BankPreset",
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
    "PayerAlias",
    "PaymentEntry",
    "PaymentGate",
    "Recipient",
    "Refund",
    "RefundLine",
    "Reminder",
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
    "TaskKind",
    "UnknownParcel",
]
