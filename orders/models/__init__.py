from orders.models.adjustment import OrderAdjustment, OrderChoice
from orders.models.attachment import OrderAttachment, OrderTalk
from orders.models.bank import BankFile, BankLine, BankMatch, BankPreset, PayerAlias
from orders.models.billing import AccountEntry, BillingAccount, MonthlyBill, MonthlyBillItem
from orders.models.bulk import BulkMemory, BulkRun
from orders.models.cancellation import Cancellation, CancellationLine
from orders.models.desk_view import DeskView
from orders.models.event import OrderEvent, OrderEventValue
from orders.models.export import ExportEvent, ExportFormat, ExportGrain, ExportLayout, ExportRun
from orders.models.figure import DayFigure, FigureState, OrderFigure
from orders.models.gift import NoshiChoice
from orders.models.mail import Mail, MailPolicy, MailStop, MailTemplate, MailTemplateVersion
from orders.models.manual_order import ManualOrder
from orders.models.moving_in import MoveIn, MoveInEvent, MoveInPreset, MoveInRow
from orders.models.option_choice import OptionChoice
from orders.models.order import LineComponent, Order, OrderLine
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
from orders.models.payment import PaymentEntry, PaymentFee, PaymentGate, Reminder
from orders.models.personal_view import PersonalView, ViewRetention
from orders.models.privacy import LegalHold, PrivacyEvent, PurgedOrder, Retention
from orders.models.quote import Quote
from orders.models.reason import ReviewReason
from orders.models.recipient import Recipient
from orders.models.refund import Refund, RefundLine, RefundPart
from orders.models.refund_request import RefundLimit, RefundLimitEvent, RefundRequest
from orders.models.release_move import ReleaseMove, ReleaseMoveLine
from orders.models.return_case import (
    ExchangeItem,
    ReturnCase,
    ReturnEvent,
    ReturnGrade,
    ReturnLine,
    UnknownParcel,
)
from orders.models.review import ReasonSetting, ReviewClaim, ReviewDecision, ReviewSettingChange
from orders.models.rule import (
    Rule,
    RuleList,
    RuleListVersion,
    RuleMark,
    RuleOccasion,
    RuleStockSide,
    RuleTally,
    RuleTrace,
    RuleVersion,
    RuleWake,
)
from orders.models.set_apart import SetApart
from orders.models.ship_plan import ShippingPlan
from orders.models.shop import Shop
from orders.models.stage import StageCount, StageDelta
from orders.models.stage_name import StageName
from orders.models.tag import OrderTag, OrderTask, OrderText, TaskKind

__all__ = [
    "AccountEntry",
    "BankFile",
    "BankLine",
    "BankMatch",
    "BankPreset",
    "BillingAccount",
    "BulkMemory",
    "BulkRun",
    "Cancellation",
    "CancellationLine",
    "DayFigure",
    "DeskView",
    "DocumentEvent",
    "DocumentKind",
    "DocumentLink",
    "DocumentSeries",
    "ExchangeItem",
    "ExportEvent",
    "ExportFormat",
    "ExportGrain",
    "ExportLayout",
    "ExportRun",
    "FigureState",
    "IssuedDocument",
    "LegalHold",
    "LineComponent",
    "Logo",
    "Mail",
    "MailPolicy",
    "MailStop",
    "MailTemplate",
    "MailTemplateVersion",
    "ManualOrder",
    "MonthlyBill",
    "MonthlyBillItem",
    "MoveIn",
    "MoveInEvent",
    "MoveInPreset",
    "MoveInRow",
    "NoshiChoice",
    "OptionChoice",
    "Order",
    "OrderAdjustment",
    "OrderAttachment",
    "OrderChoice",
    "OrderEvent",
    "OrderEventValue",
    "OrderFigure",
    "OrderLine",
    "OrderTag",
    "OrderTalk",
    "OrderTask",
    "OrderText",
    "PaperSettings",
    "PayerAlias",
    "PaymentEntry",
    "PaymentFee",
    "PaymentGate",
    "PersonalView",
    "PrivacyEvent",
    "PurgedOrder",
    "Quote",
    "ReasonSetting",
    "Recipient",
    "Refund",
    "RefundLimit",
    "RefundLimitEvent",
    "RefundLine",
    "RefundPart",
    "RefundRequest",
    "ReleaseMove",
    "ReleaseMoveLine",
    "Reminder",
    "Retention",
    "ReturnCase",
    "ReturnEvent",
    "ReturnGrade",
    "ReturnLine",
    "ReviewClaim",
    "ReviewDecision",
    "ReviewReason",
    "ReviewSettingChange",
    "Rule",
    "RuleList",
    "RuleListVersion",
    "RuleMark",
    "RuleOccasion",
    "RuleStockSide",
    "RuleTally",
    "RuleTrace",
    "RuleVersion",
    "RuleWake",
    "SetApart",
    "ShippingPlan",
    "Shop",
    "StageCount",
    "StageDelta",
    "StageName",
    "StoredPdf",
    "TaskKind",
    "UnknownParcel",
    "ViewRetention",
]
