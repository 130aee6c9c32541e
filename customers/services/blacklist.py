"""Who must be looked at before shipping: how much of an entry speaks for a person.

Everything is compared by key (`oms.kernel.text`), so that spelling makes no difference.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import CharField, Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from customers.models import BlacklistEntry, Severity
from customers.services.identity import Person
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.phone import phone_digits
from oms.kernel.postal import postal_digits
from oms.kernel.text import clean_text, led_by_code, match_address, match_mail, match_mail_loosely, match_name

PHONE, MAIL, ADDRESS, NAME, POSTAL_CODE = "phone", "email", "address", "name", "postal_code"
WEIGHTS = {
    PHONE: 60,  # one person's, at most one household's: enough by itself
    MAIL: 60,  # one person's: enough by itself
    ADDRESS: 50,  # a family, an office, a hotel share it: worth a look, with any other item enough
    NAME: 30,  # thousands bear the same: never enough by itself, whatever the threshold
    POSTAL_CODE: 30,  # some hundred homes: counts beside the name, where the address does not say it already
}
# What a company begins with: from here on it is the person, from there on it may be.
MATCH, SIMILAR = 60, 50
STRICTNESS = (Severity.BLOCK, Severity.WARN, Severity.INFO)


# `match_mail_loosely` of an entry's key, by PostgreSQL.
LOOSE_MAIL = RawSQL(
    "replace(split_part(split_part(email_key, '@', 1), '+', 1), '.', '') || '@' || split_part(email_key, '@', 2)",
    (),
    output_field=CharField(),
)


@dataclass(frozen=True, slots=True)
class Match:
    """What an entry has in common with one of the people looked at: `place` is whose place among them."""

    entry: BlacklistEntry
    place: int
    items: tuple[str, ...]

    @property
    def score(self) -> int:
        return sum(WEIGHTS[item] for item in self.items)

    @property
    def is_name_alone(self) -> bool:
        return self.items == (NAME,)

    @property
    def weight(self) -> tuple[int, int, int]:
        """What decides between entries: those that surely mean the person weigh alike, then the stricter one counts."""
        return min(self.score, MATCH), -STRICTNESS.index(self.entry.severity), self.score


@dataclass(frozen=True, slots=True)
class Where:
    """The shop (its code) and the payment method of an order."""

    shop: str
    payment: str

    def is_meant(self, entry: BlacklistEntry) -> bool:
        by_shop = not entry.shops or self.shop in entry.shops
        return by_shop and (not entry.payments or self.payment in entry.payments)


# What an entry can be limited to, told by the app that knows it: kind → its (code, label) pairs.
CHOICES: dict[str, Callable[[], Sequence[tuple[str, Any]]]] = {}


def offer(kind: str, choices: Callable[[], Sequence[tuple[str, Any]]]) -> None:
    """Say what the `shops` or `payments` of an entry are, in `AppConfig.ready`."""
    CHOICES[kind] = choices


class Keys(NamedTuple):
    """What is compared. `addresses` holds two, one without the postal code: an entry may have been typed without."""

    phone: str
    email: str
    name: str
    postal_code: str
    addresses: tuple[str, ...]


def keys_of(person: Person, *, loose_mail: bool = False) -> Keys:
    code = postal_digits(person.postal_code)
    whole = match_address(person.prefecture + person.address) if person.address.strip() else ""
    addresses = (whole, led_by_code(whole, code)) if whole else ()
    mail = match_mail_loosely(person.email) if loose_mail else match_mail(person.email)
    return Keys(phone_digits(person.phone), mail, match_name(person.name), code, addresses)


def matches(
    groups: Sequence[Sequence[Person]], wheres: Sequence[Where] = (), *, loose_mail: bool = False
) -> list[Match | None]:
    """For each group of people (those of one order) what speaks most for one of them, or None. `wheres`: one of each
    group; without them entries for some shops or payment methods count as well. `loose_mail`: dots and +tags of mail
    addresses make no difference.

    One query for the whole batch by the indexes of the keys, none where nothing is told of anybody.
    """
    keys = [[keys_of(person, loose_mail=loose_mail) for person in group] for group in groups]
    told = [one for group in keys for one in group]
    wanted = Q(phone__in={one.phone for one in told} - {""})
    mails = {one.email for one in told} - {""}
    wanted |= Q(loose_mail__in=mails) if loose_mail else Q(email_key__in=mails)
    wanted |= Q(name_key__in={one.name for one in told} - {""})
    wanted |= Q(address_key__in={key for one in told for key in one.addresses} - {""})
    rows = BlacklistEntry.objects.in_force(clock.today())
    rows = rows.annotate(loose_mail=LOOSE_MAIL) if loose_mail else rows
    return judged(keys, rows.filter(wanted).order_by("pk"), wheres, loose_mail=loose_mail)


def judged(
    groups: Sequence[Sequence[Keys]],
    entries: Iterable[BlacklistEntry],
    wheres: Sequence[Where] = (),
    *,
    loose_mail: bool = False,
) -> list[Match | None]:
    """`matches` among these entries. Of equals the first person's and the oldest entry's counts."""
    by_key: dict[tuple[str, str], list[BlacklistEntry]] = defaultdict(list)
    for entry in entries:
        for item, key in _entry_keys(entry, loose_mail).items():
            by_key[item, key].append(entry)
    return [
        max(
            (
                match
                for place, keys in enumerate(group)
                for match in _of_one(place, keys, by_key)
                if where is None or where.is_meant(match.entry)
            ),
            key=lambda match: match.weight,
            default=None,
        )
        for group, where in zip_longest(groups, wheres)
    ]


def _entry_keys(entry: BlacklistEntry, loose_mail: bool) -> dict[str, str]:
    """By what an entry is found; a postal code finds nobody."""
    mail = match_mail_loosely(entry.email_key) if loose_mail else entry.email_key
    keys = {PHONE: entry.phone, MAIL: mail, ADDRESS: entry.address_key, NAME: entry.name_key}
    return {item: key for item, key in keys.items() if key}


def _of_one(place: int, keys: Keys, by_key: Mapping[tuple[str, str], Sequence[BlacklistEntry]]) -> list[Match]:
    looked_up = [(PHONE, keys.phone), (MAIL, keys.email), (NAME, keys.name)]
    looked_up += [(ADDRESS, key) for key in keys.addresses]
    met = [(item, entry) for item, key in looked_up for entry in by_key.get((item, key), ())]
    # Entries that are not stored yet have no pk, so they are told apart by themselves.
    entries = {id(entry): entry for _item, entry in met}
    return [
        Match(entry, place, _items({item for item, other in met if other is entry}, entry, keys))
        for entry in entries.values()
    ]


def _items(shared: set[str], entry: BlacklistEntry, keys: Keys) -> tuple[str, ...]:
    if NAME in shared and ADDRESS not in shared and entry.postal_code and entry.postal_code == keys.postal_code:
        shared = {*shared, POSTAL_CODE}
    return tuple(item for item in WEIGHTS if item in shared)


class Refused(Exception):
    """Says in Japanese what is missing or there already."""


def entry_of(
    *, name: str = "", phone: str = "", email: str = "", postal_code: str = "", address: str = "", reason: str
) -> BlacklistEntry:
    """The entry with its keys, not stored."""
    code = postal_digits(postal_code)
    return BlacklistEntry(
        name_key=match_name(name),
        phone=phone_digits(phone),
        email=email.strip(),
        email_key=match_mail(email),
        postal_code=code,
        address=clean_text(address),
        address_key=match_address(address, postal_code=code) if address.strip() else "",
        reason=reason,
        created_at=clock.now(),
    )


@transaction.atomic
def put_on(
    *,
    name: str,
    phone: str,
    email: str,
    postal_code: str,
    address: str,
    reason: str,
    by: User | None,
    severity: str = Severity.BLOCK,
    shops: Sequence[str] = (),
    payments: Sequence[str] = (),
    until: date | None = None,
) -> BlacklistEntry:
    """Have orders of this phone, mail address or address, or of this name together with the postal code, looked at:
    those of the named shops and payment methods (of all where none is named), until that day.

    Raises Refused.
    """
    entry = entry_of(name=name, phone=phone, email=email, postal_code=postal_code, address=address, reason=reason)
    entry.by, entry.severity, entry.until = by, severity, until
    entry.shops, entry.payments = list(shops), list(payments)
    alone = entry.phone or entry.email_key or entry.address_key
    if not alone and not (entry.name_key and entry.postal_code):
        raise Refused(_("電話番号・メールアドレス・住所のどれか、または氏名と郵便番号の両方を入力してください。"))
    same = BlacklistEntry.objects.in_force(clock.today()).filter(
        phone=entry.phone,
        email_key=entry.email_key,
        name_key=entry.name_key,
        postal_code=entry.postal_code,
        address_key=entry.address_key,
        shops=entry.shops,
        payments=entry.payments,
    )
    if same.exists():
        raise Refused(_("同じ登録がすでにあります。"))
    entry.save(force_insert=True)
    return entry


@transaction.atomic
def lift(entry_id: int, *, why: str, by: User | None) -> bool:
    """The entry matches nobody any more. False when that is so already."""
    standing = BlacklistEntry.objects.filter(pk=entry_id, lifted_at=None)
    return bool(standing.update(lifted_at=clock.now(), lifted_by=by, lifted_why=why[:200]))
