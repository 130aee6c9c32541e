"""The world on disk: one SQLite file, written with every change, so that `kill -9` loses nothing."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (channel TEXT, number TEXT, body TEXT, PRIMARY KEY (channel, number));
CREATE TABLE IF NOT EXISTS shown (channel TEXT, key TEXT, body TEXT, PRIMARY KEY (channel, key));
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, body TEXT);
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, body TEXT);
CREATE TABLE IF NOT EXISTS told (id INTEGER PRIMARY KEY, body TEXT);
"""


class Store:
    """Rows of JSON. Not thread-safe: the world calls it under its lock and ends each change with `commit`.

    The file survives the end of the process at any moment; `synchronous=OFF` leaves only a power cut uncovered,
    which a sandbox may forget.
    """

    def __init__(self, path: Path | str | None) -> None:
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(SCHEMA)
        self._open = False

    def put(self, table: str, key: tuple[Any, ...], body: Any) -> None:
        """Insert or replace one row."""
        self._begin()
        marks = ",".join("?" * (len(key) + 1))
        self._db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", (*key, json.dumps(body)))

    def drop_event(self, event_id: int) -> None:
        self._begin()
        self._db.execute("DELETE FROM events WHERE id = ?", (event_id,))

    def forget_told(self, before: int) -> None:
        """Drop journal entries with a smaller number."""
        self._begin()
        self._db.execute("DELETE FROM told WHERE id < ?", (before,))

    def rows(self, table: str) -> Iterator[tuple[Any, ...]]:
        """(key…, body) of all rows in order of insertion."""
        for *key, body in self._db.execute(f"SELECT * FROM {table} ORDER BY rowid"):
            yield (*key, json.loads(body))

    def commit(self) -> None:
        if self._open:
            self._db.execute("COMMIT")
            self._open = False

    def roll_back(self) -> None:
        """Forget what was put since the last commit."""
        if self._open:
            self._db.execute("ROLLBACK")
            self._open = False

    def close(self) -> None:
        self.commit()
        self._db.close()

    def _begin(self) -> None:
        if not self._open:
            self._db.execute("BEGIN")
            self._open = True
