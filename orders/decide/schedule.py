"""When an order should leave, from the buyer's wish and the carrier's days. Pure."""

from datetime import date, datetime, time, timedelta

from oms.kernel.clock import TOKYO
from oms.kernel.workdays import workday_after

# Working days of a parcel from the Kanto area, by prefecture; everything else is the next day.
TWO_DAYS = {
    "北海道",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
}
END_OF_DAY = time(23, 59)
THREE_DAYS = {"沖縄県"}


def transit_days(prefecture: str) -> int:
    """Days from hand-over to delivery."""
    if prefecture in THREE_DAYS:
        return 3
    return 2 if prefecture in TWO_DAYS else 1


def planned_ship_date(wish: date | None, prefecture: str, ordered_on: date) -> date | None:
    """The day to ship so that the parcel arrives on the wished day; None when there is no wish to wait for."""
    if wish is None:
        return None
    return max(wish - timedelta(days=transit_days(prefecture)), ordered_on)


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
CARRIER_WORDS = {
    "佐川": "sagawa",
    "飛脚": "sagawa",
    "ゆうパ": "japanpost",
    "日本郵便": "japanpost",
    "レターパック": "japanpost",
    "ヤマト": "yamato",
}


def carrier_named(delivery_method: str) -> str:
    """The carrier that a channel's delivery name says; empty where it says none."""
    return next((code for word, code in CARRIER_WORDS.items() if word in delivery_method), "")


def carrier_of(delivery_method: str) -> str:
    """Our carrier code for a channel's delivery name; the usual one where the name says none."""
    return carrier_named(delivery_method) or USUAL_CARRIER
