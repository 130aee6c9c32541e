"""The records that people look back into are searched by days in the same way."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db

RECORDS = ("orders:history", "orders:personal-views", "pages:setting-changes", "pages:sign-in-history")


@pytest.fixture
def answers(client_of, aoi):
    client = client_of(aoi)
    return lambda **asked: [client.get(reverse(name), asked) for name in RECORDS]


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31"])
@pytest.mark.parametrize("end", ["since", "until"])
def test_a_day_that_nobody_means_is_said_to_be_none(answers, day, end):
    for answer in answers(**{end: day}):
        assert answer.status_code == 200 and end in answer.context["form"].errors


def test_a_range_is_at_most_a_year_and_does_not_run_backwards(answers):
    for asked, said in (
        ({"since": "2026-02-02", "until": "2026-02-01"}, "開始日は終了日以前にしてください。"),
        ({"since": "2025-01-01", "until": "2026-02-01"}, "期間は1年までで指定してください。"),
    ):
        for answer in answers(**asked):
            assert answer.context["form"].non_field_errors() == [said]


def test_an_end_alone_brings_the_usual_days_before_it(answers):
    begun = [answer.context["wanted"].since.isoformat() for answer in answers(until="2026-03-31")]
    assert begun == ["2026-03-25", "2026-03-25", "2026-03-01", "2026-03-25"]
