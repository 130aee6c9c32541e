"""How values look: yen, Tokyo time, distances, deadlines, links that keep the page's own parameters."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from oms.kernel import clock
from oms.kernel.templatetags import desk

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)  # 12:00 in Tokyo


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)
    with translation.override("ja"):
        yield


@pytest.mark.parametrize(
    ("amount", "text"),
    [(1234, "¥1,234"), (0, "¥0"), (-500, "−¥500"), (None, "–"), ("", "–"), (10_000_000, "¥10,000,000")],
)
def test_yen(amount, text):
    assert desk.yen(amount) == text


@pytest.mark.parametrize(
    ("moment", "style", "text"),
    [
        (datetime(2026, 11, 21, 15, 5, tzinfo=UTC), "short", "11/22 00:05"),
        (datetime(2025, 12, 31, 14, 59, tzinfo=UTC), "short", "2025/12/31 23:59"),
        (datetime(2025, 12, 31, 15, 0, tzinfo=UTC), "short", "01/01 00:00"),
        (NOON, "long", "2026/11/22 12:00:00"),
        (NOON, "date", "11/22"),
        (NOON, "time", "12:00"),
        (date(2026, 11, 30), "short", "11/30"),
        (None, "short", "–"),
    ],
)
def test_times_are_shown_in_tokyo(moment, style, text):
    assert desk.jst(moment, style) == text


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (timedelta(seconds=-5), "たった今"),
        (timedelta(seconds=30), "まもなく"),
        (timedelta(minutes=-4), "4分前"),
        (timedelta(hours=2), "2時間後"),
        (timedelta(hours=-47), "47時間前"),
        (timedelta(days=3), "3日後"),
    ],
)
def test_distances_are_said_in_one_unit(distance, text):
    assert desk.reltime(NOON + distance) == text


@pytest.mark.parametrize(
    ("left", "tone"),
    [
        (timedelta(seconds=-1), "late"),
        (timedelta(0), "soon"),
        (timedelta(hours=5, minutes=59), "soon"),
        (timedelta(hours=6), "near"),
        (timedelta(hours=24), "calm"),
    ],
)
def test_a_deadline_takes_its_tone_from_what_is_left(left, tone):
    assert desk.countdown_tone(NOON + left) == tone


def test_no_deadline_has_no_tone():
    assert desk.countdown_tone(None) == "none"


def rendered(source, path):
    request = RequestFactory().get(path)
    return Template("{% load desk %}" + source).render(Context({"request": request}))


@pytest.mark.parametrize(
    ("path", "link", "state"),
    [
        ("/list/?stage=review&after=abc", "/list/?stage=review&amp;sort=total", "none"),
        ("/list/?sort=total", "/list/?sort=-total", "ascending"),
        ("/list/?sort=-total", "/list/?sort=total", "descending"),
        ("/list/?sort=due", "/list/?sort=total", "none"),
    ],
)
def test_a_table_head_turns_its_direction_and_forgets_the_cursor(path, link, state):
    html = rendered('{% sort_link "total" "合計" %}', path)
    assert f'href="{link}"' in html and f'data-sort="{state}"' in html


def test_a_table_head_may_start_downwards():
    assert "sort=-total" in rendered('{% sort_link "total" "合計" first="desc" %}', "/list/")


def test_the_same_page_with_other_parameters():
    html = rendered('{% with_query stage="ready" shop=None %}', "/list/?shop=1&stage=review&q=茶&before=x")
    assert html == "/list/?stage=ready&amp;q=%E8%8C%B6"
    assert rendered("{% with_query shop=None %}", "/list/?shop=1") == "/list/"
