"""Renewing credentials in steps: enter, test, switch, verify; the old values are kept until they end.

Each step is stored before the next begins, so that a process may die anywhere and a person, or the sweep, goes on.
Where a new key ends the old one at once, the shop's functions rest from the first step until the new key has proved
itself; the import then goes on from where it stood. Locks: the connection, then its renewals.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from channels.connectors.contract import ChannelError
from channels.models import Connection, Credential, Renewal
from channels.services import credentials, pausing, shops, terms
from channels.services.patience import within
from oms.kernel import clock
from oms.kernel.later import later
from oms.kernel.models import User
from oms.kernel.said import said

State = Renewal.State

MOVES: Mapping[State, set[State]] = {
    State.PREPARED: {State.ENTERED, State.ABANDONED},
    State.ENTERED: {State.ENTERED, State.TESTED, State.ABANDONED},
    State.TESTED: {State.ENTERED, State.TESTED, State.SWITCHED, State.ABANDONED},
    State.SWITCHED: {State.KEPT, State.ROLLED_BACK, State.DONE},
    State.KEPT: {State.DONE, State.ROLLED_BACK},
}
KEPT_AT_LEAST = timedelta(days=1)
KEPT_WITHOUT_END = timedelta(days=7)
LOOK_AGAIN_AFTER = timedelta(minutes=1)


class NotNow(Exception):
    """The step does not fit the renewal as it is; the text says in plain words what to do."""


def open_renewal(connection: Connection) -> Renewal | None:
    return Renewal.objects.filter(connection=connection, state__in=Renewal.OPEN).first()


def kept(connection: Connection) -> Renewal | None:
    """The last switch whose old values are still there."""
    return Renewal.objects.filter(connection=connection, state=State.KEPT).order_by("-pk").first()


@transaction.atomic
def prepare(connection_id: int, *, by: User | None) -> Renewal:
    """Before the person issues a key that ends the old one: the shop's functions rest. Once prepared stays prepared."""
    connection = _lock(connection_id)
    if found := open_renewal(connection):
        return found
    paused = pausing.pause_all(connection, by=by)
    return _begin(connection, State.PREPARED, keys=[], fresh={}, overlap=False, paused=paused, by=by)


@transaction.atomic
def enter(connection_id: int, values: Mapping[str, str], *, by: User | None) -> Renewal:
    """The new values; nothing uses them yet. Entering again replaces what was entered. Raises NotNow."""
    connection = _lock(connection_id)
    stored = credentials.read(connection)
    fresh = {key: text for key, value in values.items() if (text := value.strip()) and text != stored.get(key)}
    if not fresh:
        raise NotNow(said("新しい値を入力してください。今と同じ値は更新になりません。"))
    renewal = open_renewal(connection)
    if renewal and renewal.state == State.SWITCHED:
        raise NotNow(said("前の切替がまだ終わっていません。確認するか、元に戻してから入力してください。"))
    overlap = terms.overlaps(connection.shop.channel, fresh)
    paused = [] if overlap else pausing.pause_all(connection, by=by)
    if renewal is None:
        return _begin(connection, State.ENTERED, keys=sorted(fresh), fresh=fresh, overlap=overlap, paused=paused, by=by)
    renewal.keys, renewal.fresh, renewal.overlap = sorted(fresh), credentials.seal(fresh), overlap
    renewal.paused, renewal.seen, renewal.error = sorted({*renewal.paused, *paused}), "", ""
    _move(renewal, State.ENTERED, by=by, save=["keys", "fresh", "overlap", "paused", "seen", "error"])
    return renewal


def test(renewal_id: int, *, by: User | None, limit_s: float | None = None) -> str:
    """Try the new values at the channel; the shop goes on with the old ones. Raises ChannelError (kept on the renewal)
    or NotNow. Returns what was seen."""
    renewal = Renewal.objects.select_related("connection__shop").get(pk=renewal_id)
    if renewal.state not in (State.ENTERED, State.TESTED):
        raise NotNow(said("テストできる新しい値がありません。"))
    connection, given = renewal.connection, bytes(renewal.fresh)
    values = credentials.read(connection) | credentials.unseal(given)
    connector = shops.connector_of(
        connection, values=values, purpose="renewal", save=lambda changed: _refresh(renewal_id, changed)
    )
    try:
        seen = within(connector.check, limit_s)
    except ChannelError as error:
        _note_test(renewal_id, "", error.cause, by=by)
        raise
    _note_test(renewal_id, seen, "", by=by)
    return seen


