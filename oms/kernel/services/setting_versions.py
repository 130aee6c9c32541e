"""Versions of settings: written by the service that changes them, in its transaction; going back to one.

Lock: one per setting, before everything else of the service.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.utils import translation

from oms.kernel import clock
from oms.kernel.models import SettingVersion, User
from oms.kernel.setting_kinds import KINDS, Content, Kind, Who

How = SettingVersion.How
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


@dataclass(frozen=True, slots=True)
class _GoingBack:
    number: int
    note: str


_going_back: ContextVar[_GoingBack | None] = ContextVar("going_back", default=None)


@contextmanager
def kept(kind: str, *refs: object, by: User | int | None) -> Iterator[None]:
    """Whatever the block changes of these settings becomes a version of each, in one transaction with it.

    What stood before is kept as well: as the first version, or, where it is not what the last one says, as a change
    made outside. A block that changes nothing writes nothing else.
    """
    what, names = KINDS[kind], sorted({str(ref) for ref in refs})
    with transaction.atomic():
        for ref in names:
            _begin(what, ref)
        yield
        for ref in names:
            _write(what, ref, how=How.CHANGED, by=by)


def begin(kind: str, ref: object) -> None:
    """The first half of `kept`, for a service whose change does not fit a block; `keep` is the second."""
    _begin(KINDS[kind], str(ref))


def keep(kind: str, ref: object, *, by: User | int | None) -> bool:
    """A version of how it stands now, in the caller's transaction: also the first one of what has just been made (a
    person, a rule). False when the last one says the same."""
    return _write(KINDS[kind], str(ref), how=How.CHANGED, by=by)


@dataclass(frozen=True, slots=True)
class Change:
    """One setting of many that change together: what it is called, and its content before and after."""

    ref: str
    title: str
    before: Content
    after: Content


def keep_many(kind: str, changes: Sequence[Change], *, by: User | None) -> None:
    """Versions of many settings by a fixed number of statements; the caller holds their rows' locks. The contents are
    as the kind's form would give them."""
    rows = SettingVersion.objects.filter(kind=kind, ref__in=[one.ref for one in changes])
    last = {row.ref: row for row in rows.order_by("ref", "-number").distinct("ref")}
    made: list[SettingVersion] = []
    for one in changes:
        before = last.get(one.ref)
        if before is None or before.content != one.before:
            how = How.OUTSIDE if before else How.FIRST
            before = _version(kind, one.ref, one.title, one.before, before, how=how, by=None)
            made.append(before)
        if before.content != one.after:
            made.append(_version(kind, one.ref, one.title, one.after, before, how=How.CHANGED, by=by))
    SettingVersion.objects.bulk_create(made, batch_size=1000)


@transaction.atomic
def go_back(version: SettingVersion, *, who: Who, note: str = "") -> bool:
    """Set it again as this version says, through its form; False when it stands so. Raises `setting_kinds.Refused`."""
    token = _going_back.set(_GoingBack(version.number, note))
    try:
        before = _last(version.kind, version.ref)
        with kept(version.kind, version.ref, by=who.by):
            KINDS[version.kind].put(version.ref, version.content, who)
        after = _last(version.kind, version.ref)
    finally:
        _going_back.reset(token)
    return (after.number if after else 0) > (before.number if before else 0)


def _begin(kind: Kind, ref: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [f"{kind.code}\n{ref}"])
    last = _last(kind.code, ref)
    if last is None:
        # Where something is only made now, nothing stood before; a standard that can be gone back to did.
        if kind.exists(ref) or kind.reset is not None:
            _store(kind, ref, kind.read(ref), None, how=How.FIRST, by=None)
    else:
        _write(kind, ref, how=How.OUTSIDE, by=None)


def _write(kind: Kind, ref: str, *, how: str, by: User | int | None) -> bool:
    last, now = _last(kind.code, ref), kind.read(ref)
    if last is not None and last.content == now:
        return False
    _store(kind, ref, now, last, how=how, by=by)
    return True


def _store(
    kind: Kind, ref: str, content: Content, last: SettingVersion | None, *, how: str, by: User | int | None
) -> None:
    with translation.override(settings.LANGUAGE_CODE):  # texts that are stored are Japanese
        title = kind.name(ref) or (last.title if last else "")
    _version(kind.code, ref, title, content, last, how=how, by=by).save(force_insert=True)


def _version(
    kind: str,
    ref: str,
    title: str,
    content: Content,
    last: SettingVersion | None,
    *,
    how: str,
    by: User | int | None,
) -> SettingVersion:
    """Not stored yet."""
    back = _going_back.get() if how == How.CHANGED else None
    return SettingVersion(
        kind=kind,
        ref=ref,
        number=last.number + 1 if last else 1,
        title=title,
        content=content,
        changed=_changed(last.content, content) if last else [],
        how=How.BACK if back else how,
        back_to=back.number if back else None,
        note=back.note[:200] if back else "",
        at=clock.now(),
        by_id=by.pk if isinstance(by, User) else by,
    )


def _changed(before: Content, after: Content) -> list[str]:
    old, new = before or {}, after or {}
    return [name for name in {**old, **new} if old.get(name) != new.get(name)]


def _last(kind: str, ref: str) -> SettingVersion | None:
    return SettingVersion.objects.filter(kind=kind, ref=ref).order_by("-number").first()
