"""Going back behind a shipping confirmation, and parcels that carriers bring back."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q

from fulfillment.models import Shipment, ShipmentLine, ToldTogether
from fulfillment.services import facts, journal, ship
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.clock import in_tokyo
from oms.kernel.models import Effect
from oms.kernel.said import said
from orders.decide.returns import LIVE
from orders.models import Mail, Order, OrderLine, ReturnCase, ReturnLine
from orders.models.order import ChannelSync
from orders.queries import billing
from orders.services import authorisations, returns
from orders.services import journal as order_journal
from orders.services.journal import Actor, Entry
from orders.services.reservation import ref_of
from orders.services.returns import Refused

SHIPPING_MAILS = ("shipped", "partially_shipped")


@transaction.atomic
def reopen(shipment_id: int, *, actor: Actor) -> Shipment:
    """Take back a confirmation of today that no channel has been told of: the goods are here again, and the parcel is
    back in the warehouse's list with its places. Notices and mails still waiting are pulled back, and written anew for
    parcels that left with it and stay away; a mail that is out is said to be. Raises Refused. Locks the orders by pk,
    the shipment, then stock.
    """
    orders = ShipmentLine.objects.filter(shipment=shipment_id).values_list("order_line__order", flat=True)
    order_ids = sorted(set(orders))
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk").values_list("pk"))
    shipment = Shipment.objects.select_for_update(no_key=True).get(pk=shipment_id)
    if cause := why_not_reopened(shipment, order_ids):
        raise Refused(cause)
    news = _news_of(shipment.pk, order_ids)
    mailed = _pull_back(news)
    lines = list(shipment.lines.select_related("order_line"))
    _uncount(lines)
    Shipment.objects.filter(pk=shipment.pk).update(state=Shipment.State.INSTRUCTED, shipped_at=None, tracking_no="")
    journal.write([(shipment.pk, "reopened", shipment.tracking_no)], by=actor.by)
    text = said("送り状 %(no)s を取り消し", no=shipment.tracking_no)
    if mailed:
        text = said("送り状 %(no)s を取り消し（出荷メールは送信済み）", no=shipment.tracking_no)
    order_journal.write([Entry(order_id, "reopened", text) for order_id in order_ids], actor=actor)
    _give_back(shipment, lines, actor)
    facts.refresh(order_ids, actor=actor)
    authorisations.take_back_capture(order_ids, since=shipment.shipped_at or clock.now())
    ship.tell_anew(news.others, mailed={pk for pk in mailed if news.head[pk] != shipment.pk})
    return Shipment.objects.get(pk=shipment.pk)


def why_not_reopened(shipment: Shipment, order_ids: Sequence[int]) -> str:
    """Why the confirmation stands; empty when it may be taken back."""
    if shipment.state != Shipment.State.SHIPPED or shipment.shipped_at is None:
        return said("出荷済みの出荷伝票ではありません。")
    if in_tokyo(shipment.shipped_at).date() != clock.today():
        return said("取り消せるのは当日の出荷だけです。返品として扱ってください。")
    told = _told(_news_of(shipment.pk, order_ids)) | Q(
        subject__in=[f"order:{pk}:channel" for pk in order_ids],
        kind="channel_ship",
        claimed_at__gte=shipment.shipped_at,
    )  # a notice tells of every parcel that has left by then
    touched = Effect.objects.filter(told).exclude(state=Effect.State.WAITING, attempts=0)
    if touched.exists():
        return said("モールに出荷を知らせたあとのため取り消せません。返品として扱ってください。")
    if billed := billing.standing_on(order_ids):
        return said("合計請求書 %(no)s に載っているため取り消せません。先に締めを取り消してください。", no=billed)
    if ReturnLine.objects.filter(case__order__in=order_ids, case__state__in=LIVE).exists():
        return said("返品の受付があるため取り消せません。")
    return ""


@dataclass(frozen=True, slots=True)
class _News:
    """By order: the parcel whose mail and notice tell of this one, and the others that they tell of."""

    head: dict[int, int]
    others: dict[int, list[int]]


def _news_of(shipment_id: int, order_ids: Sequence[int]) -> _News:
    under = dict(ToldTogether.objects.filter(shipment=shipment_id, order__in=order_ids).values_list("order", "under"))
    head = {order_id: under.get(order_id, shipment_id) for order_id in order_ids}
    others: dict[int, list[int]] = defaultdict(list)
    rows = ToldTogether.objects.filter(order__in=order_ids, under__in=head.values()).order_by("shipment")
    for order_id, parcel, first in rows.values_list("order", "shipment", "under"):
        if first == head[order_id]:
            others[order_id].append(parcel)
    for order_id, first in head.items():
        others[order_id] = [pk for pk in (first, *others[order_id]) if pk != shipment_id]
    return _News(head, {order_id: own for order_id, own in others.items() if own})


def _told(news: _News) -> Q:
    """The notices themselves."""
    return Q(key__in=[f"ship:{order_id}:{first}" for order_id, first in news.head.items()])


def _pull_back(news: _News) -> set[int]:
    """Take notices and mails that nobody has tried to send yet out of the outbox; returns the orders whose mail is out
    already. Confirming again writes them anew."""
    notices = Effect.objects.filter(_told(news))
    notices.filter(state=Effect.State.WAITING, attempts=0).delete()
    if notices.exists():  # a worker took it between our look and our taking back
        raise Refused(said("モールに出荷を知らせたあとのため取り消せません。返品として扱ってください。"))
    Order.objects.filter(pk__in=news.head, channel_sync=ChannelSync.PENDING).update(
        channel_sync=ChannelSync.NONE, version=F("version") + 1
    )
    keys = [f"{event}:{order_id}:{first}" for event in SHIPPING_MAILS for order_id, first in news.head.items()]
    mails = Mail.objects.filter(key__in=keys)
    effects = {f"mail:{pk}": pk for pk in mails.filter(state=Mail.State.SCHEDULED).values_list("pk", flat=True)}
    waiting = Effect.objects.select_for_update(no_key=True).filter(
        key__in=effects, state=Effect.State.WAITING, attempts=0
    )
    pulled = list(waiting.order_by("pk").values_list("key", flat=True))
    Effect.objects.filter(key__in=pulled).delete()
    Mail.objects.filter(pk__in=[effects[key] for key in pulled]).delete()
    Mail.objects.filter(pk__in=mails.filter(state=Mail.State.SUPPRESSED)).delete()
    for order_id, first in news.head.items():
        ToldTogether.objects.filter(order=order_id, under=first).delete()
    return set(mails.values_list("order", flat=True))


def _uncount(lines: Sequence[ShipmentLine]) -> None:
    """A bundle's line has several rows; its pieces count once."""
    for order_line, pieces in {line.order_line_id: line.line_quantity for line in lines}.items():
        OrderLine.objects.filter(pk=order_line).update(shipped_quantity=F("shipped_quantity") - pieces)


