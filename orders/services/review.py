"""Review reasons: opened and closed by their checks, accepted by people.

A reason whose cause is gone closes itself. One that a person accepted stays accepted while its evidence is the same,
and opens again when the evidence changes, or when its cause was gone in between.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import F, Prefetch

from oms.kernel import clock
from oms.kernel.address import check_address
from oms.kernel.clock import TOKYO
from oms.kernel.money import yen
from oms.kernel.said import said, together
from oms.kernel.sql import copy_rows
from orders.decide import reasons, taking_over
from orders.decide.catalogue import BLOCK
from orders.decide.checks import address
from orders.decide.reasons import CATALOGUE, Address, Found, Item, OrderFacts
from orders.models import OptionChoice, Order, OrderLine, Recipient, ReviewReason
from orders.models.order import Carrier, FulfillmentState, Phase
from orders.services import background, journal, listed, reason_settings
from orders.services import stage as stages
from orders.services.intake_rows import day_of
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.reason_settings import Reader, Settings
from orders.services.rules import run as rules

State = ReviewReason.State

# Reasons that no check of the stored facts finds again: a person closes them, the rule or the mail that raised them.
STICKY = {
    "channel_changed",
    "channel_reflected",
    "rule_hold",
    "rule_error",
    "mail_bounced",
    "mail_failed",
    "parcel_returned",
    "question_to_colleague",
}
# Of those, what the channel told piece by piece: unread sentences stay when another comes.
NEWS = frozenset({"channel_changed", "channel_reflected"})
# Of an order under way: what asks to stop it, and where its rest cannot go.
TO_STOP = {"channel_changed", "channel_cancel_request"}
WRONG_ADDRESS = {code for code, one in CATALOGUE.items() if one.group == "address" and one.level == BLOCK}
# Reasons that an upper app opens and closes (`open_from_above`): it knows the facts behind them.
# `amount_increased` belongs to the verb that raised the total.
FROM_ABOVE = {
    "oversold",
    "merge_candidate",
    "out_of_stock",
    "partial_stock",
    "pick_short",
    "amount_increased",
    "payer_mismatch",
    "channel_push_failed",
}
# Reasons whose level is somebody's own word: the rule says it, a colleague has to answer.
OWN_LEVEL = {"rule_hold", "rule_error", "question_to_colleague"}
# Reasons that only time opens and closes (`orders.services.review_again`), whatever else is done to the order.
TIMELY = frozenset({"due_today", "ship_by_risk"})


def insert(found: Sequence[tuple[int, Found]]) -> None:
    """Write reasons of orders that do not have their codes yet."""
    now = clock.now()
    copy_rows(
        "orders_reviewreason",
        ["order_id", "code", "level", "evidence", "field", "fingerprint", "state", "raised_at", "note"],
        [(id_, f.code, f.level, f.text, f.field, f.fingerprint, State.OPEN.value, now, "") for id_, f in found],
    )


def sync(
    order_ids: Sequence[int],
    *,
    changes: Mapping[int, str] | None = None,
    reflected: Mapping[int, str] | None = None,
    timely: bool = False,
) -> None:
    """Evaluate the reasons of these orders anew from what is stored; the caller holds the locks and recomputes stages.

    `changes` says, for orders whose channel's change needs a person, what it is; `reflected` what was simply taken
    over. Both join what is still unread. `timely`: reasons of `TIMELY` too.
    """
    left_alone: frozenset[str] = frozenset() if timely else TIMELY
    settings = reason_settings.read()
    fresh: list[tuple[int, Found]] = []
    for order, found in looked_at(order_ids, changes=changes or {}, reflected=reflected or {}, settings=settings):
        known = {reason.code: reason for reason in order.reasons.all() if reason.code not in left_alone}
        for code in NEWS & known.keys() & found.keys():
            found[code] = _joined(known[code], found[code])
        fresh += [(order.pk, f) for code, f in found.items() if code not in known and code not in left_alone]
        _update([_next(reason, found.get(code)) for code, reason in known.items()])
        if _is_reviewed(order):
            gone = {code for code in known.keys() - found.keys() - STICKY - FROM_ABOVE if settings.is_active(code)}
            _update([_forgotten(known[code]) for code in gone])
    insert(fresh)


def looked_at(
    order_ids: Sequence[int],
    *,
    changes: Mapping[int, str],
    reflected: Mapping[int, str] | None = None,
    settings: Settings | None = None,
) -> list[tuple[Order, dict[str, Found]]]:
    """Each order (with its reasons prefetched) and what its checks find, by code. Writes nothing."""
    lines = Prefetch("lines", OrderLine.objects.select_related("sku").defer("sku__search_text"))
    orders = list(
        Order.objects.filter(pk__in=order_ids)
        .select_related("shop", "member__rank")
        .defer("member__search")
        .prefetch_related("recipients", lines, "reasons")
    )
    settings = settings or reason_settings.read()
    suspects = listed.look([listed.stored_of(o) for o in orders], [listed.where_of(o) for o in orders], settings)
    known_facts = _with_decided_options(orders, [stored_facts(order) for order in orders])
    behind = background.behind_stored(orders, known_facts, settings=settings)
    seen = []
    for order, facts, suspect in zip(orders, known_facts, suspects, strict=True):
        told = replace(behind.fill(facts, order, reader_of(order)), changes=changes.get(order.pk, ""), listed=suspect)
        told = replace(told, reflected=(reflected or {}).get(order.pk, ""))
        found = behind.settings.leveled(_evaluate(order, told), reader_of(order))
        seen.append((order, {f.code: f for f in found}))
    return seen


def _with_decided_options(orders: Sequence[Order], known: Sequence[OrderFacts]) -> Sequence[OrderFacts]:
    """Items whose option text somebody has decided about. No query where nobody chose anything."""
    told = {(o.shop_id, line.channel_sku, line.options) for o in orders for line in o.lines.all() if line.options}
    if not told:
        return known
    rows = OptionChoice.objects.filter(
        shop__in={shop for shop, _code, _text in told}, channel_sku__in={code for _shop, code, _text in told}
    )
    decided = told & set(rows.values_list("shop", "channel_sku", "options"))
    if not decided:
        return known
    return [
        replace(
            facts,
            items=[
                replace(item, settled=(order.shop_id, line.channel_sku, line.options) in decided)
                for item, line in zip(facts.items, _standing(order), strict=True)
            ],
        )
        for order, facts in zip(orders, known, strict=True)
    ]


def _standing(order: Order) -> list[OrderLine]:
    return [line for line in order.lines.all() if line.quantity]


def _joined(reason: ReviewReason, found: Found) -> Found:
    if reason.state != State.OPEN:
        return found
    return replace(found, evidence=taking_over.added(reason.evidence, found.evidence))


def amount_increased(before: int, after: int) -> Found:
    """The reason for a total that rose above what somebody authorised or took for us."""
    return Found("amount_increased", increased(before, after), "total")


def level_after(reason: ReviewReason | None, found: Found | None) -> str:
    """The level at which a reason would stand open after `sync`; "" when it would not. Writes nothing."""
    if reason is None:
        return found.level if found else ""
    after = _next(copy(reason), found) or reason
    return after.level if after.state == State.OPEN else ""


def reader_of(order: Order) -> Reader:
    """Costs no query when shop and member's rank were read along."""
    member = order.member
    return Reader(
        order.shop.channel,
        order.shop.code,
        order.payment_method,
        member.rank.code if member and member.rank else "",
        order.carrier,
        background.kind_of_buyer(member.order_count) if member else "",
        reason_settings.stopped_by(order.shop),
    )


