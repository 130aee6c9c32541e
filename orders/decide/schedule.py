"""Deadlines of our own, and the carrier that a delivery's name says. Pure."""

from datetime import date, datetime, time

from oms.kernel.clock import TOKYO
from oms.kernel.workdays import workday_after

END_OF_DAY = time(23, 59)


def default_ship_by(
    within_days: int | None, ordered_on: date, *, release_date: date | None, planned_ship_date: date | None
) -> datetime | None:
    """The deadline of an order for which the channel tells none, by the shop's setting: the end of a working day.

    Counted from the release of what was pre-ordered, and never before the day on which the buyer's wish has it leave.
    None where the shop has no such setting.
    """
    if within_days is None:
        return None
    day = workday_after(max(ordered_on, release_date or ordered_on), within_days)
    return datetime.combine(max(day, planned_ship_date or day), END_OF_DAY, TOKYO)


USUAL_CARRIER = "yamato"
CARRIER_WORDS = {  # the first that the name has
    "クロネコ": "yamato",  # クロネコゆうパケット is Yamato's
    "佐川": "sagawa",
    "飛脚": "sagawa",
    "ゆうパ": "japanpost",
    "日本郵便": "japanpost",
    "レターパック": "japanpost",
    "クリックポスト": "japanpost",
    "ヤマト": "yamato",
}


def carrier_named(delivery_method: str) -> str:
    """The carrier that a channel's delivery name says; empty where it says none."""
    return next((code for word, code in CARRIER_WORDS.items() if word in delivery_method), "")


def carrier_of(delivery_method: str) -> str:
    """Our carrier code for a channel's delivery name; the usual one where the name says none."""
    return carrier_named(delivery_method) or USUAL_CARRIER
