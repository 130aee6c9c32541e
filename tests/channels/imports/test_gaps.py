"""The daily comparison finds what an import missed, brings it, and says what it could not bring."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels import tasks
from channels.connectors.contract import ChannelDown
from channels.models import DayCheck, MissedOrder
from channels.services import audit, gaps, intake
from oms.kernel import clock
from orders.models import Order
from tests.channels.builders import make_connection
from tests.channels.imports.mall import ago

pytestmark = pytest.mark.django_db


@pytest.fixture
def yesterday():
    return clock.today() - timedelta(days=1)


def at_noon(day, *, minutes=0):
    return gaps.bounds(day)[0] + timedelta(hours=12, minutes=minutes)


def open_gaps():
    return [sentence for sentence in audit.violations() if "is at the channel and not here" in sentence]


def test_a_missing_order_is_found_fetched_and_counted(connection, mall, yesterday):
    for minute in range(4):
        mall.sells(f"N-{minute}", at_noon(yesterday, minutes=minute))
    intake.take_raw(connection, mall, [mall.raw("N-0"), mall.raw("N-1")], intake.Pulled())
    compared = gaps.compare(connection, yesterday)
    assert (compared.there, compared.here, compared.fetched, compared.missing) == (4, 4, 2, 0)
    assert sorted(mall.asked) == ["N-2", "N-3"] and Order.objects.count() == 4
    assert all(row.resolved_at for row in MissedOrder.objects.all()) and not open_gaps()
    again = gaps.compare(connection, yesterday)
    assert again == compared and Order.objects.count() == 4 and len(mall.asked) == 2


def test_orders_of_the_days_beside_are_not_counted(connection, mall, yesterday):
    since, until = gaps.bounds(yesterday)
    mall.sells("BEFORE", since - timedelta(seconds=1))
    mall.sells("FIRST", since)
    mall.sells("LAST", until - timedelta(seconds=1))
    mall.sells("AFTER", until)
    assert gaps.compare(connection, yesterday).there == 2
    assert set(DayCheck.objects.get().numbers) == {"FIRST", "LAST"}


def test_many_missing_orders_are_read_as_a_range(connection, mall, yesterday):
    mall.page_size = 50
    for minute in range(30):
        mall.sells(f"N-{minute}", at_noon(yesterday, minutes=minute))
    mall.hidden = {"N-7"}
    assert gaps.compare(connection, yesterday).missing == 0
    assert mall.asked == ["N-7"] and Order.objects.count() == 30


def test_what_the_mall_names_and_does_not_show_stays_missing_with_its_cause(connection, mall, yesterday):
    mall.sells("N-1", at_noon(yesterday))
    mall.secret = {"N-1"}
    assert gaps.compare(connection, yesterday).missing == 1
    assert "モールが注文の内容を返しません" in MissedOrder.objects.get().cause
    [sentence] = open_gaps()
    assert "N-1" in sentence
    mall.secret = set()
    assert gaps.compare(connection, yesterday).missing == 0 and not open_gaps()


def test_an_order_that_comes_by_itself_closes_its_gap_for_the_audit(connection, mall, yesterday):
    mall.sells("N-1", at_noon(yesterday))
    mall.secret = {"N-1"}
    gaps.compare(connection, yesterday)
    intake.take_raw(connection, mall, [mall.raw("N-1")], intake.Pulled())
    assert not open_gaps()


def test_an_order_in_quarantine_is_held_not_missing(connection, mall, yesterday):
    mall.sells("N-1", at_noon(yesterday))
    mall.unreadable = {"N-1"}
    compared = gaps.compare(connection, yesterday)
    assert (compared.there, compared.here, compared.held, compared.missing) == (1, 0, 1, 0) and not open_gaps()


def test_a_mall_that_does_not_answer_leaves_a_plain_cause_and_the_gaps_known(connection, mall, yesterday):
    mall.trouble = ChannelDown("メンテナンス中です。")
    with pytest.raises(ChannelDown):
        gaps.compare(connection, yesterday)
    assert DayCheck.objects.get().error == "メンテナンス中です。"
    mall.trouble = None
    mall.sells("N-1", at_noon(yesterday))
    mall.fetch_order = lambda no: (_ for _ in ()).throw(ChannelDown("切れました。"))
    with pytest.raises(ChannelDown):
        gaps.compare(connection, yesterday)
    assert MissedOrder.objects.get(resolved_at=None).channel_order_no == "N-1"


def test_beat_compares_once_a_night_and_hourly_what_is_not_settled(connection, mall, yesterday, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.compare_day, "delay", lambda *what: sent.append(what))
    now = gaps.bounds(clock.today())[0] + timedelta(hours=2, minutes=50)
    monkeypatch.setattr(clock, "now", lambda: now)
    tasks.compare_days_due()
    assert sent == []
    now += timedelta(minutes=11)
    tasks.compare_days_due()
    today = yesterday + timedelta(days=1)
    assert sent == [(connection.pk, yesterday.isoformat()), (connection.pk, today.isoformat())]
    tasks.compare_days_due()
    assert len(sent) == 2
    mall.sells("N-1", at_noon(yesterday))
    mall.secret = {"N-1"}
    for _id, day in list(sent):
        tasks.compare_day(connection.pk, day)
    now += timedelta(minutes=50)
    tasks.compare_days_due()
    assert len(sent) == 2
    now += timedelta(minutes=11)
    tasks.compare_days_due()
    assert sent[2:] == [(connection.pk, yesterday.isoformat())]


def test_a_comparison_whose_worker_died_is_due_again_after_an_hour(connection, mall, yesterday, monkeypatch):
    now = gaps.bounds(clock.today())[0] + timedelta(hours=4)
    monkeypatch.setattr(clock, "now", lambda: now)
    assert len(gaps.due()) == 2 and gaps.due() == []
    now += timedelta(hours=1, minutes=1)
    assert len(gaps.due()) == 2


def test_the_calendar_shows_each_shops_days_in_a_fixed_number_of_queries(client_of, ben, connection, mall, yesterday):
    mall.sells("N-1", at_noon(yesterday))
    mall.secret = {"N-1"}
    gaps.compare(connection, yesterday)
    client = client_of(ben)
    client.get(reverse("channels:gaps"))
    with CaptureQueriesContext(
        database,
    ) as few:
        page = client.get(reverse("channels:gaps"))
    for number in (2, 3, 4):
        make_connection(f"rakuten-{number}")
    with CaptureQueriesContext(database) as many:
        client.get(reverse("channels:gaps"))
    assert len(many) == len(few) < 12
    text = page.content.decode()
    assert "未取込1件" in text and "0 / 1件" in text and "全店舗を照合する" not in text


def test_each_number_of_a_day_opens_its_rows(client_of, aoi, connection, mall, yesterday):
    mall.sells("N-1", at_noon(yesterday))
    mall.sells("N-2", at_noon(yesterday, minutes=3))
    mall.secret = {"N-2"}
    gaps.compare(connection, yesterday)
    client, url = client_of(aoi), reverse("channels:gap-day", args=[connection.shop_id, yesterday.isoformat()])
    text = client.get(url).content.decode()
    order = Order.objects.get()
    assert reverse("orders:detail", args=[order.pk]) in text and "モールが注文の内容を返しません" in text
    listed = client.get(
        reverse("orders:list"), {"shop": connection.shop_id, "ordered_from": yesterday, "ordered_to": yesterday}
    )
    assert [row["id"] for row in listed.context["page"]] == [order.pk]
    assert client.get(reverse("channels:gap-day", args=[connection.shop_id, "nonsense"])).status_code == 404


def test_comparing_is_for_those_who_may_change_orders(client_of, aoi, ben, connection, monkeypatch):
    sent = []
    monkeypatch.setattr("channels.views.gaps.later", lambda *what: sent.append(what))
    url, day = reverse("channels:gap-compare"), clock.today().isoformat()
    assert client_of(ben).post(url, {"day": day}).status_code == 403
    assert client_of(aoi).get(url).status_code == 405
    client_of(aoi).post(url, {"day": day, "shop": connection.shop_id})
    assert sent == [("channels.tasks.intake_compare", connection.pk, day)]
    said = client_of(aoi).post(url, {"day": "いつか"}, follow=True)
    assert "照合する日を選んでください" in said.content.decode() and len(sent) == 1


def test_the_delay_panel_counts_from_stored_orders(client_of, ben, connection, mall):
    for number, minutes in enumerate((1, 2, 30)):
        mall.sells(f"N-{number}", ago(minutes=minutes))
        intake.take_raw(connection, mall, [mall.raw(f"N-{number}")], intake.Pulled())
    page = client_of(ben).get(reverse("channels:delay", args=[connection.shop_id]))
    hour = page.context["delays"][0]
    assert hour.orders == 3 and 119 <= hour.median <= 125 and 1799 <= hour.longest <= 1810 and 120 < hour.p95 < 1810
    assert [order.channel_order_no for order in page.context["slowest"]] == ["N-2", "N-1", "N-0"]
