"""出荷確定: parcels leave. Stock goes out, the channel and the customer are told through the outbox."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, Q, prefetch_related_objects
from django.utils.translation import override

from fulfillment import documents
from fulfillment.models import Shipment, ShipmentLine, ToldTogether
from fulfillment.services import facts, journal
from fulfillment.tracking import tracking_url
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.clock import in_tokyo
from oms.kernel.money import yen
from oms.kernel.said import said, together
from oms.kernel.said_field import choice
from oms.kernel.services.outbox import NewEffect, put
from orders.decide.goods_names import bought
from orders.decide.ship_plan import Destination
from orders.decide.slots import slot_label
from orders.models import Order, OrderLine
from orders.models.order import ChannelSync, FulfillmentState, PaymentMethod
from orders.services import facts as order_facts
from orders.services import journal as order_journal
from orders.services import mail, ship_plans
from orders.services.internal import is_internal
from orders.services.journal import Actor, Entry
from orders.services.reservation import ref_of
from orders.services.ship_plans import Plans


@dataclass(frozen=True, slots=True)
class Departure:
    """A parcel that leaves. `more`: the numbers of its further pieces."""

    shipment_id: int
    carrier: str
    tracking_no: str
    more: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Shipped:
    shipments: list[int] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)  # shipment → why


@transaction.atomic
def confirm_shipments(departures: Sequence[Departure], *, actor: Actor) -> Shipped:
    """Confirm that these shipments left. Confirming again is refused with a sentence and does nothing.

    Locks orders by pk, shipments by pk, then stock once.
    """
    return _leave(departures, actor=actor, left_already=False)


@transaction.atomic
def record_left(departures: Sequence[Departure], *, actor: Actor) -> Shipped:
    """These parcels have left, whatever anybody wanted: a hold or an open reason no longer keeps them here."""
    return _leave(departures, actor=actor, left_already=True)


def _leave(departures: Sequence[Departure], *, actor: Actor, left_already: bool) -> Shipped:
    by_id = {departure.shipment_id: departure for departure in departures}
    order_ids = sorted(set(ShipmentLine.objects.filter(shipment__in=by_id).values_list("order_line__order", flat=True)))
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk").values_list("pk"))
    locked = list(Shipment.objects.select_for_update(no_key=True).filter(pk__in=by_id).order_by("pk"))
    refused = _refusals(locked, by_id, {} if left_already else _stopped_orders(order_ids))
    lines = list(
        ShipmentLine.objects.filter(shipment__in=[s.pk for s in locked if s.pk not in refused]).select_related(
            "shipment", "order_line"
        )
    )
    refused |= _without_goods(lines)
    lines = [line for line in lines if line.shipment_id not in refused]
    leaving = [shipment for shipment in locked if shipment.pk not in refused]
    if not leaving:
        return Shipped(refused=refused)
    _write_shipments(leaving, by_id)
    touched = sorted({line.order_line.order_id for line in lines})
    journal.write([(s.pk, "shipped", by_id[s.pk].tracking_no) for s in leaving], by=actor.by)
    stock.ship(
        [
            stock.Part(ref_of(line.order_line_id), line.sku_id, line.shipment.location_id, line.quantity)
            for line in lines
        ],
        by_id=actor.by.pk if actor.by else None,
    )
    _count_shipped_lines(lines)
    facts.refresh(touched, actor=actor)
    _tell(leaving, lines, actor)
    return Shipped([shipment.pk for shipment in leaving], touched, refused)


def _refusals(locked: Sequence[Shipment], by_id: dict[int, Departure], held: dict[int, str]) -> dict[int, str]:
    refused = {}
    for shipment in locked:
        if shipment.state == Shipment.State.SHIPPED:
            refused[shipment.pk] = said("すでに出荷済みです。")
        elif shipment.state == Shipment.State.STOP_REQUESTED:
            refused[shipment.pk] = said(
                "出荷停止を依頼されています。止められたか、間に合わなかったかを答えてください。"
            )
        elif shipment.state == Shipment.State.STOPPED:
            refused[shipment.pk] = said(
                "この出荷は止めました。納品書と送り状は使えません。捨てて、商品を棚に戻してください。"
            )
        elif shipment.state != Shipment.State.INSTRUCTED:
            refused[shipment.pk] = said("出荷指示が出ていません（%(state)s）。", state=choice(shipment, "state"))
        elif not by_id[shipment.pk].tracking_no.strip():
            refused[shipment.pk] = said("送り状番号を入力してください。")
        elif shipment.pk in held:
            refused[shipment.pk] = held[shipment.pk]
    return refused


def _without_goods(lines: Sequence[ShipmentLine]) -> dict[int, str]:
    """Shipments whose goods a count or a counter sale took away meanwhile: they ship nothing, the rest goes on."""
    placed: dict[tuple[str, int, int], int] = defaultdict(int)
    for held in stock.held_by({ref_of(line.order_line_id) for line in lines}):
        if held.location_id is not None:
            placed[held.ref, held.sku_id, held.location_id] += held.quantity
    refused = {}
    for line in lines:
        key = (ref_of(line.order_line_id), line.sku_id, line.shipment.location_id)
        placed[key] -= line.quantity
        if placed[key] < 0:
            refused[line.shipment_id] = said("在庫が足りなくなったため出荷できません。引当を取り直しています。")
    return refused


def _stopped_orders(order_ids: Sequence[int]) -> dict[int, str]:
    """Shipments of orders that must not leave now: held, or with a reason that asks to stop them."""
    stopped: dict[int, str] = {}
    reasons = Count("reasons", filter=Q(reasons__state="open", reasons__level="block"))
    for order in Order.objects.filter(pk__in=order_ids).annotate(blocking=reasons):
        if order.held_at or order.blocking:
            cause = (
                said("受注 %(no)s は保留中です。", no=order.channel_order_no)
                if order.held_at
                else said(
                    "受注 %(no)s に未確認の理由があります。受注画面で確認してください。", no=order.channel_order_no
                )
            )
            own = ShipmentLine.objects.filter(order_line__order=order).values_list("shipment", flat=True)
            stopped |= dict.fromkeys(own, cause)
    return stopped


def _write_shipments(leaving: Sequence[Shipment], by_id: dict[int, Departure]) -> None:
    now = clock.now()
    for shipment in leaving:
        departure = by_id[shipment.pk]
        shipment.state, shipment.shipped_at = Shipment.State.SHIPPED, now
        put_numbers(shipment, departure)
    fields = ["state", "shipped_at", "carrier", "tracking_no", "more_tracking_nos"]
    Shipment.objects.bulk_update(leaving, fields, batch_size=500)


def put_numbers(shipment: Shipment, departure: Departure) -> None:
    """Carrier and numbers on the shipment, not saved. Further numbers stay while the first one does."""
    number = departure.tracking_no.strip()
    if departure.more or number != shipment.tracking_no:
        shipment.more_tracking_nos = list(departure.more)
    shipment.carrier, shipment.tracking_no = departure.carrier, number


def _count_shipped_lines(lines: Sequence[ShipmentLine]) -> None:
    """A bundle's line has several rows per shipment; its pieces count once."""
    pieces: dict[tuple[int, int], int] = {}
    for line in lines:
        pieces[line.shipment_id, line.order_line_id] = line.line_quantity
    sums: dict[int, int] = defaultdict(int)
    for (_shipment, order_line), quantity in pieces.items():
        sums[order_line] += quantity
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_orderline l SET shipped_quantity = l.shipped_quantity + v.n "
            "FROM unnest(%s::bigint[], %s::int[]) AS v(id, n) WHERE l.id = v.id",
            [list(sums), list(sums.values())],
        )