@transaction.atomic
def switch(renewal_id: int, *, by: User | None) -> Renewal:
    """From now on the new values are used; the old ones are kept. Raises NotNow unless they were tested well."""
    connection, renewal = _lock_renewal(renewal_id)
    if renewal.state != State.TESTED:
        raise NotNow(said("先に新しい値をテストしてください。"))
    stored, fresh = credentials.read(connection), credentials.unseal(bytes(renewal.fresh))
    old = {key: stored[key] for key in fresh if stored.get(key)}
    renewal.old, renewal.old_dates = credentials.seal(old), terms.dates_of(connection, fresh)
    renewal.old_until, renewal.switched_at = _end_of_old(connection, fresh), clock.now()
    Renewal.objects.filter(connection=connection, state=State.KEPT).update(  # one step back is enough
        state=State.DONE, fresh=b"", old=b"", moved_at=clock.now()
    )
    _move(renewal, State.SWITCHED, by=by, save=["old", "old_dates", "old_until", "switched_at"])
    credentials.put(connection, stored | fresh, by=by)
    terms.begin(connection, list(fresh), by=by)
    return renewal


def verify(renewal_id: int, *, by: User | None, limit_s: float | None = None) -> str:
    """After the switch: one call with what is stored now. When it is good the paused functions run again and the
    import catches up. Raises ChannelError (kept on the renewal) or NotNow."""
    renewal = Renewal.objects.select_related("connection__shop").get(pk=renewal_id)
    if renewal.state != State.SWITCHED:
        raise NotNow(said("切替の確認は済んでいます。"))
    connector = shops.connector_of(renewal.connection, purpose="renewal")
    try:
        seen = within(connector.check, limit_s)
    except ChannelError as error:
        Renewal.objects.filter(pk=renewal_id, state=State.SWITCHED).update(
            error=error.cause[:500], moved_at=clock.now()
        )
        shops.note_failure(renewal.connection, error)
        raise
    _settle(renewal_id, seen, by=by)
    return seen


@transaction.atomic
def roll_back(renewal_id: int, *, by: User | None) -> Renewal:
    """The old values again, with their dates; what the renewal paused runs again. Raises NotNow when they are gone."""
    connection, renewal = _lock_renewal(renewal_id)
    if renewal.state not in (State.SWITCHED, State.KEPT):
        raise NotNow(said("元に戻せる値がありません。"))
    stored, old = credentials.read(connection), credentials.unseal(bytes(renewal.old))
    values = {key: value for key, value in stored.items() if key not in renewal.keys} | old
    credentials.put(connection, values, by=by)
    terms.bring_back(connection, renewal.old_dates)
    _end(connection, renewal, State.ROLLED_BACK, by=by)
    return renewal


@transaction.atomic
def abandon(renewal_id: int, *, by: User | None) -> Renewal:
    """Give up before the switch; what the renewal paused runs again. Raises NotNow after the switch."""
    connection, renewal = _lock_renewal(renewal_id)
    if State.ABANDONED not in MOVES.get(State(renewal.state), set()):
        raise NotNow(said("切替は済んでいます。「元に戻す」を使ってください。"))
    _end(connection, renewal, State.ABANDONED, by=by)
    return renewal


@transaction.atomic
def finish(renewal_id: int, *, by: User | None) -> Renewal:
    """The old values are needed no more and go. Raises NotNow before the new ones have proved themselves."""
    connection, renewal = _lock_renewal(renewal_id)
    if renewal.state != State.KEPT:
        raise NotNow(said("切替の確認が終わってから完了にしてください。"))
    _end(connection, renewal, State.DONE, by=by)
    return renewal


@transaction.atomic
def drop(connection_id: int, *, by: User | None) -> None:
    """The shop's address changed: values typed for the old address end here, on whichever step they are."""
    connection = _lock(connection_id)
    for renewal in Renewal.objects.filter(connection=connection, state__in=MOVES).order_by("pk"):
        ending = State.ABANDONED if State.ABANDONED in MOVES[State(renewal.state)] else State.DONE
        _end(connection, renewal, ending, by=by)


@transaction.atomic
def overtaken(connection_id: int, keys: Sequence[str]) -> None:
    """A person typed other values for these keys: the way back to the values before would undo that."""
    Renewal.objects.filter(connection=connection_id, state=State.KEPT, keys__overlap=list(keys)).update(
        state=State.DONE, fresh=b"", old=b"", moved_at=clock.now()
    )


