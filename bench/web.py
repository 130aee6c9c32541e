"""受注一覧 over HTTP: the product's own server with two workers, four logged-in clients, a million orders stored.

The floor is the fifty-row page of `bench.desk` on the same server. Afterwards, with a day's requests behind them, the
workers' memory.
"""

import http.client
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

from django.conf import settings
from django.test import Client
from django.urls import reverse

from bench.desk import PAGES, WORDS
from bench.row import Row
from bench.scratch import stored_orders
from bench.servers import database_url, megabytes, running
from oms.kernel.models import User

STORED = 1_000_000
WORKERS, CLIENTS = 2, 4
ROUNDS, ROUND_S = 5, 3.0
DAY = 3_000  # requests each worker has answered when its memory is read, about a busy day of one person
WEB_MB, READY_S = 200, 60

MIXED = (
    *("pages:home", "orders:filter", "orders:inbox", "orders:mails", "fulfillment:list", "inventory:list"),
    *("customers:list", "pages:outbox"),
)


def run() -> list[Row]:
    """Two rows, in some two minutes."""
    with stored_orders(STORED), tempfile.TemporaryDirectory() as folder:
        cookie = _logged_in()
        port = _free_port()
        with running(_granian(port), _environment(), Path(folder, "web.log")) as server:
            _wait_until_up(port, cookie)
            row = _speed(port, cookie)
            _spend_a_day(port, cookie)
            worker_mb = max(megabytes(child) for child in server.children(recursive=True))
            return [row, memory_row("web worker", worker_mb, WEB_MB, f"{DAY:,} requests")]


def memory_row(what: str, found_mb: float, budget_mb: int, after: str) -> Row:
    """Judged against the budget; three quarters of it are the target."""
    name = f"memory of a {what} after {after}"
    return Row(name, found_mb, "MB", budget_mb, found_mb / budget_mb, 1, 0.75, lower_is_better=True)


def _granian(port: int) -> list[str]:
    return [
        *("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", str(WORKERS)),
        *("--blocking-threads", "4", "--no-ws", "bench.wsgi:application"),
    ]


def _environment() -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": database_url(), "OMS_ENV": "local"}


def _logged_in() -> str:
    client = Client()
    client.force_login(User.objects.get_or_create(username="bench", is_superuser=True)[0])
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(port: int, cookie: str) -> None:
    """Raises the last failure when the server does not answer in time."""
    until = time.monotonic() + READY_S
    while True:
        try:
            _Caller(port, cookie).get("/bench-floor/")
            return
        except (OSError, http.client.HTTPException):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


class _Caller:
    """One client with a kept connection."""

    def __init__(self, port: int, cookie: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"Cookie": cookie}

    def get(self, path: str) -> None:
        self.connection.request("GET", _quoted(path), headers=self.headers)
        response = self.connection.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}")


def _quoted(path: str) -> str:
    return "".join(char if ord(char) < 128 else "".join(f"%{byte:02X}" for byte in char.encode()) for char in path)


def _speed(port: int, cookie: str) -> Row:
    """Requests a second, floor and desk in turns; the best round of each."""
    _load(port, cookie, ["/bench-floor/", "/orders/"], seconds=2)  # and warm
    pairs = [
        [_load(port, cookie, [path], seconds=ROUND_S) / ROUND_S for path in ("/bench-floor/", "/orders/")]
        for _round in range(ROUNDS)
    ]
    floor, desk = max(pair[0] for pair in pairs), max(pair[1] for pair in pairs)
    name = f"desk over HTTP, {WORKERS} workers, {CLIENTS} clients, {STORED:,} orders"
    return Row(name, desk, "pages/s", floor, desk / floor, 0.35, 0.5)


def _spend_a_day(port: int, cookie: str) -> None:
    lists = [f"{reverse('orders:list')}{query}" for query in (PAGES | WORDS).values()]
    _load(port, cookie, [*lists, *map(reverse, MIXED)], requests=DAY * WORKERS)


def _load(port: int, cookie: str, paths: Sequence[str], *, seconds: float = 3600, requests: int = 10**9) -> int:
    """Have the clients ask for the paths in turn, for so long or so often; returns how many answers came."""
    done, failures = [0] * CLIENTS, []
    until = time.monotonic() + seconds

    def work(number: int) -> None:
        caller, asked = _Caller(port, cookie), _from(paths, number)
        try:
            while done[number] < requests / CLIENTS and time.monotonic() < until:
                caller.get(next(asked))
                done[number] += 1
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(done)


def _from(paths: Sequence[str], start: int) -> Iterator[str]:
    """The paths over and over; each client begins at another one."""
    at = start % len(paths)
    return cycle([*paths[at:], *paths[:at]])
