"""受注一覧: what it shows, narrows, counts and refreshes, and who may see it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from oms.kernel import clock
from orders.models import Order
from orders.queries.tiles import stage_counts
from orders.services.intake import take_in
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def board():
    """Three orders: one under review, one waiting for stock, one to be cancelled by its buyer's wish."""
    shop, chair = make_shop(), make_sku(stock_units=5)
    take_in(
        shop,
        [
            make_channel_order(make_line("CHAIR", 2), number="R-1", ship_by=clock.now() + timedelta(hours=1)),
            make_channel_order(number="R-2", remarks="玄関の色は何色ですか？返事をください"),
            make_channel_order(make_line("DESK"), number="R-3"),
        ],
        sku_of=mapped(chair),
    )
    return {order.channel_order_no: order for order in Order.objects.all()}


def numbers(response) -> list[str]:
    assert response.status_code == 200
    return [row.no for row in response.context["rows"]]


def get(client, **query):
    return client.get(reverse("orders:list"), query)


def test_every_order_is_listed_with_marks_and_next_step(client_of, aoi, board):
    page = get(client_of(aoi))
    rows = {row.no: row for row in page.context["rows"]}
    assert set(rows) == {"R-1", "R-2", "R-3"}
    assert rows["R-2"].step == "備考を読む" and rows["R-2"].marks[0].text == "備考あり"
    assert rows["R-3"].step == "商品対応表で SKU を選ぶ"
    assert rows["R-1"].step == "在庫の入荷を待つ" and rows["R-1"].ship_by_tone == "soon"
    assert "佐藤 恵" in page.content.decode() and "R-1" in page.content.decode()


def test_tile_counts_equal_list_counts(client_of, aoi, board):
    client = client_of(aoi)
    for tile in get(client).context["tiles"]:
        assert len(numbers(client.get(tile["url"]))) == int(tile["count"]), tile["label"]
        if tile["late"]:
            assert len(numbers(client.get(tile["late_url"]))) == int(tile["late"]), tile["label"]
    assert sum(stage_counts().values()) == 3
