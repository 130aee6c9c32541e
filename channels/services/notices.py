"""What channels are told about orders: handlers of the outbox's effect kinds. One effect, one word to the channel; only
confirmations and shipments of one shop, which come in crowds, share their calls where the channel has some for many."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from channels.connectors.contract import ChannelError, Connector, CredentialsRefused, Parcel
from channels.connectors.registry import connector_class
from channels.models import Connection
from channels.services import apart_lines, shops
from fulfillment.models import Shipment, ShipmentLine
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.said import said, sentences
from oms.kernel.services import outbox
from oms.kernel.services.outbox import GiveUp, NewEffect, Postpone, Retry
from orders.decide.reasons import Found
from orders.models import Order, OrderLine, Shop
from orders.models.order import ChannelSync, Phase
from orders.services import confirm as confirming
from orders.services import facts, review
from orders.services.rules.verbs import GIFT

# A mall may be closed for a night: after the quick tries it is asked so often, until it answers.
LONG_PAUSE_S = 300
RESTING_PAUSE_S = 600
REASON = "channel_push_failed"
LEFT = (Shipment.State.SHIPPED, Shipment.State.RETURNED)  # what came back had left, and the channel knows it


def deliver(effect: Effect) -> None:
    """Handler of all effects of kind channel_…; see `TELL`."""
    order = Order.objects.select_related("shop").get(pk=effect.payload["order"])
    connection = _open_connection(order.shop_id)
    try:
        TELL[effect.kind](shops.connector_of(connection), order, effect)
    except ChannelError as error:
        raise _outcome(connection, effect, error) from error


def tell_together(effects: Sequence[Effect]) -> dict[int, Exception]:
    """Effects of one kind and one shop, told in as few calls as its channel allows; returns what went wrong, by
    effect."""
    orders = Order.objects.select_related("shop").in_bulk([effect.payload["order"] for effect in effects])
    connection = _open_connection(effects[0].payload["shop"])
    try:
        troubles = TELL_MANY[effects[0].kind](shops.connector_of(connection), list(orders.values()))
    except ChannelError as error:
        troubles = {order.channel_order_no: error for order in orders.values()}
    return {
        effect.pk: _outcome(connection, effect, troubles[no])
        for effect in effects
        if (no := orders[effect.payload["order"]].channel_order_no) in troubles
    }


def most_together(effect: Effect) -> int:
    """How many orders are worth one call at the channel of this effect's shop."""
    channel = Shop.objects.values_list("channel", flat=True).get(pk=effect.payload["shop"])
    can = connector_class(channel).capabilities
    return can.confirm_batch if effect.kind == "channel_confirm" else can.ship_batch


def _confirm_many(connector: Connector, orders: Sequence[Order]) -> Mapping[str, ChannelError]:
    waiting = [order for order in orders if order.confirmed_at is None and order.cancelled_at is None]
    troubles = connector.confirm_all([order.for_connector for order in waiting]) if waiting else {}
    confirming.record_confirmed([order.pk for order in waiting if order.channel_order_no not in troubles])
    return troubles


def _ship_many(connector: Connector, orders: Sequence[Order]) -> Mapping[str, ChannelError]:
    parcels = parcels_by_order(orders)
    return connector.ship_all([(order.for_connector, parcels[order.pk]) for order in orders if parcels[order.pk]])


TELL_MANY: dict[str, Callable[[Connector, Sequence[Order]], Mapping[str, ChannelError]]] = {
    "channel_confirm": _confirm_many,
    "channel_ship": _ship_many,
}


def _open_connection(shop_id: int) -> Connection:
    """Raises Postpone while nothing may be told."""
    connection = Connection.objects.select_related("shop").get(shop=shop_id)
    if not connection.shop.active:
        raise Postpone(said("この店舗は休止中です。店舗を再開すると送信します。"), after_s=RESTING_PAUSE_S)
    if connection.notices_paused:
        raise Postpone(said("この店舗への通知は停止中です。店舗の画面で再開してください。"))
    return connection