def search_words(orders: Iterable[Order], parcels: Mapping[int, Sequence[Shipment]]) -> dict[int, str]:
    """Order → its numbers, those of further pieces of its parcels as well."""
    words = {
        order.pk: [order.tracking_label, *(number for one in parcels[order.pk] for number in one.more_tracking_nos)]
        for order in orders
    }
    return {order_id: " ".join(filter(None, own)) for order_id, own in words.items()}


Cash = Mapping[tuple[int, int], int]  # (order, shipment) → yen that the driver takes


def _parcel_words(
    order: Order, parcels: Sequence[Shipment], lines: Sequence[ShipmentLine], plans: Plans, rest: str
) -> dict[str, str]:
    """What the customer's mail says of these parcels of one order: it names them and not the order's others. `rest`:
    what follows later."""
    ours = {parcel.pk for parcel in parcels}
    pieces = {
        line.order_line_id: bought(line.order_line.name, line.order_line.options, line.line_quantity)
        for line in lines
        if line.shipment_id in ours
    }
    urls = [tracking_url(parcel.carrier, parcel.tracking_no) for parcel in parcels]
    left = in_tokyo(parcels[0].shipped_at or clock.now()).date()
    with override(settings.LANGUAGE_CODE):  # the customer's language, not that of whoever ships
        carriers = "、".join(dict.fromkeys(str(parcel.get_carrier_display()) for parcel in parcels))
        expected = _expected(order, parcels[0], plans, left)
    return {
        "shipment.date": f"{left:%Y年%m月%d日}",
        "shipment.expected": expected,
        "shipment.rest": rest,
        "shipment.carrier": carriers,
        "shipment.tracking_no": "、".join(parcel.tracking_no for parcel in parcels if parcel.tracking_no),
        "shipment.tracking_url": "\n".join(url for url in urls if url),
        "shipment.lines": "\n".join(pieces.values()),
    }


def _cash_of(shipment_ids: Sequence[int], orders: Iterable[Order]) -> Cash:
    """No query where no order is paid at the door."""
    at_the_door = any(order.payment_method == PaymentMethod.COD for order in orders)
    return documents.cash_of(shipment_ids) if at_the_door else {}


def _cash_words(cash: Cash, order_id: int, parcels: Sequence[Shipment]) -> dict[str, str]:
    amount = sum(cash.get((order_id, parcel.pk), 0) for parcel in parcels)
    return {"shipment.cod_amount": yen(amount) if amount else ""}


