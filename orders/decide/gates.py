"""Why an order stands where it stands: its gates in order, each with what is known of it. Pure.

Which gate holds the order is what `orders.decide.stage` says; here it is only shown.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from oms.kernel.clock import in_tokyo
from orders.decide.payments import is_paid_enough
from orders.models import Order
from orders.models.order import PAYABLE, AllocationState, FulfillmentState, Phase, Stage

DONE, HERE, LATER = "done", "here", "later"


@dataclass(frozen=True, slots=True)
class Gate:
    """`mark`: done ✓, here ✗ (this one holds the order), later ― (not its turn)."""

    code: str
    label: str
    mark: str
    text: str


def gates(order: Order, *, today: date, confirms: bool, ships_when: str) -> list[Gate]:
    """The gates of an order. `confirms`: its channel has an acknowledge step. `ships_when`: of its payment terms."""
    here = holding_gate(order)
    rows = _channel_rows(order) if order.fulfilled_by_channel else _rows(order, today, confirms, ships_when)
    return [
        Gate(code, label, HERE if code == here else DONE if passed else LATER, text)
        for code, label, passed, text in rows
    ]


def holding_gate(order: Order) -> str:
    """The code of the gate behind the stage; empty for an order that is held, cancelled or done."""
    if order.stage == Stage.NEW:
        return "import" if order.phase == Phase.PROVISIONAL else "confirm"
    return {
        Stage.REVIEW: "review",
        Stage.AWAITING_PAYMENT: "payment",
        Stage.AWAITING_STOCK: "stock",
        Stage.AWAITING_RELEASE: "release",
        Stage.SCHEDULED: "schedule",
        Stage.READY: "instruct",
        Stage.IN_FULFILLMENT: "ship",
        Stage.PARTIALLY_SHIPPED: "ship",
    }.get(Stage(order.stage), "")


Row = tuple[str, str, bool, str]


def _rows(order: Order, today: date, confirms: bool, ships_when: str) -> list[Row]:
    rows: list[Row] = [
        ("import", _("取込"), order.phase != Phase.PROVISIONAL, _at(order.imported_at)),
        ("review", _("確認"), not order.blocking_reasons, _reasons_text(order.blocking_reasons)),
    ]
    if confirms:
        done = bool(order.confirmed_at) or order.phase != Phase.TO_CONFIRM
        rows.append(("confirm", _("モールへの注文確定"), done, _at(order.confirmed_at)))
    paid = is_paid_enough(ships_when, order.payment_state)
    money = f"{order.get_payment_method_display()}・{order.get_payment_state_display()}"
    if order.ships_unpaid and order.payment_state in PAYABLE:
        money += _("（ルールにより入金前に出荷）")
    rows.append(("payment", _("入金"), paid, money))
    place = " ".join(word for word in (str(order.get_allocation_state_display()), order.location_label) if word)
    rows.append(("stock", _("引当"), order.allocation_state == AllocationState.FULL, place))
    if order.release_date:
        rows.append(("release", _("発売日"), order.release_date <= today, _day(order.release_date)))
    if order.planned_ship_date:
        rows.append(("schedule", _("出荷予定日"), order.planned_ship_date <= today, _day(order.planned_ship_date)))
    instructed = order.fulfillment_state != FulfillmentState.NONE
    rows.append(("instruct", _("出荷指示"), instructed, _at(order.instructed_at)))
    shipped = order.fulfillment_state == FulfillmentState.SHIPPED or order.phase == Phase.SHIPPED
    rows.append(("ship", _("出荷"), shipped, " ".join((_at(order.shipped_at), order.tracking_label)).strip()))
    return rows


def _channel_rows(order: Order) -> list[Row]:
    """An order that the channel ships."""
    return [
        ("import", _("取込"), order.phase != Phase.PROVISIONAL, _at(order.imported_at)),
        ("ship", _("モールからの出荷"), order.phase == Phase.SHIPPED, _at(order.shipped_at)),
    ]


def _reasons_text(open_reasons: int) -> str:
    return _("未確認の理由 %(n)s件") % {"n": open_reasons} if open_reasons else _("止める理由なし")


def _day(day: date) -> str:
    return f"{day.year}/{day.month}/{day.day}"


def _at(moment: datetime | None) -> str:
    return f"{in_tokyo(moment):%m/%d %H:%M}" if moment else ""