def _outcome(connection: Connection, effect: Effect, error: ChannelError) -> Exception:
    """What the channel's trouble means for the effect."""
    if isinstance(error, CredentialsRefused):
        shops.note_failure(connection, error)
        return Postpone(error.cause, after_s=300)
    if error.retry and effect.attempts >= outbox.MAX_ATTEMPTS:
        return Postpone(error.cause, after_s=max(error.retry_after_s or 0, LONG_PAUSE_S))
    if error.retry or error.uncertain:
        return Retry(error.cause, after_s=error.retry_after_s)
    return GiveUp(error.cause)


def _confirm(connector: Connector, order: Order, effect: Effect) -> None:
    if order.confirmed_at is None and order.cancelled_at is None:
        connector.confirm(order.for_connector)
        confirming.record_confirmed([order.pk])


def _ship(connector: Connector, order: Order, effect: Effect) -> None:
    if parcels := parcels_of(order):
        connector.ship(order.for_connector, parcels)


def _cancel(connector: Connector, order: Order, effect: Effect) -> None:
    if order.phase != Phase.CANCELLED:  # else the channel says already that it is
        connector.cancel(order.for_connector, effect.payload.get("reason", ""))


def _memo(connector: Connector, order: Order, effect: Effect) -> None:
    connector.write_memo(order.for_connector, order.shop_memo)


def _payment(connector: Connector, order: Order, effect: Effect) -> None:
    if order.cancelled_at is None and order.paid_at is not None:
        connector.report_payment(order.for_connector, order.paid_at)


def _cancel_lines(connector: Connector, order: Order, effect: Effect) -> None:
    if order.phase == Phase.CANCELLED:
        return
    wanted = {int(pk): int(count) for pk, count in effect.payload["lines"].items()}
    line_ids = dict(order.lines.filter(pk__in=wanted).values_list("pk", "channel_line_id"))
    quantities = {line_ids[pk]: count for pk, count in wanted.items() if pk in line_ids}
    connector.cancel_lines(order.for_connector, quantities, effect.payload.get("reason", ""))


def _cancel_answer(connector: Connector, order: Order, effect: Effect) -> None:
    if order.phase != Phase.CANCELLED:  # else the wish is fulfilled
        accept, message = bool(effect.payload["accept"]), effect.payload.get("message", "")
        connector.answer_cancel(order.for_connector, accept=accept, message=message)


TELL: dict[str, Callable[[Connector, Order, Effect], None]] = {
    "channel_confirm": _confirm,
    "channel_ship": _ship,
    "channel_cancel": _cancel,
    "channel_memo": _memo,
    "channel_payment": _payment,
    "channel_cancel_lines": _cancel_lines,
    "channel_cancel_answer": _cancel_answer,
}


def parcels_of(order: Order) -> list[Parcel]:
    """What the channel is told of one order now; see `parcels_by_order`."""
    return parcels_by_order([order])[order.pk]


def parcels_by_order(orders: Sequence[Order]) -> dict[int, list[Parcel]]:
    """What the channel is told now, by order: the parcels that have left, with its line ids and the pieces they carry.

    Where a line takes one tracking number only, it is named in one parcel, the first or the last as the shop wants;
    for the last the line waits until all its pieces have left, because what was told may not be correctable.
    The orders bring their shop along.
    """
    left = apart_lines.told_as_sets(_parcels_left([order.pk for order in orders]), orders)
    single = [order for order in orders if order.shop.can("one_number_per_line")]
    if single:
        told = dict(Connection.objects.filter(shop__in={o.shop_id for o in single}).values_list("shop", "told_number"))
        pieces = _pieces_of([order.pk for order in single])
        for order in single:
            last = told[order.shop_id] == Connection.ToldNumber.LAST
            left[order.pk] = one_number_each(left[order.pk], pieces[order.pk], last=last)
    return left


