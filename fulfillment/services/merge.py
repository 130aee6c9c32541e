"""同梱 and its undoing: orders' goods travel in one planned shipment, and come apart again exactly as they were."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from fulfillment.decide.merging import Candidate, Charge, Kind, given_back, judge, pair
from fulfillment.models import Merge, MergedOrder, MergePair, Shipment, ShipmentLine
from fulfillment.models.shipment import ENDED
from fulfillment.queries import merging as reading
from fulfillment.services import facts, merge_keys, merge_money
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.said import said, together
from oms.kernel.text import match_name
from orders.models import Mail, Order
from orders.models.mail import MailEvent
from orders.services import journal, mail, review
from orders.services.journal import SYSTEM, Actor, Entry

REASON = "merge_candidate"
FORMER = ("location_id", "recipient_id", "carrier", "package_count", "reference", "created_at")


class CannotMerge(Exception):
    """These orders may not travel together (any more), or not come apart; `cause` says why and what to do."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@transaction.atomic
def merge_orders(order_ids: Sequence[int], *, actor: Actor) -> Merge:
    """Put the goods of these orders into the first one's shipment. Raises CannotMerge with nothing changed.

    Locks the orders by pk, then their shipments; stock stays where it is. Merging again what is merged already returns
    the merge that stands.
    """
    ids = list(dict.fromkeys(order_ids))
    orders = _locked(ids)
    if standing := _standing(ids):
        return standing
    merge_keys.renew(ids)
    found = {candidate.order_id: candidate for candidate in reading.candidates(ids)}
    _check(ids, found)
    main, *others = ids
    shipments = _shipments_of(ids)
    merge = MergedOrder.objects.filter(order=main, active=True).values_list("merge", flat=True).first()
    now = clock.now()
    if merge is None:
        record = Merge.objects.create(shipment=shipments[main], created_at=now, by=actor.by)
        MergedOrder.objects.create(merge=record, order_id=main)
    else:
        record = Merge.objects.get(pk=merge)
    saved = merge_money.affordable(given_back([_charge(orders[id_]) for id_ in ids]), orders)
    for order_id in others:
        _move_in(record, shipments[main], shipments[order_id], order_id)
    merge_money.give(record, saved, orders, actor=actor)
    less = {order_id: one.all for order_id, one in saved.items()}
    numbers = together(orders[id_].channel_order_no for id_ in ids)
    journal.write([Entry(id_, "merged", numbers, _moved(orders[id_], -less.get(id_, 0))) for id_ in ids], actor=actor)
    _tell_buyer(record, orders, ids)
    review.close_from_above(ids, REASON, actor=actor)
    facts.refresh(sorted(ids), actor=actor)
    return record


def _moved(order: Order, by: int) -> dict[str, tuple[str, str]]:
    """How the total moves, for the journal; `order` as it was before."""
    return {"total": (str(order.total), str(order.total + by))} if by and order.total is not None else {}


def _tell_buyer(record: Merge, orders: dict[int, Order], ids: Sequence[int]) -> None:
    """One mail to the first one's buyer about all the orders that are theirs, where the shop has switched the notice
    on; a merge that grows is told again, and what still waits of the smaller one is not sent. Two buyers may send to
    one person: neither reads of the other's order."""
    main = orders[ids[0]]
    if mail.is_on(main.shop, MailEvent.MERGE_NOTICE):
        _untell_buyer(list(orders), said("別の受注も同梱したため送りません。"))
        members = record.orders.filter(active=True).select_related("order").order_by("pk")
        numbers = [row.order.channel_order_no for row in members if _same_buyer(main, row.order)]
        if len(numbers) < 2:
            return
        words = {"mail.message": "■まとめてお届けするご注文: " + "、".join(numbers)}
        own = f":{record.pk}.{len(numbers)}"
        mail.schedule(main.shop, MailEvent.MERGE_NOTICE, [(main.pk, main.buyer_email)], suffix=own, extra=words)


def _same_buyer(one: Order, other: Order) -> bool:
    """As far as names and members tell: a mall gives one person another address for every order."""
    if one.member_id is not None and one.member_id == other.member_id:
        return True
    name = match_name(one.buyer_name)
    return bool(name) and name == match_name(other.buyer_name)


def _untell_buyer(order_ids: Sequence[int], reason: str) -> None:
    mail.withdraw(Mail.objects.filter(order__in=order_ids, event=MailEvent.MERGE_NOTICE), reason=reason)


def _locked(order_ids: Sequence[int]) -> dict[int, Order]:
    rows = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").filter(pk__in=order_ids)
    return {order.pk: order for order in rows.order_by("pk")}


