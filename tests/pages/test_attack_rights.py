"""Whoever has no right changes nothing: every address of the product, asked by a stranger and by nobody."""

from collections.abc import Iterator
from itertools import groupby
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

pytestmark = pytest.mark.django_db

# What everybody may do who is logged in: leave, choose a language, look for something (each group asks its own right).
FOR_ALL = {"logout", "language", "home", "keys", "search", "health-strip", "login", "healthz", "metrics"}
FOR_ALL |= {"login-code", "account", "account-password", "device-end", "devices-end-others"}  # one's own account
FOR_ALL |= {"second-step", "second-step-codes", "second-step-file", "second-step-off"}
FOR_ALL |= {"account-pin", "account-pin-remove"}
FOR_ALL |= {
    "login-device",
    "login-pin",
}  # asked by who is not in; without a code or a device's cookie they open nothing
EXAMPLES = {"pk": "1", "shop_id": "1", "code": "CHAIR", "key": str(UUID(int=1)), "event": "shipped", "position": "0"}


def addresses(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, str]]:
    """(name, path with examples for its parts)."""
    for entry in resolver.url_patterns:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, path)
        elif isinstance(entry, URLPattern):
            for name, converter in entry.pattern.converters.items():
                example = EXAMPLES.get(name, "1")
                kind = type(converter).__name__.removesuffix("Converter").lower()
                for written in (f"<{kind}:{name}>", f"<{'str' if kind == 'string' else kind}:{name}>", f"<{name}>"):
                    path = path.replace(written, example)
            assert "<" not in path, path
            yield str(entry.name), f"/{path}"


PATHS = sorted({path for name, path in addresses(get_resolver()) if name not in FOR_ALL})


def test_the_list_is_not_empty():
    assert len(PATHS) > 300


def room(path: str) -> str:
    """Where an address belongs: its first part."""
    return path.split("/")[1]


in_each_room = pytest.mark.parametrize("paths", [
    pytest.param(list(found), id=where or "home") for where, found in groupby(sorted(PATHS, key=room), room)
])  # fmt: skip


@in_each_room
def test_a_stranger_is_refused(paths, client_of, chie, plain_refusals):
    client = client_of(chie)
    answers = {path: {client.get(path).status_code, client.post(path).status_code} for path in paths}
    assert {path: codes for path, codes in answers.items() if not codes <= {403, 404, 405}} == {}


@in_each_room
def test_nobody_is_sent_to_the_login(paths, client):
    answers = [(path, answer) for path in paths for answer in (client.get(path), client.post(path))]
    assert {
        path: answer.status_code
        for path, answer in answers
        if not (answer.status_code == 404 or (answer.status_code == 302 and "/login/" in answer["Location"]))
    } == {}


def test_a_form_without_its_token_is_refused(aoi):
    client = Client(enforce_csrf_checks=True)
    client.force_login(aoi)
    assert client.post("/orders/bulk/", {"action": "cancel"}).status_code == 403


def test_a_right_that_is_taken_away_is_gone_with_the_next_click(client_of, person_with):
    keeper = person_with("accounting")
    client = client_of(keeper)
    assert client.get("/orders/payments/").status_code == 200
    keeper.groups.clear()
    assert client.get("/orders/payments/").status_code == 403
    assert client.post("/orders/payments/match/sure/").status_code == 403


@pytest.mark.parametrize("done", ["stopped", "another password"])
def test_a_session_ends_with_the_account_and_with_its_password(client_of, aoi, done):
    client = client_of(aoi)
    if done == "stopped":
        aoi.is_active = False
    else:
        aoi.set_password("betsu-no-himitsu")
    aoi.save(update_fields=["is_active", "password"])
    assert client.get("/orders/").status_code == 302
    assert "/login/" in client.post("/orders/bulk/", {"action": "cancel"})["Location"]
