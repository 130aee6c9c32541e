"""The world behind the five marketplaces: what was ordered, what each mall shows, what the OMS told.

Thread-safe: one lock, frozen values out. A mall sells only what its own displayed stock allows, and lowers it itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from channels.sandbox.goods import Catalogue, Listing
from channels.sandbox.model import Address, Channel, PaymentMethod, Person, SandboxOrder, Wish

CONFIRMING: frozenset[Channel] = frozenset({"rakuten", "qoo10"})
"""Channels whose orders wait for the shop's confirmation."""


class WorldError(Exception):
    """The mall refuses; `code` is one of the class names below, the simulator answers in its channel's words."""


class UnknownOrder(WorldError):
    """No such order on this channel, or not visible yet."""


class UnknownListing(WorldError):
    """No such stock row on this channel."""


class WrongState(WorldError):
    """The order's state does not allow it."""


class SoldOut(WorldError):
    """The mall's displayed stock does not allow this sale."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing the OMS told a mall, accepted or refused."""

    at: datetime
    channel: Channel
    kind: str  # confirm ship cancel stock memo payment complete …
    subject: str  # order number or listing key
    accepted: bool
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A mall's stock row. `pending` takes effect at `effective_at` (a mall may be slow to show a pushed quantity)."""

    channel: Channel
    key: str
    quantity: int
    updated_at: datetime


