"""Set-based writing: one COPY or one UPDATE … FROM unnest for many rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import OperationalError, connection
from psycopg import sql
from psycopg.errors import DeadlockDetected, LockNotAvailable
from psycopg.types.json import Jsonb

from oms.kernel.said import Said, stored


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows by COPY. Dictionaries become jsonb, lists arrays; a
    sentence (`oms.kernel.said`) keeps its form, so its column is a `SaidField`. Raises the usual integrity errors."""
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row([_plain(value) for value in row])


def update_rows(table: str, types: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> int:
    """Update rows of `table` by id. `types` maps each written column to its SQL type, in the order of the row's
    values after the id. The rows must be locked by the caller already. Returns how many rows changed."""
    if not rows:
        return 0
    columns = list(types)
    statement = sql.SQL(
        "UPDATE {table} AS t SET {sets} FROM unnest({arrays}) AS v(id, {names}) WHERE t.id = v.id"
    ).format(
        table=sql.Identifier(table),
        sets=sql.SQL(", ").join(sql.SQL("{0} = v.{0}").format(sql.Identifier(name)) for name in columns),
        arrays=sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.SQL(kind)) for kind in ["bigint", *types.values()]),
        names=sql.SQL(", ").join(map(sql.Identifier, columns)),
    )
    values = [[_plain(value) for value in column] for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return Jsonb(value)
    return stored(value) if isinstance(value, Said) else value


def next_ids(table: str, count: int) -> list[int]:
    """Ids for rows to be inserted by COPY, taken from the table's own sequence, ascending."""
    if count == 0:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return sorted(row[0] for row in cursor.fetchall())


def was_in_the_way(error: Exception) -> bool:
    """Whether another transaction kept this one from its locks (a deadlock, a lock held for long): the same again may
    go well."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, DeadlockDetected | LockNotAvailable)