def _give_back(shipment: Shipment, lines: Sequence[ShipmentLine], actor: Actor) -> None:
    try:
        stock.unship(
            [
                stock.Part(ref_of(line.order_line_id), line.sku_id, shipment.location_id, line.quantity)
                for line in lines
            ],
            by_id=actor.by.pk if actor.by else None,
        )
    except stock.OutOfStock as error:
        raise Refused(said("在庫の引当を元に戻せないため取り消せません。返品として扱ってください。")) from error


@transaction.atomic
def parcel_returned(shipment_id: int, *, tracking_no: str = "", actor: Actor) -> ReturnCase:
    """The carrier brings the parcel back (受取拒否・長期不在・宛先不明): a case is opened that waits for its arrival.

    Saying it again gives the known case. Raises Refused.
    """
    orders = ShipmentLine.objects.filter(shipment=shipment_id).values_list("order_line__order", flat=True)
    order_ids = sorted(set(orders))
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk").values_list("pk"))
    shipment = Shipment.objects.select_for_update(no_key=True).get(pk=shipment_id)
    if shipment.state not in {Shipment.State.SHIPPED, Shipment.State.RETURNED}:
        raise Refused(said("出荷済みの出荷伝票ではありません。"))
    cases = [_case_of(shipment, order_id, tracking_no or shipment.tracking_no, actor) for order_id in order_ids]
    if shipment.state == Shipment.State.SHIPPED:
        Shipment.objects.filter(pk=shipment.pk).update(state=Shipment.State.RETURNED)
        journal.write([(shipment.pk, "returned", tracking_no)], by=actor.by)
    return cases[0]


