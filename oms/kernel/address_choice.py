"""What an address with a wrong postal code, or a code with a wrong address, was probably meant to be."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from oms.kernel.address import address_key, check_address, tidy_address
from oms.kernel.postal import Place, code_book, places

MOST = 6


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address that is right by the postal master. `reason`: the code or the town was taken at its word."""

    postal_code: str
    prefecture: str
    city: str
    address: str
    by_code: bool

    def __str__(self) -> str:
        return f"〒{self.postal_code[:3]}-{self.postal_code[3:]} {self.prefecture}{self.city}{self.address}"

    @property
    def value(self) -> str:
        """What a form sends back of it."""
        return "\t".join((self.postal_code, self.prefecture, self.city, self.address))

    @classmethod
    def from_value(cls, value: str) -> "Candidate | None":
        parts = value.split("\t")
        if len(parts) != 4:
            return None
        postal_code, prefecture, city, address = parts
        return cls(postal_code, prefecture, city, address, by_code=False)


def candidates(postal_code: str, prefecture: str, city: str, rest: str) -> list[Candidate]:
    """Right addresses near a wrong one, the likeliest first: the written town with its own code, the code's own town
    with the written number. Only what `check_address` finds nothing wrong with, and not the address as it is."""
    tidy = tidy_address(postal_code, prefecture, city, rest)
    made = [*_by_town(tidy.prefecture, tidy.city, tidy.rest), *_by_code(tidy.postal_code, tidy.city, tidy.rest)]
    found: dict[str, Candidate] = {}
    for one in made:
        if not check_address(one.postal_code, one.prefecture, one.city, one.address):
            found.setdefault(str(one), one)
        if len(found) == MOST:
            break
    return list(found.values())


def _by_town(prefecture: str, city: str, rest: str) -> Iterator[Candidate]:
    """The written address with the code of its town, in the written prefecture first."""
    whole = address_key(f"{city}{rest}")
    fitting = []
    for code, place in _places_like(city or rest):
        spelled = address_key(f"{place.city}{place.town}")
        if place.town and whole.startswith(spelled):
            fitting.append((place.prefecture != prefecture, -len(spelled), code, place))
    for _other, _length, code, place in sorted(fitting, key=lambda row: row[:3]):
        yield Candidate(code, place.prefecture, place.city, _without_city(city, rest, place), by_code=False)


def _without_city(city: str, rest: str, place: Place) -> str:
    return f"{city}{rest}".removeprefix(place.prefecture).removeprefix(place.city).strip()


def _by_code(code: str, city: str, rest: str) -> Iterator[Candidate]:
    """The code's town with the number and building that were written."""
    number = re.search(r"[0-9].*$", unicodedata.normalize("NFKC", rest))
    if number:
        for place in places(code):
            yield Candidate(code, place.prefecture, place.city, f"{place.town}{number[0]}", by_code=True)


@lru_cache(maxsize=500)
def _places_like(text: str) -> tuple[tuple[str, Place], ...]:
    """Every coded place whose city the text begins with."""
    city = re.match(r"^.{1,6}?[市区町村](?:.{1,5}区)?", text)
    return tuple(code_book(city[0])) if city else ()
