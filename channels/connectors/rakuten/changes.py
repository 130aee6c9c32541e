"""Writes about one order: acknowledge, tell parcels, cancel. Nothing is repeated before the order was read again."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop as noop

from channels.connectors.contract import ChannelDown, ChannelError, Parcel, Refused
from channels.connectors.rakuten import wire
from channels.connectors.rakuten.orders import outcome, read, read_one
from channels.connectors.rakuten.shipping import missing_rows
from channels.connectors.rakuten.transport import Rms, decoded
from channels.connectors.seen import digest_of
from oms.kernel import clock
from oms.kernel.said import said

LOOK_AGAIN_S = 20.0
ASK_AGAIN_S = 5.0
SHOWS_WITHIN_S = 180
PASSING = frozenset({"001", "103"})
"""Numbers of errors that pass by themselves: a failure inside RMS, and "past that step" while an older state shows."""
NOT_SHOWN = said("楽天が受け付けた内容がまだ反映されていません。確認して自動で再試行します。")
GONE = (wire.CANCELLING, wire.CANCELLED)
NOT_READ = noop("楽天の受注 %(no)s をいま読み取れませんでした。1件だけで自動で再試行します。")
UNKNOWN = noop("楽天の受注 %(no)s が見つかりません。受注番号を確認してください。")
IS_CANCELLED = noop("楽天の受注 %(no)s はキャンセル済みのため、%(verb)sできません。")
ONE_BY_ONE = said("楽天がまとめての注文確認を受け付けませんでした。1件ずつ送り直します。")
NOT_DONE = noop("楽天の受注 %(no)s を%(verb)sできませんでした（%(codes)s）。RMSの受注画面で状態を確認してください。")
POSTAGE_OPEN = noop(
    "楽天の受注 %(no)s は送料などの金額が未確定のため、注文確認できません。RMSで金額を確定してください。"
)
DECLINE_BY_HAND = noop("楽天の受注 %(no)s のキャンセル申請は、RMSの受注画面とR-Messeでお断りしてください。")
MEMO_TOO_LONG = noop("楽天のメモは%(most)s文字までです（いまは%(length)s文字）。短くしてからもう一度保存してください。")
AFTER_SHIPPING = noop("楽天の受注 %(no)s は発送済みです。返品・発送後キャンセルはRMSの受注画面で行ってください。")


def current(rms: Rms, no: str) -> dict[str, Any]:
    """The order now; raises Refused when RMS does not show it, asked twice: it leaves out what it cannot read just
    then."""
    raw = read_one(rms, no)
    if raw is None:
        clock.sleep(ASK_AGAIN_S)
        raw = read_one(rms, no)
    if raw is None:
        raise Refused(said(UNKNOWN, no=no))
    order: dict[str, Any] = json.loads(raw.payload)
    return order


@dataclass(frozen=True, slots=True)
class Shown:
    """At most 100 orders as they were read in one call. RMS leaves out what it cannot read just then: of many, such an
    order comes again alone; a single one is asked for a second time."""

    rms: Rms
    orders: Mapping[str, dict[str, Any]]
    asked: int

    def __getitem__(self, no: str) -> dict[str, Any]:
        """Raises ChannelDown or Refused."""
        found = self.orders.get(no)
        if found is not None:
            return found
        if self.asked > 1:
            raise ChannelDown(said(NOT_READ, no=no), retry_after_s=ASK_AGAIN_S)
        return current(self.rms, no)


def shown_now(rms: Rms, numbers: Sequence[str]) -> Shown:
    found = {raw.channel_order_no: json.loads(raw.payload) for raw in read(rms, numbers).orders}
    return Shown(rms, found, len(numbers))


def confirm_all(rms: Rms, numbers: Sequence[str]) -> dict[str, ChannelError]:
    """Acknowledge (注文確認) at most 100 orders in one call; returns by number what went wrong. An order already past
    that step is success, after a look at it."""
    answered: dict[str, tuple[list[str], list[str]]] = {}
    lost: ChannelDown | None = None
    try:
        answer = decoded(rms.order("confirmOrder", {"orderNumberList": list(numbers)}, idempotent=False))
        answered = {no: outcome(answer, no) for no in numbers}
    except ChannelDown as no_answer:
        lost = no_answer
    except Refused as refused:
        if len(numbers) > 1:  # it does not say which of them it meant
            return {no: ChannelDown(ONE_BY_ONE, detail=refused.detail, retry_after_s=1) for no in numbers}
        answered = {numbers[0]: (refused_numbers(refused), [])}
    shown = shown_now(rms, numbers)
    troubles: dict[str, ChannelError] = {}
    for no in numbers:
        try:
            _settle_confirmed(no, shown[no], *answered.get(no, ([], [])), lost=lost)
        except ChannelError as trouble:
            troubles[no] = trouble
    return troubles


def _settle_confirmed(
    no: str, order: Mapping[str, Any], bad: Sequence[str], good: Sequence[str], *, lost: ChannelDown | None
) -> None:
    """Raises unless the order as it shows now is past the step. `lost`: no answer came."""
    progress = _progress(order)
    if lost is not None:
        if progress in (wire.TO_CONFIRM, *GONE):
            raise _may_follow(lost)
        return
    if good and not bad:
        return _await_shown(progress != wire.TO_CONFIRM)
    if progress in GONE:
        raise Refused(said(IS_CANCELLED, no=no, verb=said("注文確認")))
    if "105" in bad:
        raise Refused(said(POSTAGE_OPEN, no=no))
    if progress == wire.TO_CONFIRM and bad and set(bad) <= PASSING:
        raise ChannelDown(NOT_SHOWN, detail=" ".join(bad), retry_after_s=LOOK_AGAIN_S)
    if progress == wire.TO_CONFIRM:
        raise Refused(said(NOT_DONE, no=no, verb=said("注文確認"), codes=list(bad) if bad else said("回答なし")))


def _await_shown(shown: bool) -> None:
    """RMS said "done". What it does not show yet is looked at again, and told again only if it is still missing."""
    if not shown:
        raise ChannelDown(NOT_SHOWN, retry_after_s=LOOK_AGAIN_S)


def ship(rms: Rms, no: str, parcels: Sequence[Parcel]) -> None:
    """Make the order's shipping rows say what `parcels` say. Rows that already say it are not sent again:
    RMS would keep them twice and may mail the buyer twice."""
    todo = untold_rows(rms, no, current(rms, no), parcels)
    if not todo:
        return
    try:
        for baskets in todo:
            _write_shipping(rms, no, baskets, lambda: list(missing_rows(current(rms, no), parcels)))
        _await_shown(not list(missing_rows(current(rms, no), parcels)))
    except ChannelDown:
        ToldRows(rms, no).set(todo)  # it may have been done, or be done in a moment
        raise


def untold_rows(rms: Rms, no: str, order: Mapping[str, Any], parcels: Sequence[Parcel]) -> list[list[dict[str, Any]]]:
    """The values for `BasketidModelList` that the order as it shows now still lacks. Raises when it is cancelled, or
    when they were told a moment ago."""
    if _progress(order) in GONE:
        raise Refused(said(IS_CANCELLED, no=no, verb=said("発送報告")))
    todo = list(missing_rows(order, parcels))
    if todo and ToldRows(rms, no).is_fresh(todo):
        raise ChannelDown(NOT_SHOWN, retry_after_s=LOOK_AGAIN_S)
    return todo


@dataclass
class ToldRows:
    """The rows that were told last of an order. RMS keeps a row that comes twice, so rows that it took a moment ago, or
    may have taken, and does not show yet are not sent again before it had its time."""

    rms: Rms
    no: str

    def is_fresh(self, rows: object) -> bool:
        kept = self.rms.memory.get(self._key)
        if not isinstance(kept, bytes):
            return False
        digest, at = kept.decode().split()
        return digest == digest_of(rows) and clock.now().timestamp() - float(at) < SHOWS_WITHIN_S

    def set(self, rows: object) -> None:
        self.rms.memory.set(self._key, f"{digest_of(rows)} {clock.now().timestamp()}", ex=SHOWS_WITHIN_S)

    def forget(self) -> None:
        self.rms.memory.delete(self._key)

    @property
    def _key(self) -> str:
        return f"deep:{self.rms.store}:told:{self.no}"


def _write_shipping(
    rms: Rms, no: str, baskets: Sequence[Mapping[str, Any]], still_missing: Callable[[], Sequence[Any]]
) -> None:
    try:
        body = {"orderNumber": no, "BasketidModelList": baskets}
        bad, _ = outcome(decoded(rms.order("updateOrderShipping", body, idempotent=False)), no)
    except ChannelDown as lost:
        if still_missing():
            raise _may_follow(lost) from None
        return
    except Refused as refused:
        bad = refused_numbers(refused) or [str(refused.cause)]
    refuse_shipping(no, bad)


def refuse_shipping(no: str, bad: Sequence[str]) -> None:
    """Raises Refused when there are error numbers."""
    if "102" in bad:
        raise Refused(said(IS_CANCELLED, no=no, verb=said("発送報告")))
    if bad:
        raise Refused(said(NOT_DONE, no=no, verb=said("発送報告"), codes=list(bad)))


def cancel(rms: Rms, no: str, reason: str) -> None:
    """Ask Rakuten to cancel before shipping; Rakuten settles it later (800, then 900)."""
    progress = _progress(current(rms, no))
    if progress in GONE:
        return
    if progress in (wire.SHIPPED, wire.PAYING, wire.PAID):
        raise Refused(said(AFTER_SHIPPING, no=no))
    body = {
        "orderNumber": no,
        "inventoryRestoreType": wire.KEEP_STOCK,
        "changeReasonDetailApply": wire.cancel_code(reason),
    }
    try:
        bad, good = outcome(decoded(rms.order("cancelOrder", body, idempotent=False)), no)
    except ChannelDown as lost:
        if _progress(current(rms, no)) not in GONE:
            raise _may_follow(lost) from None
        return
    except Refused as refused:
        bad, good = refused_numbers(refused), []
    if "102" in bad:  # cancelled already, although an older state was shown
        return
    if bad or not good:
        raise Refused(said(NOT_DONE, no=no, verb=said("キャンセル"), codes=list(bad) if bad else said("回答なし")))
    _await_shown(_progress(current(rms, no)) in GONE)


def accept_cancel(rms: Rms, no: str) -> None:
    """Agree to the buyer's wish: RMS knows no other answer than cancelling."""
    cancel(rms, no, "お客様都合")


