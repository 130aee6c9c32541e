"""The dashboards: what is counted, and that every number has the list it counts."""

import html
import re
from datetime import timedelta

import pytest
from django.http import QueryDict

from channels.models import PushLog
from fulfillment.services import costs
from oms.kernel import clock
from oms.pages.queries import numbers as facts
from oms.pages.services import figures
from orders.decide.numbers import quantile, seconds_of, step_of
from orders.filters import OrderFilter
from orders.models import DayFigure, FigureState, Order, OrderFigure, ReviewDecision, Shop
from orders.services.hold import hold_orders
from tests.orders.builders import make_shop
from tests.pages.numbers.world import click, some_days

LINK = re.compile(r'href="([^"]+)" data-count="(\d+)"')


def listed(client, url: str) -> int:
    """How many rows the list has, counted by walking its pages."""
    path, _, query = url.partition("?")
    if path == "/orders/":
        seen: set[str] = set()
        while url:
            text = client.get(url).content.decode()
            seen |= set(re.findall(r'data-row="(\d+)"', text))
            more = re.search(r'rel="next" href="([^"]+)"', text)
            url = html.unescape(more.group(1)) if more else ""
        assert OrderFilter(QueryDict(query), queryset=Order.objects.all()).qs.count() == len(seen)
        return len(seen)
    text = client.get(url).content.decode()
    total = re.search(r'data-total="(\d+)"', text)
    assert total, url
    assert text.count("data-row=") == min(int(total.group(1)), 50)
    return int(total.group(1))


@pytest.mark.django_db
def test_story_22_every_number_on_the_dashboard_opens_a_list_whose_count_equals_it(aoi, client_of):
    some_days(aoi)
    client = client_of(aoi)
    walked = 0
    for query in ("", "?period=today", "?period=7", "?period=90", "?period=month", f"?shop={make_shop().pk}"):
        page = client.get(f"/numbers/{query}").content.decode()
        links = [(html.unescape(url), int(count)) for url, count in LINK.findall(page)]
        assert len(links) > 30, query
        assert {url.partition("?")[0] for url, _count in links} == {
            "/orders/", "/numbers/actions/", "/numbers/reasons/", "/numbers/decisions/", "/numbers/pushes/",
            "/numbers/profits/",
        }  # fmt: skip
        for url, count in set(links):
            assert listed(client, url) == count, (query, url)
            walked += 1
    assert walked > 150


@pytest.mark.django_db
def test_each_number_counts_what_it_says(aoi):
    some_days(aoi)
    period = facts.chosen_period(QueryDict("period=7"), list(Shop.objects.all()))
    found = facts.sums(period)
    counted = {
        code: found.count(code)
        for code in ("orders", "shipped", "touchless", "untouched_ne", "late", "fault", "oversold", "released", "known")
    }
    assert counted == {
        "orders": 7, "shipped": 3, "touchless": 1, "untouched_ne": 2, "late": 1, "fault": 1, "oversold": 1,
        "released": 3, "known": 7,
    }  # fmt: skip
    assert facts.actions(period).count() == 5  # hold, lift, one bulk run, accepting, cancelling
    pushed = facts.publish_delays(period)[0]
    assert (pushed.n, pushed.median, pushed.worst) == (3, 2, 30)
    assert pushed.told == facts.pushes(period, told=True).count()


@pytest.mark.django_db
def test_a_publish_is_measured_to_the_request_and_to_the_channels_confirmation(aoi, client_of):
    some_days(aoi)
    first, second, _third = PushLog.objects.order_by("pk")
    for push, seconds in ((first, 40), (second, 90)):
        PushLog.objects.filter(pk=push.pk).update(confirmed_at=push.changed_at + timedelta(seconds=seconds))
    PushLog.objects.exclude(pk__in=[first.pk, second.pk]).update(confirmed_at=None)
    period = facts.chosen_period(QueryDict("period=7"), list(Shop.objects.all()))
    found = facts.publish_delays(period)[0]
    assert (found.n, found.told, found.told_median, found.told_p95, found.told_worst) == (3, 2, 40, 90, 90)
    client = client_of(aoi)
    assert listed(client, f"/numbers/pushes/?{period.query()}&told=1") == 2
    assert "1.5分" in client.get("/numbers/?period=7").content.decode()


