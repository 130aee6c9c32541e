"""The shared fixtures do what they promise."""

import threading

import pytest
from django.db import connection

from oms.kernel.models import User


def test_a_race_runs_on_connections_of_their_own(race):
    def backend() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid(), pg_sleep(0.05)")
            return cursor.fetchone()[0]

    assert len(set(race(8, backend))) == 8


def test_a_race_returns_exceptions_and_passes_numbers(race):
    def odd_fails(number: int) -> int:
        if number % 2:
            raise ValueError(number)
        return number

    outcomes = race(4, odd_fails)
    assert [type(outcome) for outcome in outcomes] == [int, ValueError, int, ValueError]
    assert threading.active_count() < 10


def test_the_cast_differs_in_rights(aoi, ben, chie):
    assert aoi.has_perm("kernel.change_effect")
    assert ben.has_perm("kernel.view_effect") and not ben.has_perm("kernel.change_effect")
    assert not chie.get_all_permissions()


@pytest.mark.browser
def test_a_browser_page_is_logged_in(page_as, aoi, screenshot):
    page = page_as(aoi)
    page.goto("/")
    assert page.context.cookies() and "login" not in page.url
    assert screenshot(page, "home").stat().st_size > 1000


@pytest.mark.browser
def test_nobody_is_sent_to_login(page_as, db):
    page = page_as(None)
    page.goto("/")
    assert "/login/" in page.url
    assert not User.objects.exists()
