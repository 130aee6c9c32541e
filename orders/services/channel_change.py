"""What a channel's newer word means for one stored order: which parts are taken, what stays, what a person must see.

Reads; `orders.services.intake_changes` writes what is decided here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from oms.kernel import clock
from oms.kernel.said import said
from orders.channel_order import ChannelOrder, ChannelState
from orders.decide.ship_plan import Destination
from orders.decide.taking_over import PART_NAMES, Known, Settled, judge, settle
from orders.models import Order, PaymentEntry, Recipient, ReviewReason, Shop
from orders.models.order import FulfillmentState
from orders.models.payment import Collector
from orders.models.shop import ChannelChanges
from orders.services import intake_rows, review, ship_plans, taking_over
from orders.services.edit import BUYER_FIELDS, RECIPIENT_FIELDS
from orders.services.fee_follows import TAKEN
from orders.services.payment_terms import TermsOfShops
from orders.services.ship_plans import Plans
from orders.services.taking_over import APPLIED, NOTED
from orders.signals import orders_redirected, orders_told_late

__all__ = ["APPLIED", "NOTED", "Change", "compare", "is_known", "may_cancel"]

HELD = "!"  # before the digest of a part that the channel told after the instruction and that was not taken
BEFORE_REVIEW = (ChannelState.PROVISIONAL, ChannelState.CANCELLED)
# After the goods have left, what the channel masks or closes is no news.
LATE = "出荷指示のあとに、モールで"
ON_THE_PARCEL = {"recipients", "lines", "delivery", "remarks"}
NEWS_AFTER_SHIPPING = {"lines", "totals"}


@dataclass
class Change:
    """A stored order, what the channel says now, and which parts are to be taken."""

    stored: Order
    order: ChannelOrder
    digests: dict[str, str]
    parts: set[str]
    news: list[str] = field(default_factory=list)  # sentences for the reason channel_changed
    informs: str = ""  # the one for channel_reflected
    settled: Settled = field(default_factory=Settled)
    columns: dict[str, Any] = field(default_factory=dict)  # what stays as it is here, or follows from both
    late: set[str] = field(default_factory=set)  # parts of `told` in which something visible differs
    deadlines: tuple[datetime | None, datetime | None] | None = None  # ship_by and deliver_by, of orders under way
    lines_moved: bool = False
    lines_by_hand: bool = False
    short: bool = False  # goods changed, and there is not enough of them
    told: set[str] = field(default_factory=set)  # parts that differ and come too late to be taken
    held: set[str] = field(default_factory=set)  # those of them that wait for the parcel to be stopped

    @property
    def is_under_way(self) -> bool:
        return self.stored.fulfillment_state != FulfillmentState.NONE

    @property
    def is_news(self) -> bool:
        """The order stood complete before, and still stands: what differs is a change and no first word."""
        over = self.stored.cancelled_at is not None or self.order.state in BEFORE_REVIEW
        return not over and self.stored.phase not in BEFORE_REVIEW


def is_known(stored: Mapping[str, str], told: Mapping[str, str], *, under_way: bool) -> bool:
    """Whether the channel says nothing that these stored digests do not hold. What was held back while the parcel was
    under way is to be taken once it no longer is."""
    if not under_way and any(digest.startswith(HELD) for digest in stored.values()):
        return False
    return stored.keys() == told.keys() and all(stored[part].lstrip(HELD) == told[part] for part in told)


def compare(stored: Order, order: ChannelOrder) -> Change:
    digests = intake_rows.part_digests(order)
    known = stored.channel_parts
    under_way = stored.fulfillment_state != FulfillmentState.NONE
    differ = {part for part, digest in digests.items() if not _is_known_part(known, part, digest, under_way)}
    change = Change(stored, order, digests, differ)
    if under_way:
        change.parts, change.told = differ & {"state", "payment", "memo"}, differ & PART_NAMES.keys()
        if stored.fulfillment_state == FulfillmentState.SHIPPED:
            change.told &= NEWS_AFTER_SHIPPING
    if stored.cancelled_at is not None:
        change.parts -= {"lines"}  # nothing of it will ship: its lines must not take stock again
    if "state" in differ:
        change.news += _state_news(stored, order)
    return change


def _is_known_part(stored: Mapping[str, str], part: str, digest: str, under_way: bool) -> bool:
    known = stored.get(part, "")
    return known == digest or (under_way and known == HELD + digest)


def moment() -> str:
    return f"{clock.in_tokyo(clock.now()):%m/%d %H:%M}"


def settle_fields(changes: Sequence[Change]) -> None:
    """Decide field by field what the channel's word replaces, and note what it would for orders under way. At most
    four queries."""
    looked_at = [c for c in changes if (c.parts | c.told) & PART_NAMES.keys()]
    ids = [c.stored.pk for c in looked_at]
    if not ids:
        return
    known, firsts = taking_over.known_values(ids), taking_over.first_recipients(ids)
    by_hand = taking_over.with_lines_by_hand([c.stored.pk for c in looked_at if "lines" in c.parts])
    pieces = taking_over.standing_pieces([c.stored.pk for c in looked_at if "lines" in c.told])
    plans = ship_plans.read()
    for change in looked_at:
        pk, first = change.stored.pk, firsts.get(change.stored.pk)
        stands, own = taking_over.ours(change.stored, first), known.get(pk, {})
        change.settled = settle(stands, taking_over.theirs(change.order, change.parts | change.told), own)
        if change.is_under_way:
            _note_late(change, pieces.get(pk, {}))
        else:
            change.lines_by_hand = pk in by_hand
            _keep(change, first, own, plans)


def _note_late(change: Change, pieces: Mapping[str, int]) -> None:
    """The order is under way: what would differ on the parcel or the bill is news and waits. The rest (a deadline that
    the channel set because we confirmed, say) concerns nobody."""
    visible = {taking_over.PART_OF[name] for name in change.settled.taken if name not in taking_over.BY_RULE}
    if len(change.order.recipients) > 1:
        visible |= {"recipients"}
    if {line.line_id: intake_rows.standing_quantity(line) for line in change.order.lines} != pieces:
        visible |= {"lines"}
    late = change.told & visible
    change.news += [
        said("%(at)s 出荷指示のあとに、モールで%(part)sが変わりました。", at=moment(), part=PART_NAMES[p])
        for p in sorted(late)
    ]
    if "delivery" in change.told:
        change.deadlines = (change.order.ship_by or change.stored.ship_by, change.order.deliver_by)
    if change.stored.fulfillment_state != FulfillmentState.SHIPPED:
        known = change.stored.channel_parts
        change.held = late | {p for p, digest in change.digests.items() if known.get(p) == HELD + digest}
        change.digests = change.digests | {part: HELD + change.digests[part] for part in change.held}
    change.late = late


def _keep(change: Change, first: Recipient | None, known: Mapping[str, Known], plans: Plans) -> None:
    """Put what stays here into what will be written, and let the planned day follow from both."""
    kept, stored = change.settled.kept, change.stored
    if "total" in kept:
        change.parts -= {"totals"}
    mine = {name: getattr(first, name) for name in kept & set(RECIPIENT_FIELDS)}
    if mine and change.order.recipients:
        party, *others = change.order.recipients
        change.order = replace(change.order, recipients=(replace(party, **mine), *others))
    buyer = {name.removeprefix("buyer_"): getattr(stored, name) for name in kept & set(BUYER_FIELDS)}
    change.order = replace(change.order, buyer=replace(change.order.buyer, **buyer))
    change.columns = {name: getattr(stored, name) for name in kept & set(taking_over.DELIVERY_FIELDS)}
    if change.parts & {"recipients", "delivery"}:
        change.columns["planned_ship_date"] = _planned(change, first, known.get(taking_over.PLANNED), plans)


def _planned(change: Change, first: Recipient | None, known: Known | None, plans: Plans) -> date | None:
    """The day that follows from wish and place; one that was set here by hand stays while those are the same."""
    told = intake_rows.delivery_columns(change.order)
    wish = change.columns.get("wish_date", told["wish_date"]) if "delivery" in change.parts else change.stored.wish_date
    moved = change.settled.taken.keys() & {"wish_date", "prefecture"}
    if not moved and known is not None and known.text != taking_over.as_text(change.stored.planned_ship_date):
        return change.stored.planned_ship_date
    carrier = change.columns.get("carrier", told["carrier"]) if "delivery" in change.parts else change.stored.carrier
    to = intake_rows.destination(change.order, carrier)
    if "recipients" not in change.parts and first is not None:
        to = Destination(first.prefecture, first.postal_code, carrier)
    plan = plans.of(change.stored.preferred_location_id)
    return plan.planned_day(wish, to, at=change.order.ordered_at)


def judge_all(shop: Shop, changes: Sequence[Change]) -> None:
    """What a person must see of changes taken over before the instruction, and what is only worth a word."""
    for change in changes:
        if change.is_under_way or not change.is_news:
            continue
        moved = {taking_over.PART_OF[name] for name in change.settled.taken if name not in taking_over.BY_RULE}
        judged = judge(
            moved | ({"lines"} if change.lines_moved else set()),
            at=moment(),
            clashing=[taking_over.label_of(name) for name in sorted(change.settled.clashing)],
            lines_clash=change.lines_moved and change.lines_by_hand,
            short=change.short,
            strict=shop.channel_changes == ChannelChanges.STOP,
        )
        change.news += judged.stops
        change.informs = judged.informs


def ask_for_new_authorisations(shop: Shop, changes: Sequence[Change]) -> None:
    """An order that its channel made dearer than what our own provider authorised or took. A mall collects what it
    tells; our ledger judges its own money; what was authorised anew with the change is enough."""
    dearer = [c for c in changes if "totals" in c.parts and c.is_news and not c.is_under_way and _is_dearer(c)]
    if not dearer:
        return
    terms = TermsOfShops([shop])
    own = [c for c in dearer if _collector(terms, c) != Collector.CHANNEL]
    with_entries = set(
        PaymentEntry.objects.filter(order__in=[c.stored.pk for c in own]).values_list("order", flat=True)
    )
    review.open_from_above(
        [(c.stored.pk, review.amount_increased(c.stored.total or 0, _total(c))) for c in own
         if c.stored.pk not in with_entries]
    )  # fmt: skip


def _is_dearer(change: Change) -> bool:
    stored, order = change.stored, change.order
    anew = order.authorized_until != stored.authorized_until or order.paid_at != stored.paid_at
    taken = stored.payment_state in TAKEN and not ("payment" in change.parts and anew)
    return taken and _total(change) > (stored.total or 0)


def _total(change: Change) -> int:
    return change.order.totals.total if change.order.totals else 0


def _collector(terms: TermsOfShops, change: Change) -> str:
    return terms.of(change.stored.shop_id, change.order.payment_method.value, change.order.payment_name).collector


def tell_upstairs(changes: Sequence[Change]) -> None:
    """Parcels that are only planned follow what they were planned by."""
    by_way = {*RECIPIENT_FIELDS, *taking_over.DELIVERY_FIELDS}
    ids = [c.stored.pk for c in changes if not c.is_under_way and c.settled.taken.keys() & by_way]
    if ids:
        orders_redirected.send(sender=Order, order_ids=ids)
    if late := [c.stored.pk for c in changes if c.late & ON_THE_PARCEL and c.is_news]:
        orders_told_late.send(sender=Order, order_ids=late)


def close_what_was_caught_up(changes: Sequence[Change]) -> None:
    """News from after an instruction that was taken back is settled once it is taken over, where nothing else asks
    for a person."""
    caught_up = [c for c in changes if not (c.is_under_way or c.news) and _held_parts(c.stored)]
    unread = ReviewReason.objects.filter(
        order__in=[c.stored.pk for c in caught_up], code="channel_changed", state=ReviewReason.State.OPEN
    )
    done = [pk for pk, text in unread.values_list("order", "evidence") if _is_only_late(text)]
    if done:
        review.close_from_above(done, "channel_changed")


def _held_parts(stored: Order) -> set[str]:
    return {part for part, digest in stored.channel_parts.items() if digest.startswith(HELD)}


def _is_only_late(evidence: str) -> bool:
    return all(LATE in line for line in evidence.splitlines())


def _state_news(stored: Order, order: ChannelOrder) -> list[str]:
    if order.state == ChannelState.CANCELLED and not may_cancel(stored) and stored.cancelled_at is None:
        return [said("出荷したあとに、モールでキャンセルされました。返品の手配が要ります。")]
    if (
        order.state == ChannelState.SHIPPED
        and stored.fulfillment_state == FulfillmentState.NONE
        and not order.fulfilled_by_channel
    ):
        return [said("こちらで出荷する前に、モールの画面で出荷済みになりました。")]
    return []


def may_cancel(stored: Order) -> bool:
    return stored.cancelled_at is None and stored.fulfillment_state in {
        FulfillmentState.NONE,
        FulfillmentState.INSTRUCTED,
    }
