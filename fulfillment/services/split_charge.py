"""分割の送料: further parcels at the buyer's cost. Asked about or agreed, put on as a fee, and taken off to the yen."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_noop

from fulfillment.decide.split_ways import Look, Payer, Way
from fulfillment.models import Shipment, SplitCharge
from fulfillment.queries import splits
from fulfillment.queries.splits import Wish
from fulfillment.services import split, split_ways
from fulfillment.services.split import CannotSplit
from oms.kernel import clock
from oms.kernel.money import yen
from oms.kernel.said import said
from orders.models import Mail, Order
from orders.models.mail import MailEvent
from orders.models.order import FulfillmentState
from orders.services import adjust, adjustments, journal, mail, payment_fees, tasks
from orders.services.adjustments import New
from orders.services.journal import SYSTEM, Actor, Entry

State = SplitCharge.State
LIVE = (State.ASKED, State.AGREED)
KNOWN = gettext_noop("分割の送料を、すでにたずねたか請求しています。")
LABEL = "分割送料"  # stands on the customer's papers, in the company's own language


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order's further parcels cost its buyer, and the total before."""

    parcels: int
    fee: int
    total: int


def quotes(parcels: Mapping[int, int]) -> dict[int, Quote | str]:
    """Order → further parcels: what each costs its buyer, or why nothing can be asked. Two queries."""
    live = set(SplitCharge.objects.filter(order__in=parcels, state__in=LIVE).values_list("order", flat=True))
    orders = Order.objects.filter(pk__in=parcels).select_related("shop").defer("search")
    return {order.pk: _quote(order, parcels[order.pk], live) for order in orders}


def _quote(order: Order, parcels: int, live: set[int]) -> Quote | str:
    if why := why_not_charged(order):
        return why
    if order.pk in live:
        return said(KNOWN)
    return Quote(parcels, unit_of(order) * parcels, order.total or 0)


def why_not_charged(order: Order) -> str:
    """Why the buyer of this order cannot be charged for parcels; empty when they can. The order comes with its shop."""
    if not payment_fees.sets_own_price(order):
        return said(
            "%(mall)sの合計はモールが決めるため、分割の送料をお客様に請求できません。店舗の負担でなら分けられます。",
            mall=order.shop.channel_label,
        )
    if why := adjust.why_not(order):
        return why
    if not unit_of(order):
        return said("分割の送料が決まっていません。店舗の設定「お客様にいただく分割の送料」に入力してください。")
    return ""


def unit_of(order: Order) -> int:
    """Yen with tax for each parcel more."""
    return order.shop.split_fee or order.shipping_fee


# ---- asking


@transaction.atomic
def ask(parcels: Mapping[int, int], wish: Wish, *, actor: Actor) -> tuple[list[int], dict[int, str]]:
    """Draft the mails that ask these buyers (order → further parcels), and a task to note the answer. Nothing is split.
    Returns the orders asked about, and why the others were not. Takes the orders' locks by pk."""
    split_ways.lock(list(parcels))
    found = quotes(parcels)
    asked = {id_: quote for id_, quote in found.items() if isinstance(quote, Quote)}
    made = _keep(asked, wish, State.ASKED, actor)
    numbers = dict(Order.objects.filter(pk__in=asked).values_list("pk", "channel_order_no"))
    tasks.ask([_task(charge, numbers[charge.order_id]) for charge in made], actor=actor)
    _draft(made, actor)
    journal.write([Entry(one.order_id, "split_asked", yen(one.fee)) for one in made], actor=actor)
    return sorted(asked), {id_: why for id_, why in found.items() if isinstance(why, str)}


def _keep(asked: Mapping[int, Quote], wish: Wish, state: str, actor: Actor) -> list[SplitCharge]:
    now, mark = clock.now(), uuid4().hex
    answered = {} if state == State.ASKED else {"answered_at": now, "answered_by": actor.by}
    return SplitCharge.objects.bulk_create(
        SplitCharge(
            order_id=id_, wish=wish.plain, parcels=quote.parcels, fee=quote.fee, state=state, mark=mark,
            asked_at=now, asked_by=actor.by, **answered,
        )
        for id_, quote in sorted(asked.items())
    )  # fmt: skip


def _task(charge: SplitCharge, number: str) -> tasks.NewTask:
    text = said("%(no)s: 分割の送料についてお客様の返事を記録する", no=number)
    return tasks.NewTask(
        _task_key(charge), charge.order_id, text, link=reverse("fulfillment:split", args=[charge.order_id])
    )


def _task_key(charge: SplitCharge) -> str:
    return f"{charge.key}:answer"