@pytest.mark.django_db
def test_clicks_are_counted_by_the_reasons_of_their_orders_and_lead_to_them(aoi, client_of):
    some_days(aoi)
    period = facts.chosen_period(QueryDict("period=7"), list(Shop.objects.all()))
    by_reason = facts.clicks_by_reason(period)
    assert by_reason and sum(by_reason.values()) > 0
    for code, n in by_reason.items():
        assert facts.actions(period, code=code).count() == n
        assert listed(client_of(aoi), f"/numbers/actions/?{period.query(code=code)}") == n


@pytest.mark.django_db
def test_the_time_for_a_card_runs_from_its_showing_and_forgets_what_was_taken_back(aoi, client_of):
    orders, now = some_days(aoi), clock.now()
    for code, seconds, undone in (("A", 4, None), ("B", 10, None), ("C", 900, now)):
        ReviewDecision.objects.create(
            order=orders[code], code="buyer_note", verb="accept", by=aoi, shown_at=now - timedelta(seconds=seconds),
            decided_at=now, action=code, undone_at=undone,
        )  # fmt: skip
    client = client_of(aoi)
    period = facts.chosen_period(QueryDict("period=7"), list(Shop.objects.all()))
    assert facts.card_time(period) == facts.CardTime(2, 4.0, 10.0)
    assert listed(client, f"/numbers/decisions/?{period.query()}") == 2
    assert "4.0秒" in client.get("/numbers/?period=7").content.decode()


@pytest.mark.django_db
def test_a_sweep_without_news_changes_nothing_and_a_rebuild_gives_the_same(aoi):
    orders = some_days(aoi)

    def sums():
        return sorted(DayFigure.objects.values_list("basis", "day", "shop", "name", "step", "n", "amount"))

    before = sums()
    figures.refresh()
    assert sums() == before
    DayFigure.objects.all().delete()
    OrderFigure.objects.all().delete()
    figures.rebuild([order.pk for order in orders.values()])
    assert sums() == before


@pytest.mark.django_db
def test_a_later_action_moves_the_order_from_touchless_to_touched(aoi):
    orders = some_days(aoi)
    assert OrderFigure.objects.get(pk=orders["G"].pk).touches == 0
    hold_orders([orders["G"].pk], reason="確認", actor=click(aoi))
    figures.refresh()
    assert OrderFigure.objects.get(pk=orders["G"].pk).touches == 1


@pytest.mark.django_db
def test_an_order_whose_transaction_commits_late_is_still_counted(aoi):
    """Its ids are smaller than those the last sweep has seen."""
    orders = some_days(aoi)
    DayFigure.objects.all().delete()
    OrderFigure.objects.filter(pk=orders["A"].pk).delete()
    figures.refresh()
    assert OrderFigure.objects.filter(pk=orders["A"].pk).exists()


@pytest.mark.django_db
def test_what_is_long_past_is_not_read_again(aoi, django_assert_max_num_queries):
    some_days(aoi)
    FigureState.objects.update(swept_at=clock.now() + timedelta(hours=1))
    with django_assert_max_num_queries(40):
        figures.refresh()


@pytest.mark.django_db
def test_the_page_asks_a_fixed_number_of_queries(aoi, client_of, django_assert_max_num_queries):
    some_days(aoi)
    client = client_of(aoi)
    client.get("/numbers/")
    with django_assert_max_num_queries(19):
        assert client.get("/numbers/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/numbers/", "/numbers/actions/", "/numbers/reasons/", "/numbers/decisions/", "/numbers/pushes/"]
)
def test_only_who_may_see_orders_sees_numbers(path, aoi, ben, chie, client_of):
    assert client_of(aoi).get(path).status_code == 200
    assert client_of(ben).get(path).status_code == 200
    assert client_of(chie).get(path).status_code == 403
    assert client_of(aoi).post(path).status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["from=x&to=y", "from=2026-11-30&to=2026-11-01", "shop=99999&shop=a", "period=zz"])
