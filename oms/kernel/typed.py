"""Ids as addresses and forms bring them: ours, typed by hand, or forged."""

from collections.abc import Iterable

LONGEST = 18  # digits of the largest id that a bigint column surely holds


def row_id(typed: str) -> int | None:
    """The id, or None for what can be nobody's: no digits, or more than a column holds."""
    return int(typed) if typed.isdecimal() and len(typed) <= LONGEST else None


def row_ids(typed: Iterable[str]) -> list[int]:
    """The ids among these, in their order."""
    return [found for one in typed if (found := row_id(one)) is not None]
