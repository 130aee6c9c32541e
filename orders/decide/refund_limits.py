"""How much a person may give back alone, by role. Amounts in yen; None: any amount."""

from collections.abc import Iterable, Mapping

# Roles that give nothing back in their day's work have 0: what they cause is approved by somebody.
STANDARD: Mapping[str, int | None] = {
    "operator": 30_000,
    "shift_lead": 300_000,
    "store_staff": 0,
    "store_manager": 0,
    "warehouse": 0,
    "accounting": None,
    "administrator": None,
}
# People without a role, and roles of the company's own making, until somebody sets theirs.
OTHERS = 30_000


def standard_of(role: str) -> int | None:
    return STANDARD.get(role, OTHERS)


def limit_of(limits: Iterable[int | None]) -> int | None:
    """Who holds several roles has the widest of their limits."""
    found = list(limits)
    if not found:
        return OTHERS
    return None if None in found else max(one for one in found if one is not None)


def covers(limit: int | None, amount: int) -> bool:
    return limit is None or amount <= limit
