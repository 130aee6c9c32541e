"""What may be done to one order, and which of it is the next step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from oms.kernel.links import url_if_served
from oms.kernel.models import User
from orders.decide.privacy import GONE
from orders.models import Order
from orders.models.order import PAYABLE, ChannelSync, Stage
from orders.services import adjust
from orders.services.edit import why_rest_closed
from orders.services.internal import is_internal

PERSONAL = "orders.view_personal_data"
POST, DIALOG, PAGE = "post", "dialog", "page"

# The stage whose next step a verb is; everywhere else it waits in the menu.
NEXT = {
    "confirm": {Stage.NEW},
    "accept": {Stage.REVIEW},
    "pay": {Stage.AWAITING_PAYMENT},
    "instruct": {Stage.READY},
    "lift": {Stage.ON_HOLD},
    "return": {Stage.SHIPPED, Stage.COMPLETED},
}
# What the buyer's wish to cancel asks for, whatever the stage.
ANSWERS = {"cancel", "decline_cancel"}


@dataclass(frozen=True, slots=True)
class Verb:
    """A button of the order's head. `way`: it posts at once, opens a dialog, or leads to a page."""

    name: str
    text: str
    url: str
    way: str
    icon: str = ""
    key: str = ""
    is_next: bool = False

    @property
    def variant(self) -> str:
        if self.name == "cancel":
            return "danger"
        return "" if self.name in {"return", "decline_cancel"} else "primary"


def verbs_of(order: Order, user: User, may: Mapping[str, bool], *, clearable: bool) -> list[Verb]:
    """Every verb this person may use now. `clearable`: a reason is open that may be waved through."""
    may = {**may, "accept": may["accept"] and clearable, "later": may["hold"], "outbox": bool(_outbox_url(order, user))}
    return [verb for verb in _verbs(order, user) if may[verb.name] and verb.url]


def _verbs(order: Order, user: User) -> Sequence[Verb]:
    def own(name: str, text: str, way: str, *, icon: str = "", key: str = "", route: str = "", query: str = "") -> Verb:
        url = url_if_served(f"orders:{route or name}", order.pk) + query
        return Verb(name, text, url, way, icon, key, is_next(order, name))

    instruct, reimport = (url_if_served(name, order.pk) for name in ("fulfillment:instruct", "channels:reimport"))
    return [
        Verb("outbox", _("送信箱で送り直す"), _outbox_url(order, user), PAGE, "refresh", is_next=True),
        own("accept", _("すべて確認済みにする"), POST, icon="check", key="Shift+c"),
        own("confirm", _("モールへ注文を確定"), POST),
        own("pay", _("入金を登録"), DIALOG, icon="yen"),
        Verb("instruct", _("出荷指示を出す"), instruct, POST, "ship", "r", is_next(order, "instruct")),
        own("lift", _("保留を解除"), POST, key="h"),
        own("return", _("返品・交換を受け付ける"), PAGE, icon="return", route="return-open"),
        own("decline_cancel", _("キャンセル申請を断る"), DIALOG, route="decline-cancel"),
        own("hold", pgettext("verb", "保留"), DIALOG, icon="hold", key="h"),
        own("later", _("日付まで保留"), DIALOG, icon="clock", key="z", route="hold", query="?later"),
        Verb("reimport", _("モールから再取得"), reimport, POST, "refresh"),
        own("copy", _("受注を複写"), PAGE, icon="copy", key="Shift+d"),
        own("cancel", pgettext("verb", "キャンセル"), DIALOG, icon="close"),
    ]


def is_next(order: Order, name: str) -> bool:
    """A buyer who wants to cancel is answered before anything is waved through."""
    asked = order.cancel_requested and order.cancelled_at is None
    if name in ANSWERS or (asked and name == "accept"):
        return asked and name in ANSWERS
    return order.stage in NEXT.get(name, ())


def _outbox_url(order: Order, user: User) -> str:
    """Where a failed word to the channel is tried again."""
    if order.channel_sync != ChannelSync.FAILED or not user.has_perm("kernel.view_effect"):
        return ""
    url = url_if_served("pages:outbox")
    return f"{url}?order={order.pk}" if url else ""


def may_do(order: Order, user: User) -> dict[str, bool]:
    """What this person may do to the order as it stands: the right to, and an order that allows it."""
    open_, has = order.is_open, user.has_perm
    return {
        "accept": has("orders.review_order"),
        "hold": has("orders.hold_order") and open_ and not order.held_at,
        "lift": has("orders.hold_order") and bool(order.held_at),
        "confirm": has("orders.confirm_order") and _waits_for_confirm(order),
        "pay": has("orders.record_payment") and open_ and order.payment_state in PAYABLE,
        "pay_otherwise": has("orders.change_order") and open_ and not order.fulfilled_by_channel,
        "cancel": has("orders.cancel_order")
        and not order.cancelled_at
        and not order.fulfilled_by_channel
        and order.fulfillment_state in {"none", "instructed", "partially_shipped"}
        and order.stop_asked_at is None
        and order.phase != "shipped",
        "decline_cancel": has("orders.cancel_order") and order.cancel_requested and not order.cancelled_at and open_,
        "return": has("orders.change_returncase") and order.fulfillment_state in {"shipped", "partially_shipped"},
        "instruct": has("orders.release_order") and order.stage == "ready",
        "note": has("orders.change_order"),
        "promise": has("customers.add_membernote") and order.member is not None and order.member.name != GONE,
        "channel_memo": has("orders.change_order") and has(PERSONAL) and order.shop.can("memo"),
        "reimport": has("orders.change_order") and not is_internal(order),
        "lines": has("orders.change_order")
        and has("orders.cancel_order")
        and not order.stop_asked_at
        and not why_rest_closed(order),
        "adjust": has("orders.change_order") and not adjust.why_not(order),
        "copy": has("orders.add_order") and has(PERSONAL),
        "member": has("customers.view_member"),
        "sku": has("inventory.view_sku"),
    }


def _waits_for_confirm(order: Order) -> bool:
    return (
        order.shop.can("confirm")
        and order.phase == "to_confirm"
        and order.confirmed_at is None
        and order.stage == "new"
        and not order.blocking_reasons
    )
