"""What reason checks look at, and what they find. Plain values."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from oms.kernel.said import sentences
from orders.decide.catalogue import CATALOGUE
from orders.models.reason import Level

MILDER = (Level.BLOCK, Level.WARN, Level.INFO)  # from the strictest on


@dataclass(frozen=True, slots=True)
class Found:
    """A reason found. `evidence` is a sentence (`oms.kernel.said`) or what somebody wrote. `fingerprint` is equal as
    long as the facts behind it are: it is taken from the Japanese words. `aside` is told with the evidence, but is no
    new fact when it changes with the days. `set_level` is the company's own."""

    code: str
    evidence: str
    field: str = ""
    set_level: str = ""
    at_most: str = ""  # a level that what was found does not go beyond
    aside: str = ""

    @property
    def level(self) -> str:
        level = self.set_level or str(CATALOGUE[self.code].level)
        return max(level, self.at_most, key=MILDER.index) if self.at_most else level

    def beside(self, other: "Found") -> "Found":
        """Both in one, at the stricter level."""
        if other.evidence in self.evidence:
            return self
        limits = [self.at_most, other.at_most]
        at_most = min(limits, key=MILDER.index) if all(limits) else ""
        return replace(self, evidence=sentences(self.evidence, other.evidence), at_most=at_most)

    @property
    def text(self) -> str:
        return sentences(self.evidence, self.aside) if self.aside else self.evidence

    @property
    def fingerprint(self) -> str:
        return hashlib.sha1(f"{self.code}\0{self.evidence}".encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Address:
    postal_code: str
    prefecture: str
    city: str
    address: str
    phone: str
    name: str = ""
    company: str = ""
    country: str = "JP"

    @property
    def is_told(self) -> bool:
        return bool(self.postal_code or self.prefecture or self.city or self.address)


@dataclass(frozen=True, slots=True)
class Item:
    """A standing line: the SKU behind it (None: not known yet) and what its master says of it."""

    sku_id: int | None
    code: str
    pieces: int
    release_date: date | None = None
    temperature: str = "ambient"
    active: bool = True
    made_to_order: bool = False
    size_factor: int = 1
    category: str = ""
    wishes: str = ""  # what the buyer chose or wrote for this line
    options: str = ""  # what the buyer chose, in the channel's words
    settled: bool = False  # somebody has decided what that text stands for
    variant: str = ""  # what the master says of the SKU beside its product
    name: str = ""
    siblings: int = 1  # SKUs of the product that are sold, this one included
    apart: bool = False  # follows in a later parcel anyway


@dataclass(frozen=True, slots=True)
class Listed:
    """What of the order's people stands on the blacklist: how much, the sentence about it and whose it is.

    The same name alone is nobody's proof, however low the company sets its thresholds.
    """

    score: int
    evidence: str
    field: str = "buyer"
    is_name_alone: bool = False
    at_most: str = ""

    def reaches(self, threshold: int) -> bool:
        return self.score >= threshold and not self.is_name_alone


@dataclass(frozen=True, slots=True)
class History:
    """What we know of the buyer from elsewhere. `twin` names an earlier order with the very same goods; `bought` are
    pieces by SKU code in the other orders of the time that `quantity_limit` looks at."""

    orders_before: int | None = None  # None: nobody we know
    twin: str = ""
    bought: Mapping[str, int] = field(default_factory=dict)
    refused: str = ""  # the sentence about a parcel that came back because nobody took it
    duplicate: str = ""  # the sentence about another member that looks like this one
    good_rank: str = ""  # the name of the member's rank, where it is one of good customers
    promises: str = ""  # what was promised for the next order, in the staff's words
    mail_failed: str = ""


NOTHING_KNOWN = History()


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What the checks look at; amounts as in `orders.channel_order.Totals`. `total` None: not told yet.

    `tuning` holds the company's thresholds by reason code, where they differ from the catalogue's.
    """

    ordered_on: date
    remarks: str
    recipients: Sequence[Address]
    buyer_phone: str
    unmapped: Sequence[str]
    goods_lines: int  # sum of the lines' amounts
    goods: int
    shipping_fee: int
    fees: int
    gift_fees: int
    discount: int
    coupons: int
    points: int
    tax_excluded: int
    total: int | None
    cancel_requested: bool
    cancel_reason: str
    gift: str
    noshi: str
    carrier: str = "yamato"
    changes: str = ""  # what the channel changed that needs a person
    reflected: str = ""  # what the channel changed that was simply taken over
    listed: Listed | None = None
    flags: Sequence[str] = field(default_factory=tuple)
    provisional: bool = False  # the channel still withholds parts of it
    today: date | None = None
    now: datetime | None = None
    leave_by: datetime | None = None  # the channel's promise
    buyer: Address | None = None
    items: Sequence[Item] = field(default_factory=tuple)
    tax_by_rate: Sequence[Sequence[int]] = field(default_factory=tuple)  # [rate, yen with tax, tax inside]
    message_card: str = ""
    delivery_method: str = ""
    wish_date: date | None = None
    wish_slot: str = ""
    payment_method: str = ""
    payment_name: str = ""
    payment_state: str = ""
    payment_known: bool = False  # the channel's name for it has terms of its own, or is ours
    pay_by: date | None = None
    authorized_until: date | None = None
    paid: int = 0  # what our ledger holds
    credit_limit: int | None = None  # what its buyer may owe on account, this order included; None: as much as wished
    owed_before: int = 0  # what the buyer owes of earlier orders on account
    ships_on: date | None = None  # the day it is planned to leave, where a wish or a release decides it
    promised_on: date | None = None  # the last day the channel allows it to leave
    first_arrival: date | None = None  # the first day on which it can be there
    history: History = NOTHING_KNOWN
    tuning: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def tuned(self, code: str, name: str) -> Any:
        """A threshold of a reason: the company's, else the catalogue's."""
        own = self.tuning.get(code, {})
        return own[name] if name in own else CATALOGUE[code].params[name]
