"""How long personal data is kept after an order's end. Pure."""

from collections.abc import Mapping

# What a channel's policy asks of sellers, in days after the order's end; other channels leave it to the company.
CHANNEL_DAYS: Mapping[str, int] = {"amazon": 30}
LEAST_DAYS, MOST_DAYS = 7, 3650

# What stands in the place of a name, so that a row is still a row.
GONE = "（消去済み）"

# Entries of the order's journal whose words are the house's own and name nobody; all others lose theirs.
PLAIN_EVENTS = frozenset(
    {
        "imported", "stage", "rule", "rule_undone", "instructed", "shipped", "merged", "unmerged", "split",
        "split_undone", "split_asked", "split_declined", "split_ask_withdrawn", "tagged", "untagged", "labelled",
        "document_issued", "refund_opened", "refund_done", "paid", "payment_undone", "reason_accepted", "mapped",
    }
)  # fmt: skip


def days_of(channel: str, *, own: int | None, has_own: bool) -> int | None:
    """How many days a shop keeps personal data; None for ever. A shop's own word goes before the channel's."""
    return own if has_own else CHANNEL_DAYS.get(channel)


def is_longer_than_allowed(channel: str, days: int | None) -> bool:
    """Whether the channel's policy asks for less; worth a warning, the company decides."""
    least = CHANNEL_DAYS.get(channel)
    return least is not None and (days is None or days > least)
