"""What buyers and malls do by themselves: order, pay, change their mind, ask to cancel; and when."""

import heapq
import random
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from channels.sandbox import buying, people, plan, remarks, transitions
from channels.sandbox.buying import Draft, DraftLine
from channels.sandbox.catalogue import SCARCE_STOCK
from channels.sandbox.errors import SoldOut, UnknownListing, WrongState
from channels.sandbox.model import Channel, Destination, PaymentMethod, Person, SandboxLine, SandboxOrder, Truth
from channels.sandbox.numbers import JST, destination_id, line_id, order_number
from channels.sandbox.register import Register

CHECKOUT_S = 15 * 60
"""How long the late buyer of a shortage stays in the checkout, simulated seconds."""

LATE_CLOCK_S = 60
"""An event found later than this happened while the world stood still; it happens now."""

PAYMENT_DAYS = 3
NEVER_PAYS = 0.05

Event = Mapping[str, Any]


class Life:
    """The calendar of things to come. All methods take the register's lock."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._shop = buying.shop_of(register.seed, register.opening_day)
        self._calendar: list[tuple[datetime, int]] = []
        self._events: dict[int, Event] = {}
        self._recent: deque[tuple[Channel, int]] = deque(maxlen=200)
        self.late_s: Callable[[Channel], float] = lambda channel: 0
        for event_id, body in register.stored_events():
            self._events[event_id] = body
            heapq.heappush(self._calendar, (datetime.fromisoformat(body["due"]), event_id))

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """Around `Register.forgetting`: things planned inside are not planned when it forgets."""
        planned, orders = dict(self._events), self._register.orders
        yield
        if self._register.orders is not orders:
            self._events = planned

    # ---- the calendar ------------------------------------------------------------------------------------------

    def generate(self, count: int, *, over: timedelta, start: datetime | None) -> int:
        """Plan a day; see World.generate."""
        register = self._register
        with register.change():
            batch = register.next_id("rakuten", "batch")
            rng = random.Random(f"day:{register.seed}:{batch}")
            begin = start or register.now()
            slots = plan.plan_day(count, rng)
            offset = register.kept("slots", 0)
            register.keep("slots", offset + count)
            bodies = [self._slot_body(slot, offset, begin + over * (slot.index / count)) for slot in slots]
            for slot, body in zip(slots, bodies, strict=True):
                if "stock_short" in slot.traits:
                    continue
                if "short_first" in slot.traits and slot.partner is not None:
                    body["then"] = bodies[slot.partner]
                self._schedule(datetime.fromisoformat(body["due"]), body)
        return count

    def flash_sale(self, sku: str, count: int, *, over: timedelta) -> int:
        """Plan a rush for one SKU over all malls that list it; see World.flash_sale."""
        register = self._register
        with register.change():
            offers = [one for one in register.catalogue.listings.values() if one.sku == sku and one.mapped]
            offers = [one for one in offers if one.fulfilled_by == "shop"]
            if not offers:
                raise UnknownListing(f"no mall lists {sku}")
            offset, begin = register.kept("slots", 0), register.now()
            register.keep("slots", offset + count)
            rng = random.Random(f"flash:{register.seed}:{offset}")
            weights = [plan.CHANNEL_SHARES[one.channel] for one in offers]
            for number, offer in enumerate(rng.choices(offers, weights, k=count)):
                body = {"kind": "flash", "slot": offset + number, "channel": offer.channel, "key": offer.key}
                self._schedule(begin + over * rng.random(), body)
        return count

    def waiting(self, kind: str | None = None) -> int:
        """Number of things still to come."""
        with self._register.lock:
            return sum(1 for event in self._events.values() if kind in (None, event["kind"]))

    def advance(self) -> int:
        """Let everything due happen; returns how many things did."""
        done = 0
        while True:
            with self._register.change():
                if not self._calendar or self._calendar[0][0] > self._register.now():
                    return done
                due, event_id = heapq.heappop(self._calendar)
                event = self._events.pop(event_id, None)
                if event is not None:
                    self._register.drop_event(event_id)
                    self._happen(due, event)
                    done += 1

    def fire(self, kind: str, numbers: Collection[str] | None = None) -> int:
        """Let planned things of a kind happen now, of these orders or of all."""
        with self._register.change():
            chosen = [
                (event_id, event)
                for event_id, event in self._events.items()
                if event["kind"] == kind and (numbers is None or event.get("number") in numbers)
            ]
            for event_id, event in chosen:
                del self._events[event_id]
                self._register.drop_event(event_id)
                self._happen(self._register.now(), event)
        return len(chosen)

    def _schedule(self, due: datetime, body: Mapping[str, Any]) -> None:
        event = {**body, "due": due.isoformat()}
        event_id = self._register.next_id("rakuten", "event")
        self._events[event_id] = event
        self._register.put_event(event_id, event)
        heapq.heappush(self._calendar, (due, event_id))

    def _slot_body(self, slot: plan.Slot, offset: int, due: datetime) -> dict[str, Any]:
        return {
            "kind": "order",
            "slot": offset + slot.index,
            "channel": slot.channel,
            "traits": sorted(slot.traits),
            "partner": None if slot.partner is None else offset + slot.partner,
            "due": due.isoformat(),
        }

    def _happen(self, due: datetime, event: Event) -> None:
        now = self._register.now()
        at = due if now - due < timedelta(seconds=LATE_CLOCK_S) else now
        if event["kind"] == "order":
            self._order_event(at, event)
            return
        if event["kind"] == "flash":
            self._flash_event(at, event)
            return
        order = self._register.find(event["channel"], event["number"])
        try:
            _ORDER_EVENTS[event["kind"]](self, order, event)
        except WrongState as too_late:
            self._register.keep(f"missed_event:{order.number}:{event['kind']}", str(too_late))

    # ---- orders ------------------------------------------------------------------------------------------------

    def _order_event(self, at: datetime, event: Event) -> None:
        channel, traits = event["channel"], set(event["traits"])
        rng = random.Random(f"order:{self._register.seed}:{event['slot']}")
        if "hold" in event:
            self._place_held(rng, at, event)
            return
        if "short_first" in traits and self._begin_shortage(rng, at, event):
            return
        traits -= {"short_first"}
        lines = buying.fill_basket(rng, channel, traits, self._shop, self._register.quantity)
        if not lines:
            self._register.keep(f"unplaced:{event['slot']}", sorted(traits))
            return
        self.place(self._draft(rng, channel, traits, lines, event), at, rng)

    def _flash_event(self, at: datetime, event: Event) -> None:
        """One buyer of a rush; when the mall shows nothing any more, the sale is lost and remembered as such."""
        rng = random.Random(f"flash:{self._register.seed}:{event['slot']}")
        line = DraftLine(self._register.listing(event["channel"], event["key"]), 1)
        draft = self._draft(rng, event["channel"], set(), (line,), event)
        with suppress(SoldOut):
            self.place(draft, at, rng)

    def _begin_shortage(self, rng: random.Random, at: datetime, event: Event) -> bool:
        """Another mall's buyer takes the last units into the checkout, then this mall sells the same units.

        Both malls sell only what they show. The slower buyer's order appears when the checkout ends; by then the
        shop has promised the units to this one. False when no scarce article is shown by both.
        """
        register, later = self._register, dict(event["then"])
        late_channel: Channel = later["channel"]
        used = set(register.kept("scarce_used", []))
        here = {one.sku: one for one in self._shop.kind(event["channel"], "scarce")}
        for there in self._shop.kind(late_channel, "scarce"):
            mine = here.get(there.sku)
            if mine is None or there.sku in used:
                continue
            quick, slow = register.quantity(mine.channel, mine.key), register.quantity(there.channel, there.key)
            if not (quick and slow and quick + slow > SCARCE_STOCK):
                continue
            register.keep("scarce_used", [*used, there.sku])
            register.take(late_channel, {there.key: slow})
            self.place(self._draft(rng, event["channel"], set(), (DraftLine(mine, quick),), event), at, rng)
            due = max(datetime.fromisoformat(later["due"]), at + timedelta(seconds=CHECKOUT_S))
            self._schedule(due, {**later, "hold": {"key": there.key, "quantity": slow}})
            return True
        self._schedule(datetime.fromisoformat(later["due"]), {**later, "traits": []})
        return False

    def _place_held(self, rng: random.Random, at: datetime, event: Event) -> None:
        channel, hold = event["channel"], event["hold"]
        line = DraftLine(self._register.listing(channel, hold["key"]), hold["quantity"])
        self.place(self._draft(rng, channel, set(event["traits"]), (line,), event), at, rng, held=True)

    def _draft(
        self, rng: random.Random, channel: Channel, traits: set[str], lines: tuple[DraftLine, ...], event: Event
    ) -> Draft:
        group = ""
        if "merge" in traits:
            group = f"m{min(event['slot'], event['partner'])}"
        buyer = self._buyer(rng, channel, traits, event)
        return self.draft(rng, channel, traits, lines, buyer=buyer, merge_group=group)

    def _buyer(self, rng: random.Random, channel: Channel, traits: set[str], event: Event) -> Person:
        seed, slot = self._register.seed, event["slot"]
        if "blacklist" in traits:
            return people.blacklist(seed)[slot % people.BLACKLISTED]
        if "merge" in traits:
            slot = min(slot, event["partner"])
        number = _crowd_number(seed, slot)
        elsewhere = [known for where, known in self._recent if where != channel]
        if not traits and elsewhere and rng.random() < plan.REPEAT_SHARE / 100:
            number = rng.choice(elsewhere)
        elif not traits:
            self._recent.append((channel, number))
        return people.islander(seed, number) if "island" in traits else people.person(seed, number)

    def draft(
        self,
        rng: random.Random,
        channel: Channel,
        traits: Collection[str],
        lines: tuple[DraftLine, ...],
        *,
        buyer: Person,
        merge_group: str = "",
        keep_payment: PaymentMethod | None = None,
    ) -> Draft:
        """A full basket with people, wishes and fees that suit the traits."""
        today = self._register.now().astimezone(JST).date()
        friend = people.person(self._register.seed, people.CROWD + 1000 + rng.randrange(2000))
        known_caution = buying.is_suspected_by_mall(rng, channel, traits)
        if known_caution:
            buyer = people.person(self._register.seed, people.CROWD + 4000 + rng.randrange(1000))
        spelled, recipients = buying.choose_people(rng, channel, traits, buyer, friend)
        payment = keep_payment or buying.choose_payment(rng, channel, traits)
        gift = remarks.gift(rng, channel=channel, from_name=spelled.family) if "gift" in traits else None
        skus = [self._register.catalogue.skus[line.listing.sku] for line in lines]
        return Draft(
            channel=channel,
            lines=lines,
            buyer=spelled,
            recipients=recipients,
            payment=payment,
            remarks=buying.choose_remarks(rng, traits, today),
            wish=buying.choose_wish(rng, traits, today),
            gift=gift,
            fees=buying.price(
                rng,
                channel,
                traits,
                lines,
                payment=payment,
                gift=gift,
                cool=any(sku.temperature != "ambient" for sku in skus),
                destinations=len(recipients),
            ),
            caution=known_caution,
            traits=frozenset(traits),
            merge_group=merge_group,
        )

    def fill(self, rng: random.Random, channel: Channel, traits: Collection[str]) -> tuple[DraftLine, ...]:
        """Lines that suit the traits, from what this mall shows. Raises SoldOut when it shows nothing suitable."""
        lines = buying.fill_basket(rng, channel, set(traits), self._shop, self._register.quantity)
        if not lines:
            raise SoldOut(f"{channel} shows nothing suitable any more")
        return lines

    def place(self, draft: Draft, at: datetime, rng: random.Random, *, held: bool = False) -> SandboxOrder:
        """Sell the basket: lower the mall's stock (unless it is held already), write the order, plan what follows."""
        register, channel = self._register, draft.channel
        with register.change():
            if not held:
                register.take(channel, _units(draft.lines))
            order = register.put(self._order_of(draft, at))
            self._plan_follow_up(order, rng)
        return order

    def _order_of(self, draft: Draft, at: datetime) -> SandboxOrder:
        register, channel = self._register, draft.channel
        serial = register.next_id(channel, "order")
        by_mall = any(line.listing.fulfilled_by == "amazon" for line in draft.lines)
        payment = transitions.first_payment(channel, draft.payment, at, at + timedelta(days=PAYMENT_DAYS))
        visible_at = at + timedelta(seconds=self.late_s(channel))
        lines = tuple(self._line(channel, no, line) for no, line in enumerate(draft.lines, start=1))
        judged = next((trait for trait in plan.JUDGEMENT if trait in draft.traits and trait != "cancel_wish"), None)
        return SandboxOrder(
            channel=channel,
            number=order_number(channel, serial, register.seed, at),
            serial=serial,
            state=transitions.first_state(channel, payment, fulfilled_by_mall=by_mall),
            ordered_at=at,
            visible_at=visible_at,
            updated_at=max(register.now(), visible_at),
            buyer=draft.buyer,
            destinations=self._destinations(draft),
            lines=lines,
            payment=payment,
            fees=draft.fees,
            ship_by=_ship_by(at, lines),
            remarks=draft.remarks,
            fulfilled_by_mall=by_mall,
            caution=draft.caution,
            truth=Truth(judged, visible_at if judged else None, draft.traits, draft.merge_group),
        )

    def _line(self, channel: Channel, no: int, line: DraftLine) -> SandboxLine:
        sku = self._register.catalogue.skus[line.listing.sku]
        return SandboxLine(
            line_no=no,
            line_id=line_id(channel, no, self._register.next_id),
            listing=line.listing,
            quantity=line.quantity,
            unit_price=line.listing.price,
            tax_rate=sku.tax_rate,
            discount=line.discount,
            destination=line.destination,
            release_date=sku.release_date,
        )

    def _destinations(self, draft: Draft) -> tuple[Destination, ...]:
        each = draft.fees.postage // len(draft.recipients)
        return tuple(
            Destination(
                no=no,
                destination_id=destination_id(draft.channel, no, self._register.next_id),
                recipient=recipient,
                wish=draft.wish,
                gift=draft.gift if no == 1 else buying.gift_for_another(draft),
                postage=each,
            )
            for no, recipient in enumerate(draft.recipients, start=1)
        )

    # ---- afterwards --------------------------------------------------------------------------------------------

    def _plan_follow_up(self, order: SandboxOrder, rng: random.Random) -> None:
        at = order.ordered_at
        if order.state == "pending":
            self.plan_payment(order, rng)
        if order.fulfilled_by_mall:
            self._after(at, rng.uniform(120, 360), "mall_ship", order)
        if "buyer_change" in order.truth.traits:
            kind = rng.choice(("buyer_cancel", "buyer_cancel", "change_address", "change_quantity"))
            self._after(at, rng.uniform(3, 9), kind, order)
        if "cancel_wish" in order.truth.traits:
            self._after(at, rng.uniform(180, 300), "cancel_wish", order)

    def plan_payment(self, order: SandboxOrder, rng: random.Random) -> None:
        """The buyer pays in a while, a few never do and the mall cancels."""
        now = self._register.now()
        if rng.random() < NEVER_PAYS and order.payment.due_at:
            self._schedule(order.payment.due_at, {"kind": "expire", "channel": order.channel, "number": order.number})
        else:
            self._after(max(now, order.ordered_at), rng.uniform(20, 180), "pay", order)

    def plan_clearing(self, order: SandboxOrder) -> None:
        """The mall finishes its check of the payment two minutes later."""
        self._after(self._register.now(), 2, "clear", order)

    def _after(self, at: datetime, minutes: float, kind: str, order: SandboxOrder) -> None:
        body = {"kind": kind, "channel": order.channel, "number": order.number}
        self._schedule(at + timedelta(seconds=round(minutes * 60)), body)

    def pay(self, order: SandboxOrder, _event: Event | None = None) -> SandboxOrder:
        return self._register.put(transitions.paid(order, self._register.now()))

    def clear(self, order: SandboxOrder, _event: Event | None = None) -> SandboxOrder:
        return self._register.put(transitions.cleared(order, self._register.now()))

    def expire(self, order: SandboxOrder, _event: Event | None = None) -> SandboxOrder:
        """Nobody paid: the mall cancels and shows the units again."""
        if order.payment.state != "unpaid":
            raise WrongState(f"{order.number} is paid")
        return self.drop(order, by="mall", reason="入金期限切れ")

    def buyer_cancel(self, order: SandboxOrder, _event: Event | None = None) -> SandboxOrder:
        return self.drop(order, by="buyer", reason="お客様都合")

    def drop(
        self, order: SandboxOrder, *, by: Any, reason: str, line_nos: Sequence[int] | None = None, restock: bool = True
    ) -> SandboxOrder:
        """Cancel the order or some lines and, with `restock`, show the units again."""
        register = self._register
        with register.change():
            gone = transitions.cancelled(order, register.now(), by=by, reason=reason, line_nos=line_nos)
            if restock:
                register.give_back(order.channel, transitions.released_units(order, gone))
            return register.put(gone)

    def request_cancel(self, order: SandboxOrder, event: Event | None = None) -> SandboxOrder:
        """The buyer asks; from now on the order needs a person."""
        register = self._register
        reason = (event or {}).get("reason") or remarks.CANCEL_REASONS[order.serial % len(remarks.CANCEL_REASONS)]
        asked = transitions.cancel_requested(order, register.now(), reason)
        truth = replace(order.truth, needs_judgement="cancel_wish", needed_since=asked.updated_at)
        return register.put(replace(asked, truth=truth))

    def change_address(self, order: SandboxOrder, _event: Event | None = None) -> SandboxOrder:
        """The buyer wants it at another place in another town."""
        rng = random.Random(f"move:{order.number}")
        place = rng.choice([place for place in people.places() if not place.island])
        moved = transitions.readdressed(order, self._register.now(), people.address_at(place, rng))
        return self._register.put(moved)

    def change_quantity(self, order: SandboxOrder, _event: Event | None = None) -> SandboxOrder:
        """The buyer wants one less of the first line."""
        register, line = self._register, order.lines[0]
        fewer = transitions.requantified(order, register.now(), line.line_no, line.quantity - 1)
        register.give_back(order.channel, transitions.released_units(order, fewer))
        return register.put(fewer)

    def mall_ship(self, order: SandboxOrder, _event: Event | None = None) -> SandboxOrder:
        """Amazon ships an FBA order from its own stock."""
        if order.state != "ready":
            raise WrongState(f"{order.number} is {order.state}")
        now = self._register.now()
        lines = tuple(replace(line, shipped=line.quantity) for line in order.lines)
        return self._register.put(transitions.touched(order, now, lines=lines, state="shipped", shipped_at=now))


_ORDER_EVENTS: Mapping[str, Callable[[Life, SandboxOrder, Event | None], SandboxOrder]] = {
    "pay": Life.pay,
    "clear": Life.clear,
    "expire": Life.expire,
    "buyer_cancel": Life.buyer_cancel,
    "change_address": Life.change_address,
    "change_quantity": Life.change_quantity,
    "cancel_wish": Life.request_cancel,
    "mall_ship": Life.mall_ship,
}
EVENT_KINDS = frozenset({"order", "flash", *_ORDER_EVENTS})


def _crowd_number(seed: int, slot: int) -> int:
    """Each buyer once before anybody comes again."""
    return (slot * 2657 + seed * 17) % people.CROWD


def _units(lines: Sequence[DraftLine]) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in lines:
        units[line.listing.key] = units.get(line.listing.key, 0) + line.quantity
    return units


def _ship_by(at: datetime, lines: Sequence[SandboxLine]) -> datetime:
    """End of the third day in Tokyo after the order, or after the last release."""
    day = max([at.astimezone(JST).date(), *(line.release_date for line in lines if line.release_date)])
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=JST) + timedelta(days=3)