def _pieces_of(order_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    pieces: dict[int, dict[str, int]] = {order_id: {} for order_id in order_ids}
    rows = OrderLine.objects.filter(order__in=order_ids).values_list("order", "channel_line_id", "quantity")
    for order_id, line_id, quantity in rows:
        pieces[order_id][line_id] = quantity
    return apart_lines.standing_as_sets(pieces)


def tell_again(order_ids: Sequence[int]) -> None:
    """Send the shipping notice once more for those orders whose lines wait for their last parcel. Harmless twice."""
    orders = Order.objects.filter(
        pk__in=order_ids, shop__in=Connection.objects.filter(told_number=Connection.ToldNumber.LAST).values("shop")
    )
    effects = [
        NewEffect("channel_ship", f"ship:{pk}:cut:{version}", f"order:{pk}:channel", {"order": pk, "shop": shop})
        for pk, version, shop in orders.filter(lines__shipped_quantity__gt=0)
        .distinct()
        .values_list("pk", "version", "shop")
    ]
    if effects:
        outbox.put(effects)


def one_number_each(parcels: Sequence[Parcel], pieces: Mapping[str, int], *, last: bool) -> list[Parcel]:
    """Pure: the parcels as they left, each line in one of them. `pieces` are what stands of the lines."""
    ordered = sorted(parcels, key=lambda parcel: (parcel.shipped_at, parcel.reference))
    gone: Counter[str] = Counter()
    holder: dict[str, int] = {}
    for place, parcel in enumerate(ordered):
        gone.update(parcel.lines)
        for line_id in parcel.lines:
            if last or line_id not in holder:
                holder[line_id] = place
    waiting = {line_id for line_id in holder if last and gone[line_id] < pieces.get(line_id, 0)}
    told = [
        replace(
            parcel,
            lines={id_: n for id_, n in parcel.lines.items() if holder[id_] == place and id_ not in waiting},
        )
        for place, parcel in enumerate(ordered)
    ]
    return [parcel for parcel in told if parcel.lines]


def _parcels_left(order_ids: Sequence[int]) -> dict[int, list[Parcel]]:
    """The parcels that have left, by order; one query."""
    rows = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state__in=LEFT).select_related(
        "shipment", "order_line"
    )
    lines: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    shipments: dict[int, dict[int, Shipment]] = defaultdict(dict)
    for row in rows:
        if row.order_line.channel_line_id.startswith(GIFT):
            continue  # our own gift: the channel knows nothing of it
        shipments[row.order_line.order_id][row.shipment_id] = row.shipment
        lines[row.order_line.order_id, row.shipment_id][row.order_line.channel_line_id] = row.line_quantity
    return {
        order_id: [
            _parcel(shipment, lines[order_id, shipment.pk])
            for shipment in sorted(shipments[order_id].values(), key=lambda one: (one.reference, one.pk))
        ]
        for order_id in order_ids
    }


def _parcel(shipment: Shipment, lines: Mapping[str, int]) -> Parcel:
    return Parcel(
        carrier=shipment.carrier,
        tracking_no=shipment.tracking_no,
        shipped_at=shipment.shipped_at or clock.now(),
        lines=lines,
        reference=shipment.reference,
    )


def ended(effect: Effect) -> None:
    """The order's row shows what came of the last word to the channel; what its channel refused is a reason to look."""
    order_id = effect.payload["order"]
    words = Effect.objects.filter(subject=effect.subject, kind__startswith="channel_")
    failed = list(words.filter(state=Effect.State.FAILED).order_by("pk"))
    states = {Effect.State.MANUAL_DONE: ChannelSync.MANUAL_DONE}
    state = ChannelSync.FAILED if failed else states.get(Effect.State(effect.state), ChannelSync.IN_SYNC)
    facts.write_channel_sync([order_id], state)  # which locks the order for the reason
    if failed:
        review.open_from_above([(order_id, Found(REASON, _refused(failed), "channel_sync"))])
    else:
        review.close_from_above([order_id], REASON)


def _refused(failed: Sequence[Effect]) -> str:
    """What of an order its channel did not take, and why."""
    return sentences(
        *(
            said("%(what)sが届いていません: %(cause)s", what=outbox.KINDS[one.kind].label, cause=one.last_error)
            for one in failed
        )
    )


def deliver_now(order: Order) -> None:
    """Deliver what waits for the channel about one order, in order, without waiting for a worker."""
    outbox.deliver_subject(f"order:{order.pk}:channel")
