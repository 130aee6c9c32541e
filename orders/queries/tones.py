"""The colours in which screens show an order's facts."""

from orders.models.mail import Mail
from orders.models.order import ChannelSync, Stage
from orders.models.reason import Level

STAGE_TONES: dict[str, str] = {
    Stage.NEW: "info",
    Stage.REVIEW: "attention",
    Stage.AWAITING_PAYMENT: "waiting",
    Stage.AWAITING_STOCK: "waiting",
    Stage.AWAITING_RELEASE: "waiting",
    Stage.SCHEDULED: "waiting",
    Stage.READY: "ready",
    Stage.IN_FULFILLMENT: "info",
    Stage.PARTIALLY_SHIPPED: "info",
    Stage.SHIPPED: "done",
    Stage.COMPLETED: "neutral",
    Stage.ON_HOLD: "attention",
    Stage.CANCELLED: "neutral",
}
LEVEL_TONES: dict[str, str] = {Level.BLOCK: "danger", Level.WARN: "attention", Level.INFO: "info"}
SYNC_TONES: dict[str, str] = {
    ChannelSync.NONE: "neutral",
    ChannelSync.PENDING: "waiting",
    ChannelSync.IN_SYNC: "done",
    ChannelSync.FAILED: "danger",
    ChannelSync.MANUAL_DONE: "done",
}
MAIL_TONES: dict[str, str] = {
    Mail.State.SCHEDULED: "waiting",
    Mail.State.DRAFT: "attention",
    Mail.State.SENDING: "waiting",
    Mail.State.UNCERTAIN: "danger",
    Mail.State.BOUNCED: "danger",
    Mail.State.SENT: "done",
    Mail.State.FAILED: "danger",
    Mail.State.SUPPRESSED: "neutral",
    Mail.State.DRAFT: "attention",
}