def _case_of(shipment: Shipment, order_id: int, tracking_no: str, actor: Actor) -> ReturnCase:
    pieces = {line.order_line_id: line.line_quantity for line in shipment.lines.filter(order_line__order=order_id)}
    known = returns.brought_back(order_id, pieces, carrier=shipment.carrier, tracking_no=tracking_no, actor=actor)
    if known is not None:
        for line, count in ReturnLine.objects.filter(case=known).values_list("line", "quantity"):
            pieces[line] -= count
        if not any(pieces.values()):
            return ReturnCase.objects.get(pk=known)
    case = returns.open_case(
        order_id,
        pieces,
        reason="refused",
        key=_fresh_key(shipment.pk, order_id),
        kind=ReturnCase.Kind.UNDELIVERED,
        note=said("出荷伝票 %(no)s が配達できずに戻ります。", no=shipment.number),
        actor=actor,
    )
    if case.state == ReturnCase.State.REQUESTED:
        returns.approve(case.pk, actor=actor)
        returns.on_its_way(case.pk, carrier=shipment.carrier, tracking_no=tracking_no, actor=actor)
    return ReturnCase.objects.get(pk=case.pk)


def _fresh_key(shipment_id: int, order_id: int) -> str:
    """Saying it again is the same case, unless that was withdrawn: then the parcel came back after all."""
    base = f"undelivered:{shipment_id}:{order_id}"
    given_up = ReturnCase.objects.filter(Q(key=base) | Q(key__startswith=f"{base}:"), state=ReturnCase.State.WITHDRAWN)
    again = given_up.count()
    return f"{base}:{again + 1}" if again else base


@transaction.atomic
def stays_away(case_id: int, *, actor: Actor) -> int:
    """The case was withdrawn: a parcel that was said to come back, and of which no other case stands, has left as
    before. Returns how many parcels that is. The caller holds the lock of the case's order."""
    case = ReturnCase.objects.get(pk=case_id)
    carried = ShipmentLine.objects.filter(order_line__returns__case=case, shipment__state=Shipment.State.RETURNED)
    found = Shipment.objects.select_for_update(no_key=True).filter(pk__in=carried.values("shipment")).order_by("pk")
    away = [parcel for parcel in found if _is_about(case, parcel) and not _comes_back(parcel)]
    Shipment.objects.filter(pk__in=[parcel.pk for parcel in away]).update(state=Shipment.State.SHIPPED)
    journal.write([(parcel.pk, "not_returned", case.number) for parcel in away], by=actor.by)
    return len(away)


def _is_about(case: ReturnCase, parcel: Shipment) -> bool:
    """Cases of cancellations that came too late become those of parcels that come back (`returns.brought_back`)."""
    return case.key.startswith(f"undelivered:{parcel.pk}:") or case.reason == "too_late"


def _comes_back(parcel: Shipment) -> bool:
    about = Q(key__startswith=f"undelivered:{parcel.pk}:") | Q(
        reason="too_late", kind=ReturnCase.Kind.UNDELIVERED, lines__line__shipmentline__shipment=parcel
    )
    return ReturnCase.objects.filter(about, state__in=LIVE).exists()
