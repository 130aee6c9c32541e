"""Rows of orders and claims in any of their spellings."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from channels.connectors.qoo10.codes import ALIASES

TOKYO = ZoneInfo("Asia/Tokyo")
NUMBER_IN_WORDS = re.compile(r"\((\d{1,2})\)\s*$|^\s*(\d{1,2})\s*$")

Row = dict[str, str]
_names: dict[str, str] = {}


def plain(row: Mapping[str, Any]) -> Row:
    """Names in lower case without "_", by their present spelling; values as stripped text, empty ones left out."""
    found: Row = {}
    for name, value in row.items():
        if value is None or value == "":
            continue
        text = value.strip() if isinstance(value, str) else str(value)
        if text:
            found.setdefault(_names.get(name) or _plain_name(name), text)
    return found


def _plain_name(name: str) -> str:
    short = name.lower().replace("_", "")
    plain_name = ALIASES.get(short, short)
    if len(_names) < 1000:
        _names[name] = plain_name
    return plain_name


def status_number(text: str) -> int | None:
    """ "On request(2)" and "2" → 2; None for anything else."""
    found = NUMBER_IN_WORDS.search(text)
    return int(found[1] or found[2]) if found else None


def instant(text: str) -> datetime | None:
    """UTC of "2030-04-02 09:15:30", "2030-04-02 09:15" or a date, all JST; None if odd or empty."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=TOKYO)).astimezone(UTC)


def day(text: str) -> date | None:
    found = instant(text)
    return found.astimezone(TOKYO).date() if found else None


def stamp(at: datetime) -> str:
    """14 digits of JST, as searches want them."""
    return f"{at.astimezone(TOKYO):%Y%m%d%H%M%S}"


def listing_code(row: Mapping[str, str]) -> str:
    """The key of the bought listing: item, or item and option code.

    An option without a code of its own is spelled out: such a key is in no list, so that the line is looked at rather
    than taken from the stock of the whole item.
    """
    item, code, option = row.get("itemno", ""), row.get("optioncode", ""), row.get("option", "")
    if code:
        return f"{item}/{code}"
    return f"{item}//{option}" if option else item
