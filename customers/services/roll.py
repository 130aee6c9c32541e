"""会員名簿: members of a list that somebody brings, found by number, mail, or name and phone."""

from collections.abc import Sequence
from dataclasses import dataclass

from customers.services import profile
from customers.services.identity import Person, keys_of, known_keys


@dataclass(frozen=True, slots=True)
class Listed:
    """Who stands on one line of the list."""

    member_no: str
    person: Person

    @property
    def can_be_new(self) -> bool:
        return bool(self.person.name and keys_of(self.person))


def find(listed: Sequence[Listed]) -> list[int | None]:
    """The member of each line, None where nobody is known. Two queries for the batch."""
    by_number = profile.holders({one.member_no for one in listed})
    keys = [keys_of(one.person) for one in listed]
    by_key = known_keys({key for own in keys for key in own})
    return [
        by_number.get(one.member_no) or next((by_key[key] for key in own if key in by_key), None)
        for one, own in zip(listed, keys, strict=True)
    ]