def test_an_odd_address_shows_the_usual_days(query, aoi, client_of):
    make_shop()
    assert 'aria-current="true">30日間' in client_of(aoi).get(f"/numbers/?{query}").content.decode()


def test_a_quantile_of_steps_is_within_its_step():
    for seconds in (1, 45, 600, 86_400):
        assert abs(seconds_of(step_of(seconds)) - seconds) <= max(0.1, 0.03 * (seconds + 1))
    counted = [(step_of(10), 90), (step_of(1000), 10)]
    assert quantile(counted, 0.9) == seconds_of(step_of(10))
    assert quantile(counted, 0.91) == seconds_of(step_of(1000))
    assert quantile([], 0.5) is None


def yen_of_cost(client) -> tuple[str, str]:
    cards = {card.label: card for card in client.get("/numbers/?period=7").context["cards"]}
    return cards["1件あたりコスト"].value, cards["1件あたりコスト"].beside


@pytest.mark.django_db
def test_the_cost_per_order_is_freight_material_and_the_time_of_people(aoi, client_of):
    costs.save(costs.Costs(35, 1800, {("yamato", None): 700}, action_s=60), by_id=None)
    orders, now = some_days(aoi), clock.now()  # A, B and C left; C was held and released by hand
    for code, seconds in (("A", 30), ("B", 6000)):
        ReviewDecision.objects.create(
            order=orders[code], code="buyer_note", verb="accept", by=aoi, shown_at=now - timedelta(seconds=seconds),
            decided_at=now, action=code,
        )  # fmt: skip
    figures.rebuild([order.pk for order in orders.values()])
    rows = {row.order.channel_order_no: row for row in OrderFigure.objects.select_related("order")}
    assert [(rows[no].freight, rows[no].card_s, rows[no].other_touches) for no in "ABCE"] == [
        (700, 30, 0), (700, 600, 0), (700, 0, 2), (None, 0, 1),
    ]  # fmt: skip
    # (30 + 600 + 2 × 60) s × 1,800 / h = 375; 3 × 35 = 105; 3 × 700 = 2,100
    value, beside = yen_of_cost(client_of(aoi))
    assert value == "¥860" and beside == "送料 ¥700・資材 ¥35・人件費 ¥125"
    assert listed(client_of(aoi), "/orders/?number=costed") == 3


@pytest.mark.django_db
def test_one_press_on_several_cards_is_shared_and_a_card_left_open_is_cut(aoi):
    orders, now = some_days(aoi), clock.now()
    for code in "AB":
        ReviewDecision.objects.create(
            order=orders[code], code="buyer_note", verb="accept", by=aoi, shown_at=now - timedelta(seconds=40),
            decided_at=now, action="both",
        )  # fmt: skip
    figures.rebuild([order.pk for order in orders.values()])
    assert set(OrderFigure.objects.filter(card_s__gt=0).values_list("order", "card_s")) == {
        (orders["A"].pk, 20), (orders["B"].pk, 20),
    }  # fmt: skip


@pytest.mark.django_db
def test_a_rate_that_changes_later_leaves_what_was_shipped_before(aoi):
    costs.save(costs.Costs(None, None, {("yamato", None): 700}), by_id=None)
    orders = some_days(aoi)
    costs.save(costs.Costs(None, None, {("yamato", None): 900}, version=1), by_id=None)
    figures.rebuild([order.pk for order in orders.values()])
    assert set(OrderFigure.objects.exclude(freight=None).values_list("freight", flat=True)) == {700}


@pytest.mark.django_db
def test_costs_are_told_only_to_who_may_see_them_and_ask_for_rates_first(aoi, client_of, person_with):
    some_days(aoi)
    assert yen_of_cost(client_of(aoi)) == ("–", "送料が未設定です。出荷コストで設定すると、以後の出荷から数えます。")
    page = client_of(person_with("operator")).get("/numbers/").content.decode()
    assert "1件あたりコスト" not in page and "/costs/" not in page
