"""The desk's actions that settle a reason, offered on its card for the one order: each opens with its preview."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oms.kernel.models import User
from orders import actions

# Reason → actions, the likeliest first. An app that does not offer one leaves it out.
SETTLES: Mapping[str, Sequence[str]] = {
    "out_of_stock": ("wait_stock", "location", "cancel_short"),
    "partial_stock": ("ship_partly", "wait_stock", "cancel_short"),
    "pick_short": ("reallocate", "location", "cancel_short"),
    "oversold": ("wait_stock", "cancel_short"),
    "temperature_mixed": ("split",),
    "duplicate_suspect": ("mail", "cancel"),
    "note_cancel_word": ("mail", "cancel"),
    "street_no_missing": ("mail",),
    "room_no_missing": ("mail",),
    "phone_invalid": ("mail",),
    "date_past": ("mail",),
    "date_too_soon": ("mail",),
    "area_suspended": ("mail",),
    "paid_short": ("mail", "cancel"),
    "payment_overdue": ("remind", "payment_method", "cancel"),
    "pay_method_unmapped": ("payment_method",),
    "auth_failed": ("payment_method", "cancel"),
    "cod_over_limit": ("payment_method",),
    "cod_risk": ("payment_method",),
    "refusal_history": ("payment_method",),
    "credit_over_limit": ("payment_method",),
    "area_unservable": ("carrier", "payment_method"),
    "date_on_mailbox": ("carrier",),
    "oversize": ("carrier",),
    "air_restricted": ("carrier", "planned_day"),
    "ship_by_risk": ("instruct", "priority"),
    "due_today": ("instruct", "priority"),
    "receipt_request": ("receipt",),
    "channel_push_failed": ("notice_retry", "notice_by_hand"),
    "high_amount": ("ask_colleague",),
    "blacklist_match": ("ask_colleague", "cancel"),
    "blacklist_similar": ("ask_colleague",),
    "channel_caution": ("ask_colleague", "cancel"),
}
# Reason → what an action's form begins with there.
BEGINS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "temperature_mixed": {"split": {"way": "temperature", "payer": "shop"}},
}
KEYS = 9


@dataclass(frozen=True, slots=True)
class CardAction:
    code: str
    label: str
    key: str
    danger: bool


def offered(reason: str, user: User, *, first: int) -> list[CardAction]:
    """The actions for this reason that the person may take, with the keys from `first` on."""
    found = [action for code in SETTLES.get(reason, ()) if (action := actions.get(code))]
    allowed = [action for action in found if actions.may_take(user, action)]
    return [
        CardAction(action.code, str(action.label), str(n) if n <= KEYS else "", action.danger)
        for n, action in enumerate(allowed, start=first)
    ]
