"""Working days against the published calendars of past and coming years."""

from datetime import date

import pytest

from oms.kernel.workdays import holidays, is_workday, workday_after


def days(year, text):
    return {date(year, *map(int, entry.split("/"))) for entry in text.split()}


@pytest.mark.parametrize(
    ("year", "published"),
    [
        (2023, "1/1 1/2 1/9 2/11 2/23 3/21 4/29 5/3 5/4 5/5 7/17 8/11 9/18 9/23 10/9 11/3 11/23"),
        (2024, "1/1 1/8 2/11 2/12 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/15 8/11 8/12 9/16 9/22 9/23 10/14 11/3 11/4 11/23"),
        (2025, "1/1 1/13 2/11 2/23 2/24 3/20 4/29 5/3 5/4 5/5 5/6 7/21 8/11 9/15 9/23 10/13 11/3 11/23 11/24"),
        (2026, "1/1 1/12 2/11 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/20 8/11 9/21 9/22 9/23 10/12 11/3 11/23"),
    ],
)
def test_the_holidays_of_a_year_are_the_published_ones(year, published):
    assert holidays(year) - days(year, published) == set()
    assert days(year, published) - holidays(year) == set()


@pytest.mark.parametrize(
    ("day", "count", "then"),
    [
        (date(2026, 11, 25), 0, date(2026, 11, 25)),
        (date(2026, 11, 25), 2, date(2026, 11, 27)),
        (date(2026, 11, 27), 2, date(2026, 12, 1)),  # over a weekend
        (date(2026, 11, 28), 0, date(2026, 11, 30)),  # a Saturday
        (date(2026, 11, 20), 1, date(2026, 11, 24)),  # a weekend and 勤労感謝の日
        (date(2026, 9, 18), 1, date(2026, 9, 24)),  # a weekend, two holidays and the day between them
    ],
)
def test_working_days_are_counted_from_the_next_day(day, count, then):
    assert workday_after(day, count) == then and is_workday(then)