def _evaluate(order: Order, facts: OrderFacts) -> list[Found]:
    """An order that is over, or not ours to ship, is not reviewed; one under way only for what concerns stopping it,
    and where the rest of it goes, which may be changed still."""
    if order.cancelled_at or order.fulfilled_by_channel:
        return []
    found = reasons.evaluate(facts)
    if _is_reviewed(order):
        return found
    if order.fulfillment_state == FulfillmentState.PARTIALLY_SHIPPED:
        return [f for f in found if f.code in TO_STOP or f.code in WRONG_ADDRESS]
    return [f for f in found if f.code in TO_STOP]


def _is_reviewed(order: Order) -> bool:
    return (
        order.fulfillment_state == FulfillmentState.NONE and not order.cancelled_at and not order.fulfilled_by_channel
    )


def _next(reason: ReviewReason, found: Found | None) -> ReviewReason | None:
    """The reason as it should be now, or None when it is so already."""
    if found is None:
        if reason.state != State.OPEN or reason.code in STICKY | FROM_ABOVE:
            return None
        reason.state, reason.closed_at = State.AUTO_RESOLVED, clock.now()
        return reason
    same = found.fingerprint == reason.fingerprint
    as_shown = (reason.level, reason.evidence) == (found.level, found.text)
    if same and (reason.state == State.ACCEPTED or (reason.state == State.OPEN and as_shown)):
        return None
    reason.evidence, reason.field, reason.fingerprint = found.text, found.field, found.fingerprint
    reason.level = found.level
    if reason.state != State.OPEN:
        reason.state, reason.raised_at, reason.closed_at, reason.closed_by = State.OPEN, clock.now(), None, None
    return reason


