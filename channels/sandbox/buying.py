"""From a planned slot to what a buyer puts into the basket. Pure: reads what the malls show, changes nothing."""

import random
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate

from channels.sandbox import people, remarks
from channels.sandbox.catalogue import build as build_catalogue
from channels.sandbox.goods import Catalogue, Listing, Sku
from channels.sandbox.model import Channel, Fees, Gift, PaymentMethod, Person, Wish
from channels.sandbox.plan import JUDGEMENT

Shows = Callable[[Channel, str], int]
"""(channel, listing key) → units the mall shows now."""

MARGIN = 3
"""Ordinary buyers leave the last units alone, so that deliberate shortages are the only planned ones."""

POSTAGE: Mapping[Channel, tuple[int, int]] = {
    "amazon": (3500, 440),
    "rakuten": (3980, 660),
    "yahoo": (5000, 750),
    "qoo10": (4000, 500),
    "futureshop": (5500, 550),
}
"""Channel → (free from this sum of goods, postage below it)."""

COD_FEE = 330
COOL_FEE = 330
CAUTION_CHANNELS = frozenset({"rakuten", "yahoo"})


@dataclass(frozen=True, slots=True)
class DraftLine:
    listing: Listing
    quantity: int
    destination: int = 1
    discount: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A filled basket at the till."""

    channel: Channel
    lines: tuple[DraftLine, ...]
    buyer: Person
    recipients: tuple[Person, ...]
    payment: PaymentMethod = "card"
    remarks: str = ""
    wish: Wish = field(default_factory=Wish)
    gift: Gift | None = None
    fees: Fees = field(default_factory=Fees)
    caution: bool = False
    traits: frozenset[str] = frozenset()
    merge_group: str = ""


@dataclass(slots=True)
class Shelf:
    """Listings of one channel and one kind, the well stocked ones more often."""

    listings: list[Listing] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def pick(self, rng: random.Random) -> Listing:
        return self.listings[bisect_right(self.weights, rng.random() * self.weights[-1])]


class Shop:
    """What buyers can see of the catalogue, sorted for picking."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._shelves: dict[tuple[Channel, str], Shelf] = {}
        grouped: dict[tuple[Channel, str], list[Listing]] = {}
        for listing in catalogue.listings.values():
            for kind in _kinds(listing, catalogue.skus[listing.sku]):
                grouped.setdefault((listing.channel, kind), []).append(listing)
        for place, listings in grouped.items():
            ordered = sorted(listings, key=lambda one: one.key)
            stock = [max(catalogue.online_stock(one.sku), 1) for one in ordered]
            self._shelves[place] = Shelf(ordered, list(accumulate(stock)))

    def pick(self, rng: random.Random, channel: Channel, kind: str, shows: Shows, *, units: int = 1) -> Listing | None:
        """A listing that shows enough and some more; None when forty looks find none."""
        shelf = self._shelves[channel, kind]
        for _ in range(40):
            listing = shelf.pick(rng)
            if shows(channel, listing.key) >= units + MARGIN:
                return listing
        return None

    def kind(self, channel: Channel, kind: str) -> Sequence[Listing]:
        return self._shelves[channel, kind].listings


@lru_cache(maxsize=4)
def shop_of(seed: int, opening_day: date) -> Shop:
    """All worlds of one seed and day share it."""
    return Shop(build_catalogue(seed, opening_day))


def _kinds(listing: Listing, sku: Sku) -> list[str]:
    if listing.fulfilled_by == "amazon":
        return ["fba"]
    if not listing.mapped:
        return ["unmapped"]
    if sku.role != "ordinary":
        return [sku.role]
    if sku.size_cm > 160:
        return ["ordinary", "bulky"]
    return ["ordinary", sku.temperature]


def fill_basket(
    rng: random.Random, channel: Channel, traits: Collection[str], shop: Shop, shows: Shows
) -> tuple[DraftLine, ...]:
    """Lines that suit the traits; () when the malls have nothing left to show."""
    for special in ("fba", "set", "preorder"):
        if special in traits:
            return _one(rng, channel, special, shop, shows)
    if "unmapped_sku" in traits:
        return _one(rng, channel, "unmapped", shop, shows)
    if "buyer_change" in traits:
        return _one(rng, channel, "ambient", shop, shows, units=2)
    first = shop.pick(rng, channel, "ambient" if traits else "ordinary", shows, units=2)
    if first is None:
        return ()
    lines = [DraftLine(first, _quantity(rng, shop.catalogue.skus[first.sku]))]
    if "bulky" in _kinds(first, shop.catalogue.skus[first.sku]):
        return tuple(lines)
    temperature = shop.catalogue.skus[first.sku].temperature
    wanted = 2 if "several_recipients" in traits else rng.choices((1, 2, 3), (70, 22, 8))[0]
    for _ in range(20):
        if len(lines) == wanted:
            break
        more = shop.pick(rng, channel, temperature, shows, units=2)
        if more is not None and more.key not in {line.listing.key for line in lines}:
            lines.append(DraftLine(more, 1, destination=2 if "several_recipients" in traits else 1))
    return tuple(_discounted(rng, channel, lines))


