"""Stock through the door against bare psycopg statements on a bare table, in a scratch database, interleaved.

The floor writes only the balance (and, for grants, one bare row per line); the door also locks sorted, judges, and
writes ledger and marks.
"""

import threading
import time
from collections.abc import Callable
from itertools import count

import psycopg
from django.db import connection

from bench.row import Row
from bench.scratch import scratch_database
from inventory.models import Location, Product, Sku
from inventory.services import stock

ROUNDS = 5
ROUND_S = 0.8
WRITERS = 16
SKUS = 500
PLENTY = 1_000_000_000

Step = Callable[[], int]

BARE = """
CREATE TABLE bench_bare (id bigint PRIMARY KEY, on_hand int NOT NULL, reserved int NOT NULL) WITH (fillfactor = 70);
CREATE TABLE bench_line (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, balance_id bigint, ref text NOT NULL);
INSERT INTO bench_bare SELECT n, 1000000000, 0 FROM generate_series(1, 1000) n
"""


def run() -> list[Row]:
    """Three rows, in about half a minute."""
    with scratch_database("bench_stock"):
        places, pools = _stocked()
        with connection.cursor() as cursor:
            cursor.execute(BARE)
            cursor.execute("ANALYZE")
        return [hot_sku(pools[0]), batch_update(places, pools), batch_grant(pools)]


def _stocked() -> tuple[list[int], list[int]]:
    """Place and pool balances of `SKUS` SKUs with plenty of stock."""
    depot = Location.objects.create(code="bench", name="bench")
    product = Product.objects.create(code="bench", name="bench")
    skus = Sku.objects.bulk_create(Sku(product=product, code=f"bench-{n}", name="bench") for n in range(SKUS))
    stock.receive([stock.Fact(sku.pk, depot.pk, PLENTY, "bench") for sku in skus])
    ids = [sku.pk for sku in skus]
    return list(stock.place_ids((sku, depot.pk) for sku in ids).values()), list(stock.pool_ids(ids).values())


def hot_sku(pool: int) -> Row:
    """One unit of one SKU per transaction, many writers."""

    def door(_raw: psycopg.Connection) -> Step:
        refs = count()

        def step() -> int:
            stock.reserve({pool: 1}, ref=f"line:{next(refs)}")
            return 1

        return step

    def bare(raw: psycopg.Connection) -> Step:

        def step() -> int:
            return raw.execute(
                "UPDATE bench_bare SET reserved = reserved + 1 WHERE id = %s AND on_hand - reserved >= 1", [1]
            ).rowcount

        return step

    return _compared("hot SKU, 16 writers", "orders/s", door, bare, writers=WRITERS, must=0.17, target=0.45)


def batch_update(places: list[int], pools: list[int]) -> Row:
    """1,000 balance rows of 500 SKUs, place and pool, one more unit each."""
    ids = places + pools

    def door(_raw: psycopg.Connection) -> Step:
        def step() -> int:
            stock.apply([stock.Change(balance_id, on_hand=1, ref="bench") for balance_id in ids], kind="receive")
            return len(ids)

        return step

    def bare(raw: psycopg.Connection) -> Step:
        rows, ones = list(range(1, len(ids) + 1)), [1] * len(ids)

        def step() -> int:
            return raw.execute(
                "UPDATE bench_bare b SET on_hand = b.on_hand + u.units"
                " FROM unnest(%s::bigint[], %s::int[]) AS u(id, units) WHERE u.id = b.id",
                [rows, ones],
            ).rowcount

        return step

    return _compared("stock update, batch 1,000", "rows/s", door, bare, writers=1, must=0.15, target=0.35)


def batch_grant(pools: list[int]) -> Row:
    """200 one-line orders per transaction over 50 SKUs, first come first served."""
    lines = 200

    def door(_raw: psycopg.Connection) -> Step:
        batches = count()

        def step() -> int:
            batch = next(batches)
            wants = [stock.Request.of(f"line:{batch}.{n}", pools[n % 50], 1, n) for n in range(lines)]
            return len(stock.grant(wants, kind="reserve"))

        return step

    def bare(raw: psycopg.Connection) -> Step:
        ids = [n % 50 + 1 for n in range(lines)]

        def step() -> int:
            return raw.execute(
                "WITH line AS (SELECT * FROM unnest(%s::bigint[], %s::text[]) AS l(id, ref)),"
                " moved AS (UPDATE bench_bare b SET reserved = b.reserved + l.units"
                "   FROM (SELECT id, count(*)::int AS units FROM line GROUP BY id) l WHERE l.id = b.id)"
                " INSERT INTO bench_line (balance_id, ref) SELECT id, ref FROM line",
                [ids, [f"line:{n}" for n in range(lines)]],
            ).rowcount

        return step

    return _compared("batch allocator, 200 orders", "orders/s", door, bare, writers=1, must=0.10, target=0.20)


def _raw_connection() -> psycopg.Connection:
    return psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}, autocommit=True)


def _compared(
    name: str,
    unit: str,
    door: Callable[[psycopg.Connection], Step],
    bare: Callable[[psycopg.Connection], Step],
    *,
    writers: int,
    must: float,
    target: float,
) -> Row:
    """The best of some rounds each, taken in turns, so that a slow moment of the machine meets both."""
    pairs = [(_rate(door, writers), _rate(bare, writers)) for _round in range(ROUNDS)]
    value, baseline = max(rate for rate, _ in pairs), max(rate for _, rate in pairs)
    return Row(name, value, unit, baseline, value / baseline, must, target)


def _rate(make_step: Callable[[psycopg.Connection], Step], writers: int) -> float:
    """Units done per second by so many threads, each with connections of its own; a failure of one is raised."""
    done, failures = [0] * writers, []
    start = threading.Barrier(writers + 1)
    stop = threading.Event()

    def work(number: int) -> None:
        try:
            with _raw_connection() as raw:
                step = make_step(raw)
                connection.ensure_connection()
                start.wait(timeout=30)
                while not stop.is_set():
                    done[number] += step()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(writers)]
    for thread in threads:
        thread.start()
    start.wait(timeout=30)
    began = time.perf_counter()
    time.sleep(ROUND_S)
    stop.set()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(done) / (time.perf_counter() - began)
