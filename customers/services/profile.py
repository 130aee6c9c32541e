"""What the company itself says of its members: number, birthday, rank, store's card, tags. By hand or from a file.

Ranks are named by their code. Every change is in the journal (`MemberChange`), and told upstairs.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction

from customers.models import Member, MemberChange, MemberTag, Rank
from customers.services.identity import Person, search_column
from customers.signals import members_changed, rank_raised
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.sql import update_rows
from oms.kernel.text import clean_text, search_text

FACTS = ("member_no", "birthday", "rank", "store_member")
TYPES = {"member_no": "text", "birthday": "date", "rank_id": "bigint", "store_member": "bool", "search": "text"}
Values = Mapping[str, Any]


class Moved(Exception):
    """Somebody else changed the member since it was shown; nothing was written."""


class NumberTaken(Exception):
    """Another member has this number; nothing was written."""


def facts_of(member: Member) -> dict[str, Any]:
    """As a journal keeps them; `rank` read along with the member costs no query."""
    return {
        "member_no": member.member_no,
        "birthday": member.birthday.isoformat() if member.birthday else "",
        "rank": member.rank.code if member.rank else "",
        "store_member": member.store_member,
    }


def seen(member: Member) -> str:
    """Equal as long as facts and tags are."""
    told = json.dumps([facts_of(member), tags_of(member.pk)], sort_keys=True)
    return hashlib.blake2b(told.encode(), digest_size=10).hexdigest()


def tags_of(member_id: int) -> list[str]:
    return sorted(set(MemberTag.objects.filter(member=member_id).values_list("tag", flat=True)))


def tags_of_all(member_ids: Collection[int]) -> dict[int, set[str]]:
    """Member → its tags. One query."""
    found: dict[int, set[str]] = {}
    for pk, tag in MemberTag.objects.filter(member__in=member_ids).values_list("member", "tag"):
        found.setdefault(pk, set()).add(tag)
    return found


def holders(numbers: Collection[str]) -> dict[str, int]:
    """Number → the member that has it."""
    return dict(Member.objects.filter(member_no__in=set(numbers) - {""}).values_list("member_no", "pk"))


@transaction.atomic
def change(wanted: Mapping[int, Values], *, by: User | None, source: str = "") -> list[int]:
    """Set facts (`FACTS`, a day as a date or None, a rank by its code) of these members; returns those that changed.

    Raises NumberTaken, Rank.DoesNotExist. Takes the members' locks in order.
    """
    rows = Member.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=wanted).order_by("pk")
    members = {member.pk: member for member in rows.select_related("rank")}
    ranks = _ranks({str(values["rank"]) for values in wanted.values() if values.get("rank")})
    changes = {}
    for pk, member in members.items():
        before, after = facts_of(member), _as_told(wanted[pk])
        if differing := {name: value for name, value in after.items() if before[name] != value}:
            changes[pk] = ({name: before[name] for name in differing}, differing)
    _refuse_taken({pk: after["member_no"] for pk, (_before, after) in changes.items() if after.get("member_no")})
    update_rows("customers_member", TYPES, [_columns(members[pk], after, ranks) for pk, (_b, after) in changes.items()])
    _tell(changes, by=by, source=source)
    if not source and (raised := _raised(members, changes, ranks)):
        rank_raised.send(sender=Member, raised=raised)
    return list(changes)


def _raised(
    members: Mapping[int, Member], changes: Mapping[int, tuple[Values, Values]], ranks: Mapping[str, Rank]
) -> dict[int, str]:
    """Members whose new rank stands above the one before, with its name."""
    found = {}
    for pk, (_before, after) in changes.items():
        rank, old = ranks.get(after.get("rank") or ""), members[pk].rank
        if rank and (old is None or rank.level > old.level):
            found[pk] = rank.name
    return found


@transaction.atomic
def edit(member_id: int, values: Values, tags: Sequence[str], *, shown: str, by: User) -> bool:
    """A person's form: the facts and all tags of one member. False when nothing differs. Raises Moved, NumberTaken."""
    locked = Member.objects.select_for_update(no_key=True, of=("self",)).filter(pk=member_id).order_by("pk")
    member = locked.select_related("rank").get()
    before, wanted = tags_of(member_id), sorted({clean_text(tag)[:40] for tag in tags} - {""})
    same_facts = {**facts_of(member), **_as_told(values)} == facts_of(member)
    if same_facts and before == wanted:
        return False
    if shown != seen(member):
        raise Moved
    changed = change({member_id: values}, by=by)
    if before != wanted:
        _set_tags(member_id, before, wanted, by)
        _tell({member_id: ({"tags": before}, {"tags": wanted})}, by=by, source="")
    return bool(changed) or before != wanted


def _set_tags(member_id: int, before: Sequence[str], wanted: Sequence[str], by: User) -> None:
    """What is taken off goes whoever put it on; what stays keeps its rows."""
    MemberTag.objects.filter(member=member_id, tag__in=set(before) - set(wanted)).delete()
    now = clock.now()
    MemberTag.objects.bulk_create(
        [
            MemberTag(member_id=member_id, tag=tag, key=f"hand:{member_id}:{tag}", at=now, by=by)
            for tag in sorted(set(wanted) - set(before))
        ],
        ignore_conflicts=True,
    )


def _as_told(values: Values) -> dict[str, Any]:
    told = {name: values[name] for name in FACTS if name in values}
    if "birthday" in told:
        told["birthday"] = told["birthday"].isoformat() if told["birthday"] else ""
    return {name: clean_text(value) if isinstance(value, str) else value for name, value in told.items()}


def _ranks(codes: Collection[str]) -> dict[str, Rank]:
    found = {rank.code: rank for rank in Rank.objects.filter(code__in=codes)}
    if unknown := sorted(set(codes) - found.keys()):
        raise Rank.DoesNotExist(", ".join(unknown))
    return found


def _refuse_taken(numbers: Mapping[int, str]) -> None:
    taken = holders(numbers.values())
    doubled = len(set(numbers.values())) < len(numbers)
    if doubled or any(taken.get(number, pk) != pk for pk, number in numbers.items()):
        raise NumberTaken


def _columns(member: Member, after: Values, ranks: Mapping[str, Rank]) -> tuple[Any, ...]:
    number = after.get("member_no", member.member_no)
    birthday = after.get("birthday")
    rank = after.get("rank")
    person = Person(member.name, member.kana, member.phone, member.email)
    return (
        member.pk,
        number,
        member.birthday if birthday is None else date.fromisoformat(birthday) if birthday else None,
        member.rank_id if rank is None else ranks[rank].pk if rank else None,
        after.get("store_member", member.store_member),
        search_column(person) + search_text(number),
    )


def _tell(changes: Mapping[int, tuple[Values, Values]], *, by: User | None, source: str) -> None:
    now = clock.now()
    MemberChange.objects.bulk_create(
        [
            MemberChange(member_id=pk, at=now, by=by, source=source[:120], before=before, after=after)
            for pk, (before, after) in sorted(changes.items())
        ]
    )
    if changes:
        members_changed.send(sender=Member, member_ids=sorted(changes))
