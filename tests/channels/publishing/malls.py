"""Malls that show what they are told, sell, and can be asked; one per shop."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from channels.connectors.contract import ChannelDown, StockAdjust, StockPush, StockResult
from channels.models import Connection
from channels.services import intake, shops
from orders.channel_order import ChannelOrder
from orders.models import Order
from orders.services.intake import take_in
from orders.services.intake_rows import Mapped
from tests.channels.builders import make_connection
from tests.orders.builders import make_channel_order, make_line


@dataclass
class Capabilities:
    stock_batch: int = 100
    relative_stock: bool = False


@dataclass
class Mall:
    """`shows` is what a buyer sees; `requests` is every call as it came."""

    capabilities: Capabilities = field(default_factory=Capabilities)
    shows: dict[str, int] = field(default_factory=dict)
    requests: list[list[StockPush]] = field(default_factory=list)
    adjusted: list[StockAdjust] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    down: bool = False

    def push_stock(self, items: Any) -> Iterator[StockResult]:
        if self.down:
            raise ChannelDown("モールがメンテナンス中です。")
        batch = list(items)
        self.requests.append(batch)
        for item in batch:
            if item.listing_code in self.refuses:
                yield StockResult(item.listing_code, False, error="商品がありません。")
                continue
            self.shows[item.listing_code] = item.quantity
            yield StockResult(item.listing_code, True)

    def adjust_stock(self, items: Any) -> Iterator[StockResult]:
        for item in items:
            self.adjusted.append(item)
            self.shows[item.listing_code] = max(0, self.shows.get(item.listing_code, 0) + item.delta)
            yield StockResult(item.listing_code, True)

    def read_stock(self, codes: Any) -> dict[str, int]:
        return {code: self.shows[code] for code in codes if code in self.shows}

    @property
    def pushed(self) -> list[tuple[str, int]]:
        return [(item.listing_code, item.quantity) for request in self.requests for item in request]


@pytest.fixture
def malls(monkeypatch: pytest.MonkeyPatch) -> dict[str, Mall]:
    """Shop code → its mall, made when first asked for."""
    found: dict[str, Mall] = {}
    monkeypatch.setattr(shops, "connector_of", lambda connection: found.setdefault(connection.shop.code, Mall()))
    return found


def connect(code: str, **fields: Any) -> Connection:
    return make_connection(code, **fields)


def buy(connection: Connection, code: str, sku_of: dict[str, Mapped], quantity: int = 1, **fields: Any) -> ChannelOrder:
    """An order as the mall tells it (nothing is imported yet)."""
    return make_channel_order(make_line(code, quantity), **fields)


def import_orders(connection: Connection, orders: list[ChannelOrder], sku_of: dict[str, Mapped]) -> list[Order]:
    """As an import does it, from the parsed orders on."""
    outcome = take_in(connection.shop, orders, sku_of=sku_of)
    intake.after_storing(connection, orders, outcome)
    numbers = [order.channel_order_no for order in orders]
    return list(Order.objects.filter(shop=connection.shop, channel_order_no__in=numbers).order_by("pk"))
