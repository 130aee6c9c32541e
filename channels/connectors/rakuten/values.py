"""Single values of RMS orders: flags and money are numbers, but null, "" and numeric strings occur.

What an order cannot be handled without is read strictly (`whole`, `amount`, `rows`) and raises ValueError; everything
else is read softly, because RMS adds codes and changes literals without notice.
"""

from datetime import date, datetime
from typing import Any

from channels.connectors.rakuten.wire import NOT_FIXED, read_date, read_time

Row = dict[str, Any]


def text(value: Any) -> str:
    """Null is empty; numbers become their digits."""
    if value.__class__ is str:
        stripped: str = value.strip()
        return stripped
    return "" if value is None else str(value)


def whole(value: Any) -> int | None:
    """A whole number, or None for null and "". Raises ValueError for anything else, fractions included."""
    if value.__class__ is int:
        number: int = value
        return number
    if value is None or value == "":
        return None
    if isinstance(value, float) and not value.is_integer():
        raise ValueError("not a whole number")
    return int(value)


def amount(value: Any) -> int | None:
    """Yen, or None while the amount is missing or not fixed."""
    yen = whole(value)
    return None if yen == NOT_FIXED else yen


def rows(value: Any) -> list[Row]:
    """A list of objects; null and [] mean the same everywhere. Raises ValueError for another shape."""
    if not value:
        return []
    if not isinstance(value, list):
        raise ValueError("not a list")
    for row in value:
        if row.__class__ is not dict:
            raise ValueError("not a list of objects")
    return value


def row(value: Any) -> Row:
    """An object; null is an empty one. Raises ValueError for another shape."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def code(value: Any) -> int | None:
    """A code's number; None for null and for anything that is no number."""
    if value.__class__ is int:
        number: int = value
        return number
    try:
        return whole(value)
    except (ValueError, TypeError, OverflowError):
        return None


def is_on(value: Any) -> bool:
    return value == 1 or code(value) == 1


def yen(value: Any) -> int:
    """An amount for information only: 0 when it is missing, not fixed or no number."""
    number = code(value)
    return 0 if number is None or number == NOT_FIXED else number


def percent(value: Any) -> int | None:
    """A tax rate told as a fraction (0.1); None when it is not told."""
    if value is None or value == "":
        return None
    try:
        return round(float(value) * 100)
    except (ValueError, TypeError, OverflowError):
        return None


def some_rows(value: Any) -> list[Row]:
    """The objects of an optional list; anything else is left out."""
    return [row for row in value if row.__class__ is dict] if isinstance(value, list) else []


def some_row(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


def some_time(value: Any) -> datetime | None:
    try:
        return read_time(value) if value else None
    except (ValueError, TypeError):
        return None


def some_day(value: Any) -> date | None:
    try:
        return read_date(value) if value else None
    except (ValueError, TypeError):
        return None