def _standing(order_ids: Sequence[int]) -> Merge | None:
    """The merge that holds exactly these orders, or more."""
    rows = MergedOrder.objects.filter(order__in=order_ids, active=True).values_list("merge", flat=True)
    found = list(rows)
    if len(found) == len(order_ids) and len(set(found)) == 1:
        return Merge.objects.get(pk=found[0])
    return None


def _check(ids: Sequence[int], found: dict[int, Candidate]) -> None:
    if len(ids) < 2:
        raise CannotMerge(said("同梱する受注を2件以上選んでください。"))
    if missing := [id_ for id_ in ids if id_ not in found]:
        names = ", ".join(Order.objects.filter(pk__in=missing).values_list("channel_order_no", flat=True))
        raise CannotMerge(said("受注 %(no)s は出荷指示前ではないため同梱できません。", no=names))
    if MergedOrder.objects.filter(order__in=ids[1:], active=True).exists():
        raise CannotMerge(said("すでに別の受注と同梱されています。先に同梱を解除してください。"))
    for place, one in enumerate(ids):
        for other in ids[place + 1 :]:
            verdict = judge(found[one], found[other])
            if verdict.kind != Kind.MERGE:
                raise CannotMerge(verdict.cause or said("届け先が異なるか、店舗の設定で同梱できません。"))


def _shipments_of(order_ids: Sequence[int]) -> dict[int, Shipment]:
    """Each order's one planned shipment, locked."""
    rows = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state=Shipment.State.PLANNED)
    of = dict(rows.values_list("order_line__order", "shipment"))
    locked = Shipment.objects.select_for_update(no_key=True).filter(pk__in=set(of.values())).order_by("pk")
    by_id = {shipment.pk: shipment for shipment in locked}
    return {order_id: by_id[shipment_id] for order_id, shipment_id in of.items()}


def _move_in(merge: Merge, into: Shipment, former: Shipment, order_id: int) -> None:
    """The order's lines move; its own shipment, empty now, goes, and is remembered to the last column."""
    ShipmentLine.objects.filter(shipment=former, order_line__order=order_id).update(shipment=into)
    kept: dict[str, Any] = {name: getattr(former, name) for name in FORMER}
    kept |= {"id": former.pk, "created_at": former.created_at.isoformat()}
    MergedOrder.objects.create(merge=merge, order_id=order_id, former=kept)
    Shipment.objects.filter(pk=former.pk).delete()


def _charge(order: Order) -> Charge:
    return Charge(
        order.pk, order.shipping_fee, order.fees, order.payment_method, order.shop.merge_refunds_shipping
    )  # fmt: skip


@transaction.atomic
def undo(merge_id: int, *, actor: Actor, why: str = "", whatever_was_given: bool = False) -> bool:
    """Take a merge apart before its instruction: lines, shipments and amounts are what they were.

    False when it was undone already. Raises CannotMerge once the parcel was instructed, or when a buyer has got the
    shipping back; with `whatever_was_given` the parcels come apart all the same and the money stays as it is. Lines
    that were cancelled meanwhile stay away; an amount that the channel told anew is left as it said.
    """
    ids = list(MergedOrder.objects.filter(merge=merge_id, active=True).order_by("pk").values_list("order", flat=True))
    orders = _locked(ids)
    merge = Merge.objects.select_for_update(no_key=True, of=("self",)).get(pk=merge_id)
    if merge.undone_at:
        return False
    shared = (
        Shipment.objects.select_for_update(no_key=True).filter(pk=merge.shipment_id).order_by("pk").first()
        if merge.shipment_id
        else None
    )
    if shared is not None and shared.state not in {Shipment.State.PLANNED, *ENDED}:
        raise CannotMerge(said("出荷指示を出したあとのため、同梱を解除できません。"))
    members = list(MergedOrder.objects.filter(merge=merge_id, active=True).order_by("pk"))
    if not {member.order_id for member in members} <= orders.keys():  # it grew before the lock
        raise CannotMerge(said("同時にほかの受注が同梱されました。画面を開き直してから解除してください。"))
    if shared is not None and shared.state in ENDED:
        shared = None  # it did not leave; what it carried was given places anew
    if not whatever_was_given and (cause := merge_money.why_not_back(members)):
        raise CannotMerge(cause)
    for member in members:
        if shared is not None and member.former:
            _move_out(shared, member)
    given = merge_money.take_back(members, orders, actor=actor)
    if shared is not None and not ShipmentLine.objects.filter(shipment=shared).exists():
        shared.delete()
    MergedOrder.objects.filter(pk__in=[member.pk for member in members]).update(active=False)
    Merge.objects.filter(pk=merge_id).update(undone_at=clock.now(), undone_by=actor.by)
    numbers = together(orders[id_].channel_order_no for id_ in ids)
    text = together([numbers, why], " ")
    journal.write([Entry(id_, "unmerged", text, _moved(orders[id_], given.get(id_, 0))) for id_ in ids], actor=actor)
    _untell_buyer(ids, said("同梱を解除したため送りません。"))
    facts.refresh(sorted(ids), actor=actor)
    return True


