"""Who must be looked at before shipping."""

from collections.abc import Sequence

from customers.models import BlacklistEntry
from customers.services.identity import Person
from oms.kernel.said import said
from oms.kernel.text import match_name


def matches(people: Sequence[Person]) -> list[str]:
    """For each person the evidence sentence of a matching entry, or "". One query for the batch, none when empty."""
    phones = {_digits(person.phone) for person in people} - {""}
    names = {match_name(person.name) for person in people} - {""}
    entries = list(BlacklistEntry.objects.filter(phone__in=phones) | BlacklistEntry.objects.filter(name_key__in=names))
    by_phone = {entry.phone: entry for entry in entries if entry.phone}
    by_name = {(entry.name_key, entry.postal_code): entry for entry in entries if entry.name_key and entry.postal_code}
    return [_evidence(person, by_phone, by_name) for person in people]


def _evidence(
    person: Person, by_phone: dict[str, BlacklistEntry], by_name: dict[tuple[str, str], BlacklistEntry]
) -> str:
    if entry := by_phone.get(_digits(person.phone)):
        return said("電話番号が要注意リストと一致しました（%(reason)s）。", reason=entry.reason)
    if entry := by_name.get((match_name(person.name), person.postal_code.replace("-", ""))):
        return said("氏名と郵便番号が要注意リストと一致しました（%(reason)s）。", reason=entry.reason)
    return ""


def _digits(phone: str) -> str:
    return "".join(char for char in phone if char.isdigit())