def sweep() -> None:
    """Go on where a process died after a switch, and end what has been kept long enough."""
    now = clock.now()
    waiting = Renewal.objects.filter(state=State.SWITCHED, moved_at__lt=now - LOOK_AGAIN_AFTER)
    for renewal_id in waiting.filter(connection__shop__active=True).values_list("pk", flat=True):
        try:
            verify(renewal_id, by=None)
        except (ChannelError, NotNow):
            continue  # kept on the renewal; the next round tries again
    for renewal_id in Renewal.objects.filter(state=State.KEPT, old_until__lte=now).values_list("pk", flat=True):
        try:
            finish(renewal_id, by=None)
        except NotNow:
            continue  # a person was quicker


def _lock(connection_id: int) -> Connection:
    rows = Connection.objects.select_for_update(no_key=True, of=("self",)).select_related("shop")
    return rows.get(pk=connection_id)


def _lock_renewal(renewal_id: int) -> tuple[Connection, Renewal]:
    connection = _lock(Renewal.objects.values_list("connection", flat=True).get(pk=renewal_id))
    return connection, Renewal.objects.select_for_update(no_key=True).get(pk=renewal_id)


def _begin(
    connection: Connection,
    state: State,
    *,
    keys: list[str],
    fresh: Mapping[str, str],
    overlap: bool,
    paused: list[str],
    by: User | None,
) -> Renewal:
    now = clock.now()
    renewal = Renewal.objects.create(
        connection=connection,
        state=state,
        keys=keys,
        fresh=credentials.seal(fresh),
        overlap=overlap,
        paused=paused,
        started_at=now,
        started_by=by,
        moved_at=now,
    )
    shops.journal(connection, f"renewal_{state}", keys=", ".join(keys), by=by)
    return renewal


def _move(
    renewal: Renewal, to: State, *, by: User | None, save: Sequence[str] = (), text: str = "", kind: str = ""
) -> None:
    """Raises NotNow for a move that the table does not have: a forbidden move is never silent."""
    if to not in MOVES.get(State(renewal.state), set()):
        raise NotNow(said("この更新はすでに次の段階へ進んでいます。画面を読み込み直してください。"))
    renewal.state, renewal.moved_at = to, clock.now()
    renewal.save(update_fields=["state", "moved_at", *save])
    shops.journal(renewal.connection, kind or f"renewal_{to}", text, keys=", ".join(renewal.keys), by=by)


def _end(connection: Connection, renewal: Renewal, state: State, *, by: User | None) -> None:
    paused, renewal.paused, renewal.fresh, renewal.old = renewal.paused, [], b"", b""
    _move(renewal, state, by=by, save=["paused", "fresh", "old"])
    pausing.resume(connection, paused, by=by)
    pausing.wake(connection)


@transaction.atomic
def _note_test(renewal_id: int, seen: str, error: str, *, by: User | None) -> None:
    _connection, renewal = _lock_renewal(renewal_id)
    if renewal.state not in (State.ENTERED, State.TESTED):
        raise NotNow(said("この更新はすでに次の段階へ進んでいます。画面を読み込み直してください。"))
    renewal.seen, renewal.error = seen[:500], error[:500]
    to = State.ENTERED if error else State.TESTED
    _move(renewal, to, by=by, save=["seen", "error"], text=error or seen, kind="renewal_failed" if error else "")


@transaction.atomic
def _refresh(renewal_id: int, changed: Mapping[str, str]) -> None:
    """The channel replaced a token during the test: the replacement is what will be switched to."""
    _connection, renewal = _lock_renewal(renewal_id)
    fresh = credentials.unseal(bytes(renewal.fresh)) | dict(changed)
    renewal.fresh, renewal.keys = credentials.seal(fresh), sorted(fresh)
    renewal.save(update_fields=["fresh", "keys"])


@transaction.atomic
def _settle(renewal_id: int, seen: str, *, by: User | None) -> None:
    connection, renewal = _lock_renewal(renewal_id)
    if renewal.state != State.SWITCHED:  # another process saw the same
        return
    paused, renewal.paused, renewal.fresh = renewal.paused, [], b""
    renewal.seen, renewal.error = seen[:500], ""
    _move(renewal, State.KEPT, by=by, save=["paused", "fresh", "seen", "error"], text=seen)
    shops.note_success(connection)
    pausing.resume(connection, paused, by=by)
    pausing.wake(connection)
    later("channels.tasks.pull", connection.pk)


def _end_of_old(connection: Connection, keys: Mapping[str, str]) -> datetime:
    """Until the first of the old values ends, but a day at least: the way back must stand for a working day."""
    now = clock.now()
    rows = Credential.objects.filter(connection=connection, key__in=list(keys), expires_at__isnull=False)
    ends = [end for end in rows.values_list("expires_at", flat=True) if end is not None]
    return max(min(ends), now + KEPT_AT_LEAST) if ends else now + KEPT_WITHOUT_END