class World:
    """All of it. `clock` returns aware UTC (simulated) time; `state` keeps it over restarts."""

    def __init__(self, seed: int = 1, clock: Callable[[], datetime] | None = None) -> None:
        raise NotImplementedError

    catalogue: Catalogue

    def now(self) -> datetime:
        """Simulated time, aware UTC."""
        raise NotImplementedError

    # ---- reading, for simulators -------------------------------------------------------------------------------

    def order(self, channel: Channel, number: str) -> SandboxOrder:
        """The visible order; raises UnknownOrder."""
        raise NotImplementedError

    def order_of_line(self, channel: Channel, line_id: str) -> SandboxOrder:
        """The visible order that holds this line id (qoo10 works by line); raises UnknownOrder."""
        raise NotImplementedError

    def orders(
        self,
        channel: Channel,
        *,
        updated_from: datetime | None = None,
        updated_to: datetime | None = None,
        ordered_from: datetime | None = None,
        ordered_to: datetime | None = None,
        states: Iterable[str] | None = None,
    ) -> list[SandboxOrder]:
        """Visible orders, bounds inclusive from, exclusive to; sorted by (updated_at, serial) when an updated bound is
        given, else by (ordered_at, serial). `updated_at` is never earlier than `visible_at`."""
        raise NotImplementedError

    def listing(self, channel: Channel, key: str) -> Listing:
        """Raises UnknownListing."""
        raise NotImplementedError

    def listings(self, channel: Channel) -> Sequence[Listing]:
        """All listings of the channel, sorted by key."""
        raise NotImplementedError

    def shown(self, channel: Channel, key: str) -> Shown:
        """What the mall shows now; raises UnknownListing."""
        raise NotImplementedError

    def relay_address(self, order: SandboxOrder) -> str:
        """The masked mail address amazon and rakuten show for this order's buyer."""
        raise NotImplementedError

    # ---- what the OMS tells, called by simulators --------------------------------------------------------------

    def confirm(self, channel: Channel, number: str, *, payload: Mapping[str, Any] | None = None) -> SandboxOrder:
        """placed → ready, or confirmed when the money is outstanding. Raises WrongState when it is not `placed`."""
        raise NotImplementedError

    def ship(
        self,
        channel: Channel,
        number: str,
        *,
        carrier: str,
        tracking: str,
        shipped_on: date,
        quantities: Mapping[int, int] | None = None,
        destination: int | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> SandboxOrder:
        """Record a parcel. `quantities` (line_no → units) or `destination` narrow it; neither = all that is open.

        Raises WrongState when the order is not shippable, is the mall's own (FBA), or more units than open are named.
        """
        raise NotImplementedError

    def correct_parcel(
        self, channel: Channel, number: str, parcel_id: str, *, payload: Mapping[str, Any] | None = None, **changes: Any
    ) -> SandboxOrder:
        """Change carrier, tracking or shipped_on of a parcel that was told before."""
        raise NotImplementedError

    def cancel(
        self,
        channel: Channel,
        number: str,
        *,
        reason: str = "",
        by: str = "shop",
        line_nos: Sequence[int] | None = None,
        restock: bool = True,
        payload: Mapping[str, Any] | None = None,
    ) -> SandboxOrder:
        """Cancel the order or lines; with `restock` the mall shows the units again. Raises WrongState if shipped."""
        raise NotImplementedError

    def refuse_cancel_request(self, channel: Channel, number: str) -> SandboxOrder:
        """The shop declined the buyer's wish to cancel."""
        raise NotImplementedError

    def record_payment(self, channel: Channel, number: str, paid_on: date | None) -> SandboxOrder:
        """The shop marks the order paid (yahoo PayStatus, futureshop receiptDate); None takes the mark away."""
        raise NotImplementedError

    def set_stock(
        self,
        channel: Channel,
        key: str,
        quantity: int,
        *,
        relative: bool = False,
        shown_after_s: float = 0,
        payload: Mapping[str, Any] | None = None,
    ) -> Shown:
        """Set or add to what the mall shows, journaled. Raises UnknownListing; ValueError below 0 or above 99999."""
        raise NotImplementedError

    def annotate(self, channel: Channel, number: str, *, touch: bool = True, **extra: Any) -> SandboxOrder:
        """Keep JSON-able facts only this simulator needs in `order.extra`; `touch` moves updated_at."""
        raise NotImplementedError

    def tell(
        self, channel: Channel, kind: str, subject: str, payload: Mapping[str, Any], *, accepted: bool = True
    ) -> None:
        """Put something into the journal that no method above journals (memos, refused calls worth testing)."""
        raise NotImplementedError

    def remember(self, channel: Channel, key: str, value: Any) -> None:
        """Keep a JSON-able value of the simulator over restarts (feeds, async requests, key versions)."""
        raise NotImplementedError

    def recall(self, channel: Channel, key: str, default: Any = None) -> Any:
        """What `remember` kept."""
        raise NotImplementedError

    def next_id(self, channel: Channel, name: str, start: int = 1) -> int:
        """A number that never repeats on this channel, also over restarts."""
        raise NotImplementedError

    # ---- what happens in the world -----------------------------------------------------------------------------

    def place_order(
        self,
        channel: Channel,
        lines: Sequence[tuple[str, int]],
        *,
        buyer: Person | None = None,
        recipients: Sequence[Person] = (),
        payment: PaymentMethod = "card",
        traits: Iterable[str] = (),
        remarks: str = "",
        wish: Wish | None = None,
        ordered_at: datetime | None = None,
    ) -> SandboxOrder:
        """A buyer orders (listing key, quantity)…; takes the mall's stock, all or nothing. Raises SoldOut."""
        raise NotImplementedError

    def generate(self, count: int, *, over: timedelta = timedelta(0), start: datetime | None = None) -> int:
        """Plan orders with the exact mix of the day, spread over a period; `advance` places them when they are due."""
        raise NotImplementedError

    def advance(self) -> int:
        """Let everything due by now happen: planned orders, payments, changes, wishes. Returns the number of events."""
        raise NotImplementedError

    def pay(self, channel: Channel, number: str) -> SandboxOrder:
        """The buyer pays: pending → placed or ready, confirmed → ready."""
        raise NotImplementedError

    def request_cancel(self, channel: Channel, number: str, reason: str = "") -> SandboxOrder:
        """The buyer asks to cancel; WrongState when it is shipped or dead."""
        raise NotImplementedError

    def change_address(self, channel: Channel, number: str, address: Address) -> SandboxOrder:
        """The buyer changes where it goes."""
        raise NotImplementedError

    def truth(self) -> dict[str, Any]:
        """What really happened, JSON-able; see docs/sandbox.md."""
        raise NotImplementedError

    def journal(self, *, since: int = 0, channel: Channel | None = None, kind: str | None = None) -> list[Told]:
        """What the OMS told, oldest first, from entry number `since` on."""
        raise NotImplementedError
