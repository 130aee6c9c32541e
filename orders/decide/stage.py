"""The stage of an order: the first gate that is not satisfied. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from oms.kernel.clock import TOKYO
from orders.decide.payments import is_paid_enough
from orders.models.order import FulfillmentState, Phase, Stage


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gates look at. `due_unallocated`: a line that may ship today has no place yet.

    `release_date` is the last of the order's lines, `next_release` the first that is still to come.
    """

    phase: str
    cancelled: bool
    held: bool
    fulfilled_by_channel: bool
    fulfillment_state: str
    shipped_at: datetime | None
    follow_up_days: int
    blocking_reasons: int
    waits_for_confirm: bool
    ships_when: str  # of the payment terms, `orders.models.payment.ShipsWhen`
    payment_state: str
    due_unallocated: bool
    release_date: date | None
    next_release: date | None
    planned_ship_date: date | None
    lead_days: int = 0  # so many days before the planned one it may be instructed


def stage(facts: Facts, now: datetime) -> tuple[Stage, datetime | None]:  # noqa: PLR0911 - one answer a gate
    """The stage, and when time alone will change it."""
    if facts.cancelled:
        return Stage.CANCELLED, None
    if facts.held:
        return Stage.ON_HOLD, None
    if facts.fulfillment_state == FulfillmentState.SHIPPED:
        return _after_shipping(facts.shipped_at or now, facts.follow_up_days, now)
    if facts.fulfilled_by_channel or (
        facts.phase == Phase.SHIPPED and facts.fulfillment_state == FulfillmentState.NONE
    ):
        return _at_the_channel(facts, now)
    if facts.fulfillment_state == FulfillmentState.PARTIALLY_SHIPPED:
        return Stage.PARTIALLY_SHIPPED, None
    if facts.fulfillment_state == FulfillmentState.INSTRUCTED:
        return Stage.IN_FULFILLMENT, None
    return _before_instruction(facts, now)


def _before_instruction(  # noqa: PLR0911 - one answer a gate
    facts: Facts, now: datetime
) -> tuple[Stage, datetime | None]:
    today = now.astimezone(TOKYO).date()
    if facts.phase == Phase.PROVISIONAL:
        return Stage.NEW, None
    if facts.blocking_reasons:
        return Stage.REVIEW, None
    if facts.waits_for_confirm:
        return Stage.NEW, None
    if not is_paid_enough(facts.ships_when, facts.payment_state):
        return Stage.AWAITING_PAYMENT, None
    if facts.due_unallocated:
        return Stage.AWAITING_STOCK, None
    if facts.release_date and facts.release_date > today:
        return Stage.AWAITING_RELEASE, start_of(facts.next_release or facts.release_date)
    if facts.planned_ship_date:
        begins = facts.planned_ship_date - timedelta(days=facts.lead_days)
        if begins > today:
            return Stage.SCHEDULED, start_of(begins)
    return Stage.READY, None


def _after_shipping(shipped_at: datetime, follow_up_days: int, now: datetime) -> tuple[Stage, datetime | None]:
    ends = shipped_at + timedelta(days=follow_up_days)
    return (Stage.COMPLETED, None) if ends <= now else (Stage.SHIPPED, ends)


def _at_the_channel(facts: Facts, now: datetime) -> tuple[Stage, datetime | None]:
    """The channel ships it (FBA), or had shipped it before we knew it: nothing for us to do but follow."""
    if facts.phase == Phase.SHIPPED:
        return _after_shipping(facts.shipped_at or now, facts.follow_up_days, now)
    return (Stage.NEW if facts.phase == Phase.PROVISIONAL else Stage.IN_FULFILLMENT), None


def start_of(day: date) -> datetime:
    """Midnight in Tokyo."""
    return datetime.combine(day, time.min, TOKYO)
