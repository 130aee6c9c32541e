"""What the shop says to a channel about an order beside confirming, shipping and cancelling it whole: its own note,
money that came, lines that will not come, an answer to the buyer's wish to cancel.

Each word is one effect for the order's channel, in the order they were said; our own figures follow with the channel's
next word. What a channel cannot be told is handed back with its page, for a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F

from oms.kernel.models import Effect
from oms.kernel.said import said
from oms.kernel.services.outbox import NewEffect, put
from orders.models import Order, OrderLine
from orders.models.order import ChannelSync, PaymentState
from orders.services import journal
from orders.services.journal import SYSTEM, Actor, Entry

MEMO_MOST = 4000


@dataclass(frozen=True, slots=True)
class Spoken:
    """`orders` will be told. `by_hand` maps an order to the mall's page where a person says it ("" when there is no
    such address); `refused` to the reason why it is not said at all."""

    orders: list[int] = field(default_factory=list)
    by_hand: dict[int, str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


@transaction.atomic
def write_memo(order_id: int, text: str, *, actor: Actor) -> Spoken:
    """Replace the shop's note at the channel. The same note again says nothing."""
    spoken, order = Spoken(), _lock([order_id])[0]
    note = text.strip()
    if len(note) > MEMO_MOST:
        spoken.refused[order.pk] = said("メモは%(most)d文字までです。", most=MEMO_MOST)
    elif not order.shop.can("memo"):
        spoken.by_hand[order.pk] = page_of(order)
    elif note != order.shop_memo:
        Order.objects.filter(pk=order.pk).update(shop_memo=note)
        _say([order], "channel_memo", actor=actor, event="memo_asked")
        spoken.orders.append(order.pk)
    return spoken


@transaction.atomic
def report_payments(order_ids: Sequence[int], *, actor: Actor) -> Spoken:
    """Tell channels that money has come, of orders that are paid with us; once for each time of payment."""
    spoken, tell = Spoken(), []
    for order in _lock(order_ids):
        if (
            order.payment_state not in {PaymentState.PAID, PaymentState.OVERPAID}
            or order.cancelled_at
            or order.paid_at is None
        ):
            spoken.refused[order.pk] = said("入金済みの注文だけをモールに伝えられます。")
        elif order.shop.can("payment_report"):
            tell.append(order)
        else:
            spoken.by_hand[order.pk] = page_of(order)
    keys = {order.pk: f"payment:{order.pk}:{order.paid_at:%Y%m%d%H%M%S}" for order in tell if order.paid_at}
    _say(tell, "channel_payment", actor=actor, event="payment_told", keys=keys)
    spoken.orders.extend(order.pk for order in tell)
    return spoken


@transaction.atomic
def cancel_lines(order_id: int, quantities: Mapping[int, int], *, reason: str, actor: Actor) -> Spoken:
    """Ask the channel to cancel so many pieces of these lines (our ids). Pieces that left stay, as do whole orders:
    those are cancelled with `cancel_orders`. No channel knows a component of a set."""
    spoken, order = Spoken(), _lock([order_id])[0]
    lines = {line.pk: line for line in order.lines.filter(pk__in=quantities)}
    wanted = {str(pk): count for pk, count in quantities.items() if count > 0}
    standing = sum(order.lines.values_list("quantity", flat=True))
    too_many = [pk for pk, count in quantities.items() if pk not in lines or count > _open_pieces(lines[pk])]
    if order.cancelled_at:
        spoken.refused[order.pk] = said("すでにキャンセルされた注文です。")
    elif not wanted or too_many:
        spoken.refused[order.pk] = said(
            "キャンセルできる数を超えています。まだ出荷していない数だけを指定してください。"
        )
    elif sum(wanted.values()) >= standing:
        spoken.refused[order.pk] = said("すべての商品をキャンセルするときは、注文のキャンセルを使ってください。")
    elif not order.shop.can("partial_cancel") or any(line.set_line_id for line in lines.values()):
        spoken.by_hand[order.pk] = page_of(order)
    else:
        payload = {"lines": wanted, "reason": reason[:200]}
        _say([order], "channel_cancel_lines", actor=actor, event="lines_cancel_asked", payload=payload, text=reason)
        spoken.orders.append(order.pk)
    return spoken


@transaction.atomic
def answer_cancel(order_id: int, *, accept: bool, message: str = "", actor: Actor) -> Spoken:
    """Answer the buyer's wish to cancel. An accepted order is cancelled here when the channel says that it is."""
    spoken, order = Spoken(), _lock([order_id])[0]
    answers = str(order.shop.capabilities.get("cancel_answer") or "none")
    if order.cancelled_at or not order.cancel_requested:
        spoken.refused[order.pk] = said("答えを待っているキャンセル申請はありません。")
    elif answers == "none" or (not accept and answers != "both"):
        spoken.by_hand[order.pk] = page_of(order)
    else:
        event = "cancel_accepted" if accept else "cancel_declined"
        payload = {"accept": accept, "message": message[:500]}
        _say([order], "channel_cancel_answer", actor=actor, event=event, payload=payload, text=message)
        spoken.orders.append(order.pk)
    return spoken


def page_of(order: Order) -> str:
    """The mall's own page of the order; "" when the channel has no such address."""
    pattern = str(order.shop.capabilities.get("order_url") or "")
    return pattern.replace("{no}", order.channel_order_no)


def _open_pieces(line: OrderLine) -> int:
    return line.quantity - line.shipped_quantity


def _lock(order_ids: Iterable[int]) -> list[Order]:
    rows = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop")
    return list(rows.filter(pk__in=order_ids).order_by("pk"))


def _say(
    orders: Sequence[Order],
    kind: str,
    *,
    actor: Actor = SYSTEM,
    event: str,
    keys: Mapping[int, str] | None = None,
    payload: Mapping[str, object] | None = None,
    text: str = "",
) -> None:
    """Queue one word for each order that has not said it yet (the callers hold the orders' locks). Its key is made of
    the order's version, so that each change is one word."""
    own = keys or {order.pk: f"{kind.removeprefix('channel_')}:{order.pk}:{order.version}" for order in orders}
    known = set(Effect.objects.filter(key__in=own.values()).values_list("key", flat=True))
    ids = [order.pk for order in orders if own[order.pk] not in known]
    put([NewEffect(kind, own[pk], f"order:{pk}:channel", {"order": pk, **(payload or {})}) for pk in ids])
    Order.objects.filter(pk__in=ids).update(channel_sync=ChannelSync.PENDING, version=F("version") + 1)
    journal.write([Entry(pk, event, text) for pk in ids], actor=actor)
