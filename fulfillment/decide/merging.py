"""同梱: which orders may travel in one parcel. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise

from django.utils.translation import gettext as _

from oms.kernel.clock import TOKYO
from oms.kernel.phone import phone_digits
from oms.kernel.text import match_address, match_name
from orders.decide.payments import is_paid_enough
from orders.models.order import PaymentMethod


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is compared of an order. `group`: orders of one group may meet (a shop, or an allowed group of shops).

    `ready`: past every gate before the instruction, apart from the question whether to merge.
    """

    order_id: int
    shop_id: int
    group: str
    policy: str  # the strictest word of its shop: automatic, ask, never
    key: str
    ready: bool
    recipients: int
    parcels: int  # planned shipments that carry its goods
    location_id: int | None
    carrier: str
    method: str
    temperatures: frozenset[str]
    wish: tuple[date | None, str]
    ship_on: date  # not before today
    released: bool  # nothing of it is still to be released
    gift: tuple[str, str, str]
    payment_method: str
    payment_state: str
    ships_when: str  # what its payment's terms ask before it may ship
    cod_with_prepaid: bool


class Kind(StrEnum):
    MERGE = "merge"  # may be merged now
    LATER = "later"  # the same, but one of them still waits at an earlier gate
    NEAR = "near"  # goes to the same recipient and differs in something
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Verdict:
    kind: Kind
    cause: str = ""


def recipient_key(*, name: str, postal_code: str, address: str, phone: str) -> str:
    """Equal for two spellings of one recipient at one address with one phone. "" when there is no address yet (a mall
    withholds it until payment): such an order goes to nobody's door, so it meets no other."""
    parts = (match_name(name), match_address(address, postal_code=postal_code), phone_digits(phone))
    if not parts[0] or not parts[1]:
        return ""
    return hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()


def judge(one: Candidate, other: Candidate) -> Verdict:
    """Whether these two orders may travel together; the order of the two does not matter."""
    if not one.key or one.key != other.key or one.group != other.group or "never" in {one.policy, other.policy}:
        return Verdict(Kind.NEVER)
    if one.recipients != 1 or other.recipients != 1:
        return Verdict(Kind.NEAR, _("届け先が複数あります。"))
    for differs, cause in _differences(one, other):
        if differs:
            return Verdict(Kind.NEAR, cause)
    if not (one.ready and other.ready):
        return Verdict(Kind.LATER, _("出荷指示待ちになっていない受注があります。"))
    if one.parcels != 1 or other.parcels != 1:
        return Verdict(Kind.NEAR, _("出荷伝票が分かれています。"))
    return Verdict(Kind.MERGE)


def _differences(one: Candidate, other: Candidate) -> Iterable[tuple[bool, str]]:
    both_placed = one.location_id is not None and other.location_id is not None
    yield one.wish != other.wish, _("配達希望が異なります。")
    yield one.released != other.released, _("予約品と通常品です。")
    yield one.ship_on != other.ship_on, _("出荷予定日が異なります。")
    yield one.gift != other.gift, _("ギフト・のしの指定が異なります。")
    yield not temperatures_fit(one.temperatures | other.temperatures), _("温度帯が異なります。")
    yield one.carrier != other.carrier or one.method != other.method, _("配送方法が異なります。")
    yield both_placed and one.location_id != other.location_id, _("出荷元が異なります。")
    yield not payments_fit(one, other), _("支払方法の組み合わせが同梱の対象外です。")


def temperatures_fit(temperatures: frozenset[str]) -> bool:
    """Ambient goods may travel chilled; frozen goods travel alone."""
    return not ("frozen" in temperatures and len(temperatures) > 1)


def payments_fit(one: Candidate, other: Candidate) -> bool:
    """Cash on delivery goes with cash on delivery; with prepaid orders where both shops allow it."""
    cash = {one.payment_method == PaymentMethod.COD, other.payment_method == PaymentMethod.COD}
    return len(cash) == 1 or (one.cod_with_prepaid and other.cod_with_prepaid)


def is_paid(candidate: Candidate) -> bool:
    return is_paid_enough(candidate.ships_when, candidate.payment_state)


def groups(
    candidates: Sequence[Candidate], *, apart: frozenset[tuple[int, int]] = frozenset()
) -> list[list[Candidate]]:
    """The candidates that may travel together, oldest first; each is in one group. `apart`: pairs not to be merged.

    Everybody in a group fits everybody else in it.
    """
    found: list[list[Candidate]] = []
    for candidate in sorted(candidates, key=lambda c: c.order_id):
        for group in found:
            if all(_fits(member, candidate, apart) for member in group):
                group.append(candidate)
                break
        else:
            found.append([candidate])
    return [group for group in found if len(group) > 1]


def _fits(one: Candidate, other: Candidate, apart: frozenset[tuple[int, int]]) -> bool:
    return pair(one.order_id, other.order_id) not in apart and judge(one, other).kind == Kind.MERGE


def pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def policy_of(group: Sequence[Candidate]) -> str:
    """One shop that wants to be asked is enough to ask."""
    return "ask" if any(candidate.policy == "ask" for candidate in group) else "automatic"


def ask_until(raised_at: datetime, cut_offs: Sequence[time], minutes: int) -> datetime:
    """Until when a candidate may hold its orders: so many minutes before the next cut-off of the day, or of tomorrow.

    Without cut-offs it may hold them so many minutes.
    """
    if not cut_offs:
        return raised_at + timedelta(minutes=minutes)
    local = raised_at.astimezone(TOKYO)
    days = (local.date(), local.date() + timedelta(days=1))
    moments = sorted(datetime.combine(day, at, TOKYO) for day in days for at in cut_offs)
    return next(moment for moment in moments if moment > local) - timedelta(minutes=minutes)


@dataclass(frozen=True, slots=True)
class Charge:
    """What an order charges for its way."""

    order_id: int
    shipping_fee: int
    fees: int
    payment_method: str
    refunds: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """What a merged order is not charged any more."""

    shipping: int = 0
    fees: int = 0

    @property
    def all(self) -> int:
        return self.shipping + self.fees

    def within(self, most: int) -> "Saved":
        """No more than `most` in all; the shipping first."""
        shipping = min(self.shipping, max(0, most))
        return Saved(shipping, min(self.fees, max(0, most) - shipping))


def given_back(charges: Sequence[Charge]) -> Mapping[int, Saved]:
    """Order → what it is given because the first order's parcel carries it: its shipping, and a second COD fee.

    The first order pays its own way. A shop may keep the shipping; the driver collects once, so his fee is due once.
    """
    first, *rest = charges
    cash = first.payment_method == PaymentMethod.COD
    found = {
        charge.order_id: Saved(
            charge.shipping_fee if charge.refunds else 0,
            charge.fees if cash and charge.payment_method == PaymentMethod.COD else 0,
        )
        for charge in rest
    }
    return {order_id: saved for order_id, saved in found.items() if saved.all}


def same_key(keys: Sequence[str]) -> bool:
    return all(one == other for one, other in pairwise(keys))
