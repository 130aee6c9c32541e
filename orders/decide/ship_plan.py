"""When goods can leave and when they arrive: a place's working days, its cut-off times, the carriers' days. Pure.

Without a plan of its own a place works every day, has no cut-off, and the built-in days count from the Kanto area.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from oms.kernel.clock import in_tokyo
from oms.kernel.postal import is_remote_island, postal_digits
from oms.kernel.workdays import holidays

ISLANDS = "離島"
# Days of a parcel from the Kanto area, by prefecture; everything else is the next day.
TWO_DAYS = {
    "北海道", "山口県", "徳島県", "香川県", "愛媛県", "高知県", "福岡県", "佐賀県", "長崎県", "熊本県", "大分県",
    "宮崎県", "鹿児島県",
}  # fmt: skip
THREE_DAYS = {"沖縄県"}
ONE_DAY = timedelta(days=1)
LONGEST_CLOSING = 60  # days; a calendar that is closed for longer is taken as open


@dataclass(frozen=True, slots=True)
class Destination:
    prefecture: str = ""
    postal_code: str = ""
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class Transit:
    """`days` to an `area` (a prefecture, the first digits of postal codes, `ISLANDS`), for one carrier or all ("")."""

    carrier: str
    area: str
    days: int


@dataclass(frozen=True, slots=True)
class ShipPlan:
    """How one place ships. `cutoffs`: carrier, or "" for all others, → the time after which goods leave the next day.
    `lead_days`: so many days before the planned day an order may be instructed. Weekdays: Monday is 0."""

    cutoffs: Mapping[str, time] = field(default_factory=dict)
    lead_days: int = 0
    closed_weekdays: frozenset[int] = frozenset()
    closed_on_holidays: bool = False
    closed_days: frozenset[date] = frozenset()
    open_days: frozenset[date] = frozenset()
    transit: Sequence[Transit] = ()

    def is_open(self, day: date) -> bool:
        if day in self.open_days:
            return True
        holiday = self.closed_on_holidays and day in holidays(day.year)
        return not (day in self.closed_days or day.weekday() in self.closed_weekdays or holiday)

    def next_open(self, day: date) -> date:
        """That day or the first one after it on which goods leave."""
        days = (day + timedelta(days=n) for n in range(LONGEST_CLOSING))
        return next((one for one in days if self.is_open(one)), day)

    def last_open(self, day: date) -> date:
        """That day or the last one before it on which goods leave."""
        days = (day - timedelta(days=n) for n in range(LONGEST_CLOSING))
        return next((one for one in days if self.is_open(one)), day)

    def first_day(self, at: datetime, carrier: str = "") -> date:
        """The first day on which what is there at this moment can leave."""
        local = in_tokyo(at)
        cutoff = self.cutoffs.get(carrier) or self.cutoffs.get("")
        late = cutoff is not None and local.time() >= cutoff
        return self.next_open(local.date() + ONE_DAY if late else local.date())

    def transit_days(self, to: Destination) -> int:
        """Days from hand-over to delivery: the longest postal code that fits, else islands, else the prefecture; a
        carrier's own line goes before one for all."""
        code = postal_digits(to.postal_code)
        fitting = [
            (rank, bool(one.carrier), one.days)
            for one in self.transit
            if one.carrier in {"", to.carrier} and (rank := _rank(one.area, to, code))
        ]
        return max(fitting)[2] if fitting else built_in_days(to.prefecture)

    def planned_day(self, wish: date | None, to: Destination, *, at: datetime) -> date | None:
        """The day to ship so that the parcel arrives on the wished day, at the earliest the first possible one for an
        order that came at `at`; None when there is no wish to wait for."""
        if wish is None:
            return None
        latest = self.last_open(wish - timedelta(days=self.transit_days(to)))
        return max(latest, self.first_day(at, to.carrier))

    def first_arrival(self, to: Destination, *, now: datetime, not_before: date | None = None) -> date:
        """The first day on which a parcel can be there. `not_before`: the goods are there from that day on."""
        leaves = self.first_day(now, to.carrier)
        if not_before and not_before > leaves:
            leaves = self.next_open(not_before)
        return leaves + timedelta(days=self.transit_days(to))

    def instruct_from(self, planned: date) -> date:
        return planned - timedelta(days=self.lead_days)


PLAIN = ShipPlan()


def built_in_days(prefecture: str) -> int:
    if prefecture in THREE_DAYS:
        return 3
    return 2 if prefecture in TWO_DAYS else 1


def _rank(area: str, to: Destination, code: str) -> int:
    """How closely an area names a destination; 0 where it does not."""
    if area.isdigit():
        return 10 + len(area) if code.startswith(area) else 0
    if area == ISLANDS:
        return 2 if is_remote_island(to.postal_code) else 0
    return 1 if area == to.prefecture else 0
