"""数字 over 90 days among a million orders, and 100,000 lines of products moved in."""

import io
import time
from collections.abc import Callable

from django.test import Client, override_settings

from bench.row import Row
from bench.scratch import scratch_database
from oms.kernel.models import User
from oms.pages.services import figures
from orders.models import MoveIn
from orders.services import moving_in

ORDERS, LINES = 1_000_000, 100_000
PAGE_MS = 300


def run() -> list[Row]:
    with scratch_database("bench_numbers", orders=ORDERS), override_settings(ALLOWED_HOSTS=["*"]):
        person = User.objects.create_user("bench-numbers", is_superuser=True)
        swept = _seconds(figures.refresh)
        client = Client()
        client.force_login(person)
        page = min(_seconds(lambda: client.get("/numbers/?period=90")) for _ in range(5)) * 1000
        moved = _seconds(lambda: _move_in(person))
    return [
        Row("numbers, 90 days of 1,000,000 orders", page, "ms", PAGE_MS, page / PAGE_MS, 1, 0.5, lower_is_better=True),
        Row("numbers, first count", ORDERS / swept, "orders/s", 0, 0, 0, 0),
        Row("moving in, 100,000 products", LINES / moved, "lines/s", 0, 0, 0, 0),
    ]


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _move_in(person: User) -> None:
    lines = ["商品コード,商品名,価格", *(f"NEW-{n:06},品 {n},{n}" for n in range(LINES))]
    move = moving_in.read(io.BytesIO("\n".join(lines).encode()), name="bench.csv", kind="products", by=person)
    moving_in.map_columns(move, move.mapping, shop=None, location=None, by=person)
    MoveIn.objects.filter(pk=move.pk).update(state=MoveIn.State.RUNNING)
    moving_in.work(move.pk)
