"""What channels are told about orders: handlers of the outbox's effect kinds. One effect, one word to the channel."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from django.db.models import Q
from django.utils.translation import gettext as _

from channels.connectors.contract import ChannelError, Connector, CredentialsRefused, Parcel
from channels.models import Connection
from channels.services import shops
from fulfillment.models import Shipment, ShipmentLine
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from oms.kernel.services.outbox import GiveUp, NewEffect, Postpone, Retry
from orders.models import Order
from orders.models.order import ChannelSync, Phase
from orders.services import confirm as confirming
from orders.services import facts
from orders.services.rules.verbs import GIFT

# A mall may be closed for a night: after the quick tries it is asked so often, until it answers.
LONG_PAUSE_S = 300
RESTING_PAUSE_S = 600
LEFT = (Shipment.State.SHIPPED, Shipment.State.RETURNED)  # what came back had left, and the channel knows it


def deliver(effect: Effect) -> None:
    """Handler of all effects of kind channel_…; see `TELL`."""
    order = Order.objects.select_related("shop").get(pk=effect.payload["order"])
    connection = Connection.objects.select_related("shop").get(shop=order.shop)
    if not order.shop.active:
        raise Postpone(_("この店舗は休止中です。店舗を再開すると送信します。"), after_s=RESTING_PAUSE_S)
    if connection.notices_paused:
        raise Postpone(_("この店舗への通知は停止中です。店舗の画面で再開してください。"))
    try:
        TELL[effect.kind](shops.connector_of(connection), order, effect)
    except CredentialsRefused as error:
        shops.note_failure(connection, error)
        raise Postpone(error.cause, after_s=300) from error
    except ChannelError as error:
        if error.retry and effect.attempts >= outbox.MAX_ATTEMPTS:
            raise Postpone(error.cause, after_s=max(error.retry_after_s or 0, LONG_PAUSE_S)) from error
        if error.retry or error.uncertain:
            raise Retry(error.cause, after_s=error.retry_after_s) from error
        raise GiveUp(error.cause) from error


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
    """What the channel is told now: the parcels that have left, with its line ids and the pieces they carry.

    Where a line takes one tracking number only, it is named in one parcel, the first or the last as the shop wants;
    for the last the line waits until all its pieces have left, because what was told may not be correctable.
    """
    if not order.shop.can("one_number_per_line"):
        return _parcels_left(order)
    told = Connection.objects.values_list("told_number", flat=True).get(shop=order.shop_id)
    pieces = dict(order.lines.values_list("channel_line_id", "quantity"))
    return one_number_each(_parcels_left(order), pieces, last=told == Connection.ToldNumber.LAST)


def tell_again(order_ids: Sequence[int]) -> None:
    """Send the shipping notice once more for those orders whose lines wait for their last parcel. Harmless twice."""
    orders = Order.objects.filter(
        pk__in=order_ids, shop__in=Connection.objects.filter(told_number=Connection.ToldNumber.LAST).values("shop")
    )
    effects = [
        NewEffect("channel_ship", f"ship:{pk}:cut:{version}", f"order:{pk}:channel", {"order": pk})
        for pk, version in orders.filter(lines__shipped_quantity__gt=0).distinct().values_list("pk", "version")
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


def _parcels_left(order: Order) -> list[Parcel]:
    rows = ShipmentLine.objects.filter(order_line__order=order, shipment__state__in=LEFT).select_related(
        "shipment", "order_line"
    )
    lines: dict[int, dict[str, int]] = defaultdict(dict)
    shipments = {}
    for row in rows:
        shipments[row.shipment_id] = row.shipment
        if row.order_line.channel_line_id.startswith(GIFT):
            continue  # our own gift: the channel knows nothing of it
        lines[row.shipment_id][row.order_line.channel_line_id] = row.line_quantity
    ordered = sorted(shipments.values(), key=lambda shipment: (shipment.reference, shipment.pk))
    return [
        Parcel(
            carrier=shipment.carrier,
            tracking_no=shipment.tracking_no,
            shipped_at=shipment.shipped_at or clock.now(),
            lines=lines[shipment.pk],
            reference=shipment.reference,
        )
        for shipment in ordered
        if lines[shipment.pk]
    ]


def ended(effect: Effect) -> None:
    """The order's row shows what came of the last word to the channel."""
    order_id = effect.payload["order"]
    failed = Effect.objects.filter(
        Q(state=Effect.State.FAILED), subject=effect.subject, kind__startswith="channel_"
    ).exists()
    states = {Effect.State.FAILED: ChannelSync.FAILED, Effect.State.MANUAL_DONE: ChannelSync.MANUAL_DONE}
    state = ChannelSync.FAILED if failed else states.get(Effect.State(effect.state), ChannelSync.IN_SYNC)
    facts.write_channel_sync([order_id], state)


def deliver_now(order: Order) -> None:
    """Deliver what waits for the channel about one order, in order, without waiting for a worker."""
    outbox.deliver_subject(f"order:{order.pk}:channel")
