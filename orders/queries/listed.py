"""A person of an order and the entry of the blacklist that means them, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from customers.services import blacklist
from oms.kernel.phone import phone_display
from oms.kernel.postal import postal_digits
from orders.models import Order
from orders.services import listed, reason_settings

CODES = frozenset({"blacklist_match", "blacklist_similar"})


@dataclass(frozen=True, slots=True)
class Beside:
    """One item of a person and of the entry, as each was told; `same` whatever the spelling."""

    label: str
    ours: str
    theirs: str
    same: bool


@dataclass(frozen=True, slots=True)
class ListedBeside:
    whose: str
    score: int
    rows: Sequence[Beside]
    reason: str
    since: datetime


def beside(order: Order) -> ListedBeside | None:
    """For people who may see personal data. None when the entry was lifted since. Three queries."""
    people, loosely = listed.stored_of(order), listed.looks_loosely(reason_settings.read())
    [match] = blacklist.matches([people], [listed.where_of(order)], loose_mail=loosely)
    if match is None:
        return None
    person, entry = people[match.place], match.entry
    pairs = {
        blacklist.PHONE: (phone_display(person.phone) or person.phone, phone_display(entry.phone)),
        blacklist.MAIL: (person.email, entry.email),
        blacklist.NAME: (person.name, entry.name_key),
        blacklist.POSTAL_CODE: (_hyphened(person.postal_code), _hyphened(entry.postal_code)),
        blacklist.ADDRESS: (person.prefecture + person.address, entry.address),
    }
    rows = [
        # A postal code may be the same without counting: the address says it already.
        Beside(str(listed.ITEMS[item]), ours, theirs, item in match.items or bool(ours and ours == theirs))
        for item, (ours, theirs) in pairs.items()
        if ours or theirs
    ]
    return ListedBeside(str(listed.whose(match, len(people))), match.score, rows, entry.reason, entry.created_at)


def _hyphened(code: str) -> str:
    digits = postal_digits(code)
    return f"{digits[:3]}-{digits[3:]}" if len(digits) == 7 else code
