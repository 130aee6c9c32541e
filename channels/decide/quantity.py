"""How many units of one SKU each shop is told. Pure: plain values in, plain values out.

Usually a shop sees `clamp(floor((supply − buffer − reserve) × share %), 0, cap)`, where the reserve is what may be sold
elsewhere before we hear of it. When few are left of what sells fast (or a listing asks for it), each unit is shown at
one shop only: a sale there needs no push at all, and units move from shop to shop only through our books.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from channels.decide.pace import CALM, CAREFUL, ENOUGH_SALES, likely_at_most

NORMAL, FIXED, SOLD_OUT, LAST_UNIT = "normal", "fixed", "sold_out", "last_unit"
SCARCE_FACTOR = 3  # fewer than so many times the likely unseen sales are scarce


@dataclass(frozen=True, slots=True)
class Rule:
    """What the shop, or its listing, asks. `priority`: the smaller number is given the last units first."""

    mode: str = NORMAL
    fixed: int = 0
    buffer: int = 0
    share: int = 100
    cap: int | None = None
    priority: int = 100
    adaptive: bool = True
    hot_below: int = 3
    hot_per_minute: float = 2.0


@dataclass(frozen=True, slots=True)
class Seat:
    """One listing of the SKU, at one shop.

    `supply`: units of the SKU that this shop may sell, safety stock taken off. `units`: of the SKU in one of the
    listing; `whole`: the most of the listing whose units lie together (None: no matter where they lie). `pace`: units
    sold here a minute; `sales`: how many recent sales say so. `delay_s`: from a sale here until the other shops know.
    `import_age_s`: how old our knowledge of its orders is. `holds`: the most units it may still sell of what it was
    told; `shows`: what it shows by our books (None: as it holds). `relative`: it is told differences, so that a push
    never wipes out a sale. `extra`: units kept back for a while (maintenance).
    """

    id: int
    rule: Rule
    supply: int
    units: int = 1
    whole: int | None = None
    pace: float = 0.0
    sales: float = 0.0
    delay_s: float = 0.0
    import_age_s: float = 0.0
    holds: int = 0
    shows: int | None = None
    relative: bool = False
    extra: int = 0

    @property
    def speed(self) -> float:
        """The pace, where there were enough sales to call it one."""
        return self.pace if self.sales >= ENOUGH_SALES else 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """`quantity` in units of the listing. `reserve`: units kept back for sales nobody told us of. `alone`: its units
    are shown at no other shop. `keeps`: the channel shows this already, nothing needs to be sent."""

    quantity: int
    hot: bool = False
    reserve: int = 0
    alone: bool = False
    keeps: bool = False


def decide(seats: Sequence[Seat]) -> dict[int, Told]:
    """What each listing of one SKU should show, by its id."""
    unseen = {seat.id: seat.speed * seat.delay_s / 60 for seat in seats}
    everywhere, speed = sum(unseen.values()), sum(seat.speed for seat in seats)
    told: dict[int, Told] = {}
    alone: list[Seat] = []
    for seat in seats:
        fast = speed >= seat.rule.hot_per_minute > 0
        hot = fast or seat.supply <= seat.rule.hot_below
        if _stands_alone(seat, fast, everywhere):
            alone.append(seat)
            continue
        elsewhere = everywhere - (unseen[seat.id] if seat.relative else 0.0)
        reserve = likely_at_most(elsewhere, CAREFUL if hot else CALM) if seat.rule.adaptive else 0
        told[seat.id] = Told(shown(seat, reserve), hot, reserve)
    return told | _apart(alone)


def shown(seat: Seat, reserve: int = 0) -> int:
    """The formula, in units of the listing."""
    if seat.rule.mode == SOLD_OUT:
        return 0
    if seat.rule.mode == FIXED:
        return seat.rule.fixed
    quantity = _limit(seat, reserve) // seat.units
    if seat.whole is not None:
        quantity = min(quantity, seat.whole)
    return quantity if seat.rule.cap is None else min(quantity, seat.rule.cap)


def _limit(seat: Seat, reserve: int = 0) -> int:
    """Units of the SKU that this shop may show."""
    room = max(0, seat.supply - seat.rule.buffer - seat.extra - reserve)
    return room * min(seat.rule.share, 100) // 100


def _stands_alone(seat: Seat, fast: bool, unseen: float) -> bool:
    asked = seat.rule.mode == LAST_UNIT
    if not asked and not (seat.rule.mode == NORMAL and seat.rule.adaptive and fast):
        return False
    scarce = SCARCE_FACTOR * likely_at_most(unseen, CAREFUL)
    return seat.supply <= (max(seat.rule.hot_below, scarce, 1) if asked else scarce)


def _apart(seats: Sequence[Seat]) -> dict[int, Told]:
    """Each unit at one shop only."""
    limits = {seat.id: shown(seat) * seat.units for seat in seats}
    total = max(limits.values(), default=0)
    ideal = share_out(total, seats, limits)
    given = _moved(total, seats, ideal, limits)
    paces = likely_paces(seats)
    return {seat.id: _told_apart(seat, given[seat.id], paces[seat.id]) for seat in seats}


def likely_paces(seats: Sequence[Seat]) -> dict[int, float]:
    """What was measured, and a little of what sells elsewhere: a shop that sold none yet may start any moment."""
    elsewhere = sum(seat.pace for seat in seats) / (4 * max(1, len(seats)))
    return {seat.id: seat.pace + elsewhere for seat in seats}


def _told_apart(seat: Seat, given: int, pace: float) -> Told:
    """An absolute number wipes out sales that we have not heard of, so it leaves room for them."""
    shows = seat.holds if seat.shows is None else seat.shows
    wiped = 0 if seat.relative else likely_at_most(pace * seat.import_age_s / 60, CAREFUL)
    reserve = min(given, wiped)
    quantity = (given - reserve) // seat.units
    if given >= shows >= quantity * seat.units:  # a push could only take away, or say the same
        return Told(shows // seat.units, hot=True, alone=True, keeps=True)
    return Told(quantity, hot=True, reserve=reserve, alone=True)


def share_out(total: int, seats: Sequence[Seat], limits: Mapping[int, int]) -> dict[int, int]:
    """Units per seat, together at most `total`, each within its limit: fewer units than seats go by priority, more
    also by how fast each sells."""
    given = dict.fromkeys(limits, 0)
    order = sorted(seats, key=lambda seat: (seat.rule.priority, -seat.pace, seat.id))
    left = total
    for seat in order:
        if left and limits[seat.id]:
            given[seat.id], left = 1, left - 1
    weights = likely_paces(seats) if any(seat.pace for seat in seats) else dict.fromkeys(limits, 1.0)
    while left:
        open_ = [seat for seat in order if given[seat.id] < limits[seat.id]]
        if not open_:
            break
        before = left
        heavy = sum(weights[seat.id] for seat in open_)
        for seat in open_:
            part = min(int(before * weights[seat.id] / heavy), limits[seat.id] - given[seat.id], left)
            given[seat.id], left = given[seat.id] + part, left - part
        if left == before:  # less than one each: the heaviest first
            for seat in sorted(open_, key=lambda seat: -weights[seat.id])[:left]:
                given[seat.id], left = given[seat.id] + 1, left - 1
    return given


def _moved(total: int, seats: Sequence[Seat], ideal: Mapping[int, int], limits: Mapping[int, int]) -> dict[int, int]:
    """One step from what the seats hold towards the ideal. A unit leaves one shop before another gets it: what a shop
    may still sell counts until our books have caught up with it."""
    if sum(seat.holds for seat in seats) > total or _someone_starves(seats, ideal):
        wanted = {seat.id: ideal[seat.id] for seat in seats}
    else:
        wanted = {seat.id: max(ideal[seat.id], min(seat.holds, limits[seat.id])) for seat in seats}
    spare = max(0, total - sum(seat.holds for seat in seats))
    given = {}
    for seat in sorted(seats, key=lambda seat: (seat.holds, seat.rule.priority, seat.id)):
        more = min(max(0, wanted[seat.id] - seat.holds), spare)
        spare -= more
        given[seat.id] = min(wanted[seat.id], seat.holds) + more
    return given


def _someone_starves(seats: Iterable[Seat], ideal: Mapping[int, int]) -> bool:
    """Moving a unit costs time in which nobody can buy it: only when a shop that should have some has none."""
    return any(seat.holds == 0 < ideal[seat.id] for seat in seats)
