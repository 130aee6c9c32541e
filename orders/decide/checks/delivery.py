"""When it shall arrive: wishes that cannot be met."""

import re
from collections.abc import Iterator
from datetime import timedelta

from oms.kernel.clock import TOKYO
from oms.kernel.said import said
from orders.decide.found import Found, OrderFacts

# Hours that a carrier offers; what a channel calls otherwise ("13時頃") is not judged.
SLOTS = {
    "yamato": {"am", "1416", "1618", "1820", "1921"},
    "sagawa": {"am", "1214", "1416", "1618", "1820", "1821", "1921"},
    "japanpost": {"am", "1214", "1416", "1618", "1820", "1921", "2021"},
}
KNOWN_SLOT = re.compile(r"am|\d{4}")
MAILBOX = re.compile(
    r"ネコポス|ゆうパケット|クリックポスト|メール便|ポスト投函|定形外|スマートレター|レターパックライト"
)


def by_mailbox(facts: OrderFacts) -> bool:
    """The parcel goes into the letter box: small, no hour, nobody pays at the door."""
    return MAILBOX.search(facts.delivery_method) is not None


def _wish(facts: OrderFacts) -> Iterator[Found]:
    wish = facts.wish_date
    if wish is None or facts.today is None:
        return
    first = facts.first_arrival or facts.today
    if wish < facts.today:
        yield Found("date_past", said("配達希望日 %(wish)s は過ぎています。", wish=f"{wish:%Y/%m/%d}"), "wish_date")
    elif wish < first:
        yield Found(
            "date_too_soon",
            said("配達希望日 %(wish)s には間に合いません。", wish=f"{wish:%Y/%m/%d}"),
            "wish_date",
            aside=said("最短のお届けは %(first)s です。", first=f"{first:%Y/%m/%d}"),
        )
    elif facts.ships_on and facts.promised_on and facts.ships_on > facts.promised_on >= facts.today:
        yield Found(
            "date_too_soon",
            said(
                "配達希望日に合わせた出荷予定日 %(planned)s は、出荷期限 %(by)s を過ぎます。",
                planned=f"{facts.ships_on:%Y/%m/%d}",
                by=f"{facts.promised_on:%Y/%m/%d}",
            ),
            "wish_date",
        )
    elif wish > facts.ordered_on + timedelta(days=facts.tuned("date_too_far", "days")):
        yield Found("date_too_far", said("配達希望日は %(wish)s です。", wish=f"{wish:%Y/%m/%d}"), "wish_date")


def _slot(facts: OrderFacts) -> Iterator[Found]:
    slot, offered = facts.wish_slot, SLOTS.get(facts.carrier)
    if slot and offered and KNOWN_SLOT.fullmatch(slot) and slot not in offered:
        hours = said("%(start)s–%(end)s時", start=slot[:2], end=slot[2:])
        yield Found(
            "time_slot_unavailable",
            said("時間帯 %(hours)s はこの配送会社では指定できません。", hours=hours),
            "wish_slot",
        )
    if (slot or facts.wish_date) and by_mailbox(facts):
        yield Found(
            "date_on_mailbox",
            said("「%(delivery_method)s」では配達の日時を指定できません。", delivery_method=facts.delivery_method),
            "delivery_method",
        )


def _promise(facts: OrderFacts) -> Iterator[Found]:
    """The channel's deadline comes nearer and nothing was instructed. Time alone opens it."""
    by, now = facts.leave_by, facts.now
    if by is None or now is None or facts.provisional:
        return
    told = f"{by.astimezone(TOKYO):%m/%d %H:%M}"
    if by.astimezone(TOKYO).date() == facts.today:
        yield Found("due_today", said("出荷期限は今日 %(told)s です。", told=told), "ship_by")
    if by - now <= timedelta(hours=facts.tuned("ship_by_risk", "hours_left")):
        yield Found("ship_by_risk", said("出荷期限 %(told)s までに出荷指示が出ていません。", told=told), "ship_by")


CHECKS = [_wish, _slot, _promise]
