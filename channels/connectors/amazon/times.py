"""Times of the Selling Partner API: ISO 8601 in UTC, and delivery windows as a wish in Tokyo time."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from oms.kernel.clock import TOKYO

LONGEST_SLOT = timedelta(hours=5)
NOON = 12


def aware(text: str) -> datetime:
    """A time as Amazon writes it; one without a zone is UTC."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def iso(time: datetime) -> str:
    """A time as Amazon wants it: UTC, milliseconds, Z."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wish_of(window: Mapping[str, Any]) -> tuple[date | None, str]:
    """(day, slot) of a delivery window within one Tokyo day: slot "am", "1416" or "" for a wide one."""
    earliest, latest = window.get("earliestDateTime"), window.get("latestDateTime")
    if not earliest or not latest:
        return None, ""
    start, end = aware(earliest).astimezone(TOKYO), aware(latest).astimezone(TOKYO)
    if start.date() != end.date():
        return None, ""
    # A window may end at 15:59:59 and mean 16:00.
    close = end + timedelta(seconds=1) if end.second == 59 else end
    if close - start > LONGEST_SLOT or start.minute or close.minute or close.date() != start.date():
        return start.date(), ""
    return start.date(), "am" if close.hour <= NOON else f"{start.hour:02}{close.hour:02}"
