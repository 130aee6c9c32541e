"""The outbox: what the database has decided, done outside it exactly once as far as the other side allows.

A service writes effects with `put` in its own transaction. `deliver_due` claims due effects, calls the handler of
their kind outside any transaction, and records what came of it. Handlers are registered in `AppConfig.ready`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from psycopg.types.json import Jsonb

from oms.kernel import clock
from oms.kernel.later import later
from oms.kernel.models import Effect, EffectEvent, User
from oms.kernel.said import said

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 8
# A worker that has not come back after so much wall time is taken for dead; its effect is tried again.
ABANDONED_AFTER = timedelta(minutes=5)


class Retry(Exception):
    """The effect may succeed later; `cause` is a plain sentence for people."""

    def __init__(self, cause: str, *, after_s: float | None = None) -> None:
        super().__init__(cause)
        self.cause, self.after_s = cause, after_s


class GiveUp(Exception):
    """Trying again would not help; a person must decide. `cause` says what happened and what to do."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Postpone(Exception):
    """Not now (the shop is paused): wait without counting an attempt."""

    def __init__(self, cause: str, *, after_s: float = 60) -> None:
        super().__init__(cause)
        self.cause, self.after_s = cause, after_s


@dataclass(frozen=True, slots=True)
class NewEffect:
    """`subject` orders delivery: effects of one subject go out one after another. `payload` carries ids only."""

    kind: str
    key: str
    subject: str
    payload: dict[str, Any] = field(default_factory=dict)
    delay_s: float = 0


@dataclass(frozen=True, slots=True)
class Together:
    """Effects of one kind that one call delivers: those whose payloads hold the same under `same`, at most so many as
    `most` says of the first of them.

    `handle` gets two or more claimed effects and returns, by effect's id, what `Kind.handle` would have raised; an
    effect that is not named is done. What it raises itself counts for every one of them.
    """

    same: str
    handle: Callable[[Sequence[Effect]], Mapping[int, Exception]]
    most: Callable[[Effect], int]


@dataclass(frozen=True, slots=True)
class Kind:
    """A handler, the label people see, and what happens when the effect ends (for facts on other rows)."""

    handle: Callable[[Effect], None]
    label: str | Promise
    ended: Callable[[Effect], None] | None = None
    together: Together | None = None


KINDS: dict[str, Kind] = {}


def register(
    kind: str,
    handle: Callable[[Effect], None],
    *,
    label: str | Promise,
    ended: Callable[[Effect], None] | None = None,
    together: Together | None = None,
) -> None:
    """Called once per kind from `AppConfig.ready`. `handle` gets the claimed effect, may run twice for one effect,
    and raises Retry, GiveUp or Postpone. `ended` runs in the transaction that records DONE, FAILED or MANUAL_DONE."""
    KINDS[kind] = Kind(handle, label, ended, together)


def put(effects: Sequence[NewEffect]) -> int:
    """Write effects in the caller's transaction; keys that exist already change nothing. Returns how many are new."""
    if not effects:
        return 0
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_effect
                   (kind, key, subject, payload, state, attempts, next_try_at, last_error, note, created_at)
            SELECT kind, key, subject, payload, 'waiting', 0, due, '', '', %s
            FROM unnest(%s::text[], %s::text[], %s::text[], %s::jsonb[], %s::timestamptz[])
                 AS e(kind, key, subject, payload, due)
            ON CONFLICT (key) DO NOTHING
            """,
            [
                now,
                [effect.kind for effect in effects],
                [effect.key for effect in effects],
                [effect.subject for effect in effects],
                [Jsonb(effect.payload) for effect in effects],
                [now + timedelta(seconds=effect.delay_s) for effect in effects],
            ],
        )
        written = int(cursor.rowcount)
    if written:
        later("oms.kernel.tasks.deliver_effects")
    return written


def deliver_due(limit: int = 100) -> int:
    """Deliver up to `limit` due effects, one after another, or those that go together at once; returns how many were
    tried. May run in many processes."""
    tried = 0
    while tried < limit and (effect := _claim()):
        company = _claim_company(effect, limit - tried - 1)
        tried += 1 + len(company)
        if company:
            _deliver_together([effect, *company])
        else:
            _deliver(effect)
    return tried


def deliver_subject(subject: str) -> int:
    """Deliver what is due for one subject; returns how many were tried."""
    tried = 0
    while effect := _claim(subject):
        tried += 1
        _deliver(effect)
    return tried


# What stands before an effect of the same subject goes out first.
NOTHING_EARLIER = """
NOT EXISTS (SELECT 1 FROM kernel_effect earlier
             WHERE earlier.subject = e.subject AND earlier.id < e.id
               AND earlier.state IN ('waiting', 'running', 'failed'))
