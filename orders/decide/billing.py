"""締日 and 支払日 of customers who pay by the month. Pure. Day 31 is the last of a month, however long it is."""

from calendar import monthrange
from datetime import date, timedelta


def day_of(year: int, month: int, day: int) -> date:
    """`month` may lie outside 1 to 12: it is counted on."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(day, monthrange(year, month)[1]))


def closing_before(day: int, until: date) -> date:
    """The last closing on or before a day."""
    this = day_of(until.year, until.month, day)
    return this if this <= until else day_of(until.year, until.month - 1, day)


def begin_of(closing: date, day: int, before: date | None) -> date:
    """The first day of what a closing covers: after the one before it."""
    last = before or closing_before(day, closing - timedelta(days=1))
    return last + timedelta(days=1)


def due_on(closing: date, months: int, day: int) -> date:
    """When it is to be paid; never before the closing itself."""
    return max(day_of(closing.year, closing.month + months, day), closing)
