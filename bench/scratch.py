"""Databases of the benchmarks' own, so that nothing real is touched.

Loading a million orders takes longer than measuring among them, so each size is loaded once a run, into a template
that the modules read, or copy before they write.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

from django.core.management import call_command
from django.db import connection

TEMPLATE = "bench_template"

_made: dict[int, str] = {}  # number of stored orders → the template that holds them


@contextmanager
def scratch_database(name: str, *, orders: int = 0) -> Iterator[None]:
    """The default connection points to a fresh migrated database that holds so many orders, dropped at the end."""
    template = _template(orders)
    _on_the_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    _on_the_server(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        with _pointed_to(name):
            yield
    finally:
        _on_the_server(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def stored_orders(orders: int) -> Iterator[str]:
    """The default connection points to the template itself: for who changes no order. Yields the database's name."""
    name = _template(orders)
    with _pointed_to(name):
        yield name


def drop_templates() -> None:
    """At the end of a run."""
    for name in _made.values():
        _on_the_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    _made.clear()


def _template(orders: int) -> str:
    if orders not in _made:
        name = f"{TEMPLATE}_{orders}"
        connection.close()
        original = connection.settings_dict["NAME"]
        connection.settings_dict.setdefault("TEST", {})["NAME"] = name
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            if orders:
                call_command("load_orders", orders=orders, verbosity=0, stdout=StringIO())
        finally:
            _point_to(original)
        _made[orders] = name
    return _made[orders]


@contextmanager
def _pointed_to(name: str) -> Iterator[None]:
    original = connection.settings_dict["NAME"]
    _point_to(name)
    try:
        yield
    finally:
        _point_to(original)


def _point_to(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def _on_the_server(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)
