"""Returns on the numbers page: by reason and by SKU, each to the very list it opens."""

import pytest
from django.http import QueryDict

from oms.kernel import clock
from oms.pages.queries import numbers as facts
from oms.pages.queries import returned
from oms.pages.services import figures
from orders.models import Order, ReturnCase, ReturnLine, Shop
from tests.pages.numbers.test_numbers import listed
from tests.pages.numbers.world import some_days

pytestmark = pytest.mark.django_db


def came_back(order: Order, reason: str, *, state: str = "received") -> None:
    case = ReturnCase.objects.create(
        order=order, key=f"{order.pk}:{reason}", reason=reason, state=state, asked_at=clock.now()
    )
    ReturnLine.objects.create(case=case, line=order.lines.get(), quantity=1)


def test_reasons_and_goods_lead_to_as_many_orders_as_they_count(aoi, client_of):
    orders = some_days(aoi)  # A, B and C left, a chair each
    came_back(orders["A"], "damaged")
    came_back(orders["B"], "damaged")
    came_back(orders["B"], "defective")
    came_back(orders["C"], "defective", state="rejected")
    figures.rebuild([order.pk for order in orders.values()])
    period = facts.chosen_period(QueryDict("period=7"), list(Shop.objects.all()))
    reasons = returned.by_reason(period)
    assert [row.returned.n for row in reasons] == [2, 1]
    (chair,) = returned.by_sku(period)
    assert chair.label.startswith("CHAIR") and chair.shipped is not None
    assert (chair.returned.n, chair.shipped.n, round(chair.percent or 0)) == (2, 3, 67)
    client = client_of(aoi)
    for one in [*(row.returned for row in reasons), chair.returned, chair.shipped]:
        assert listed(client, one.url) == one.n
    page = client.get("/numbers/?period=7").content.decode()
    assert "返品（理由別・商品別）" in page and "66.7%" in page


def test_without_returns_there_is_no_table(aoi, client_of):
    some_days(aoi)
    assert "理由別・商品別" not in client_of(aoi).get("/numbers/?period=7").content.decode()
