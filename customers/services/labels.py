"""Tags and notes of members: rows that are inserted and deleted, never changed, so no member is locked for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from customers.models import MemberNote, MemberTag
from oms.kernel import clock
from oms.kernel.models import User


@dataclass(frozen=True, slots=True)
class NewLabel:
    """`text` is the tag or the sentence; `key` unique for ever; `source` says in words where it comes from."""

    member_id: int
    text: str
    key: str
    source: str = ""
    source_order: int | None = None


def add_tags(new: Sequence[NewLabel], *, by: User | None = None) -> None:
    """Known keys change nothing. Runs in the caller's transaction; two calls at once never wait for each other long:
    the keys are taken in order."""
    now = clock.now()
    MemberTag.objects.bulk_create(
        [
            MemberTag(
                member_id=one.member_id,
                tag=one.text[:40],
                key=one.key,
                source=one.source[:120],
                source_order=one.source_order,
                at=now,
                by=by,
            )
            for one in sorted(new, key=lambda one: one.key)
        ],
        ignore_conflicts=True,
    )


def add_notes(new: Sequence[NewLabel], *, by: User | None = None) -> None:
    """As `add_tags`."""
    now = clock.now()
    MemberNote.objects.bulk_create(
        [
            MemberNote(
                member_id=one.member_id,
                text=one.text[:300],
                key=one.key,
                source=one.source[:120],
                source_order=one.source_order,
                at=now,
                by=by,
            )
            for one in sorted(new, key=lambda one: one.key)
        ],
        ignore_conflicts=True,
    )


def tags_of(member_id: int) -> set[str]:
    return set(MemberTag.objects.filter(member=member_id).values_list("tag", flat=True))


def remove(keys: Sequence[str]) -> None:
    """Take away what was put with these keys, tags and notes; what another put stays."""
    MemberTag.objects.filter(key__in=keys).delete()
    MemberNote.objects.filter(key__in=keys).delete()
