"""Small builders for orders as a channel tells them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from django.db import connection

from inventory.models import Location, Product, Sku
from inventory.queries.release_day import release_day
from inventory.services import stock
from orders.channel_order import ChannelLine, ChannelOrder, ChannelState, Party, PaymentMethod, PaymentState, Totals
from orders.models import Order, Shop
from orders.services.intake_rows import Mapped

numbers = count(1)
ORDERED_AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)

TOKYO_PARTY = Party(
    name="佐藤 恵",
    kana="サトウ メグミ",
    phone="090-1234-5678",
    email="megumi@example.com",
    postal_code="154-0024",
    prefecture="東京都",
    city="世田谷区",
    address="三軒茶屋2-14-3 メゾン青葉402",
)


def make_shop(code: str = "rakuten-1", **fields: Any) -> Shop:
    defaults: dict[str, Any] = {
        "name": "楽天市場店",
        "channel": "rakuten",
        "channel_label": "楽天市場",
        "capabilities": {"confirm": True, "cancel": True, "mail": "free"},
        "mail_from": "shop@example.com",
    }
    return Shop.objects.get_or_create(code=code, defaults=defaults | fields)[0]


def make_sku(code: str = "CHAIR", *, stock_units: int = 0, location: Location | None = None, **fields: Any) -> Sku:
    product, _ = Product.objects.get_or_create(code=code, defaults={"name": f"{code} の品"})
    sku, _ = Sku.objects.get_or_create(
        code=code, defaults={"product": product, "name": f"{code} の品", "price": 1000} | fields
    )
    if stock_units:
        stock.receive([stock.Fact(sku.pk, (location or make_location()).pk, stock_units, "test")])
    return sku


def make_location(code: str = "W1", **fields: Any) -> Location:
    defaults: dict[str, Any] = {"name": "東京倉庫", "kind": "warehouse", "sells_online": True}
    return Location.objects.get_or_create(code=code, defaults=defaults | fields)[0]


def mapped(*skus: Sku) -> dict[str, Mapped]:
    days = {sku.pk: sku.release_date for sku in skus}
    if sets := [sku.pk for sku in skus if sku.is_bundle]:
        days |= dict(Sku.objects.filter(pk__in=sets).values_list("pk", release_day()))
    return {sku.code: Mapped(sku.pk, sku.code, 1, days[sku.pk]) for sku in skus}


def make_line(sku: str = "CHAIR", quantity: int = 1, price: int = 1000, **fields: Any) -> ChannelLine:
    values: dict[str, Any] = {
        "line_id": f"L{next(numbers)}",
        "channel_sku": sku,
        "name": f"{sku} の品",
        "quantity": quantity,
        "unit_price": price,
        "amount": price * quantity,
        "tax_rate": 10,
    }
    return ChannelLine(**values | fields)


def make_channel_order(*lines: ChannelLine, number: str = "", shipping: int = 500, **fields: Any) -> ChannelOrder:
    """A paid order from Tokyo whose sums are right."""
    bought = lines or (make_line(),)
    goods = sum(line.amount for line in bought)
    values: dict[str, Any] = {
        "channel_order_no": number or f"401122-20261120-{next(numbers):08d}",
        "ordered_at": ORDERED_AT,
        "channel_state": "300",
        "state": ChannelState.OPEN,
        "buyer": TOKYO_PARTY,
        "recipients": (TOKYO_PARTY,),
        "lines": tuple(bought),
        "totals": Totals(goods=goods, shipping=shipping, total=goods + shipping),
        "payment_method": PaymentMethod.MALL,
        "payment_state": PaymentState.PAID,
        "payment_name": "クレジットカード",
    }
    return ChannelOrder(**values | fields)


def copy_of(seed: Order, number: str) -> Order:
    """The same order again under another number, not saved."""
    values = {field.attname: getattr(seed, field.attname) for field in Order._meta.concrete_fields}
    return Order(**values | {"id": None, "channel_order_no": number})


def store_copies(seed: Order, numbers: Iterable[str]) -> None:
    """The stored order again under each of these numbers, in one statement: thousands of them are soon there."""
    fields = [field for field in Order._meta.concrete_fields if field.attname != "id"]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join("number" if field.name == "channel_order_no" else f'seed."{field.column}"' for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO orders_order ({columns}) SELECT {values} FROM orders_order seed,
                unnest(%s::text[]) WITH ORDINALITY wanted (number, place) WHERE seed.id = %s ORDER BY place""",
            [list(numbers), seed.pk],
        )


def changed(order: ChannelOrder, **fields: Any) -> ChannelOrder:
    """The same order later."""
    return replace(order, **fields)
