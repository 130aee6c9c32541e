"""The first glance: every figure is true and opens its rows."""

import html
import re
from datetime import timedelta

import pytest

from fulfillment.models import ReleaseTime
from oms.kernel import clock
from orders.models import Order, OrderTask
from tests.pages.numbers.test_numbers import listed
from tests.pages.numbers.world import some_days

pytestmark = pytest.mark.django_db


def test_the_night_is_told_in_one_sentence_and_its_figures_open_their_lists(aoi, client_of):
    some_days(aoi)
    client = client_of(aoi)
    page = client.get("/").content.decode()
    links = re.findall(r'<a href="(/orders/[^"]*imported_from[^"]*)">(?:<b>)?(\d+)', page)
    counted = {html.unescape(url): int(n) for url, n in links}
    assert 7 in counted.values() and 2 in counted.values()  # A left by itself, G is ready
    for url, count in counted.items():
        assert listed(client, url) == count, url


def test_what_is_older_than_the_evening_before_is_not_of_the_night(aoi, client_of):
    some_days(aoi)
    Order.objects.update(imported_at=clock.now() - timedelta(days=2))
    page = client_of(aoi).get("/").content.decode()
    assert "<b>0</b>件</a>取込" in page


def test_the_next_cut_off_counts_down(aoi, client_of, monkeypatch):
    noon = clock.now().astimezone(clock.TOKYO).replace(hour=12, minute=0, second=0, microsecond=0)
    monkeypatch.setattr(clock, "now", lambda: noon)
    ReleaseTime.objects.create(at="14:00")
    ReleaseTime.objects.create(at="10:00")
    assert "次の締め 14:00（2時間後）" in client_of(aoi).get("/").content.decode()


def test_exceptions_and_tasks_are_counted(aoi, client_of):
    orders = some_days(aoi)
    Order.objects.filter(pk=orders["G"].pk).update(channel_sync="failed")
    OrderTask.objects.create(order=orders["G"], text="電話する", key="t:1", created_at=clock.now(), assignee=aoi)
    page = client_of(aoi).get("/").content.decode()
    row = r'{}</a><span class="glance-n"(?: data-alert)?>{}</span>'
    assert re.search(row.format("モール反映の失敗", 1), page)
    assert re.search(row.format("売り越し", 1), page)
    assert re.search(row.format("自分とチームの作業", 1), page)


def test_who_may_not_see_orders_sees_no_glance(chie, client_of):
    assert 'class="glance"' not in client_of(chie).get("/").content.decode()


def test_home_asks_a_fixed_number_of_queries(aoi, client_of, django_assert_max_num_queries):
    some_days(aoi)
    client = client_of(aoi)
    client.get("/")
    with django_assert_max_num_queries(19):
        client.get("/")
