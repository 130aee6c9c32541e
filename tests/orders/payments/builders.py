"""Unpaid orders, and what a bank says of them."""

from dataclasses import replace
from datetime import date
from typing import Any

import jaconv

from orders.channel_order import ChannelState, Party, PaymentMethod, PaymentState
from orders.models import Order, Shop
from orders.services.intake import take_in
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped

FIRST = "アカイ イトウ ウエダ エンドウ オガワ カトウ キムラ クボ ケンモチ コバヤシ"
GIVEN = "ハナコ タロウ ジロウ ミサキ"
NAMES = [f"{family} {given}" for family in FIRST.split() for given in GIVEN.split()]


def own_shop(code: str = "own-1", **fields: Any) -> Shop:
    capabilities = {"mail": "free", "own_payments": True, "order_url": "https://shop.example.com/orders/{no}"}
    return make_shop(code, **({"name": "自社店", "channel": "own", "capabilities": capabilities} | fields))


def buyer(kana: str, number: int = 0, **fields: Any) -> Party:
    values = {
        "name": f"購入者{number}",
        "kana": kana,
        "phone": f"0905555{number:04d}",
        "email": f"b{number}@example.com",
    }

    return replace(TOKYO_PARTY, **(values | fields))


def unpaid(
    kana: str = "ヤマダ ハナコ", price: int = 1000, *, number: int = 0, shop: Shop | None = None, **fields: Any
) -> Order:
    """An order by bank transfer that nobody has paid; it costs `price` and 500 for shipping."""
    person = buyer(kana, number)
    channel_order = make_channel_order(
        make_line(price=price),
        **(
            {
                "buyer": person,
                "recipients": (person,),
                "payment_method": PaymentMethod.BANK_TRANSFER,
                "payment_state": PaymentState.UNPAID,
                "payment_name": "銀行振込",
                "state": ChannelState.OPEN,
            }
            | fields
        ),
    )
    take_in(shop or own_shop(), [channel_order], sku_of=mapped(make_sku(stock_units=1)))
    return Order.objects.get(channel_order_no=channel_order.channel_order_no)


# ---- what a bank says


def _field(text: str, width: int) -> bytes:
    raw = text.encode("cp932")
    assert len(raw) <= width, text
    return raw.ljust(width)


def half_width(kana: str) -> str:

    return jaconv.z2h(kana, kana=True, ascii=True, digit=True)


def era(day: date) -> str:
    return f"{day.year - 2018:02d}{day.month:02d}{day.day:02d}"


def notice(lines: list[tuple[date, int, str]], *, breaks: bytes = b"\r\n", edi: str = "", cancelled: int = -1) -> bytes:
    """A 振込入金通知 of these (day, amount, payer)."""
    day = era(lines[0][0])
    head = b"1" + b"01" + b"0" + (day * 3).encode() + b"0009" + _field("ﾐﾂｲｽﾐﾄﾓ", 15) + b"123" + _field("ﾎﾝﾃﾝ", 15)
    records = [(head + b"1" + b"1234567" + _field("ｱｵﾊﾞ", 40)).ljust(200)]
    for at, (on, amount, payer) in enumerate(lines):
        record = b"2" + f"{at:06d}".encode() + (era(on) * 2).encode() + f"{amount:010d}".encode() + b"0" * 10
        record += b"0" * 10 + _field(half_width(payer), 48) + _field("ﾐｽﾞﾎ", 15) + _field("ｼﾌﾞﾔ", 15)
        record += (b"1" if at == cancelled else b" ") + _field(edi, 20)
        records.append(record.ljust(200))
    records.append((b"8" + f"{len(lines):06d}".encode()).ljust(200))
    records.append(b"9".ljust(200))
    assert all(len(record) == 200 for record in records)
    return breaks.join(records) + breaks


def statement(lines: list[tuple[date, int, str, str]]) -> bytes:
    """An 入出金取引明細 of these (day, amount, payer, 1 for in or 2 for out), without line breaks."""
    day = era(lines[0][0])
    head = b"1" + b"03" + b"0" + (day * 3).encode() + b"0009" + _field("ﾐﾂｲｽﾐﾄﾓ", 15) + b"123" + _field("ﾎﾝﾃﾝ", 15)
    records = [(head + b"000" + b"1" + b"0001234567" + _field("ｱｵﾊﾞ", 40)).ljust(200)]
    for at, (on, amount, payer, way) in enumerate(lines):
        record = b"2" + f"{at:08d}".encode() + (era(on) * 2).encode() + way.encode() + b"11"
        record += f"{amount:012d}".encode() + b"0" * 12 + b"0" * 12 + b"0" + b"0" * 7 + b"000" + b"0" * 10
        record += _field(half_width(payer), 48) + _field("ﾐｽﾞﾎ", 15) + _field("ｼﾌﾞﾔ", 15) + _field("ﾌﾘｺﾐ", 20)
        records.append(record.ljust(200))
    records.append(b"9".ljust(200))
    assert all(len(record) == 200 for record in records)
    return b"".join(records)
