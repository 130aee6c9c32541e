"""Single values of RMS orders: flags and money are numbers, but null, "" and numeric strings occur."""

from typing import Any

from channels.connectors.rakuten.wire import NOT_FIXED

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
