from collections.abc import Callable

import pytest
from django.db import connection


@pytest.fixture
def deadlocks() -> Callable[[], int]:
    """How many deadlocks this database has seen; read before and after, when the racers' connections are closed."""

    def read() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            return cursor.fetchone()[0]

    return read
