"""What the channel had told of the fields that were changed here: read from the journal, for a batch of orders."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from orders.channel_order import ChannelOrder
from orders.decide.taking_over import Known
from orders.models import Order, OrderEvent, OrderEventValue, OrderLine, Recipient
from orders.services import intake_rows, recipients
from orders.services.edit import BUYER_FIELDS, RECIPIENT_FIELDS
from orders.services.rules.verbs import GIFT

# Kinds of events that record what a channel told: taken over at once, or only noted because the order was under way.
APPLIED, NOTED = "channel_update", "channel_told"
LINES_BY_HAND = ("lines_changed", "pieces_cancelled")

DELIVERY_FIELDS = ("wish_date", "wish_slot", "delivery_method", "carrier", "packing_note")
REMARK_FIELDS = ("remarks", "gift", "noshi", "message_card")
BY_RULE = {"carrier", "packing_note"}  # read out of other fields: no change of their own
PLANNED = "planned_ship_date"
PART_OF = {
    **dict.fromkeys(RECIPIENT_FIELDS, "recipients"),
    **dict.fromkeys(BUYER_FIELDS, "buyer"),
    **dict.fromkeys(DELIVERY_FIELDS, "delivery"),
    **dict.fromkeys(REMARK_FIELDS, "remarks"),
    "total": "totals",
}
Texts = dict[str, str]


def known_values(order_ids: Sequence[int]) -> Mapping[int, Mapping[str, Known]]:
    """Order → field → what the channel had told before it was changed here. Fields nobody changed are missing. One
    query; values that were erased with the personal data are gone with their orders' reasons."""
    found: dict[int, dict[str, Known]] = defaultdict(dict)
    rows = OrderEventValue.objects.filter(event__order__in=order_ids, field__in=[*PART_OF, PLANNED])
    columns = ("event__order", "event__kind", "event__by", "field", "before", "after")
    for order_id, kind, by, name, before, after in rows.order_by("event", "pk").values_list(*columns):
        own = found[order_id]
        if kind == APPLIED:
            own[name] = Known(after, by_person=False)
        elif kind != NOTED:
            person = by is not None and kind != "rule"
            known = own.get(name)
            own[name] = Known(known.text, known.by_person or person) if known else Known(before, person)
    return found


def with_lines_by_hand(order_ids: Sequence[int]) -> set[int]:
    """Orders whose goods a person changed since the channel last told other goods."""
    last: dict[int, bool] = {}
    rows = OrderEvent.objects.filter(order__in=order_ids, kind__in=[*LINES_BY_HAND, APPLIED])
    for order_id, kind, fields in rows.order_by("pk").values_list("order", "kind", "fields"):
        if kind != APPLIED:
            last[order_id] = True
        elif "quantity" in fields:
            last[order_id] = False
    return {order_id for order_id, by_hand in last.items() if by_hand}


def standing_pieces(order_ids: Sequence[int]) -> Mapping[int, Mapping[str, int]]:
    """Order → the channel's line → pieces that stand; what rules gave along is not the channel's."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    rows = OrderLine.objects.filter(order__in=order_ids).exclude(channel_line_id__startswith=GIFT)
    for order_id, line_id, quantity in rows.values_list("order", "channel_line_id", "quantity"):
        found[order_id][line_id] = quantity
    return found


def first_recipients(order_ids: Sequence[int]) -> Mapping[int, Recipient]:
    rows = Recipient.objects.filter(order__in=order_ids, position=0)
    return {recipient.order_id: recipient for recipient in rows}


def ours(stored: Order, recipient: Recipient | None) -> Texts:
    """What stands here, as the journal writes it."""
    texts = {name: as_text(getattr(stored, name)) for name in PART_OF if name not in RECIPIENT_FIELDS}
    return texts | {name: as_text(getattr(recipient, name)) if recipient else "" for name in RECIPIENT_FIELDS}


def theirs(order: ChannelOrder, parts: set[str]) -> Texts:
    """What the channel tells of these parts, cut to our columns. Of several recipients the first."""
    told: dict[str, Any] = {}
    if "recipients" in parts and order.recipients:
        first = recipients.columns(order, 0)
        told |= {name: first[name] for name in RECIPIENT_FIELDS if name in first}
    if "buyer" in parts:
        told |= _only(intake_rows.buyer_columns(order.buyer), BUYER_FIELDS)
    if "delivery" in parts:
        told |= _only(intake_rows.delivery_columns(order), DELIVERY_FIELDS)
    if "remarks" in parts:
        told |= _only(intake_rows.remarks_columns(order), REMARK_FIELDS)
    if "totals" in parts and order.totals:
        told["total"] = order.totals.total
    return {name: as_text(value) for name, value in told.items()}


def label_of(name: str) -> str:
    """The name people know one of these fields by."""
    model = Recipient if name in RECIPIENT_FIELDS else Order
    return str(getattr(model._meta.get_field(name), "verbose_name", name))


def _only(columns: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: columns[name] for name in names}


def as_text(value: Any) -> str:
    """As `orders.services.edit` and rules write values into the journal."""
    return "" if value is None else str(value)
