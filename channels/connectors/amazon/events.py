"""Order changes as Amazon tells them: ORDER_CHANGE notifications in the shop's queue.

A notification is a hint: late, doubled, out of order, sometimes lost. Whoever hears it reads the order itself, and the
search goes on as before.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from channels.connectors.amazon.queue import Message, Queue
from channels.connectors.amazon.times import aware
from channels.connectors.contract import Change
from oms.kernel import clock

KIND = "ORDER_CHANGE"
LISTEN_FOR = timedelta(seconds=60)  # then the worker is free for others; the next round goes on
MOST_TRIES = 5  # an unreadable or a foreign message is handed out so often before it is deleted

log = structlog.get_logger(__name__)
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Notice:
    """What one message says. `number` is empty for what concerns no order of this shop."""

    number: str = ""
    at: datetime | None = None
    foreign: bool = False  # of another seller that shares the queue


def changed_orders(
    queue: Queue, seller_id: str, marketplace_id: str, again: set[str] | None
) -> Iterator[Sequence[Change]]:
    """Each order once a batch. A batch's messages are deleted when the caller comes back, except those of `again`."""
    end = clock.now() + LISTEN_FOR
    while clock.now() < end:
        messages = queue.receive()
        if not messages:
            return
        notices = [_notice_or_none(message.body, seller_id, marketplace_id) for message in messages]
        changes = _changes(messages, notices)
        if changes:
            yield changes
        kept = again or set()
        queue.delete([one for one, notice in zip(messages, notices, strict=True) if _is_done(one, notice, kept)])


def read_notice(body: str, seller_id: str, marketplace_id: str) -> Notice:
    """Raises ValueError, TypeError or KeyError for what is no notification."""
    told = json.loads(body)
    if "detail" in told:  # as Amazon EventBridge wraps it
        told = told["detail"]
    if _part(told, "NotificationType") != KIND:
        return Notice()
    payload = _part(told, "Payload")
    change = _part(payload, "OrderChangeNotification")
    number = _part(change, "AmazonOrderId")
    if not isinstance(number, str) or not number:
        raise KeyError("AmazonOrderId")
    if change.get("SellerId", seller_id) != seller_id:
        return Notice(foreign=True)
    if (change.get("Summary") or {}).get("MarketplaceId", marketplace_id) != marketplace_id:
        return Notice()
    when = (change.get("OrderChangeTrigger") or {}).get("TimeOfOrderChange")
    return Notice(number, aware(when) if when else None)


def _part(told: Json, name: str) -> Any:
    """Newer kinds of notifications write their keys in camelCase."""
    return told[name] if name in told else told[name[0].lower() + name[1:]]


def _notice_or_none(body: str, seller_id: str, marketplace_id: str) -> Notice | None:
    try:
        return read_notice(body, seller_id, marketplace_id)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _changes(messages: Sequence[Message], notices: Sequence[Notice | None]) -> list[Change]:
    """One change per order: the latest time, the most tries; a time that one message lacks is unknown."""
    told: dict[str, Change] = {}
    for message, notice in zip(messages, notices, strict=True):
        if notice is None or not notice.number:
            continue
        before = told.get(notice.number)
        at, tries = notice.at, message.tries
        if before is not None:
            at = max(before.at, at) if before.at and at else None
            tries = max(before.tries, tries)
        told[notice.number] = Change(notice.number, at, tries)
    return list(told.values())


def _is_done(message: Message, notice: Notice | None, kept: set[str]) -> bool:
    if notice is not None and not notice.foreign:
        return notice.number not in kept
    if message.tries < MOST_TRIES:
        return False
    log.warning(
        "amazon_notice_dropped",
        message_id=message.id,
        tries=message.tries,
        cause="of another seller" if notice else "unreadable",
    )
    return True
