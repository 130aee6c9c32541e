"""The numbers of a day, for the comparison: cheap and complete."""

from datetime import timedelta

import pytest

from channels.connectors.amazon.reports import decoded
from tests.channels.amazon.conftest import START, Shop
from tests.channels.amazon.test_orders_http import sell


def numbers(shop: Shop) -> list[tuple[str, object]]:
    return [one for page in shop.connect().order_numbers(START, shop.time.now()) for one in page]


def test_a_quiet_day_costs_one_short_search(shop: Shop) -> None:
    placed = sell(shop, 30)
    shop.time.pass_minutes(20)
    found = numbers(shop)
    assert sorted(number for number, _ in found) == sorted(placed)
    assert {at for _, at in found} == {shop.world.order("amazon", number).ordered_at for number in placed}
    (call,) = shop.mall.calls("GET", "/orders")
    assert "includedData" not in call.query


@pytest.mark.parametrize("zipped", [True, False])
def test_a_busy_day_is_asked_of_one_report(shop: Shop, zipped: bool) -> None:
    shop.mall.reports.zipped = zipped
    placed = sell(shop, 420)
    shop.time.pass_minutes(20)
    found = numbers(shop)
    assert sorted(number for number, _ in found) == sorted(placed)
    assert len(shop.mall.calls("GET", "/orders/2026-01-01/orders")) == 3
    assert len(shop.mall.calls("POST", "/reports")) == 1


def test_the_newest_minutes_are_left_out(shop: Shop) -> None:
    shop.world.place_order("amazon")
    assert numbers(shop) == []
    assert list(shop.connect().order_numbers(START, START - timedelta(days=1))) == []


def test_a_search_leaves_calls_to_people(shop: Shop) -> None:
    """Background calls stop before the burst is used up; a person's call goes out at once."""
    sell(shop, 5)
    shop.time.pass_minutes(20)
    for _ in range(16):
        numbers(shop)
    assert shop.time.waited_s < 1
    shop.fetch()
    assert shop.time.waited_s < 1, "four calls of the burst are left"
    numbers(shop)
    assert shop.time.waited_s > 100


@pytest.mark.parametrize(
    ("charset", "content_type"),
    [
        ("cp932", "text/plain; charset=Shift_JIS"),
        ("cp932", "text/plain"),
        ("utf-8", "text/plain; charset=UTF-8"),
        ("utf-8-sig", ""),
        ("cp932", "text/plain; charset=UTF-8"),
        ("utf-8", "text/plain; charset=nonsense"),
    ],
)
def test_reports_are_read_whatever_their_charset(charset: str, content_type: str) -> None:
    assert decoded("静岡深蒸し茶①".encode(charset), content_type).lstrip("\ufeff") == "静岡深蒸し茶①"