def _draft(made: Sequence[SplitCharge], actor: Actor) -> None:
    """Orders that are asked alike share the words."""
    alike: dict[tuple[int, int, str], list[int]] = defaultdict(list)
    for one in made:
        alike[one.parcels, one.fee, one.mark].append(one.order_id)
    for (parcels, fee, mark), ids in alike.items():
        words = (
            f"ご注文の商品は、お荷物を{parcels + 1}つに分けて、ご用意できたものから先にお届けすることができます。"
            f"分けてお届けする場合は、追加の送料 {yen(fee)} をいただき、合計金額が {yen(fee)} 増えます。"
            "1つにまとめてお届けする場合は、追加の送料はかかりません。\n"
            "分けてお届けしてよろしいでしょうか。"
        )
        extra = {"mail.message": words}
        mail.schedule_for(ids, MailEvent.INQUIRY, suffix=_suffix(mark), draft=True, extra=extra, actor=actor)


def _suffix(mark: str) -> str:
    return f":split:{mark}"


# ---- a wish as people say it: how to split, and who pays


@dataclass(frozen=True, slots=True)
class Judged:
    """Who would be split, why the others would not, and what it costs the buyers who pay."""

    looks: Mapping[int, Look]
    whys: Mapping[int, str]
    quotes: Mapping[int, Quote]


def judge(order_ids: Sequence[int], wish: Wish, payer: str) -> Judged:
    """Changes nothing. A fixed number of queries."""
    if wish.way == Way.LOCATION and wish.location is None:
        return Judged({}, dict.fromkeys(order_ids, said("拠点を選んでください。")), {})
    found = splits.looks(order_ids, wish)
    looks = {id_: look for id_, look in found.items() if isinstance(look, Look)}
    whys = {id_: look for id_, look in found.items() if isinstance(look, str)}
    if payer == Payer.SHOP:
        return Judged(looks, whys, {})
    asked = quotes({id_: look.further for id_, look in looks.items()})
    whys |= {id_: quote for id_, quote in asked.items() if isinstance(quote, str)}
    priced = {id_: quote for id_, quote in asked.items() if isinstance(quote, Quote)}
    return Judged({id_: look for id_, look in looks.items() if id_ in priced}, whys, priced)


@transaction.atomic
def carry_out(order_ids: Sequence[int], wish: Wish, payer: str, *, actor: Actor) -> tuple[list[int], dict[int, str]]:
    """Split these orders, with the fee where their buyers have agreed, or ask them first. Returns the orders, and why
    the others stay as they are. Takes the orders' locks by pk."""
    split_ways.lock(order_ids)
    judged = judge(order_ids, wish, payer)
    if payer == Payer.ASK:
        asked, left = ask({id_: look.further for id_, look in judged.looks.items()}, wish, actor=actor)
        return asked, {**judged.whys, **left}
    parted, left = split_ways.part(list(judged.looks), wish, actor=actor)
    if payer == Payer.BUYER and parted:
        charge(parted, wish, actor=actor)
    withdraw(list(parted), actor=actor)  # the answer is not waited for any more
    return list(parted), {**judged.whys, **left}


@transaction.atomic
def split_off(
    shipment_id: int, pieces: Mapping[int, int], *, seen: Mapping[int, int], at_buyers_cost: bool, actor: Actor
) -> Shipment:
    """`split.split_off`; at the buyer's cost the fee of one parcel goes on. Raises CannotSplit with nothing changed."""
    fresh = split.split_off(shipment_id, pieces, seen=seen, actor=actor)
    if at_buyers_cost:
        order_id = fresh.recipient.order_id
        quote = quotes({order_id: 1})[order_id]
        if isinstance(quote, str):
            raise CannotSplit(quote)
        charge({order_id: 1}, Wish(""), actor=actor)
    else:
        withdraw([fresh.recipient.order_id], actor=actor)
    return fresh


# ---- the answer


@transaction.atomic
def agree(charge_id: int, *, actor: Actor) -> int:
    """The buyer wants it: split as it was asked, and put the fee on. Returns the parcels more. Raises CannotSplit with
    nothing changed where the order is another one by now. Takes the order's lock; stock is locked before the sums."""
    charge = _asked(charge_id)
    parted, left = split_ways.part([charge.order_id], Wish.of(charge.wish), actor=actor)
    if charge.order_id not in parted:
        raise CannotSplit(left.get(charge.order_id, "") or said("状態が変わったため、分割できません。"))
    order = Order.objects.select_related("shop").get(pk=charge.order_id)
    if why := why_not_charged(order):
        raise CannotSplit(why)
    _close([charge], State.AGREED, actor)
    _put_on([charge], actor)
    return parted[charge.order_id]


