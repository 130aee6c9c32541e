"""When it shall arrive: wishes that cannot be met."""

import re
from collections.abc import Iterator
from datetime import timedelta

from orders.decide import schedule
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


def _wish(facts: OrderFacts) -> Iterator[Found]:
    wish = facts.wish_date
    if wish is None or facts.today is None:
        return
    prefecture = facts.recipients[0].prefecture if facts.recipients else ""
    first = facts.today + timedelta(days=schedule.transit_days(prefecture))
    if wish < facts.today:
        yield Found("date_past", f"配達希望日 {wish:%Y/%m/%d} は過ぎています。", "wish_date")
    elif wish < first:
        yield Found("date_too_soon", f"配達希望日 {wish:%Y/%m/%d} には間に合いません。", "wish_date")
    elif wish > facts.ordered_on + timedelta(days=facts.tuned("date_too_far", "days")):
        yield Found("date_too_far", f"配達希望日は {wish:%Y/%m/%d} です。", "wish_date")


def _slot(facts: OrderFacts) -> Iterator[Found]:
    slot, offered = facts.wish_slot, SLOTS.get(facts.carrier)
    if slot and offered and KNOWN_SLOT.fullmatch(slot) and slot not in offered:
        hours = f"{slot[:2]}–{slot[2:]}時"
        yield Found("time_slot_unavailable", f"時間帯 {hours} はこの配送会社では指定できません。", "wish_slot")
    if (slot or facts.wish_date) and MAILBOX.search(facts.delivery_method):
        yield Found(
            "date_on_mailbox", f"「{facts.delivery_method}」では配達の日時を指定できません。", "delivery_method"
        )


CHECKS = [_wish, _slot]
