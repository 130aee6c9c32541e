"""The tests' database is made once and then copied, in a tenth of the time: by the other workers of a run, and by every
later run while the product's code is the same."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.apps import apps
from django.db import connections

from oms.runtime.places import BASE_DIR, places

PREFIX = "oms_made_"


def made_name() -> str:
    """Of the database to copy: another one as soon as a migration, or anything that one may use, differs."""
    told = hashlib.sha256(django.__version__.encode())
    for room in sorted({config.name.partition(".")[0] for config in apps.get_app_configs()}):
        for path in sorted((BASE_DIR / room).rglob("*.py")):
            told.update(str(path.relative_to(BASE_DIR)).encode() + path.read_bytes())
    return PREFIX + told.hexdigest()[:16]


class Made:
    """The database to copy. One process at a time makes it; the others wait for it."""

    def __init__(self) -> None:
        self.name = made_name()
        self._lock: int | None = os.open(places().data / "test-database.lock", os.O_RDWR | os.O_CREAT, 0o600)

    def offer(self) -> None:
        """Let Django copy it where it is there; else hold the lock until `keep`."""
        if self._lock is not None:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        if self._is_there():
            connections["default"].settings_dict["TEST"]["TEMPLATE"] = self.name
            self.leave()

    def keep(self, database: str) -> None:
        """Keep a copy of what was just made anew, unless it was itself copied, and none of former code."""
        if self._lock is None:
            return
        with _server() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
            for (former,) in cursor.fetchall():
                cursor.execute(f'DROP DATABASE IF EXISTS "{former}"')
            cursor.execute(f'CREATE DATABASE "{self.name}" TEMPLATE "{database}"')
        self.leave()

    def leave(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def _is_there(self) -> bool:
        with _server() as cursor:
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", [self.name])
            return cursor.fetchone() is not None


@contextmanager
def _server() -> Iterator[Any]:
    """A cursor that stands in none of the databases to copy."""
    connection = connections["default"]
    connection.close()
    with connection._nodb_cursor() as cursor:
        yield cursor