def _one(
    rng: random.Random, channel: Channel, kind: str, shop: Shop, shows: Shows, *, units: int = 1
) -> tuple[DraftLine, ...]:
    listing = shop.pick(rng, channel, kind, shows, units=units)
    return (DraftLine(listing, units),) if listing else ()


def _quantity(rng: random.Random, sku: Sku) -> int:
    return 1 if sku.size_cm > 160 or sku.price > 10000 else rng.choices((1, 2), (88, 12))[0]


def _discounted(rng: random.Random, channel: Channel, lines: list[DraftLine]) -> list[DraftLine]:
    """Only Qoo10 discounts by line."""
    if channel != "qoo10" or rng.random() > 0.2:
        return lines
    return [replace(line, discount=line.listing.price * line.quantity // 100 * 10) for line in lines]


def choose_payment(rng: random.Random, channel: Channel, traits: Collection[str]) -> PaymentMethod:
    if "cod" in traits:
        return "cod"
    if "deferred" in traits:
        return "deferred"
    if "pay_later" in traits:
        return "konbini" if channel in ("amazon", "qoo10") or rng.random() < 0.6 else "bank"
    return "card"


def choose_people(
    rng: random.Random, channel: Channel, traits: Collection[str], buyer: Person, other: Person
) -> tuple[Person, tuple[Person, ...]]:
    """Buyer and recipients in this channel's spelling; `other` receives gifts."""
    buyer = people.spelled(buyer, channel)
    if "untidy" in traits:
        buyer = replace(buyer, address=people.untidy(buyer.address, rng))
    if "address" in traits:
        return buyer, (replace(buyer, address=people.undeliverable(buyer.address, rng)),)
    friend = replace(people.spelled(other, channel), email="")
    if "several_recipients" in traits:
        return buyer, (buyer, friend)
    if "gift" in traits and "island" not in traits and rng.random() < 0.6:
        return buyer, (friend,)
    return buyer, (buyer,)


def gift_for_another(draft: Draft) -> Gift | None:
    """What goes to a further recipient, where the channel tells it by recipient: a noshi with the buyer's name."""
    if draft.channel not in ("rakuten", "futureshop"):
        return draft.gift
    return Gift(noshi="紅白蝶結び", noshi_purpose="御祝", noshi_name=draft.buyer.family)


def choose_wish(rng: random.Random, traits: Collection[str], today: date) -> Wish:
    if "wish" not in traits:
        return Wish()
    slot = rng.choice(("", *remarks.SLOTS))
    return Wish(today + timedelta(days=rng.randint(4, 9)), slot)


def choose_remarks(rng: random.Random, traits: Collection[str], today: date) -> str:
    if "question" in traits:
        return remarks.question(rng)
    return remarks.slip_text(rng, today) if "remark_slip" in traits else ""


def price(
    rng: random.Random,
    channel: Channel,
    traits: Collection[str],
    lines: Sequence[DraftLine],
    *,
    payment: PaymentMethod,
    gift: Gift | None,
    cool: bool,
    destinations: int,
) -> Fees:
    """Fees, coupons and points of this basket."""
    goods = sum(line.listing.price * line.quantity - line.discount for line in lines)
    free_from, postage = POSTAGE[channel]
    fees = Fees(
        postage=0 if goods >= free_from else postage * destinations,
        cod_fee=COD_FEE if payment == "cod" else 0,
        wrapping=gift.wrapping_fee if gift else 0,
        cool_fee=COOL_FEE if cool and channel == "futureshop" else 0,
        misstated=rng.choice((-200, 110, 300, -55)) if "amount_mismatch" in traits else 0,
    )
    return (
        fees
        if JUDGEMENT.keys() & set(traits) or payment != "card" or goods < 2500
        else _with_savings(rng, channel, fees)
    )


def _with_savings(rng: random.Random, channel: Channel, fees: Fees) -> Fees:
    has_points = channel in ("rakuten", "yahoo", "futureshop") and rng.random() < 0.12
    own_coupon = channel in ("rakuten", "futureshop", "amazon") and rng.random() < 0.08
    mall_coupon = channel in ("rakuten", "yahoo") and not own_coupon and rng.random() < 0.06
    return replace(
        fees,
        points=rng.choice((50, 100, 321, 500)) if has_points else 0,
        coupon_shop=rng.choice((200, 300, 500)) if own_coupon else 0,
        coupon_mall=rng.choice((100, 300)) if mall_coupon else 0,
    )


def is_suspected_by_mall(rng: random.Random, channel: Channel, traits: Collection[str]) -> bool:
    """A third of the blacklist share is the mall's own warning, where the channel has a field for it."""
    return "blacklist" in traits and channel in CAUTION_CHANNELS and rng.random() < 1 / 3
