"""Small builders for shops that are connected, and for what came from them."""

from itertools import count
from typing import Any

from channels.connectors.contract import RawOrder
from channels.models import Connection, Listing, QuarantinedOrder
from channels.services import credentials, intake
from channels.services.shops import declared
from oms.kernel import clock
from oms.kernel.models import Effect
from orders.channel_order import ChannelOrder
from orders.models import Order, Shop
from orders.services.intake import take_in
from orders.services.intake_rows import SkuOf
from tests.orders.builders import make_shop

numbers = count(1)


def make_connection(code: str = "rakuten-1", **fields: Any) -> Connection:
    """A shop with credentials that runs and imported a moment ago."""
    shop = make_shop(code, capabilities=declared("rakuten"))
    connection, _ = Connection.objects.get_or_create(shop=shop)
    credentials.change(connection.pk, {"service_secret": "SP-abcdefgh-1234", "license_key": "SL-secret-5678"}, by=None)
    values = {"health": "running", "last_import_at": clock.now(), "cursor": clock.now()} | fields
    Connection.objects.filter(pk=connection.pk).update(**values)
    return Connection.objects.select_related("shop").get(pk=connection.pk)


def make_listing(shop: Shop, code: str, **fields: Any) -> Listing:
    return Listing.objects.create(shop=shop, code=code, **{"channel_sku": code, "name": f"【送料無料】{code}"} | fields)


def bring_in(connection: Connection, order: ChannelOrder, sku_of: SkuOf) -> Order:
    """The order as an import leaves it: archived, then stored."""
    intake.archive(connection, [RawOrder(order.channel_order_no, '{"name": "佐藤 恵"}', "application/json")])
    take_in(connection.shop, [order], sku_of=sku_of)
    return Order.objects.get(shop=connection.shop, channel_order_no=order.channel_order_no)


def make_quarantined(connection: Connection, no: str, *, payload: str | None = None, **fields: Any) -> QuarantinedOrder:
    raw_id = None
    if payload is not None:
        raw_id = intake.archive(connection, [RawOrder(no, payload, "application/json")])[no]
    values = {"cause": "郵便番号が読み取れません。", "at": clock.now(), "raw_id": raw_id} | fields
    return QuarantinedOrder.objects.create(shop=connection.shop, channel_order_no=no, **values)


def make_effect(kind: str = "channel_ship", *, order: int = 0, state: str = "failed", **fields: Any) -> Effect:
    values = {
        "key": f"test:{next(numbers)}",
        "subject": f"order:{order}:{'mail' if kind == 'mail' else 'channel'}",
        "payload": {"order": order},
        "next_try_at": clock.now(),
        "created_at": clock.now(),
        "done_at": clock.now() if state in {"failed", "done", "manual_done"} else None,
        "last_error": "モールに断られました。" if state == "failed" else "",
    }
    return Effect.objects.create(kind=kind, state=state, **values | fields)