def _forgotten(reason: ReviewReason) -> ReviewReason | None:
    """An accepted reason whose cause is gone: it stays accepted, but is new if the cause comes back."""
    if reason.state != State.ACCEPTED or not reason.fingerprint:
        return None
    reason.fingerprint = ""
    return reason


def _update(changed: Iterable[ReviewReason | None]) -> None:
    for reason in changed:
        if reason is not None:
            reason.save(
                update_fields=[
                    "state",
                    "evidence",
                    "field",
                    "fingerprint",
                    "level",
                    "raised_at",
                    "closed_at",
                    "closed_by",
                ]
            )


def stored_facts(order: Order) -> OrderFacts:
    """What the checks look at, for a stored order with its recipients and lines prefetched."""
    standing = _standing(order)
    return OrderFacts(
        ordered_on=order.ordered_at.astimezone(TOKYO).date(),
        remarks=order.remarks,
        recipients=[
            Address(r.postal_code, r.prefecture, r.city, r.address, r.phone, r.name, r.company, r.country)
            for r in order.recipients.all()
        ],
        buyer_phone=order.buyer_phone,
        unmapped=sorted({line.channel_sku for line in standing if line.sku_id is None}),
        goods_lines=sum(line.amount for line in standing),
        goods=order.goods,
        shipping_fee=order.shipping_fee,
        fees=order.fees,
        gift_fees=order.gift_fees,
        discount=order.discount,
        coupons=order.coupons_shop + order.coupons_channel,
        points=order.points,
        tax_excluded=order.tax_excluded,
        total=order.total,
        cancel_requested=order.cancel_requested,
        cancel_reason=order.cancel_reason,
        gift=order.gift,
        noshi=order.noshi,
        flags=order.flags,
        carrier=order.carrier,
        provisional=order.phase == Phase.PROVISIONAL,
        buyer=Address(
            order.buyer_postal_code, order.buyer_prefecture, order.buyer_city, order.buyer_address,
            order.buyer_phone, order.buyer_name,
        ),
        items=[
            Item(
                line.sku_id,
                line.sku.code if line.sku else line.channel_sku,
                line.quantity * line.units,
                line.release_date,
                wishes=f"{line.options} {line.gift}",
                options=line.options,
                apart=line.apart,
            )
            for line in standing
        ],
        tax_by_rate=order.tax_by_rate,
        message_card=order.message_card,
        delivery_method=order.delivery_method,
        wish_date=order.wish_date,
        wish_slot=order.wish_slot,
        payment_method=order.payment_method,
        payment_name=order.payment_name,
        payment_state=order.payment_state,
        pay_by=day_of(order.pay_by),
        authorized_until=day_of(order.authorized_until),
        ships_on=max(filter(None, (order.planned_ship_date, order.release_date)), default=None),
        promised_on=day_of(order.ship_by),
        leave_by=order.ship_by,
        paid=order.paid_amount,
    )  # fmt: skip


def carriers_that_serve(order: Order) -> list[tuple[str, str]]:
    """(code, name) of the other carriers that get there, as the company's areas say. Reads what checks look at."""
    facts = stored_facts(order)
    behind = background.behind_stored([order], [facts])
    found = []
    for carrier in Carrier:
        asked = copy(order)
        asked.carrier = carrier
        told = behind.fill(replace(facts, carrier=carrier), asked, reader_of(asked))
        if carrier not in {order.carrier, Carrier.OTHER} and address.serves(told):
            found.append((carrier.value, str(carrier.label)))
    return found


def has_wrong_address(recipient: Recipient, carrier: str) -> bool:
    """Whether no parcel of this carrier would reach it as it is written."""
    one = recipient
    return bool(check_address(one.postal_code, one.prefecture, one.city, one.address, carrier=carrier))


# Reasons that one look answers together: whoever read the remark read its dates and words too.
TOGETHER = {"buyer_note": ("note_has_date", "note_cancel_word")}


@dataclass(frozen=True, slots=True)
class Accepted:
    """`orders` whose reasons were accepted; `refused` maps a code that no person may wave through to its orders,
    `noteless` a code that wants a note and got none."""

    orders: list[int]
    refused: dict[str, list[int]]
    noteless: dict[str, list[int]]


