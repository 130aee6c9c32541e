"""Notes that people write on a member, and promises for the member's next order: made, ticked, taken back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from customers.models import Member, MemberChange, MemberNote
from customers.signals import members_changed
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.text import clean_text

LONGEST = 300  # letters of a note


@transaction.atomic
def write(
    member_id: int,
    text: str,
    *,
    promise: bool,
    by: User | None,
    key: str = "",
    source: str = "",
    source_order: int | None = None,
) -> MemberNote | None:
    """Put a note on a member; None when it is there already (`key` names the form it came from). `source` says in
    words where it was written, when not on the member's page: on the order `source_order`."""
    found, made = MemberNote.objects.get_or_create(
        key=f"hand:{key or uuid4().hex}"[:120],
        defaults={
            "member_id": member_id,
            "text": clean_text(text)[:LONGEST],
            "promise": promise,
            "source": source[:120],
            "source_order": source_order,
            "at": clock.now(),
            "by": by,
        },
    )
    if not made:
        return None
    if promise:
        members_changed.send(sender=Member, member_ids=[member_id])
    return found


@transaction.atomic
def tick(note_ids: Collection[int], *, by: User | None) -> list[int]:
    """済み: these promises are kept. Returns those that were open until now."""
    rows = MemberNote.objects.select_for_update(no_key=True).filter(pk__in=note_ids, promise=True, done_at=None)
    return _set_done(rows.order_by("pk"), clock.now(), by)


@transaction.atomic
def untick(note_ids: Collection[int], *, by: User | None) -> list[int]:
    """A tick was too early: the promise is open again."""
    rows = MemberNote.objects.select_for_update(no_key=True).filter(pk__in=note_ids, promise=True)
    return _set_done(rows.filter(done_at__isnull=False).order_by("pk"), None, by)


def _set_done(rows: Collection[MemberNote], at: datetime | None, by: User | None) -> list[int]:
    notes = list(rows)
    ids = [note.pk for note in notes]
    MemberNote.objects.filter(pk__in=ids).update(done_at=at, done_by=by if at else None)
    MemberChange.objects.bulk_create(
        [
            MemberChange(
                member_id=note.member_id,
                at=clock.now(),
                by=by,
                before={"promise": {"note": note.pk, "done": at is None}},
                after={"promise": {"note": note.pk, "done": at is not None}},
            )
            for note in notes
        ]
    )
    if ids:
        members_changed.send(sender=Member, member_ids=sorted({note.member_id for note in notes}))
    return ids


def open_promises(member_ids: Collection[int]) -> Mapping[int, Sequence[MemberNote]]:
    """Member → the promises that nobody has ticked, oldest first. One query, none without members."""
    found: dict[int, list[MemberNote]] = {}
    if member_ids:
        rows = MemberNote.objects.filter(member__in=member_ids, promise=True, done_at=None)
        for note in rows.order_by("at", "pk"):
            found.setdefault(note.member_id, []).append(note)
    return found