@transaction.atomic
def decline(charge_id: int, *, actor: Actor) -> None:
    """The buyer does not want it: the order stays whole, and costs what it did. Raises CannotSplit."""
    charge = _asked(charge_id)
    _close([charge], State.DECLINED, actor)
    journal.write([Entry(charge.order_id, "split_declined", yen(charge.fee))], actor=actor)


def _asked(charge_id: int) -> SplitCharge:
    split_ways.lock(list(SplitCharge.objects.filter(pk=charge_id).values_list("order", flat=True)))
    charge = SplitCharge.objects.filter(pk=charge_id, state=State.ASKED).first()
    if charge is None:
        raise CannotSplit(said("返事をすでに記録したか、質問を取り下げています。"))
    return charge


@transaction.atomic
def withdraw(order_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """Ask no more: drafts that wait and the tasks go. Returns the orders. Takes the orders' locks by pk."""
    split_ways.lock(order_ids)
    charges = list(SplitCharge.objects.filter(order__in=order_ids, state=State.ASKED).order_by("order"))
    _close(charges, State.WITHDRAWN, actor)
    ids = [charge.order_id for charge in charges]
    journal.write([Entry(id_, "split_ask_withdrawn") for id_ in ids], actor=actor)
    return ids


def withdraw_moot() -> list[int]:
    """Questions about orders that cannot be split any more: cancelled, instructed, or everything is out."""
    out = Q(order__release_date__isnull=True) | Q(order__release_date__lte=clock.today())
    over = Q(order__cancelled_at__isnull=False) | ~Q(order__fulfillment_state=FulfillmentState.NONE)
    rows = SplitCharge.objects.filter(over | Q(wish__way="release") & out, state=State.ASKED)
    ids = sorted(rows.values_list("order", flat=True))
    return withdraw(ids, actor=SYSTEM) if ids else []


def _close(charges: Sequence[SplitCharge], state: str, actor: Actor) -> None:
    SplitCharge.objects.filter(pk__in=[one.pk for one in charges]).update(
        state=state, answered_at=clock.now(), answered_by=actor.by
    )
    tasks.withdraw([_task_key(one) for one in charges], actor=actor)
    keys = [f"{MailEvent.INQUIRY}:{one.order_id}{_suffix(one.mark)}" for one in charges]
    why = said("分割の送料についての質問を終えたため、送りません。")
    mail.withdraw(Mail.objects.filter(key__in=keys), reason=why, actor=actor)


# ---- the money


@transaction.atomic
def charge(parcels: Mapping[int, int], wish: Wish, *, actor: Actor) -> list[int]:
    """Orders that were just split (order → parcels more), whose buyers have agreed: the fee goes on. Returns those. The
    caller holds the orders' locks and has asked `quotes`."""
    agreed = {id_: quote for id_, quote in quotes(parcels).items() if isinstance(quote, Quote)}
    _put_on(_keep(agreed, wish, State.AGREED, actor), actor)
    return sorted(agreed)


def _put_on(charges: Sequence[SplitCharge], actor: Actor) -> None:
    left = adjust.put_on([_fee(one) for one in charges], actor=actor)
    for one in charges:
        one.money = left.get(one.order_id, {})
    SplitCharge.objects.bulk_update(charges, ["money"])


def _fee(one: SplitCharge) -> New:
    return New(one.order_id, adjustments.FEE, LABEL, one.fee, one.key)


def take_back(order_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """The split is undone, and so is its fee: the orders cost to the yen what they did. Returns the orders of which a
    fee was taken off. The caller holds the orders' locks."""
    agreed = SplitCharge.objects.filter(order__in=order_ids, state=State.AGREED)
    charges = {one.order_id: one for one in agreed.order_by("order")}
    left = {id_: one.money for id_, one in charges.items()}
    gone = adjust.take_off([_fee(one) for one in charges.values()], left, actor=actor) if charges else []
    SplitCharge.objects.filter(pk__in=[charges[id_].pk for id_ in gone]).update(
        state=State.TAKEN_BACK, answered_at=clock.now(), answered_by=actor.by
    )
    return gone


@transaction.atomic
def join(order_id: int, *, actor: Actor) -> bool:
    """One planned parcel per place and recipient again, and no fee for what is not split. False when there is nothing
    to undo."""
    done = split.join(order_id, actor=actor)
    if done:
        take_back([order_id], actor=actor)
    return done


def states(order_ids: Sequence[int]) -> dict[int, list[list[object]]]:
    """The live question or charge of each order, as JSON has it."""
    found: dict[int, list[list[object]]] = {id_: [] for id_ in order_ids}
    rows = SplitCharge.objects.filter(order__in=order_ids, state__in=LIVE).order_by("pk")
    for order_id, pk, state in rows.values_list("order", "pk", "state"):
        found[order_id].append([pk, state])
    return found