def _move_out(shared: Shipment, member: MergedOrder) -> None:
    """The order's lines go back into its own shipment, made again as it was; without lines there is none."""
    lines = ShipmentLine.objects.filter(shipment=shared, order_line__order=member.order_id)
    if not lines.exists():
        return
    values = dict(member.former)
    values["created_at"] = datetime.fromisoformat(values["created_at"])
    pk = values.pop("id")
    Shipment.objects.bulk_create([Shipment(pk=pk, state=Shipment.State.PLANNED, **values)])
    lines.update(shipment=pk)


@transaction.atomic
def keep_apart(one: int, other: int, *, decision: str = MergePair.Decision.APART, actor: Actor) -> None:
    """Remember that these two orders are not to be merged (or that the customer is asked); their reasons close.

    Raises CannotMerge when they are one order.
    """
    if one == other:
        raise CannotMerge(said("同梱する受注を2件以上選んでください。"))
    low, high = pair(one, other)
    orders = _locked([low, high])
    MergePair.objects.update_or_create(
        low_id=low, high_id=high, defaults={"decision": decision, "at": clock.now(), "by": actor.by}
    )
    if decision != MergePair.Decision.ASKED:
        kind = "merge_declined" if decision == MergePair.Decision.APART else "merge_expired"
        journal.write(
            [
                Entry(low, kind, orders[high].channel_order_no),
                Entry(high, kind, orders[low].channel_order_no),
            ],
            actor=actor,
        )


@transaction.atomic
def ask_customer(one: int, other: int, *, actor: Actor) -> int:
    """Write the question as a mail draft for a person to send; the pair is marked as asked. Returns drafts written.

    Raises CannotMerge for orders that have nothing in common or are two people's: a buyer must not read of another's
    order.
    """
    merge_keys.renew([one, other])
    found = reading.candidates([one, other])
    if len(found) < 2 or judge(*found).kind == Kind.NEVER:
        raise CannotMerge(said("届け先が異なるか、店舗の設定で同梱できません。"))
    if not _same_buyer(*Order.objects.filter(pk__in=[one, other]).only("member", "buyer_name")):
        raise CannotMerge(said("注文者が異なるため、1通のメールではたずねられません。電話などで確かめてください。"))
    keep_apart(one, other, decision=MergePair.Decision.ASKED, actor=actor)
    low, high = pair(one, other)
    numbers = dict(Order.objects.filter(pk__in=[low, high]).values_list("pk", "channel_order_no"))
    question = f"ご注文 {numbers[low]} と {numbers[high]} は、1つのお荷物にまとめてお届けしてもよろしいでしょうか。"
    words = {"mail.message": question}
    mail.schedule_for([low], MailEvent.INQUIRY, suffix=f":merge:{high}", draft=True, extra=words)
    journal.write(
        [Entry(low, "merge_asked", numbers[high]), Entry(high, "merge_asked", numbers[low])], actor=actor
    )  # fmt: skip
    return 1


def _fits_still(merge_id: int) -> bool:
    """All its orders go to one recipient by one way. Reads only: the instruction judges again under the locks."""
    ids = list(MergedOrder.objects.filter(merge=merge_id, active=True).values_list("order", flat=True))
    keys = reading.keys_of(ids)
    ways = set(Order.objects.filter(pk__in=ids).values_list("carrier", "delivery_method", "wish_date", "wish_slot"))
    return len(ways) == 1 and len({keys.get(id_, "") for id_ in ids}) == 1


def mend(effect: Effect) -> None:
    """Handler of the effect `merge_broken`: an order of a merge was cancelled, or goes elsewhere now (`moved`), so the
    others get their own way back. One that was moved and still fits stays."""
    merge_id, why = effect.payload["merge"], said("受注の取り消しのため")
    if "moved" in effect.payload:
        if _fits_still(merge_id):
            return
        why = said("モールで届け先や配送の指定が変わったため")
    try:
        undo(merge_id, actor=SYSTEM, why=why, whatever_was_given=True)
    except CannotMerge:
        return  # instructed: the parcel goes on with what is left in it
