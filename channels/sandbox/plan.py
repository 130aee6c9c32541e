"""The mix of a day: which orders carry which trait, in exact shares. Pure: decides, places nothing.

Judgement traits are alone on their order, so that the truth about it is plain. Routine traits may meet when no
reasonable shop would need a person for the combination.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from channels.sandbox.model import CHANNELS, Channel

CHANNEL_SHARES: Mapping[Channel, float] = {
    "rakuten": 0.35,
    "amazon": 0.25,
    "yahoo": 0.20,
    "qoo10": 0.10,
    "futureshop": 0.10,
}

JUDGEMENT: Mapping[str, float] = {
    "question": 1.0,  # a remark that asks something
    "address": 0.8,  # undeliverable as typed
    "cancel_wish": 0.4,  # the buyer asks to cancel after the shop began to work
    "blacklist": 0.3,  # blacklisted buyer, or the mall warns of fraud
    "unmapped_sku": 0.2,
    "stock_short": 0.2,
    "amount_mismatch": 0.1,
}
"""Percent of all orders that need a person."""

ROUTINE: Mapping[str, float] = {
    "merge": 4.0,  # counts both orders of a pair
    "preorder": 2.0,
    "buyer_change": 1.5,  # the buyer changes or cancels before the shop began to work
    "island": 1.5,
    "several_recipients": 0.4,
    "pay_later": 10.0,  # convenience store or bank
    "cod": 5.0,
    "deferred": 2.0,
    "set": 4.0,
    "gift": 6.0,
    "remark_slip": 8.0,  # text for the slip, or a delivery wish in words
    "untidy": 3.0,
    "wish": 12.0,  # delivery wish in the channel's own fields
}
"""Percent of all orders that carry it and that rules, channel data or self-closing reasons settle."""

FBA_SHARE = 5.0
"""Percent of Amazon's orders that Amazon ships itself."""

REPEAT_SHARE = 12.0
"""Percent of orders whose buyer already bought on another channel today."""

SURE_FROM = 200
"""From this many orders on, each judgement class appears at least once."""

ALLOWED: Mapping[str, frozenset[Channel]] = {
    "question": frozenset({"rakuten", "yahoo", "qoo10", "futureshop"}),
    "remark_slip": frozenset({"rakuten", "yahoo", "qoo10", "futureshop"}),
    "cancel_wish": frozenset({"amazon", "rakuten", "qoo10", "futureshop"}),
    "amount_mismatch": frozenset({"rakuten", "yahoo", "futureshop"}),
    "wish": frozenset({"rakuten", "yahoo", "futureshop"}),
    "several_recipients": frozenset({"rakuten", "futureshop"}),
    "cod": frozenset({"rakuten", "yahoo", "futureshop"}),
    "deferred": frozenset({"rakuten", "futureshop"}),
}
"""Channels that have a field for it; absent = all."""

ALONE = frozenset({"merge", "preorder", "buyer_change", "several_recipients", "fba", "short_first", *JUDGEMENT})
TOGETHER: Mapping[str, frozenset[str]] = {
    "island": frozenset({"remark_slip", "gift", "set"}),
    "pay_later": frozenset({"remark_slip", "gift", "set", "untidy"}),
    "cod": frozenset({"remark_slip", "set", "untidy", "wish"}),
    "deferred": frozenset({"remark_slip", "set", "gift"}),
    "set": frozenset({"island", "pay_later", "cod", "deferred", "gift", "remark_slip", "untidy", "wish"}),
    "gift": frozenset({"island", "pay_later", "deferred", "set", "wish"}),
    "remark_slip": frozenset({"island", "pay_later", "cod", "deferred", "set"}),
    "untidy": frozenset({"pay_later", "cod", "set", "wish"}),
    "wish": frozenset({"cod", "set", "gift", "untidy"}),
}
"""Which routine traits may meet on one order."""


@dataclass(slots=True)
class Slot:
    """One order to come. `partner` is the index of the slot that belongs to it."""

    index: int
    channel: Channel
    traits: set[str] = field(default_factory=set)
    partner: int | None = None

    def can_take(self, trait: str) -> bool:
        if self.channel not in ALLOWED.get(trait, CHANNELS):
            return False
        if not self.traits:
            return True
        return trait not in ALONE and all(trait in TOGETHER.get(other, frozenset()) for other in self.traits)


def quota(count: int, percent: float, *, sure: bool = False) -> int:
    """How many of `count` orders; halves round up; at least one when `sure` and the day is long enough."""
    exact = int(count * percent / 100 + 0.5)
    return max(exact, 1) if sure and count >= SURE_FROM else exact


def plan_day(count: int, rng: random.Random) -> list[Slot]:
    """`count` slots in order of time, with traits in exact shares as far as the channels allow."""
    slots = [Slot(index, channel) for index, channel in enumerate(_channels(count, rng))]
    amazon = [slot for slot in slots if slot.channel == "amazon"]
    for slot in rng.sample(amazon, quota(len(amazon), FBA_SHARE)):
        slot.traits.add("fba")
    _pair_short(slots, quota(count, JUDGEMENT["stock_short"], sure=True), rng)
    for trait, percent in JUDGEMENT.items():
        if trait != "stock_short":
            _give(slots, trait, quota(count, percent, sure=True), rng)
    _pair_merges(slots, quota(count, ROUTINE["merge"] / 2), rng)
    for trait, percent in ROUTINE.items():
        if trait != "merge":
            _give(slots, trait, quota(count, percent), rng)
    return slots


def _channels(count: int, rng: random.Random) -> list[Channel]:
    """Channels in their shares by largest remainder, shuffled."""
    exact = {channel: count * share for channel, share in CHANNEL_SHARES.items()}
    chosen = {channel: int(number) for channel, number in exact.items()}
    by_rest = sorted(exact, key=lambda channel: chosen[channel] - exact[channel])
    for channel in by_rest[: count - sum(chosen.values())]:
        chosen[channel] += 1
    deck = [channel for channel, number in chosen.items() for _ in range(number)]
    rng.shuffle(deck)
    return deck


def _give(slots: Collection[Slot], trait: str, wanted: int, rng: random.Random) -> None:
    able = [slot for slot in slots if slot.can_take(trait)]
    for slot in rng.sample(able, min(wanted, len(able))):
        slot.traits.add(trait)


def _pair_merges(slots: list[Slot], pairs: int, rng: random.Random) -> None:
    """Two orders soon after each other on one channel by one buyer."""
    for first in rng.sample(slots, len(slots)):
        if not pairs:
            return
        later = (slot for slot in slots[first.index + 1 :] if slot.channel == first.channel and not slot.traits)
        second = next(later, None)
        if first.traits or second is None:
            continue
        first.partner, second.partner = second.index, first.index
        first.traits.add("merge")
        second.traits.add("merge")
        pairs -= 1


def _pair_short(slots: list[Slot], wanted: int, rng: random.Random) -> None:
    """A first order that takes the last units, and a second whose checkout on another mall began before it."""
    for first in rng.sample(slots, len(slots)):
        if not wanted:
            return
        later = [slot for slot in slots[first.index + 1 :] if slot.channel != first.channel and not slot.traits]
        if first.traits or not later:
            continue
        second = later[0]
        first.partner, second.partner = second.index, first.index
        first.traits.add("short_first")
        second.traits.add("stock_short")
        wanted -= 1