"""


@transaction.atomic
def _claim(subject: str = "") -> Effect | None:
    """Take the first due effect (of `subject`, when given) whose subject has nothing earlier unfinished."""
    now = clock.now()
    found = Effect.objects.raw(
        f"""
        SELECT * FROM kernel_effect e
        WHERE ((state = 'waiting' AND next_try_at <= %s) OR (state = 'running' AND claimed_at < %s))
          AND (%s = '' OR subject = %s) AND {NOTHING_EARLIER}
        ORDER BY next_try_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
        """,
        [now, now - ABANDONED_AFTER * clock.speed(), subject, subject],
    )
    for effect in found:
        return _take(effect)
    return None


@transaction.atomic
def _claim_company(effect: Effect, most: int) -> list[Effect]:
    """Effects that go out together with this claimed one. Only first tries do: what had trouble once goes alone, so
    that it troubles nobody else."""
    kind = KINDS.get(effect.kind)
    if kind is None or kind.together is None or effect.attempts > 1 or not effect.payload.get(kind.together.same):
        return []
    most = min(most, kind.together.most(effect) - 1)
    if most < 1:
        return []
    found = Effect.objects.raw(
        f"""
        SELECT * FROM kernel_effect e
        WHERE state = 'waiting' AND next_try_at <= %s AND attempts = 0 AND kind = %s
          AND payload->%s = %s AND {NOTHING_EARLIER}
        ORDER BY next_try_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
        """,
        [
            clock.now(),
            effect.kind,
            kind.together.same,
            Jsonb(effect.payload[kind.together.same]),
            most,
        ],
    )
    return [_take(one) for one in found]


def _take(effect: Effect) -> Effect:
    effect.state, effect.claimed_at, effect.attempts = Effect.State.RUNNING, clock.now(), effect.attempts + 1
    effect.save(update_fields=["state", "claimed_at", "attempts"])
    return effect


def _deliver(effect: Effect) -> None:
    kind = KINDS.get(effect.kind)
    try:
        if kind is None:
            raise GiveUp(said("この種類の送信を処理するプログラムがありません。管理者に連絡してください。"))
        if effect.attempts > MAX_ATTEMPTS:  # a Retry ends before this: only workers that died get here
            raise GiveUp(said("送信の途中でプログラムが何度も止まりました。管理者に連絡してください。"))
        kind.handle(effect)
    except Exception as trouble:
        _record(effect, trouble)
    else:
        _record(effect, None)


def _deliver_together(effects: Sequence[Effect]) -> None:
    """Effects of one kind, which goes together."""
    together = KINDS[effects[0].kind].together
    assert together is not None
    try:
        troubles = together.handle(effects)
    except Exception as trouble:
        troubles = {effect.pk: trouble for effect in effects}
    for effect in effects:
        _record(effect, troubles.get(effect.pk))


def _record(effect: Effect, trouble: Exception | None) -> None:
    """Write down what came of a try: None for done."""
    match trouble:
        case None:
            _finish(effect, Effect.State.DONE, "")
        case Postpone():
            _put_back(effect, trouble.cause, trouble.after_s, attempts=effect.attempts - 1)
        case Retry() if effect.attempts >= MAX_ATTEMPTS:
            _finish(effect, Effect.State.FAILED, trouble.cause)
        case Retry():
            after_s = trouble.after_s or backoff_s(effect.attempts)
            _put_back(effect, trouble.cause, after_s, attempts=effect.attempts)
        case GiveUp():
            _finish(effect, Effect.State.FAILED, trouble.cause)
        case InterfaceError() | OperationalError():  # a deadlock, a restart: nothing is wrong with the effect
            log.warning("effect_crossed", kind=effect.kind, effect=effect.pk, error=type(trouble).__name__)
            cause = said("データベースが一時的に応答しませんでした。自動で再試行します。")
            _put_back(effect, cause, backoff_s(effect.attempts), attempts=effect.attempts)
        case _:
            log.error("effect_failed", kind=effect.kind, effect=effect.pk, exc_info=trouble)
            words = said(
                "プログラムのエラーです（%(name)s）。やり直しても続くときは管理者に連絡してください。",
                name=type(trouble).__name__,
            )
            _finish(effect, Effect.State.FAILED, words)


def backoff_s(attempts: int) -> float:
    """4, 8, 16 … seconds, at most 15 minutes."""
    return float(min(2 ** (attempts + 1), 900))


@transaction.atomic
def _put_back(effect: Effect, cause: str, after_s: float, *, attempts: int) -> None:
    ours = _still_ours(effect).update(
        state=Effect.State.WAITING,
        last_error=cause,
        attempts=attempts,
        next_try_at=clock.now() + timedelta(seconds=after_s),
    )
    if ours and attempts == effect.attempts:  # a real try; waiting for a paused shop is none
        _journal([effect.pk], EffectEvent.Kind.WAITS, cause)


def _journal(effect_ids: Iterable[int], kind: EffectEvent.Kind, text: str = "", *, by: User | None = None) -> None:
    now = clock.now()
    EffectEvent.objects.bulk_create(
        EffectEvent(effect_id=effect_id, at=now, kind=kind, text=text, by=by) for effect_id in effect_ids
    )


def _still_ours(effect: Effect) -> QuerySet[Effect]:
    """The effect while nobody took it over: a worker that was taken for dead has no say any more."""
    return Effect.objects.filter(pk=effect.pk, state=Effect.State.RUNNING, claimed_at=effect.claimed_at)


@transaction.atomic
def _finish(effect: Effect, state: str, error: str) -> None:
    """Close what this worker claimed."""
    if _still_ours(effect).update(state=state):
        _close(effect, state, error)
        if state == Effect.State.FAILED:
            _journal([effect.pk], EffectEvent.Kind.FAILED, error)


def _close(effect: Effect, state: str, error: str, note: str = "") -> None:
    effect.state, effect.last_error, effect.done_at = state, error, clock.now()
    effect.note = note or effect.note
    effect.save(update_fields=["state", "last_error", "done_at", "note"])
    kind = KINDS.get(effect.kind)
    if kind and kind.ended:
        kind.ended(effect)
    if state in {Effect.State.DONE, Effect.State.MANUAL_DONE}:
        later("oms.kernel.tasks.deliver_effects")


def wake(subjects: Sequence[str]) -> int:
    """What these subjects wait for (a shop was paused) is due at once. In the caller's transaction."""
    woken = Effect.objects.filter(subject__in=list(subjects), state=Effect.State.WAITING).update(
        next_try_at=clock.now()
    )
    if woken:
        later("oms.kernel.tasks.deliver_effects")
    return woken


@transaction.atomic
def retry(effect_ids: Iterable[int], *, by: User | None = None) -> int:
    """Put failed effects back in the queue, at once. Returns how many."""
    failed = Effect.objects.select_for_update(no_key=True).filter(pk__in=list(effect_ids), state=Effect.State.FAILED)
    ids = list(failed.order_by("pk").values_list("pk", flat=True))
    Effect.objects.filter(pk__in=ids).update(state=Effect.State.WAITING, attempts=0, next_try_at=clock.now())
    if ids:
        _journal(ids, EffectEvent.Kind.RETRIED, by=by)
        later("oms.kernel.tasks.deliver_effects")
    return len(ids)


@transaction.atomic
def mark_done_by_hand(effect_id: int, *, note: str, by: User | None = None) -> bool:
    """A person did it elsewhere: close a failed effect with a note. False when it is no longer failed."""
    effect = Effect.objects.select_for_update(no_key=True).filter(pk=effect_id, state=Effect.State.FAILED).first()
    if effect is None:
        return False
    _close(effect, Effect.State.MANUAL_DONE, effect.last_error, note=note)
    _journal([effect_id], EffectEvent.Kind.BY_HAND, note, by=by)
    return True
