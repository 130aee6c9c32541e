"""Who must be looked at before shipping."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from customers.models import BlacklistEntry
from customers.services.identity import Person
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.phone import phone_digits
from oms.kernel.said import said
from oms.kernel.text import match_name


def matches(people: Sequence[Person]) -> list[str]:
    """For each person the evidence sentence of a matching entry, or "". One query for the batch, none when empty."""
    phones = {phone_digits(person.phone) for person in people} - {""}
    names = {match_name(person.name) for person in people} - {""}
    standing = BlacklistEntry.objects.filter(lifted_at=None)
    entries = list(standing.filter(Q(phone__in=phones) | Q(name_key__in=names)))
    by_phone = {entry.phone: entry for entry in entries if entry.phone}
    by_name = {(entry.name_key, entry.postal_code): entry for entry in entries if entry.name_key and entry.postal_code}
    return [_evidence(person, by_phone, by_name) for person in people]


def _evidence(
    person: Person, by_phone: dict[str, BlacklistEntry], by_name: dict[tuple[str, str], BlacklistEntry]
) -> str:
    if entry := by_phone.get(phone_digits(person.phone)):
        return said("電話番号が要注意リストと一致しました（%(reason)s）。", reason=entry.reason)
    if entry := by_name.get((match_name(person.name), person.postal_code.replace("-", ""))):
        return said("氏名と郵便番号が要注意リストと一致しました（%(reason)s）。", reason=entry.reason)
    return ""


class Refused(Exception):
    """Says in Japanese what is missing or there already."""


@transaction.atomic
def put_on(*, name: str, phone: str, postal_code: str, reason: str, by: User | None) -> BlacklistEntry:
    """Have orders of this phone, or of this name together with the postal code, looked at. Raises Refused."""
    digits, key, code = phone_digits(phone), match_name(name), postal_code
    if not digits and not (key and code):
        raise Refused(_("電話番号か、氏名と郵便番号の両方を入力してください。"))
    same = BlacklistEntry.objects.filter(lifted_at=None, phone=digits, name_key=key, postal_code=code)
    if same.exists():
        raise Refused(_("同じ登録がすでにあります。"))
    return BlacklistEntry.objects.create(
        name_key=key, phone=digits, postal_code=code, reason=reason, by=by, created_at=clock.now()
    )


@transaction.atomic
def lift(entry_id: int, *, why: str, by: User | None) -> bool:
    """The entry matches nobody any more. False when that is so already."""
    standing = BlacklistEntry.objects.filter(pk=entry_id, lifted_at=None)
    return bool(standing.update(lifted_at=clock.now(), lifted_by=by, lifted_why=why[:200]))
