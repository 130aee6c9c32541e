"""Real threads on the real database."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

Race = Callable[[int, Callable[[int], Any]], list[Any]]


@pytest.fixture
def race(transactional_db) -> Race:
    """`race(32, work)` calls work(0) … work(31) at once, each on a connection of its own.

    Returns what each returned or the exception it raised.
    """

    def run(count: int, work: Callable[[int], Any]) -> list[Any]:
        start = Barrier(count)

        def one(number: int) -> Any:
            try:
                connection.ensure_connection()
                start.wait(timeout=30)
                return work(number)
            except Exception as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    return run


@pytest.fixture
def deadlocks() -> Callable[[], int]:
    """How many deadlocks this database has seen; read before and after, when the racers' connections are closed."""

    def read() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            return cursor.fetchone()[0]

    return read
