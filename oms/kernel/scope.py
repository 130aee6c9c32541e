"""For whom a request is answered: the shops and the places that a person is limited to.

`orders.queries.visible` and `inventory.queries.places` narrow what is read; `oms.pages.scope` opens the scope of a
request and refuses pages that are not made for people with limits. Workers, and people without limits, have no scope.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from oms.kernel.models import User


@dataclass(frozen=True, slots=True)
class Scope:
    """Ids of the shops (`orders.Shop`) and places (`inventory.Location`) one may work for; empty: all of them."""

    shops: tuple[int, ...] = ()
    places: tuple[int, ...] = ()
    person: int | None = None
    pages: frozenset[str] | None = None  # names of the pages that are open; None: every one

    @property
    def key(self) -> str:
        """For caches: equal for people who see the same."""
        return f"s{self.shops}p{self.places}" if self.shops or self.places else ""


EVERYTHING = Scope()
_current: ContextVar[Scope] = ContextVar("scope", default=EVERYTHING)


def current() -> Scope:
    return _current.get()


def of(person: User) -> Scope:
    """Without its pages, which the roof knows. Who is in by PIN is at the device's place alone; one that is not known
    (0) holds nothing."""
    places = [person.at_place or 0] if person.by_pin else sorted(person.place_ids)
    return Scope(tuple(sorted(person.shop_ids)), tuple(places), person.pk)


def may_open(name: str) -> bool:
    """Whether a page (by URL name) is made for a person of the current scope, so that it is worth a link."""
    pages = _current.get().pages
    return pages is None or name in pages


@contextmanager
def within(scope: Scope) -> Iterator[None]:
    """What is read inside is read for this scope."""
    token = _current.set(scope)
    try:
        yield
    finally:
        _current.reset(token)


def enter(scope: Scope) -> None:
    """Narrow the scope that `within` opened, once it is known who asks."""
    _current.set(scope)
