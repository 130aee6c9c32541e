"""When a mall is under maintenance, from its calendar. Pure; times of day are Tokyo's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from oms.kernel.clock import TOKYO

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Window:
    """Once at `starts_at`, or each week on `weekday` (0 = Monday) at `start_time`."""

    minutes: int
    starts_at: datetime | None = None
    weekday: int | None = None
    start_time: time | None = None


def starts_near(window: Window, now: datetime) -> list[datetime]:
    """The starts that may matter now: the single one, or those of this week, the last and the next."""
    if window.starts_at is not None:
        return [window.starts_at]
    if window.weekday is None or window.start_time is None:
        return []
    local = now.astimezone(TOKYO)
    day = local.date() + timedelta(days=window.weekday - local.weekday())
    this_week = datetime.combine(day, window.start_time, TOKYO)
    return [this_week - WEEK, this_week, this_week + WEEK]


def phase(windows: Iterable[Window], now: datetime, lead: timedelta) -> str:
    """`during` a window, `before` one (within `lead`), or "" ."""
    found = ""
    for window in windows:
        for start in starts_near(window, now):
            if start <= now < start + timedelta(minutes=window.minutes):
                return "during"
            if start - lead <= now < start:
                found = "before"
    return found


def next_start(windows: Iterable[Window], now: datetime) -> datetime | None:
    """When the next window opens, or the open one opened; None when none is to come."""
    starts = [
        start
        for window in windows
        for start in starts_near(window, now)
        if now < start + timedelta(minutes=window.minutes)
    ]
    return min(starts, default=None)


def ends_at(windows: Iterable[Window], now: datetime) -> datetime | None:
    """When the window that is open now closes (the latest, where they overlap); None outside."""
    ends = [
        start + timedelta(minutes=window.minutes)
        for window in windows
        for start in starts_near(window, now)
        if start <= now < start + timedelta(minutes=window.minutes)
    ]
    return max(ends, default=None)
