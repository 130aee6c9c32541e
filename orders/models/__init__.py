from orders.models.bulk import BulkRun
from orders.models.event import OrderEvent, OrderEventValue
from orders.models.mail import Mail, MailPolicy, MailStop, MailTemplate, MailTemplateVersion
from orders.models.order import Order, OrderLine, Recipient
from orders.models.reason import ReviewReason
from orders.models.rule import Rule, RuleList, RuleMark, RuleOccasion, RuleTally, RuleTrace, RuleVersion, RuleWake
from orders.models.shop import Shop
from orders.models.stage import StageCount, StageDelta
from orders.models.tag import OrderTag, OrderTask, OrderText

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
    "OrderTag",
    "OrderTask",
    "OrderText",
    "Recipient",
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
]
