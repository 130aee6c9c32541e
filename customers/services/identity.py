"""Who is this? A first matching by sure keys: the same phone with the same name, or the same unmasked address."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from customers.services import pairs
from oms.kernel import clock
from oms.kernel.phone import phone_digits
from oms.kernel.sql import copy_rows, next_ids
from oms.kernel.text import match_mail, match_name, search_text

# Relay addresses of malls change with the order: they identify nobody.
MASKED_DOMAINS = ("marketplace.amazon.co.jp", "fw.rakuten.ne.jp", "rakuten.ne.jp")


@dataclass(frozen=True, slots=True)
class Person:
    """What a channel told of a buyer."""

    name: str
    kana: str = ""
    phone: str = ""
    email: str = ""
    postal_code: str = ""
    prefecture: str = ""
    address: str = ""  # what follows the prefecture; identifies no member


Key = tuple[str, str]  # (kind, digest)


def keys_of(person: Person) -> list[Key]:
    """The sure keys of a person, none when the data suffices for none."""
    keys: list[Key] = []
    phone = "".join(char for char in person.phone if char.isdigit())
    if phone and (name := match_name(person.name)):
        keys.append(("name_phone", _digest(f"{name}\0{phone}")))
    mail = match_mail(person.email.strip())
    if "@" in mail and not mail.endswith(MASKED_DOMAINS):
        keys.append(("email", _digest(mail)))
    return keys


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def search_column(person: Person) -> str:
    """What a member is found by: name, kana, phone (any part of it), mail."""
    return search_text(person.name, person.kana, phone_digits(person.phone), person.email)


def match_members(people: Sequence[Person]) -> list[int | None]:
    """The member of each person, made where there is none yet; None for people without a sure key.

    Runs in the caller's transaction. Two transactions that meet the same new person at once end with one member:
    the second waits at the unique key and takes the first's.
    """
    keys = [keys_of(person) for person in people]
    known = known_keys({key for own in keys for key in own})
    fresh = _join(people, keys, known)
    if fresh:
        known = _create(fresh) | known
    _add_missing_keys(keys, known)
    if met := _that_met(keys, known):
        pairs.note(met)
    return [next((known[key] for key in own if key in known), None) for own in keys]


def _that_met(keys: Sequence[list[Key]], known: dict[Key, int]) -> list[tuple[int, int, str]]:
    """Members of whom one person bears keys: (member, member, the keys' kinds)."""
    met = []
    for own in keys:
        owners = {known[key]: key[0] for key in reversed(own) if key in known}
        if len(owners) > 1:
            (one, kind), *others = sorted(owners.items())
            met += [(one, other, f"{kind},{other_kind}") for other, other_kind in others]
    return met


def known_keys(keys: set[Key]) -> dict[Key, int]:
    """Key → its member, for those that somebody has."""
    if not keys:
        return {}
    kinds, digests = zip(*sorted(keys), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.kind, i.key, i.member_id FROM customers_identity i "
            "JOIN unnest(%s::text[], %s::text[]) AS k(kind, key) USING (kind, key)",
            [list(kinds), list(digests)],
        )
        return {(kind, key): member for kind, key, member in cursor.fetchall()}


def _join(people: Sequence[Person], keys: Sequence[list[Key]], known: dict[Key, int]) -> list[tuple[Person, Key]]:
    """New people with their first key, each person once even when several orders of the batch are theirs."""
    seen: set[Key] = set()
    fresh = []
    for person, own in zip(people, keys, strict=True):
        if own and not any(key in known or key in seen for key in own):
            fresh.append((person, own[0]))
        seen.update(own)
    return fresh


def _create(fresh: Sequence[tuple[Person, Key]]) -> dict[Key, int]:
    """Claim the keys in sorted order, then write the members whose key was ours."""
    ordered = sorted(fresh, key=lambda pair: pair[1])
    ids = next_ids("customers_member", len(ordered))
    now = clock.now()
    copy_rows(
        "customers_member",
        ["id", "name", "kana", "phone", "email", "postal_code", "prefecture", "order_count", "created_at", "search"],
        [
            (id_, p.name, p.kana, p.phone, p.email, p.postal_code, p.prefecture, 0, now, search_column(p))
            for id_, (p, _) in zip(ids, ordered, strict=True)
        ],
    )
    claimed = _insert_keys([(id_, key) for id_, (_, key) in zip(ids, ordered, strict=True)])
    lost = [id_ for id_, (_, key) in zip(ids, ordered, strict=True) if key not in claimed]
    if lost:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM customers_member WHERE id = ANY(%s)", [lost])
    return claimed | known_keys({key for _, key in ordered if key not in claimed})


def _insert_keys(rows: Sequence[tuple[int, Key]]) -> dict[Key, int]:
    """Insert identities; returns those that are ours. Waits for a transaction that is inserting the same key."""
    if not rows:
        return {}
    ordered = sorted(rows, key=lambda row: row[1])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_identity (member_id, kind, key) "
            "SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[]) "
            "ON CONFLICT (kind, key) DO NOTHING RETURNING kind, key, member_id",
            [[m for m, _ in ordered], [k for _, (k, _) in ordered], [d for _, (_, d) in ordered]],
        )
        return {(kind, key): member for kind, key, member in cursor.fetchall()}


def _add_missing_keys(keys: Sequence[list[Key]], known: dict[Key, int]) -> None:
    """A member found by one key learns the person's other keys."""
    missing = {}
    for own in keys:
        member = next((known[key] for key in own if key in known), None)
        if member is not None:
            missing.update({key: member for key in own if key not in known})
    known.update(_insert_keys([(member, key) for key, member in missing.items()]))


def count_orders(member_ids: Sequence[int]) -> None:
    """Add one order to each member, as often as it is named. Takes the members' locks in order."""
    if not member_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH added AS (SELECT id, count(*) AS orders FROM unnest(%s::bigint[]) AS a(id) GROUP BY id),
                 locked AS (SELECT m.id, m.order_count + a.orders AS order_count FROM customers_member m
                            JOIN added a USING (id) ORDER BY m.id FOR NO KEY UPDATE OF m)
            UPDATE customers_member m SET order_count = l.order_count FROM locked l WHERE m.id = l.id
            """,
            [list(member_ids)],
        )
