"""Parcels and contracts for the tests of 送り状データ."""

from dataclasses import replace
from datetime import date
from typing import Any

from fulfillment.models import Shipment, WaybillSetting
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.waybills.parcel import Contract, Parcel, Party
from inventory.models import Location
from orders.models import Order
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_location, make_shop, make_sku, mapped

TO = Party(
    name="佐藤 恵",
    kana="サトウ メグミ",
    phone="090-1234-5678",
    postal_code="154-0024",
    prefecture="東京都",
    city="世田谷区",
    street="三軒茶屋2-14-3 メゾン青葉402",
)
SENDER = Party(
    name="くらし道具店",
    phone="0312345678",
    postal_code="100-0001",
    prefecture="東京都",
    city="千代田区",
    street="千代田1-1",
)
YAMATO = {"layout": "b2_95", "item": "雑貨", "customer_code": "0312345678", "freight_no": "01"}
SAGAWA = {"layout": "ehiden3", "item": "雑貨", "customer_code": "123456789012", "header": True}
JAPANPOST = {"layout": "yupuri", "item": "雑貨"}


def parcel(*, to: dict[str, str] | None = None, **fields: Any) -> Parcel:
    usual = {"number": "S0000012", "order_numbers": ("R-0001",), "ship_on": date(2026, 12, 1), "method": "宅急便"}
    return Parcel(**usual | fields, to=replace(TO, **to or {}), sender=SENDER)


def contract(values: dict[str, Any], **more: Any) -> Contract:
    return Contract.of(values | more)


def set_contracts(place: Location | None = None) -> None:
    for carrier, values in (("yamato", YAMATO), ("sagawa", SAGAWA), ("japanpost", JAPANPOST)):
        WaybillSetting.objects.update_or_create(location=place, carrier=carrier, defaults={"values": values})


def make_place(code: str = "W1", **fields: Any) -> Location:
    address = {
        "postal_code": "100-0001",
        "prefecture": "東京都",
        "address": "千代田区千代田1-1",
        "phone": "03-1234-5678",
    }
    place = make_location(code, **address | fields)
    Location.objects.filter(pk=place.pk).update(**address | fields)
    return place


def instructed(
    count: int = 1, *, shop_code: str = "rakuten-1", sku_code: str = "CHAIR", **fields: Any
) -> list[Shipment]:
    """Shipments under way, one for each order."""
    place = make_place()
    orders = [make_channel_order(**fields) for _n in range(count)]
    sku = make_sku(sku_code, stock_units=count, location=place)
    take_in(make_shop(shop_code, letterhead_name="くらし道具店"), orders, sku_of=mapped(sku))
    allocate_waiting()
    rows = Order.objects.filter(channel_order_no__in=[order.channel_order_no for order in orders])
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    made = instruct_orders(ids, actor=Actor()).shipments
    return list(Shipment.objects.filter(pk__in=made).order_by("pk"))
