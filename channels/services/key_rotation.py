"""Re-encrypting everything with the first key, in batches that may stop and go on."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.db import connection as database
from django.db import transaction
from psycopg import sql

from channels.models import KeyRotation
from oms.kernel import clock

# Every column that is encrypted with OMS_ENCRYPTION_KEYS, by table.
SEALED: Mapping[str, tuple[str, ...]] = {
    "channels_connection": ("secrets",),
    "channels_renewal": ("fresh", "old"),
    "channels_raworder": ("payload",),
    "kernel_secondstep": ("secret",),
}


@dataclass
class Rotated:
    """`unreadable` counts values that no configured key opens: their key must come back first."""

    seen: int = 0
    changed: int = 0
    unreadable: int = 0


def rotate(keys: list[str], *, batch: int = 500, anew: bool = False) -> Iterator[tuple[str, Rotated]]:
    """Bring each table to the first key; yields (table, what was done) after each batch.

    A stopped run goes on where it stood; a finished one looks at newer rows only. `anew` looks at every row again.
    Locks the rows of one batch, by id.
    """
    fingerprint = hashlib.sha256(keys[0].encode()).hexdigest()[:16]
    for table, columns in SEALED.items():
        row, _created = KeyRotation.objects.get_or_create(fingerprint=fingerprint, table=table)
        # The others are few rows that are rewritten in place: what was looked at once may be old again.
        position = 0 if anew or table != "channels_raworder" else row.position
        while True:
            done, last = _batch(table, columns, keys, position, batch)
            if last is None:
                KeyRotation.objects.filter(pk=row.pk).update(done_at=clock.now())
                break
            position = last
            if done.unreadable == 0:  # else the next run looks at these rows again
                KeyRotation.objects.filter(pk=row.pk).update(position=position, done_at=None)
            yield table, done


@transaction.atomic
def _batch(table: str, columns: tuple[str, ...], keys: list[str], after: int, size: int) -> tuple[Rotated, int | None]:
    done, first, box = Rotated(), Fernet(keys[0]), MultiFernet([Fernet(key) for key in keys])
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with database.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT id, {} FROM {} WHERE id > %s ORDER BY id LIMIT %s FOR NO KEY UPDATE").format(
                names, sql.Identifier(table)
            ),
            [after, size],
        )
        rows = cursor.fetchall()
        for pk, *values in rows:
            fresh = [_resealed(bytes(value), first, box, done) for value in values]
            if any(value is not None for value in fresh):
                sets = sql.SQL(", ").join(sql.SQL("{0} = coalesce(%s, {0})").format(sql.Identifier(c)) for c in columns)
                cursor.execute(
                    sql.SQL("UPDATE {} SET {} WHERE id = %s").format(sql.Identifier(table), sets), [*fresh, pk]
                )
    return done, rows[-1][0] if rows else None


def _resealed(value: bytes, first: Fernet, box: MultiFernet, done: Rotated) -> bytes | None:
    """The value under the first key, or None when it is so already, is empty, or cannot be read."""
    if not value:
        return None
    done.seen += 1
    try:
        first.extract_timestamp(value)  # checks the signature without decrypting
        return None
    except InvalidToken:
        pass
    try:
        fresh = box.rotate(value)
    except InvalidToken:
        done.unreadable += 1
        return None
    done.changed += 1
    return fresh
