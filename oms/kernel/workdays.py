"""Working days in Japan: neither a weekend nor a national holiday. Pure.

The holidays are those of the law (国民の祝日に関する法律) as it has stood since 2022; the equinoxes by the
observatory's usual formula, good until 2099.
"""

from datetime import date, timedelta
from functools import lru_cache

FIXED = ((1, 1), (2, 11), (2, 23), (4, 29), (5, 3), (5, 4), (5, 5), (8, 11), (11, 3), (11, 23))
MONDAYS = ((1, 2), (7, 3), (9, 3), (10, 2))  # month, and which of its Mondays
ONE_DAY = timedelta(days=1)


def is_workday(day: date) -> bool:
    return day.weekday() < 5 and day not in holidays(day.year)


def workday_after(day: date, count: int) -> date:
    """The day so many working days after `day`; of 0, the day itself or the next working one."""
    left = count
    while left > 0 or not is_workday(day):
        day += ONE_DAY
        if left > 0 and is_workday(day):
            left -= 1
    return day


@lru_cache(maxsize=32)
def holidays(year: int) -> frozenset[date]:
    """Every national holiday of a year, substitutes included."""
    days = {date(year, month, day) for month, day in FIXED}
    days |= {_monday(year, month, which) for month, which in MONDAYS}
    days |= {date(year, 3, _equinox(year, 20.8431)), date(year, 9, _equinox(year, 23.2488))}
    between = {day + ONE_DAY for day in days if day + 2 * ONE_DAY in days and day + ONE_DAY not in days}
    return frozenset(days | {day for day in between if day.weekday() != 6} | {_substitute(day, days) for day in days})


def _monday(year: int, month: int, which: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(7 - first.weekday()) % 7 + 7 * (which - 1))


def _equinox(year: int, base: float) -> int:
    """The day of March or September."""
    return int(base + 0.242194 * (year - 1980)) - (year - 1980) // 4


def _substitute(day: date, known: set[date]) -> date:
    """The holiday itself, or for one on a Sunday the next day that is none."""
    if day.weekday() != 6:
        return day
    while day in known:
        day += ONE_DAY
    return day