def write_memo(rms: Rms, no: str, text: str) -> None:
    """Replace ひとことメモ. Keys left out stay as they are, null clears; the same text may be sent again."""
    if len(text) > wire.MEMO_MOST:
        raise Refused(said(MEMO_TOO_LONG, most=wire.MEMO_MOST, length=len(text)))
    body = {"orderNumber": no, "memo": text or None}
    try:
        bad, good = outcome(decoded(rms.order("updateOrderMemo", body, idempotent=True)), no)
    except Refused as refused:
        bad, good = refused_numbers(refused), []
    if bad or not good:
        raise Refused(said(NOT_DONE, no=no, verb=said("メモ更新"), codes=list(bad) if bad else said("回答なし")))


def refused_numbers(refused: ChannelError) -> list[str]:
    """The last parts of the message codes that a refusal names."""
    return [word.rpartition("_")[2] for word in refused.detail.split() if word.startswith("ORDER_EXT_API_")]


def _progress(order: Mapping[str, Any]) -> int:
    return int(order.get("orderProgress") or 0)


def _may_follow(lost: ChannelDown) -> ChannelError:
    """The order was read and the work is not done: the call may come again."""
    detail = lost.detail if isinstance(lost, ChannelError) else type(lost).__name__
    return ChannelDown(
        said("楽天RMSの応答がありませんでした。処理されていないことを確認し、自動で再試行します。"), detail=detail
    )
