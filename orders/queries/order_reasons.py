"""The review reasons of an order as its page shows them: what each says, and its way out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from oms.kernel import privacy
from oms.kernel.models import User
from orders.decide.reasons import CATALOGUE
from orders.models import Order, OrderLine, ReviewReason
from orders.queries import card_actions
from orders.queries.card_actions import CardAction
from orders.queries.tones import LEVEL_TONES
from orders.queries.way_out import WayOut, way_out
from orders.services import reason_settings

# Reasons whose evidence quotes personal data.
PERSONAL_FIELDS = {"recipient", "phone", "buyer"}


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A reason with what a person can do about it. `url` leads to where its cause is put right (`opens_dialog`: as a
    dialog), key 1; `actions` are the desk's that settle it, with the keys behind; then `rule_key`."""

    code: str
    label: str
    level: str
    level_text: str
    tone: str
    evidence: str
    next_step: str
    clearable: bool
    wants_note: bool
    url: str
    url_text: str
    opens_dialog: bool
    state: str
    closed: str
    note: str  # what was written when it was closed
    actions: Sequence[CardAction] = ()
    rule_key: str = ""

    @property
    def is_open(self) -> bool:
        return self.state == ReviewReason.State.OPEN


def reason_rows(order: Order, lines: Iterable[OrderLine], user: User, *, personal: bool) -> list[ReasonRow]:
    """Every reason the order ever had, oldest first. Two queries at most."""
    reasons = list(order.reasons.select_related("closed_by").order_by("raised_at", "pk"))
    wanting = reason_settings.wanting_a_note() if reasons else frozenset()
    ways = [way_out(reason.code, order, lines) for reason in reasons]
    open_to = [way if not way.right or user.has_perm(way.right) else WayOut() for way in ways]
    rows = [_reason_row(reason, way, personal, wanting) for reason, way in zip(reasons, open_to, strict=True)]
    return [_with_actions(row, user) if row.is_open else row for row in rows]


def _with_actions(row: ReasonRow, user: User) -> ReasonRow:
    first = 2 if row.url else 1
    actions = card_actions.offered(row.code, user, first=first)
    return replace(row, actions=actions, rule_key=str(first + len(actions)))


def _reason_row(reason: ReviewReason, out: WayOut, personal: bool, wanting: frozenset[str]) -> ReasonRow:
    entry = CATALOGUE.get(reason.code)
    return ReasonRow(
        code=reason.code,
        label=str(entry.label) if entry else reason.code,
        level=reason.level,
        level_text=str(reason.get_level_display()),
        tone=LEVEL_TONES.get(reason.level, "neutral"),
        evidence=shown_evidence(reason, personal),
        next_step=str(entry.next_step) if entry else "",
        clearable=entry.clearable if entry else True,
        wants_note=reason.code in wanting,
        url=out.url,
        url_text=out.text,
        opens_dialog=out.opens_dialog,
        state=reason.state,
        closed=_closed_text(reason),
        note=reason.note if personal else privacy.mask_text(reason.note),
    )


def shown_evidence(reason: ReviewReason, personal: bool) -> str:
    """The evidence as this person may read it."""
    if not personal and reason.field in PERSONAL_FIELDS:
        return _("（個人情報のため表示できません）")
    text = str(reason.evidence)  # in the reader's language
    return text if personal else privacy.mask_text(text)


def _closed_text(reason: ReviewReason) -> str:
    if reason.state == ReviewReason.State.OPEN:
        return ""
    who = str(reason.closed_by) if reason.closed_by else _("自動")
    return f"{reason.get_state_display()}・{who}"