@transaction.atomic
def accept(order_ids: Sequence[int], *, codes: Sequence[str] | None = None, actor: Actor, note: str = "") -> Accepted:
    """Accept open reasons (all, or those of `codes`) of these orders; their stages follow. Idempotent."""
    locked = list(
        Order.objects.select_for_update(no_key=True)
        .filter(pk__in=order_ids)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    open_rows = ReviewReason.objects.filter(order__in=locked, state=State.OPEN)
    if codes is not None:
        open_rows = open_rows.filter(code__in=[*codes, *(other for code in codes for other in TOGETHER.get(code, ()))])
    wanting = frozenset() if note.strip() else reason_settings.wanting_a_note()
    refused: dict[str, list[int]] = {}
    noteless: dict[str, list[int]] = {}
    accepted: dict[int, list[str]] = {}
    for order_id, code in open_rows.values_list("order_id", "code"):
        if code in CATALOGUE and not CATALOGUE[code].clearable:
            refused.setdefault(code, []).append(order_id)
        elif code in wanting:
            noteless.setdefault(code, []).append(order_id)
        else:
            accepted.setdefault(order_id, []).append(code)
    open_rows.exclude(code__in=[*refused, *noteless]).update(
        state=State.ACCEPTED, closed_at=clock.now(), closed_by=actor.by, note=note[:300]
    )
    Order.objects.filter(pk__in=accepted).update(version=F("version") + 1)
    journal.write(
        [
            Entry(order_id, "reason_accepted", together(_label(code) for code in done))
            for order_id, done in accepted.items()
        ],
        actor=actor,
    )
    stages.recompute(list(accepted), actor=actor)
    return Accepted(list(accepted), refused, noteless)


def _label(code: str) -> str:
    return said(CATALOGUE[code].label) if code in CATALOGUE else code


def reevaluate(order_ids: Sequence[int], *, actor: Actor = SYSTEM) -> None:
    """Evaluate reasons and stages of these orders anew, under their locks; call inside a transaction."""
    locked = list(
        Order.objects.select_for_update(no_key=True)
        .filter(pk__in=order_ids)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    sync(locked)
    rules.run_behind(locked, {})
    stages.recompute(locked, actor=actor)


def at_own_levels(found: Sequence[tuple[int, Found]]) -> list[tuple[int, Found]]:
    """Reasons that no check finds, at the levels the company gave them. Two queries at most."""
    settings = reason_settings.read()
    set_ = {order_id for order_id, one in found if one.code in settings.rows and one.code not in OWN_LEVEL}
    if not set_:
        return list(found)
    orders = Order.objects.filter(pk__in=set_).select_related("shop", "member__rank").defer("member__search")
    readers = {order.pk: reader_of(order) for order in orders}
    return [
        (order_id, replace(one, set_level=settings.of(one.code).level_for(readers[order_id])))
        if order_id in readers and one.code not in OWN_LEVEL
        else (order_id, one)
        for order_id, one in found
    ]


def open_from_above(found: Sequence[tuple[int, Found]], *, actor: Actor = SYSTEM) -> None:
    """Open these reasons (order id, Found) of a code in `FROM_ABOVE`, anew where the evidence is new.

    The stages follow. The caller holds the orders' locks. Doing it again with the same evidence changes nothing.
    """
    by_order = dict(at_own_levels(found))
    known = {
        reason.order_id: reason
        for reason in ReviewReason.objects.filter(order__in=by_order, code__in={f.code for f in by_order.values()})
    }
    _update([_next(reason, by_order[order_id]) for order_id, reason in known.items()])
    fresh = [(order_id, f) for order_id, f in by_order.items() if order_id not in known]
    insert(fresh)
    journal.write([Entry(order_id, "reason_opened", f.text) for order_id, f in fresh], actor=actor)
    stages.recompute(sorted(by_order), actor=actor)


def open_quietly(found: Sequence[tuple[int, str, str]]) -> None:
    """`open_from_above` of (order, code, evidence) for who recomputes the stages later and writes a journal of it."""
    told = at_own_levels([(order_id, Found(code, evidence, "total")) for order_id, code, evidence in found])
    by_key = {(order_id, one.code): one for order_id, one in told}
    rows = ReviewReason.objects.filter(order__in={order_id for order_id, _code in by_key})
    known = {(row.order_id, row.code): row for row in rows if (row.order_id, row.code) in by_key}
    _update([_next(row, by_key[key]) for key, row in known.items()])
    insert([(key[0], one) for key, one in by_key.items() if key not in known])


def increased(before: int, after: int) -> str:
    """The evidence that a total rose above the money that others took or hold for us."""
    return said(
        "合計が %(before)s から %(after)s に増えました。差額の決済はまだです。", before=yen(before), after=yen(after)
    )


def close_from_above(order_ids: Sequence[int], code: str, *, actor: Actor = SYSTEM) -> None:
    """The facts behind a reason of `FROM_ABOVE` are gone: it closes itself. The caller holds the orders' locks."""
    rows = ReviewReason.objects.filter(order__in=order_ids, code=code)
    rows.filter(state=State.ACCEPTED).exclude(fingerprint="").update(fingerprint="")  # new if the facts come back
    if rows.filter(state=State.OPEN).update(state=State.AUTO_RESOLVED, closed_at=clock.now()):
        stages.recompute(sorted(order_ids), actor=actor)
