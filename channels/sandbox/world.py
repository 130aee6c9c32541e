"""The world behind the five marketplaces: what was ordered, what each mall shows, what the OMS told.

Thread-safe: one lock, frozen values out. A mall sells only what its own displayed stock allows, and lowers it itself.
"""

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from channels.sandbox import people, transitions
from channels.sandbox.buying import DraftLine
from channels.sandbox.errors import SoldOut, UnknownListing, UnknownOrder, WorldError, WrongState
from channels.sandbox.goods import Catalogue, Listing
from channels.sandbox.life import Life
from channels.sandbox.model import Address, Channel, Parcel, PaymentMethod, Person, SandboxOrder, Wish
from channels.sandbox.numbers import JST
from channels.sandbox.register import Register, Shown, Told
from channels.sandbox.transitions import CONFIRMING
from channels.sandbox.truth import truth_of

__all__ = [
    "CONFIRMING",
    "JST",
    "Shown",
    "SoldOut",
    "Told",
    "UnknownListing",
    "UnknownOrder",
    "World",
    "WorldError",
    "WrongState",
]

CHECKED_LONGER = 0.1
"""Part of Rakuten's card orders the mall checks for two more minutes after the shop confirmed."""


class World:
    """All of it. `clock` returns aware UTC (simulated) time; `state` is a file that keeps it over restarts.

    A state file remembers its seed and its opening day; they win over the arguments.
    """

    def __init__(
        self, seed: int = 1, clock: Callable[[], datetime] | None = None, *, state: Path | str | None = None
    ) -> None:
        self._register = Register(seed, clock, Path(state) if state else None)
        self.life = Life(self._register)
        self.stale_s: Callable[[Channel], float] = lambda channel: 0
        self.skew_s: Callable[[Channel], float] = lambda channel: 0

    @property
    def catalogue(self) -> Catalogue:
        return self._register.catalogue

    @property
    def seed(self) -> int:
        return self._register.seed

    def now(self) -> datetime:
        """Simulated time, aware UTC."""
        return self._register.now()

    def close(self) -> None:
        """Give the state file back; nothing is written after it."""
        self._register.close()

    # ---- reading, for simulators -------------------------------------------------------------------------------

    def order(self, channel: Channel, number: str) -> SandboxOrder:
        """The visible order as the mall shows it, with times by its own clock; raises UnknownOrder."""
        return self._as_shown(self._visible(channel, number))

    def _visible(self, channel: Channel, number: str) -> SandboxOrder:
        order = self._register.find(channel, number)
        if order.visible_at > self.now():
            raise UnknownOrder(f"{channel} does not show order {number} yet")
        return order

    def _as_shown(self, order: SandboxOrder) -> SandboxOrder:
        shown = self._register.as_shown(order, self.stale_s(order.channel))
        ahead = self.skew_s(order.channel)
        return transitions.shifted(shown, timedelta(seconds=ahead)) if ahead else shown

    @contextmanager
    def forgetting(self, lose: Callable[[], bool]) -> Iterator[None]:
        """A call inside is answered as done; when it told something and `lose` says so, the world forgets it."""
        with self.life.forgetting(), self._register.forgetting(lose):
            yield

    def order_of_line(self, channel: Channel, line_id: str) -> SandboxOrder:
        """The visible order that holds this line id (qoo10 works by line); raises UnknownOrder."""
        number = self._register.line_owner.get((channel, line_id))
        if number is None:
            raise UnknownOrder(f"{channel} has no line {line_id}")
        return self.order(channel, number)

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
        wanted = None if states is None else frozenset(states)
        now = self.now()
        with self._register.lock:
            everything = list(self._register.orders[channel].values())
        found = [
            order
            for order in (self._as_shown(one) for one in everything if one.visible_at <= now)
            if (updated_from is None or updated_from <= order.updated_at)
            and (updated_to is None or order.updated_at < updated_to)
            and (ordered_from is None or ordered_from <= order.ordered_at)
            and (ordered_to is None or order.ordered_at < ordered_to)
            and (wanted is None or order.state in wanted)
        ]
        if updated_from or updated_to:
            return sorted(found, key=lambda order: (order.updated_at, order.serial))
        return sorted(found, key=lambda order: (order.ordered_at, order.serial))

    def listing(self, channel: Channel, key: str) -> Listing:
        """Raises UnknownListing."""
        return self._register.listing(channel, key)

    def listings(self, channel: Channel) -> Sequence[Listing]:
        """All listings of the channel, sorted by key."""
        return self.catalogue.by_channel[channel]

    def shown(self, channel: Channel, key: str) -> Shown:
        """What the mall shows now; raises UnknownListing."""
        with self._register.lock:
            return self._register.shown(channel, key)

    def relay_address(self, order: SandboxOrder) -> str:
        """The masked mail address amazon and rakuten show for this order's buyer."""
        masked = sha256(f"{order.channel}:{order.buyer.email}:{self.seed}".encode()).hexdigest()[:14]
        domain = "marketplace.amazon.co.jp" if order.channel == "amazon" else "pc.fw.rakuten.ne.jp"
        return f"{masked}@{domain}"

    # ---- what the OMS tells, called by simulators --------------------------------------------------------------

    def confirm(self, channel: Channel, number: str, *, payload: Mapping[str, Any] | None = None) -> SandboxOrder:
        """placed → ready, or confirmed when the money is outstanding. Raises WrongState when it is not `placed`."""
        with self._telling(channel, "confirm", number, payload or {}) as register:
            order = self._visible(channel, number)
            rng = random.Random(f"confirm:{order.number}")
            checking = channel == "rakuten" and order.payment.method == "card" and rng.random() < CHECKED_LONGER
            order = register.put(transitions.confirmed(order, self.now(), checking=checking))
            if checking:
                self.life.plan_clearing(order)
            elif order.state == "confirmed":
                self.life.plan_payment(order, rng)
        return order

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
        told = payload or {"carrier": carrier, "tracking": tracking, "shipped_on": shipped_on.isoformat()}
        with self._telling(channel, "ship", number, told) as register:
            order = self._visible(channel, number)
            units = dict(quantities) if quantities else transitions.open_quantities(order, destination)
            parcel = Parcel(
                parcel_id=str(register.next_id(channel, "parcel", 5100001)),
                destination=destination or (order.line(next(iter(units))).destination if units else 1),
                carrier=carrier,
                tracking=tracking,
                shipped_on=shipped_on,
                told_at=self.now(),
                quantities=units,
                raw=dict(payload or {}),
            )
            return register.put(transitions.shipped(order, self.now(), parcel))

    def correct_parcel(
        self, channel: Channel, number: str, parcel_id: str, *, payload: Mapping[str, Any] | None = None, **changes: Any
    ) -> SandboxOrder:
        """Change carrier, tracking or shipped_on of a parcel that was told before."""
        with self._telling(channel, "correct_parcel", number, payload or {"parcel_id": parcel_id}) as register:
            order = self._visible(channel, number)
            return register.put(transitions.parcel_corrected(order, self.now(), parcel_id, changes))

    def cancel(
        self,
        channel: Channel,
        number: str,
        *,
        reason: str = "",
        by: Literal["shop", "buyer", "mall"] = "shop",
        line_nos: Sequence[int] | None = None,
        restock: bool = True,
        payload: Mapping[str, Any] | None = None,
    ) -> SandboxOrder:
        """Cancel the order or lines; with `restock` the mall shows the units again. Raises WrongState if shipped."""
        if by != "shop":
            return self.life.drop(
                self._register.find(channel, number), by=by, reason=reason, line_nos=line_nos, restock=restock
            )
        with self._telling(channel, "cancel", number, payload or {"reason": reason}):
            order = self._visible(channel, number)
            return self.life.drop(order, by=by, reason=reason, line_nos=line_nos, restock=restock)

    def requantify(self, channel: Channel, number: str, quantities: Mapping[int, int]) -> SandboxOrder:
        """The shop takes pieces off lines (line_no → what stands); 0 cancels the line, the mall shows the units again.

        Raises WrongState for more than there was, and when something is on its way.
        """
        with self._telling(
            channel, "quantity", number, {str(line): left for line, left in quantities.items()}
        ) as books:
            order = self._visible(channel, number)
            if any(left > order.line(line_no).quantity for line_no, left in quantities.items()):
                raise WrongState(f"{number}: the mall does not sell more this way")
            fewer = order
            for line_no, left in quantities.items():
                if left:
                    fewer = transitions.requantified(fewer, self.now(), line_no, left)
            books.give_back(channel, transitions.released_units(order, fewer))
            books.put(fewer)
            if gone := [line_no for line_no, left in quantities.items() if not left]:
                fewer = self.life.drop(fewer, by="shop", reason="", line_nos=gone, restock=True)
            return fewer

    def refuse_cancel_request(self, channel: Channel, number: str) -> SandboxOrder:
        """The shop declined the buyer's wish to cancel."""
        with self._telling(channel, "refuse_cancel", number, {}) as register:
            return register.put(transitions.cancel_refused(self._visible(channel, number), self.now()))

    def record_payment(self, channel: Channel, number: str, paid_on: date | None) -> SandboxOrder:
        """The shop marks the order paid (yahoo PayStatus, futureshop receiptDate); None takes the mark away."""
        told = {"paid_on": paid_on and paid_on.isoformat()}
        with self._telling(channel, "payment", number, told) as register:
            order = self._visible(channel, number)
            if paid_on is None:
                return register.put(transitions.unpaid(order, self.now()))
            at = datetime(paid_on.year, paid_on.month, paid_on.day, tzinfo=JST)
            paid = transitions.paid(order, self.now())
            return register.put(replace(paid, payment=replace(paid.payment, paid_at=at)))

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
        with self._telling(
            channel, "stock", key, {"quantity": quantity, "relative": relative, **(payload or {})}
        ) as books:
            target = books.quantity(channel, key) + quantity if relative else quantity
            return books.show(channel, key, target, after_s=max(shown_after_s, self.stale_s(channel)))

    def annotate(self, channel: Channel, number: str, *, touch: bool = True, **extra: Any) -> SandboxOrder:
        """Keep JSON-able facts only this simulator needs in `order.extra`; `touch` moves updated_at."""
        with self._register.change():
            order = self._visible(channel, number)
            facts = {**order.extra, **extra}
            changed = transitions.touched(order, self.now(), extra=facts) if touch else replace(order, extra=facts)
            return self._as_shown(self._register.put(changed))

    def tell(
        self, channel: Channel, kind: str, subject: str, payload: Mapping[str, Any], *, accepted: bool = True
    ) -> None:
        """Put something into the journal that no method above journals (memos, refused calls worth testing)."""
        with self._register.change():
            self._register.tell(channel, kind, subject, payload, accepted=accepted)

    def remember(self, channel: Channel, key: str, value: Any) -> None:
        """Keep a JSON-able value of the simulator over restarts (feeds, async requests, key versions)."""
        with self._register.change():
            self._register.keep(f"{channel}/{key}", value)

    def recall(self, channel: Channel, key: str, default: Any = None) -> Any:
        """What `remember` kept."""
        with self._register.lock:
            return self._register.kept(f"{channel}/{key}", default)

    def next_id(self, channel: Channel, name: str, start: int = 1) -> int:
        """A number that never repeats on this channel, also over restarts."""
        return self._register.next_id(channel, f"own:{name}", start)

    def _telling(self, channel: Channel, kind: str, subject: str, payload: Mapping[str, Any]) -> "_Telling":
        return _Telling(self._register, channel, kind, subject, payload)

    # ---- what happens in the world -----------------------------------------------------------------------------

    def place_order(
        self,
        channel: Channel,
        lines: Sequence[tuple[str, int]] = (),
        *,
        buyer: Person | None = None,
        recipients: Sequence[Person] = (),
        payment: PaymentMethod | None = None,
        traits: Iterable[str] = (),
        remarks: str | None = None,
        wish: Wish | None = None,
        ordered_at: datetime | None = None,
    ) -> SandboxOrder:
        """A buyer orders (listing key, quantity)… now; takes the mall's stock, all or nothing. Raises SoldOut.

        Without lines the basket is filled to suit the traits (plan.JUDGEMENT, plan.ROUTINE, fba). What is not given is
        chosen by the traits and the seed.
        """
        with self._register.change():
            serial = self._register.next_id(channel, "explicit")
            rng = random.Random(f"explicit:{self.seed}:{channel}:{serial}")
            wanted = set(traits)
            basket = tuple(DraftLine(self.listing(channel, key), quantity) for key, quantity in lines)
            who = buyer or self._stranger(serial, wanted)
            draft = self.life.draft(
                rng, channel, wanted, basket or self.life.fill(rng, channel, wanted), buyer=who, keep_payment=payment
            )
            given: dict[str, Any] = {"remarks": remarks, "wish": wish, "recipients": tuple(recipients) or None}
            if buyer is not None:
                given |= {"buyer": buyer, "recipients": tuple(recipients) or (buyer,)}
            draft = replace(draft, **{name: value for name, value in given.items() if value is not None})
            return self.life.place(draft, ordered_at or self.now(), rng)

    def _stranger(self, serial: int, traits: Collection[str]) -> Person:
        number = people.CROWD + 100 + serial % 800
        if "blacklist" in traits:
            return people.blacklist(self.seed)[serial % people.BLACKLISTED]
        return people.islander(self.seed, number) if "island" in traits else people.person(self.seed, number)

    def generate(self, count: int, *, over: timedelta = timedelta(0), start: datetime | None = None) -> int:
        """Plan orders with the exact mix of the day, spread over a period; `advance` places them when they are due."""
        return self.life.generate(count, over=over, start=start)

    def flash_sale(self, sku: str, count: int, *, over: timedelta) -> int:
        """Plan buyers who all want this SKU within a period, on every mall that lists it, down to the last unit shown.

        Raises UnknownListing when no mall lists it.
        """
        return self.life.flash_sale(sku, count, over=over)

    def advance(self) -> int:
        """Let everything due by now happen: planned orders, payments, changes, wishes. Returns the number of events."""
        return self.life.advance()

    def fire(self, kind: str, numbers: Collection[str] | None = None) -> int:
        """Let planned events of a kind (life.EVENT_KINDS) happen now, of these orders or of all."""
        return self.life.fire(kind, numbers)

    def pay(self, channel: Channel, number: str) -> SandboxOrder:
        """The buyer pays: pending → placed or ready, confirmed → ready."""
        with self._register.change():
            return self.life.pay(self._register.find(channel, number))

    def request_cancel(self, channel: Channel, number: str, reason: str = "") -> SandboxOrder:
        """The buyer asks to cancel; WrongState when it is shipped or dead."""
        with self._register.change():
            return self.life.request_cancel(self._register.find(channel, number), {"reason": reason})

    def change_address(self, channel: Channel, number: str, address: Address) -> SandboxOrder:
        """The buyer changes where it goes."""
        with self._register.change():
            order = self._register.find(channel, number)
            return self._register.put(transitions.readdressed(order, self.now(), address))

    def restock(self, sku: str, units: int) -> None:
        """Goods came to (or left) the merchant's online stock; the world needs it to count overselling only."""
        with self._register.change():
            arrived = self._register.kept("restocked", {})
            self._register.keep("restocked", {**arrived, sku: arrived.get(sku, 0) + units})

    def truth(self) -> dict[str, Any]:
        """What really happened, JSON-able; see docs/sandbox.md."""
        with self._register.lock:
            return truth_of(self._register, waiting=self.life.waiting(), orders_waiting=self.life.waiting("order"))

    def journal(self, *, since: int = 0, channel: Channel | None = None, kind: str | None = None) -> list[Told]:
        """What the OMS told, oldest first, from entry number `since` on; the last 100,000."""
        with self._register.lock:
            entries = list(self._register.told)
        return [
            told
            for told in entries
            if told.number >= since and channel in (None, told.channel) and kind in (None, told.kind)
        ]


class _Telling:
    """One change the OMS asks for: atomic, and journaled whether the mall accepts it or refuses."""

    def __init__(
        self, register: Register, channel: Channel, kind: str, subject: str, payload: Mapping[str, Any]
    ) -> None:
        self._register = register
        self._entry = (channel, kind, subject, payload)
        self._change = register.change()

    def __enter__(self) -> Register:
        self._change.__enter__()
        return self._register

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, WorldError | ValueError):
            self._register.tell(*self._entry, accepted=error is None)
        self._change.__exit__(kind, error, trace)
