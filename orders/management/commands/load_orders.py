import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from typing import Any

from django.core.management.base import CommandParser
from django.db import connection, transaction
from psycopg import sql

from inventory.services.catalogue import ProductRow, SkuRow, upsert_products, upsert_skus
from oms.kernel import clock
from oms.kernel.commands import JsonCommand
from oms.kernel.text import search_text, search_word
from orders.management.commands import _load_sql as statements
from orders.management.commands import _load_words as words
from orders.models import Shop
from orders.services.stage import fold_counts

CHUNK = 50_000
WORTH_REBUILDING = 20_000  # from so many orders on it is quicker to build the indexes afterwards
TABLES = ("orders_order", "orders_recipient", "orders_orderline", "orders_reviewreason")
SHOPS = (
    ("load-amazon", "Amazon店", "amazon", "Amazon", "250-"),
    ("load-rakuten", "楽天市場店", "rakuten", "楽天市場", "401122-"),
    ("load-yahoo", "Yahoo!店", "yahoo", "Yahoo!ショッピング", "kagu-"),
    ("load-qoo10", "Qoo10店", "qoo10", "Qoo10", "7"),
    ("load-own", "自社ストア", "futureshop", "futureshop", "FS"),
)


class Command(JsonCommand):
    help = "Fill a scratch database with plausible orders, to measure lists and search. No stock stands behind them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--orders", type=int, required=True, help="how many to add")

    def run(self, **options: Any) -> dict[str, Any]:
        began = time.monotonic()
        wanted = options["orders"]
        values = {**_words(), **_goods(), **_shops(), "now": clock.now()}
        first = _last_number() + 1
        last = first + wanted - 1
        values |= {
            "family_count": len(values["families"]),
            "given_count": len(values["given"]),
            "place_count": len(values["cities"]),
            "shop_count": len(values["shops"]),
            "good_count": len(values["goods"]),
            "remark_count": len(values["remarks"]),
        }
        with _plain_inserts(rebuild=wanted >= WORTH_REBUILDING), _lists(values):
            for start in range(first, last + 1, CHUNK):
                self._load(values | {"first": start, "last": min(start + CHUNK - 1, last), "total": last})
                if options["verbosity"] > 0:
                    self.progress(f"{min(start + CHUNK - 1, last) - first + 1:,} / {wanted:,}")
        fold_counts()
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
        seconds = time.monotonic() - began
        return {"orders": wanted, "seconds": round(seconds, 1), "orders_per_s": round(wanted / seconds)}

    @transaction.atomic
    def _load(self, values: dict[str, Any]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statements.BATCH, values)
            cursor.execute(statements.ORDERS, values)
            for statement in (statements.RECIPIENTS, statements.LINES, statements.REASONS, statements.COUNTS):
                cursor.execute(statement)


def _last_number() -> int:
    """The number of the last loaded order; loads continue where the one before ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(substring(channel_order_no FROM '-([0-9]{9})$')::bigint), 0) FROM orders_order"
            " WHERE shop_id = ANY(%s) AND id > (SELECT coalesce(max(id), 0) - 100000 FROM orders_order)",
            [list(Shop.objects.filter(code__startswith="load-").values_list("pk", flat=True))],
        )
        return int(cursor.fetchone()[0])


def _words() -> dict[str, Any]:
    families = list(
        chain.from_iterable(
            repeat((name, kana), int(weight))
            for name, kana, weight in (entry.split() for entry in words.FAMILIES.split(","))
        )
    )
    given = [tuple(entry.split()) for entry in words.GIVEN.split(",")]
    places = list(
        chain.from_iterable(
            repeat((prefecture, city, postal), int(weight))
            for prefecture, city, postal, weight in (entry.split() for entry in words.PLACES.split(","))
        )
    )
    return {
        "families": [name for name, _kana in families],
        "family_kana": [kana for _name, kana in families],
        "family_keys": [search_word(name) for name, _kana in families],
        "given": [name for name, _kana in given],
        "given_kana": [kana for _name, kana in given],
        "given_keys": [search_word(name) for name, _kana in given],
        "prefectures": [place[0] for place in places],
        "cities": [place[1] for place in places],
        "postal": [place[2] for place in places],
        "remarks": list(words.REMARKS),
    }


def _goods() -> dict[str, Any]:
    goods = [entry.split() for entry in words.GOODS.split(",")]
    upsert_products([ProductRow(code, name, *_kind(code, rate)) for code, name, _price, rate in goods])
    ids = upsert_skus(
        [
            SkuRow(
                code,
                code,
                name,
                price=int(price),
                tax_rate=int(rate),
                temperature="frozen" if code.startswith("FISH") else "ambient",
                cost=int(price) // 2,
                supplier="食品問屋" if rate == "8" else "雑貨問屋",
                weight_g=int(price) // 10,
            )
            for code, name, price, rate in goods
        ]
    )
    return {
        "skus": [ids[code] for code, *_rest in goods],
        "codes": [code for code, *_rest in goods],
        "good_keys": [search_text(code, name) for code, name, *_rest in goods],
        "goods": [name for _code, name, *_rest in goods],
        "prices": [int(price) for _code, _name, price, _rate in goods],
        "rates": [int(rate) for *_rest, rate in goods],
    }


def _kind(code: str, rate: str) -> tuple[str, str]:
    """Brand and category."""
    return "刃物の店" if code.startswith("KNIFE") else "くらしの品", "食品" if rate == "8" else "雑貨"


def _shops() -> dict[str, Any]:
    ids = [
        Shop.objects.get_or_create(
            code=code, defaults={"name": name, "channel": channel, "channel_label": label, "capabilities": {}}
        )[0].pk
        for code, name, channel, label, _head in SHOPS
    ]
    heads = [head for *_rest, head in SHOPS]
    return {"shops": ids, "heads": heads, "head_keys": [search_word(head) for head in heads]}


@contextmanager
def _lists(values: dict[str, Any]) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(statements.LISTS, values)
        yield
        cursor.execute(statements.FORGET)


# `enable_nestloop`: the planner takes every join by a remainder for one row and would loop over the lists.
SETTINGS = {
    "synchronous_commit": "off",
    "enable_nestloop": "off",
    "work_mem": "128MB",
    "maintenance_work_mem": "512MB",
}


@contextmanager
def _plain_inserts(*, rebuild: bool) -> Iterator[None]:
    """Inside, foreign keys are not checked row by row, and with `rebuild` only the unique indexes are kept up."""
    dropped = _drop_indexes() if rebuild else []
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        settings = SETTINGS | ({"session_replication_role": "replica"} if cursor.fetchone()[0] else {})
        for name, value in settings.items():
            cursor.execute(f"SET {name} = '{value}'")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for definition in dropped:
                cursor.execute(definition)
            for name in settings:
                cursor.execute(f"RESET {name}")


def _drop_indexes() -> list[str]:
    """Drop what no constraint needs; returns how to make it again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
            " JOIN pg_class t ON t.oid = i.indrelid"
            " WHERE t.relname = ANY(%s) AND NOT i.indisunique",
            [list(TABLES)],
        )
        found = cursor.fetchall()
        for name, _definition in found:
            cursor.execute(f"DROP INDEX {name}")
    return [definition for _name, definition in found]