def _expected(order: Order, parcel: Shipment, plans: Plans, left: date) -> str:
    """The wished day and hours where the day can still be met, else the carrier's day."""
    to = parcel.recipient
    days = plans.of(parcel.location_id).transit_days(Destination(to.prefecture, to.postal_code, parcel.carrier))
    day = max(order.wish_date or left, left + timedelta(days=days))
    return " ".join(part for part in (f"{day:%Y年%m月%d日}", slot_label(order.wish_slot)) if part)


def _rests(order_ids: Sequence[int]) -> dict[int, str]:
    """Order → what of it has not left yet, as mails list goods."""
    rows = OrderLine.objects.filter(order__in=order_ids, shipped_quantity__lt=F("quantity")).order_by("position", "pk")
    found: dict[int, list[str]] = defaultdict(list)
    for line in rows.only("order", "name", "options", "quantity", "shipped_quantity"):
        found[line.order_id].append(bought(line.name, line.options, line.quantity - line.shipped_quantity))
    return {order_id: "\n".join(names) for order_id, names in found.items()}


def _tell(leaving: Sequence[Shipment], lines: Sequence[ShipmentLine], actor: Actor) -> None:
    """Journal, customer's mail and channel's notice, per order and shipment; each once by its key."""
    news = _by_order(leaving, lines)
    orders = Order.objects.select_related("shop").in_bulk(news)
    order_facts.add_search_words(search_words(orders.values(), news))
    _write_news(news, lines, orders)
    order_journal.write(
        [
            Entry(order_id, "shipped", together([choice(shipment, "carrier"), shipment.tracking_no], " "))
            for order_id, parcels in news.items()
            for shipment in parcels
        ],
        actor=actor,
    )


def tell_anew(parcels: Mapping[int, Sequence[int]], *, mailed: Collection[int]) -> None:
    """The mails and notices of parcels (by order) that have left, and whose news was withdrawn with that of a parcel
    that came back. `mailed`: orders whose buyers have read of them already. The caller holds the orders' locks and has
    refreshed their facts."""
    ids = {pk for own in parcels.values() for pk in own}
    if not ids:
        return
    gone = list(Shipment.objects.filter(pk__in=ids, state=Shipment.State.SHIPPED).order_by("pk"))
    carried = ShipmentLine.objects.filter(shipment__in=gone, order_line__order__in=parcels)
    lines = list(carried.select_related("shipment", "order_line"))
    told = _by_order(gone, lines)
    news = {
        order_id: kept
        for order_id, own in told.items()
        if (kept := [one for one in own if one.pk in set(parcels[order_id])])
    }
    _write_news(news, lines, Order.objects.select_related("shop").in_bulk(news), mailed=mailed)


def _by_order(shipments: Sequence[Shipment], lines: Sequence[ShipmentLine]) -> dict[int, list[Shipment]]:
    carried: dict[int, set[int]] = defaultdict(set)
    for line in lines:
        carried[line.shipment_id].add(line.order_line.order_id)
    found: dict[int, list[Shipment]] = {}
    for shipment in shipments:
        for order_id in sorted(carried[shipment.pk]):
            found.setdefault(order_id, []).append(shipment)
    return found


def _write_news(
    news: Mapping[int, Sequence[Shipment]],
    lines: Sequence[ShipmentLine],
    orders: Mapping[int, Order],
    *,
    mailed: Collection[int] = (),
) -> None:
    """One mail and one notice an order, under the first of its parcels: what leaves together is one piece of news."""
    shipments = list({shipment.pk: shipment for parcels in news.values() for shipment in parcels}.values())
    plans, rests = ship_plans.read(), _rests(sorted(news))
    cash = _cash_of([shipment.pk for shipment in shipments], orders.values())
    prefetch_related_objects(shipments, "recipient")
    notices, at_once = [], []
    for order_id, parcels in news.items():
        order, (first, *others) = orders[order_id], parcels
        at_once += [ToldTogether(order_id=order_id, shipment=one, under=first) for one in others]
        complete = order.fulfillment_state == FulfillmentState.SHIPPED
        if order_id not in mailed:
            own = [line for line in lines if line.order_line.order_id == order_id]
            mail.schedule(
                order.shop,
                "shipped" if complete else "partially_shipped",
                [(order_id, order.buyer_email)],
                suffix=f":{first.pk}",
                extra=_cash_words(cash, order_id, parcels)
                | _parcel_words(order, parcels, own, plans, rests.get(order_id, "")),
            )
        if not is_internal(order) and (complete or order.shop.can("partial_shipment")):
            notices.append((order_id, first.pk))
    ToldTogether.objects.bulk_create(at_once)
    put(
        [
            NewEffect("channel_ship", f"ship:{o}:{s}", f"order:{o}:channel", {"order": o, "shop": orders[o].shop_id})
            for o, s in notices
        ]
    )
    Order.objects.filter(pk__in=[order_id for order_id, _s in notices]).update(
        channel_sync=ChannelSync.PENDING, version=F("version") + 1
    )
