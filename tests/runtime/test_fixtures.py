"""The shared fixtures do what they promise."""

import threading

import pytest
from django.conf import settings
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

    before = threading.active_count()  # servers of other tests may have threads of their own
    outcomes = race(4, odd_fails)
    assert [type(outcome) for outcome in outcomes] == [int, ValueError, int, ValueError]
    assert threading.active_count() <= before


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


@pytest.mark.browser
def test_a_window_forgets_one_test_before_the_next(page_as, windows, aoi):
    first = page_as(aoi)
    first.goto("/")
    first.evaluate(
        "localStorage.setItem('theme', 'dark'); sessionStorage.setItem('seen', '1'); document.cookie = 'a=b'"
    )
    with first.expect_popup():
        first.evaluate("void window.open('/orders/')")
    first.context.set_offline(True)
    windows.give_back()

    again = page_as(None)
    assert again.context is first.context and first.is_closed() and len(again.context.pages) == 2
    again.goto("/login/")
    assert again.evaluate("[localStorage.theme, sessionStorage.seen]") == [None, None]
    assert {one["name"] for one in again.context.cookies()} <= {settings.LANGUAGE_COOKIE_NAME, "csrftoken"}


@pytest.mark.browser
def test_two_people_of_one_test_have_windows_of_their_own(page_as, aoi, ben):
    mine, yours = page_as(aoi), page_as(ben, width=390, height=844)
    assert mine.context is not yours.context
    assert (mine.evaluate("innerWidth"), yours.evaluate("innerWidth")) == (1440, 390)


@pytest.mark.browser
def test_a_window_that_crashed_is_replaced(page_as, windows, aoi):
    page = page_as(aoi)
    page.goto("/")
    page.context.close()
    windows.give_back()
    assert page_as(aoi).goto("/").ok
