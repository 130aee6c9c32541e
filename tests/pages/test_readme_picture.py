"""The picture in README.md: the desk on an ordinary morning, made here so that it can never show what is not there."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from oms.kernel import clock
from oms.kernel.models import User
from oms.runtime.places import BASE_DIR
from orders.channel_order import ChannelState, Party, PaymentMethod, PaymentState
from orders.models import Order
from orders.queries.tiles import stage_counts
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped

PICTURE = BASE_DIR / "docs" / "images" / "desk.png"
SHOPS = (
    ("rakuten", "楽天市場店"),
    ("amazon", "Amazon店"),
    ("yahoo", "Yahoo!店"),
    ("qoo10", "Qoo10店"),
    ("honten", "本店"),
)
GOODS = (
    ("TEA-01", "深蒸し煎茶 100g", 1296),
    ("MUG-NV", "美濃焼 マグカップ 紺", 2480),
    ("LIN-M", "リネン シャツ M", 7980),
)
PEOPLE = (
    ("山田 花子", "東京都"),
    ("佐々木 健", "北海道"),
    ("髙橋 千尋", "大阪府"),
    ("渡邊 誠", "福岡県"),
    ("小林 美咲", "沖縄県"),
)


def a_morning() -> None:
    """Fifteen orders at five shops, in most stages a desk knows."""
    skus = [make_sku(code, name=name, price=price, stock_units=6) for code, name, price in GOODS]
    for number in range(15):
        channel, name = SHOPS[number % 5]
        shop = make_shop(f"{channel}-1", channel=channel, name=name, channel_label=name, capabilities={"mail": "free"})
        code, title, price = GOODS[number % 3]
        person = party(number)
        order = make_channel_order(
            make_line(code, 1 + number % 2, price, name=title),
            number=f"401122-20261122-{number:010d}",
            ordered_at=clock.now() - timedelta(minutes=7 * number),
            ship_by=clock.now() + timedelta(hours=3 + 9 * (number % 5)),
            buyer=person,
            recipients=(person,),
            **unusual(number),
        )
        take_in(shop, [order], sku_of=mapped(*skus))
    allocate_waiting()
    ready = list(Order.objects.filter(stage="ready").order_by("-pk").values_list("pk", flat=True))
    instruct_orders(ready[:2], actor=Actor())


def party(number: int) -> Party:
    name, _prefecture = PEOPLE[number % 5]
    return replace(TOKYO_PARTY, name=name, email=f"c{number}@example.com", phone=f"090-0000-{number:04d}")


def unusual(number: int) -> dict[str, Any]:
    if number == 2:
        return {"remarks": "以前購入した物と同じ色でしょうか？"}
    if number == 5:
        return {"payment_method": PaymentMethod.BANK_TRANSFER, "payment_state": PaymentState.UNPAID}
    if number == 8:
        return {"state": ChannelState.PROVISIONAL, "payment_state": PaymentState.UNPAID}
    if number == 9:
        return {"gift": "包装紙（花柄）", "payment_method": PaymentMethod.COD, "payment_state": PaymentState.UNPAID}
    return {"wish_date": clock.today() + timedelta(days=5)} if number == 11 else {}


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_desk_shows_a_morning_of_five_shops(
    page_as: Callable[..., Any], aoi: User, screenshot: Callable[..., Path]
) -> None:
    a_morning()
    page = page_as(aoi, width=1360, height=820)
    page.goto("/orders/")
    page.wait_for_load_state("networkidle")
    text = page.inner_text("main")
    counts = stage_counts()
    assert counts["review"] >= 1 and counts["in_fulfillment"] == 2 and counts["awaiting_payment"] == 1
    assert all(name in text for _channel, name in SHOPS) and "確認待ち" in text
    taken = screenshot(page, "desk")
    assert taken.stat().st_size > 20_000
    if os.environ.get("OMS_README_PICTURE"):
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(taken, PICTURE)
