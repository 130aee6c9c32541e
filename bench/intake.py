"""Orders from raw payloads through to their stage, against a bare COPY of the same rows in the same run.

The payloads are a mall's own JSON for orders of three lines; each goes the whole way: archived encrypted, parsed,
de-duplicated, member matched, reasons checked, stock promised, journaled, mail and notices queued.
"""

import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import connection

from bench.intake_payloads import SKUS, payloads
from bench.row import Row
from bench.scratch import scratch_database
from channels.connectors.contract import RawOrder
from channels.models import Connection
from channels.services import intake, shops
from inventory.models import Location, Sku
from inventory.services import stock
from inventory.services.catalogue import ProductRow, SkuRow, upsert_products, upsert_skus

BATCH = 500
ROUNDS = 6
TABLES = (
    "orders_order", "orders_recipient", "orders_orderline", "orders_orderevent", "orders_reviewreason", "orders_mail",
    "kernel_effect", "channels_raworder", "customers_member", "customers_identity", "inventory_entry",
)  # fmt: skip
STORED = (100_000, 1_000_000)


def run() -> list[Row]:
    """One row per number of stored orders."""
    rows = []
    for size in STORED:
        with scratch_database("bench_intake", orders=size):
            rows.append(measure(prepare(), f"intake, 3-line orders at {size:,} stored"))
    return rows


def prepare() -> Connection:
    depot = Location.objects.create(code="bench", name="bench", sells_online=True)
    upsert_products([ProductRow("bench", "bench")])
    upsert_skus([SkuRow(code, "bench", code) for code in SKUS])
    skus = Sku.objects.filter(code__in=SKUS).values_list("pk", flat=True)
    stock.receive([stock.Fact(sku, depot.pk, 10_000_000, "bench") for sku in skus])
    values = {"service_secret": "SP000000_bench", "license_key": "SL000000_bench", "shop_url": "bench"}
    return shops.add_shop("bench", channel="rakuten", values=values)


@dataclass
class Clock:
    orders: int = 0
    seconds: float = 0

    @property
    def rate(self) -> float:
        return self.orders / self.seconds


def measure(shop: Connection, name: str) -> Row:
    """Batches through the intake and the same rows by COPY, in turns."""
    taken, copied = Clock(), Clock()
    connector = shops.connector_of(shop)
    for number, raws in enumerate(islice(batches(start=0), ROUNDS + 1)):
        marks = _marks()
        began = time.perf_counter()
        pulled = intake.Pulled()
        intake.take_raw(shop, connector, raws, pulled)
        elapsed = time.perf_counter() - began
        if pulled.created != len(raws):
            raise RuntimeError(f"only {pulled} of {len(raws)} orders were taken in")
        spent = _copy_same(marks)
        if number:  # the first batch warms up
            taken.orders, taken.seconds = taken.orders + len(raws), taken.seconds + elapsed
            copied.orders, copied.seconds = copied.orders + len(raws), copied.seconds + spent
    return Row(name, taken.rate, "orders/s", copied.rate, taken.rate / copied.rate, 0.04, 0.10)


def batches(start: int) -> Iterator[list[RawOrder]]:
    """Batches of raw orders without end; their numbers count from `start`."""
    source = payloads(start=start)
    while True:
        orders = [next(source) for _ in range(BATCH)]
        yield [
            RawOrder(order["orderNumber"], json.dumps(order, ensure_ascii=False), "application/json")
            for order in orders
        ]


def _marks() -> dict[str, int]:
    with connection.cursor() as cursor:
        marks = {}
        for table in TABLES:
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
            marks[table] = cursor.fetchone()[0]
        return marks


def _copy_same(marks: dict[str, int]) -> float:
    """Seconds that bare COPYs of the rows written since `marks` take into tables without index or constraint."""
    spent = 0.0
    with connection.cursor() as cursor:
        for table, mark in marks.items():
            data = io.BytesIO()
            with cursor.copy(f"COPY (SELECT * FROM {table} WHERE id > {mark}) TO STDOUT") as out:
                for block in out:
                    data.write(block)
            cursor.execute(f"CREATE TABLE IF NOT EXISTS bare_{table} AS SELECT * FROM {table} WHERE false")
            began = time.perf_counter()
            with cursor.copy(f"COPY bare_{table} FROM STDIN") as into:
                into.write(data.getvalue())
            spent += time.perf_counter() - began
    return spent
