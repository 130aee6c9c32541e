"""粗利 on the numbers page: by channel, to the yen of the list behind it, for who may see costs."""

import html
import re

import pytest
from django.db.models import Sum
from django.http import QueryDict

from fulfillment.queries.profit import READS, profits
from fulfillment.services import costs
from inventory.models import Sku
from oms.pages.queries import numbers as facts
from oms.pages.services import figures
from orders.models import Order, OrderFigure, Shop
from tests.pages.numbers.test_numbers import LINK, listed
from tests.pages.numbers.world import some_days

pytestmark = pytest.mark.django_db


def known_costs(person) -> dict[str, Order]:
    """A, B and C left; a chair brings in 1,000 with 10 % tax and costs 400."""
    costs.save(costs.Costs(None, None, {("yamato", None): 300}), by_id=None)
    orders = some_days(person)
    Sku.objects.filter(code="CHAIR").update(cost=400)
    figures.rebuild([order.pk for order in orders.values()])
    return orders


def gained() -> dict[str, tuple[int | None, int | None]]:
    rows = OrderFigure.objects.select_related("order")
    return {row.order.channel_order_no: (row.profit, row.net_sales) for row in rows}


def test_each_shipped_order_keeps_what_the_desk_says_of_it(aoi):
    orders = known_costs(aoi)
    found = gained()
    assert found["A"] == (209, 909) and found["E"] == (None, None), "909 − 400 − 300; E has not left"
    rows = list(Order.objects.filter(pk=orders["A"].pk).values("id", *READS))
    assert profits(rows)[orders["A"].pk][0].yen == 209


def test_the_sum_of_a_channel_is_the_sum_of_the_list_it_opens(aoi, client_of):
    known_costs(aoi)
    client = client_of(aoi)
    page = client.get("/numbers/?period=7")
    rows = page.context["profits"]
    assert [(row.label, row.counted.n, row.yen) for row in rows][-1] == ("合計", 3, 627)
    for row in rows:
        text = client.get(row.counted.url).content.decode()
        assert int(re.search(r'data-sum="(-?\d+)"', text).group(1)) == row.yen
        assert listed(client, row.counted.url) == row.counted.n
    links = {html.unescape(url) for url, _n in LINK.findall(page.content.decode()) if "/numbers/profits/" in url}
    assert len(links) >= len(rows)
    period = facts.chosen_period(QueryDict("period=7"), list(Shop.objects.all()))
    assert facts.profits(period).aggregate(yen=Sum("profit"))["yen"] == facts.sums(period).sum("profited") == 627


def test_an_order_with_an_unknown_cost_is_left_out_until_it_is_known(aoi):
    orders = some_days(aoi)
    assert gained()["A"] == (None, None)
    Sku.objects.filter(code="CHAIR").update(cost=400)
    figures.rebuild([orders["A"].pk])
    assert gained()["A"] == (509, 909), "the freight is not set, so it is not taken off"
    costs.save(costs.Costs(None, None, {("yamato", None): 300}), by_id=None)
    figures.rebuild([orders["A"].pk])
    assert gained()["A"] == (209, 909)


def test_a_cost_that_changes_later_leaves_what_was_shipped_before(aoi):
    orders = known_costs(aoi)
    Sku.objects.filter(code="CHAIR").update(cost=900)
    figures.rebuild([order.pk for order in orders.values()])
    assert gained()["A"] == (209, 909)


def test_a_loss_is_counted_as_one(aoi, client_of):
    orders = some_days(aoi)
    Sku.objects.filter(code="CHAIR").update(cost=2000)
    figures.rebuild([order.pk for order in orders.values()])
    assert client_of(aoi).get("/numbers/?period=7").context["profits"][-1].yen == -3273


def test_profit_is_told_only_to_who_may_see_costs(aoi, client_of, person_with):
    known_costs(aoi)
    operator = client_of(person_with("operator"))
    page = operator.get("/numbers/").content.decode()
    assert "粗利" not in page and operator.get("/numbers/profits/").status_code == 403
    assert client_of(aoi).post("/numbers/profits/").status_code == 405
