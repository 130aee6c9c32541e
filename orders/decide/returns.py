"""Returns: which state follows which, why goods come back and who pays for the way. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

BUYER, SHOP = "buyer", "shop"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why goods come back; who pays the freight follows from it."""

    label: str | Promise
    freight_by: str


REASONS: Mapping[str, Reason] = {
    "defective": Reason(_("初期不良"), SHOP),
    "wrong_item": Reason(_("誤配送"), SHOP),
    "damaged": Reason(_("破損"), SHOP),
    "not_as_expected": Reason(_("イメージ違い"), BUYER),
    "wrong_size": Reason(_("サイズ違い"), BUYER),
    "refused": Reason(_("長期不在・受取拒否"), BUYER),
    "customer": Reason(_("顧客都合"), BUYER),
    "too_late": Reason(_("キャンセルが間に合わず出荷"), BUYER),
    "other": Reason(_("その他"), SHOP),
}

# Goods that come back without the customer's wish to return them: no mail thanks for one.
NOBODY_ASKED = frozenset({"too_late", "refused"})

MOVES: Mapping[str, frozenset[str]] = {
    "requested": frozenset({"approved", "rejected", "withdrawn"}),
    "approved": frozenset({"in_transit", "received", "withdrawn"}),
    "in_transit": frozenset({"received", "withdrawn"}),
    "received": frozenset({"inspected"}),
    "inspected": frozenset({"settled"}),
    "settled": frozenset({"closed"}),
}
# Cases whose pieces may still come back, or have.
LIVE = frozenset({"requested", "approved", "in_transit", "received", "inspected", "settled", "closed"})
ARRIVED = frozenset({"received", "inspected", "settled", "closed"})
OPEN = frozenset({"requested", "approved", "in_transit", "received", "inspected", "settled"})


@dataclass(frozen=True, slots=True)
class Returnable:
    """What may still come back: whole pieces by line, and units by component of a set (with those in whole sets).

    `inside`: line → (component, its units in one piece).
    """

    pieces: Mapping[int, int]
    units: Mapping[int, int]
    inside: Mapping[int, Sequence[tuple[int, int]]]

    def fits(self, pieces: Mapping[int, int], units: Mapping[int, int]) -> bool:
        """Whether so many whole pieces and single units beside them may come back together."""
        asked = dict(units)
        for line, count in pieces.items():
            if count > self.pieces.get(line, 0):
                return False
            for component, each in self.inside.get(line, ()):
                asked[component] = asked.get(component, 0) + each * count
        return all(count <= self.units.get(component, 0) for component, count in asked.items())


def returnable(left: Mapping[int, int], parts: Sequence[tuple[int, int, int, int]]) -> Returnable:
    """`left`: line → shipped pieces that no case takes whole; `parts`: (component, its line, its units in one piece,
    units that cases take alone)."""
    inside: dict[int, list[tuple[int, int]]] = {}
    units: dict[int, int] = {}
    pieces = {line: max(0, count) for line, count in left.items()}
    for component, line, each, alone in parts:
        inside.setdefault(line, []).append((component, each))
        units[component] = max(0, left[line] * each - alone)
        pieces[line] = min(pieces[line], units[component] // each)
    return Returnable(pieces, units, inside)


def allowed_from(to: str) -> list[str]:
    """The states from which a case may go there."""
    return [state for state, targets in MOVES.items() if to in targets]


class Refused(Exception):
    """The case cannot go there; `cause` says why and what to do, in Japanese."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Settlement:
    """What goes back: pieces by line id, whole fees by name, less what the buyer bears, plus goodwill; `units` of
    single components of sets by the id of their `LineComponent`; `difference`: yen by which what is sent in exchange
    is cheaper."""

    quantities: Mapping[int, int]
    fees: Sequence[str] = ()
    deduction: int = 0
    goodwill: int = 0
    note: str = ""
    units: Mapping[int, int] = field(default_factory=dict)
    difference: int = 0

    @property
    def is_empty(self) -> bool:
        """Nothing shall go back."""
        return not (self.wanted_pieces or self.wanted_units or self.fees or self.goodwill or self.difference)

    @property
    def wanted_pieces(self) -> dict[int, int]:
        return {line: count for line, count in self.quantities.items() if count > 0}

    @property
    def wanted_units(self) -> dict[int, int]:
        return {component: count for component, count in self.units.items() if count > 0}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a refund starts with, before anybody edits it: fees that go back whole, and what the buyer bears."""

    fees: Sequence[str]
    deduction: int


def propose(reason: str, *, everything: bool, freight: int) -> Proposal:
    """The shop's fault: all it cost the buyer goes back when everything comes back. The buyer's: the freight of the
    way back is theirs where the shop has paid it (`freight` yen)."""
    if REASONS[reason].freight_by == SHOP:
        return Proposal(("shipping", "fees", "gift_fees") if everything else (), 0)
    return Proposal((), freight)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What an exchange costs: the new goods' price is lowered by what comes back, and what is over is refunded."""

    discount: int
    total: int
    refund: int


def exchange_price(*, new: int, returned: int) -> Exchange:
    """Yen, tax-inclusive, after discounts: `new` of the goods sent, `returned` of the goods that come back."""
    covered = min(new, returned)
    return Exchange(covered, new - covered, returned - covered)
