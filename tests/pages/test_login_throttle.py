"""Guessing passwords ends soon, and says so; the person whose account it is gets in from elsewhere."""

import uuid

import pytest
import redis
from django.core.cache import cache
from django.test import Client, override_settings

from oms.kernel.models import User
from oms.kernel.services import logins

PASSWORD = "正しい合言葉-2026"


@pytest.fixture
def who(db):
    """Names and addresses of this test alone: the counts stand in a cache that outlives it."""
    return User.objects.create_user(username=f"t{uuid.uuid4().hex}", password=PASSWORD)


@pytest.fixture
def address():
    return f"10.{uuid.uuid4().hex}"


def attempt(username, password, address, **headers):
    return Client(REMOTE_ADDR=address).post("/login/", {"username": username, "password": password}, headers=headers)


def fail(username, address, times):
    for _time in range(times):
        logins.note_failure(username, address)


def test_after_ten_wrong_passwords_even_the_right_one_has_to_wait(who, address):
    for _time in range(logins.PAIR):
        assert attempt(who.username, "wrong", address).status_code == 200
    blocked = attempt(who.username, PASSWORD, address)
    assert blocked.status_code == 429
    assert "15分ほど待って" in blocked.content.decode()
    assert "_auth_user_id" not in blocked.client.session


def test_letters_in_another_case_are_the_same_account(who, address):
    fail(who.username.upper(), address, logins.PAIR)
    assert attempt(who.username, PASSWORD, address).status_code == 429


def test_from_another_address_the_person_gets_in(who, address):
    fail(who.username, address, logins.PAIR)
    assert attempt(who.username, PASSWORD, f"{address}-home").status_code == 302


def test_an_account_attacked_from_everywhere_is_closed_for_a_while(who, address):
    for number in range(logins.ACCOUNT):
        logins.note_failure(who.username, f"{address}-{number}")
    assert attempt(who.username, PASSWORD, f"{address}-home").status_code == 429


def test_an_address_that_tries_many_accounts_is_closed_for_a_while(who, address):
    for number in range(logins.ADDRESS):
        logins.note_failure(f"{who.username}-{number}", address)
    assert attempt(who.username, PASSWORD, address).status_code == 429


def test_a_good_password_forgets_the_mistakes_before_it(who, address):
    fail(who.username, address, logins.PAIR - 1)
    assert attempt(who.username, PASSWORD, address).status_code == 302
    fail(who.username, address, logins.PAIR - 1)
    assert attempt(who.username, PASSWORD, address).status_code == 302


def test_an_empty_form_is_no_failure(who, address):
    for _time in range(logins.PAIR + 1):
        attempt("", "", address)
    assert not logins.is_blocked("", address)


def test_behind_a_proxy_the_last_forwarded_address_counts(who, address):
    with override_settings(TRUSTED_PROXIES=1):
        for number in range(logins.PAIR):
            attempt(who.username, "wrong", "172.16.0.1", **{"X-Forwarded-For": f"1.2.3.{number}, {address}"})
    assert logins.is_blocked(who.username, address)


def test_without_the_cache_people_still_log_in(who, address, monkeypatch):
    def down(*_args, **_more):
        raise redis.ConnectionError("no server")

    for name in ("get_many", "add", "delete"):
        monkeypatch.setattr(cache, name, down)
    assert attempt(who.username, "wrong", address).status_code == 200
    assert attempt(who.username, PASSWORD, address).status_code == 302
