"""What the merge screens show: an order and the others to its recipient, all groups that wait, and standing merges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fulfillment.decide.merging import Candidate, Charge, Kind, given_back, judge, pair
from fulfillment.models import Merge, MergedOrder, Shipment
from fulfillment.queries import merging as reading
from fulfillment.services import merge_money
from oms.kernel import privacy
from oms.kernel.models import User
from orders.decide.slots import slot_label
from orders.models import Order
from orders.models.order import PaymentMethod
from orders.queries.detail import PERSONAL
from orders.queries.goods_words import goods_words

RECENT = 50


@dataclass(frozen=True, slots=True)
class Card:
    """An order as a person compares it."""

    pk: int
    number: str
    shop: str
    stage: str
    ordered_at: datetime
    ship_by: datetime | None
    recipient: str
    place: str
    items: str
    pieces: int
    payment: str
    shipping_fee: int
    total: int | None
    delivery: str
    gift: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another order to the same recipient: may it travel along, what it would be given back, what was decided."""

    card: Card
    kind: str
    cause: str
    decision: str
    back: int


def cards(order_ids: Sequence[int], user: User) -> dict[int, Card]:
    """Two queries for any number of orders."""
    rows = Order.objects.filter(pk__in=order_ids).select_related("shop").prefetch_related("recipients").order_by("pk")
    personal = user.has_perm(PERSONAL)
    return {order.pk: _card(order, personal) for order in rows.defer("search", "channel_extra", "channel_parts")}


def _card(order: Order, personal: bool) -> Card:
    first = next(iter(order.recipients.all()), None)
    name = first.name if first else ""
    place = f"{first.prefecture}{first.city}{first.address}" if first else ""
    wish = f"{order.wish_date:%m/%d}" if order.wish_date else ""
    return Card(
        pk=order.pk,
        number=order.channel_order_no,
        shop=order.shop.name,
        stage=order.get_stage_display(),
        ordered_at=order.ordered_at,
        ship_by=order.ship_by,
        recipient=name if personal else privacy.mask_name(name),
        place=place if personal else (first.prefecture if first else ""),
        items=goods_words(order.item_summary),
        pieces=order.quantity,
        payment=str(PaymentMethod(order.payment_method).label),
        shipping_fee=order.shipping_fee,
        total=order.total,
        delivery=" ".join(part for part in (order.carrier_label, wish, slot_label(order.wish_slot)) if part),
        gift="・".join(part for part in (order.noshi, order.gift) if part),
    )


def merge_page(order: Order, user: User) -> dict[str, Any]:
    """The merge screen of one order; `order` comes with its shop."""
    standing = MergedOrder.objects.filter(order=order, active=True).select_related("merge__shipment").first()
    ids = reading.meeting_with(order.pk) or [order.pk]
    found = {candidate.order_id: candidate for candidate in reading.candidates(ids)}
    guests = reading.guests(ids)
    decided = reading.decided(ids)
    shown = cards([*ids, order.pk], user)
    others = [id_ for id_ in ids if id_ != order.pk and id_ not in guests and id_ in found]
    back = _back(order.pk, others)
    rows = (
        [_other(found[order.pk], found[id_], shown[id_], decided, back) for id_ in others] if order.pk in found else []
    )
    rows = [row for row in rows if row.kind != Kind.NEVER]
    merge = standing.merge if standing else None
    return {
        "order": order,
        "main": shown[order.pk],
        "is_guest": order.pk in guests,
        "candidates": [row for row in rows if row.kind == Kind.MERGE],
        "near": [row for row in rows if row.kind != Kind.MERGE],
        "merge": merge,
        "can_undo": merge is not None
        and (merge.shipment is None or merge.shipment.state == Shipment.State.PLANNED),
        "money_given": merge_money.why_not_back(list(merge.orders.filter(active=True))) if merge else "",
        "members": _members(merge, user) if merge else [],
        "back": sum(row.back for row in rows if row.kind == Kind.MERGE),
        "may": user.has_perm("orders.change_order"),
    }  # fmt: skip


def _other(
    main: Candidate,
    other: Candidate,
    card: Card,
    decided: Mapping[tuple[int, int], str],
    back: Mapping[int, int],
) -> Other:
    verdict = judge(main, other)
    decision = decided.get(pair(main.order_id, other.order_id), "")
    return Other(card, verdict.kind, verdict.cause, decision, back.get(other.order_id, 0))


def _back(main: int, others: Sequence[int]) -> Mapping[int, int]:
    rows = Order.objects.filter(pk__in=[main, *others]).values_list(
        "pk", "shipping_fee", "fees", "payment_method", "shop__merge_refunds_shipping"
    )
    charges = {row[0]: Charge(*row) for row in rows}
    saved = given_back([charges[id_] for id_ in (main, *others)])
    return {id_: one.all for id_, one in saved.items()}


def _members(merge: Merge, user: User) -> list[tuple[Card, int]]:
    """The orders of a merge with what each was given."""
    rows = list(MergedOrder.objects.filter(merge=merge).order_by("pk").values_list("order", "discount"))
    shown = cards([order_id for order_id, _discount in rows], user)
    return [(shown[order_id], discount) for order_id, discount in rows]


def overview(user: User) -> dict[str, Any]:
    """Groups of orders to one recipient that are not merged, and the newest merges that can still be undone."""
    ids = reading.meeting()
    guests = reading.guests(ids)
    found = [candidate for candidate in reading.candidates(ids) if candidate.order_id not in guests]
    decided = reading.decided(ids)
    groups = []
    shown = cards([candidate.order_id for candidate in found], user)
    for alike in reading.by_key(found):
        first, *rest = alike
        rows = [_other(first, other, shown[other.order_id], decided, {}) for other in rest]
        rows = [row for row in rows if row.kind != Kind.NEVER]
        if rows:
            groups.append((shown[first.order_id], rows))
    return {"groups": groups[:RECENT], "more": max(len(groups) - RECENT, 0), "merges": _recent(user)}


def _recent(user: User) -> list[tuple[Merge, list[Card]]]:
    merges = list(
        Merge.objects.filter(undone_at__isnull=True, shipment__state=Shipment.State.PLANNED)
        .select_related("shipment", "by")
        .order_by("-pk")[:RECENT]
    )
    rows = list(MergedOrder.objects.filter(merge__in=merges, active=True).order_by("pk").values_list("merge", "order"))
    shown = cards([order_id for _merge, order_id in rows], user)
    return [(merge, [shown[order] for id_, order in rows if id_ == merge.pk]) for merge in merges]
