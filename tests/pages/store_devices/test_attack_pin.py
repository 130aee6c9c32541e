"""Attacks on store devices: copied and forged cookies, somebody else's PIN, fixation, races, a second tab."""

import re
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from oms.kernel.models import Device, SignInEvent
from oms.kernel.services import pin_sessions, store_devices
from tests.pages.store_devices.builders import PIN, device_of, enter, is_in, make_store, tablet_of, works_at

pytestmark = pytest.mark.django_db
COOKIE, SESSION = store_devices.COOKIE, settings.SESSION_COOKIE_NAME
PASSWORD = "himitsu-no-kotoba"


def thief(**cookies: str) -> Client:
    client = Client(REMOTE_ADDR="198.51.100.66")
    for name, value in cookies.items():
        client.cookies[name] = value
    return client


def test_a_copied_session_opens_nothing_without_its_device_and_ends(tablet, mio):
    enter(tablet, mio)
    copied = thief(**{SESSION: tablet.cookies[SESSION].value})
    assert copied.get("/orders/")["Location"].startswith("/login/")
    assert not Session.objects.exists() and not is_in(tablet)  # whoever copied it is heard of
    left = SignInEvent.objects.get(kind="signed_out")
    assert left.by is None and "別の端末からの利用" in left.text and left.address == "198.51.100.66"


def test_a_session_does_not_move_to_another_device_of_the_same_store(tablet, mio, store, aoi):
    other = tablet_of(store, aoi, "奥")
    enter(tablet, mio)
    copied = thief(**{SESSION: tablet.cookies[SESSION].value, COOKIE: other.cookies[COOKIE].value})
    assert copied.get("/").status_code == 302


@pytest.mark.parametrize("forged", ["", "x", "1", "Ã©", "0" * 64, "a" * 4000, "' OR 1=1 --"])
def test_a_forged_cookie_is_no_device(forged, tablet, mio):
    client = thief(**{COOKIE: forged})
    assert 'name="password"' in client.get("/login/").content.decode()
    assert enter(client, mio)["Location"] == "/login/" and not is_in(client)


def test_what_the_database_holds_is_no_cookie(tablet, mio):
    client = thief(**{COOKIE: device_of(tablet).token_digest})
    assert enter(client, mio)["Location"] == "/login/" and not is_in(client)


def test_the_cookie_of_another_store_tries_no_pin_of_this_one(tablet, mio, aoi):
    other = tablet_of(make_store("梅田店"), aoi)
    assert other.get(f"/login/pin/{mio.pk}/").status_code == 404 and enter(other, mio).status_code == 404
    assert not SignInEvent.objects.filter(kind="pin_refused").exists()


def test_nobody_outside_the_store_can_be_named(tablet, aoi, chie):
    for pk in (aoi.pk, chie.pk, 0, 999_999_999):
        assert tablet.post(f"/login/pin/{pk}/", {"pin": PIN}).status_code == 404


def test_one_persons_pin_opens_nobody_elses_name(tablet, mio, store):
    rin = works_at(store, "rin", "凛 りん", pin="8305")
    assert enter(tablet, rin, PIN).status_code == 200 and not is_in(tablet)
    enter(tablet, mio)
    assert enter(tablet, rin, PIN).status_code == 200
    assert tablet.get("/").context["user"] == mio  # a wrong one changes nothing about who is in


def test_a_pin_is_no_password_and_a_password_no_pin(tablet, mio):
    assert not Client().login(username="mio", password=PIN)
    tablet.post("/login/", {"username": "mio", "password": PIN})
    enter(tablet, mio, PASSWORD)
    assert not is_in(tablet)


def test_trying_all_pins_gets_five_looks_however_it_is_done(tablet, mio):
    """From several addresses, with fresh sessions, with the cookie copied."""
    statuses = []
    for number in range(12):
        client = Client(REMOTE_ADDR=f"10.0.0.{number}")
        client.cookies[COOKIE] = tablet.cookies[COOKIE].value
        statuses.append(enter(client, mio, f"{number:04d}").status_code)
    assert statuses == [200] * 4 + [429] * 8
    assert SignInEvent.objects.filter(kind="pin_refused").count() == 5
    assert enter(tablet, mio).status_code == 429


def test_what_was_typed_never_comes_back(tablet, mio):
    answer = enter(tablet, mio, "60427")
    assert "60427" not in answer.content.decode() and "60427" not in str(SignInEvent.objects.values())


def test_a_planted_session_is_not_the_one_that_is_signed_in(tablet, mio):
    """Fixation: the thief knows the session's name from before."""
    tablet.get("/login/device/")
    planted = tablet.session
    planted["left"] = "behind"
    planted.save()
    tablet.cookies[SESSION] = planted.session_key
    enter(tablet, mio)
    assert tablet.cookies[SESSION].value != planted.session_key and "left" not in tablet.session
    known = thief(**{SESSION: planted.session_key, COOKIE: tablet.cookies[COOKIE].value})
    assert not is_in(known) and is_in(tablet)


def test_a_full_session_gives_nothing_on_to_the_pin_after_it(tablet, mio, aoi):
    tablet.post("/login/?by=password", {"username": "aoi", "password": PASSWORD})
    full = tablet.cookies[SESSION].value
    assert tablet.get("/people/").status_code == 200
    enter(tablet, mio)
    assert tablet.get("/people/").status_code == 403 and tablet.get("/").context["user"] == mio
    assert not is_in(thief(**{SESSION: full, COOKIE: tablet.cookies[COOKIE].value}))


@pytest.mark.parametrize("taken", ["store_device", "cookie"])
def test_a_session_by_pin_without_its_device_is_none(tablet, mio, taken):
    """Whatever lost it: the rights of a session by password never come of that."""
    enter(tablet, mio)
    session = tablet.session
    if taken == "store_device":
        del session[pin_sessions.PIN_SESSION]
    else:
        session[pin_sessions.PIN_SESSION] |= {"cookie": ""}
    session.save()
    assert not is_in(tablet)


def test_a_form_of_the_person_before_is_not_done_in_the_name_of_the_next(store, aoi, mio):
    """Two tabs: in the one somebody left a form open, in the other the next one has signed in."""
    rin = works_at(store, "rin", "凛 りん", pin="8305")
    known = tablet_of(store, aoi)
    tablet = Client(enforce_csrf_checks=True)
    tablet.cookies[COOKIE] = known.cookies[COOKIE].value

    def token(page) -> str:
        return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())[1]

    def come(who, pin) -> None:
        form = token(tablet.get(f"/login/pin/{who.pk}/"))
        assert tablet.post(f"/login/pin/{who.pk}/", {"pin": pin, "csrfmiddlewaretoken": form}).status_code == 302

    come(mio, PIN)
    open_form = token(tablet.get("/"))
    open_names = token(tablet.get(f"/login/pin/{mio.pk}/"))
    come(rin, "8305")
    stale = tablet.post("/language/", {"language": "en", "csrfmiddlewaretoken": open_form})
    assert stale.status_code == 403 and "別の画面でログインし直した" in stale.content.decode()
    rin.refresh_from_db()
    assert rin.language == "ja"
    # and the PIN of the one, typed into a page from before the other came, signs nobody in instead
    answer = tablet.post(f"/login/pin/{mio.pk}/", {"pin": PIN, "csrfmiddlewaretoken": open_names})
    assert answer.status_code == 403 and tablet.get("/").context["user"] == rin


def test_a_pin_from_another_site_is_refused(store, aoi, mio):
    tablet = Client(enforce_csrf_checks=True)
    tablet.cookies[COOKIE] = tablet_of(store, aoi).cookies[COOKIE].value
    assert enter(tablet, mio).status_code == 403 and not is_in(tablet)


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere(tablet, mio, target):
    assert enter(tablet, mio, next=target)["Location"] == "/"
    assert tablet.post("/logout/", {"by": "password", "next": target})["Location"] == "/login/?by=password&next=%2F"


def test_nobody_trusts_a_stores_device(tablet, mio, store):
    """The code of the second step is asked for there every time, also where the browser was trusted before."""
    from oms.kernel.models import SignInSettings  # noqa: PLC0415
    from oms.kernel.services import second_step  # noqa: PLC0415
    from oms.kernel.services.second_step import TOTP  # noqa: PLC0415

    SignInSettings.objects.create(may_trust=True)
    secret = bytes(range(20))
    app = TOTP(secret, drift=-1)
    app.time = second_step.time.time()
    assert second_step.set_up(mio, secret, f"{app.token():06d}", keep=None, address="")
    tablet.post("/login/?by=password", {"username": "mio", "password": PASSWORD})
    assert "省略する" not in tablet.get("/login/code/").content.decode()
    app = TOTP(secret)
    app.time = second_step.time.time()
    tablet.post("/login/code/", {"code": f"{app.token():06d}", "trust": "on"})
    assert is_in(tablet) and not Device.objects.exclude(trusted_until=None).exists()
    tablet.post("/logout/")
    Device.objects.update(trusted_until="2099-01-01T00:00:00Z")
    tablet.post("/login/?by=password", {"username": "mio", "password": PASSWORD})
    assert not is_in(tablet)


@pytest.mark.django_db(transaction=True)
def test_revoking_while_somebody_signs_in_leaves_nobody_in(race, aoi):
    store = make_store()
    mio = works_at(store, "mio", "美緒 みお")
    for number in range(4):
        tablet = tablet_of(store, aoi, f"{number}-{uuid4().hex[:4]}")
        device = device_of(tablet)

        def act(which, tablet=tablet, device=device):
            return store_devices.end(device, by=None) if which else enter(tablet, mio).status_code

        outcomes = race(2, act)
        assert outcomes[1] is True and outcomes[0] in {302, 400, 404}, outcomes
        assert not is_in(tablet)
        assert not Device.objects.exclude(store_device=None).exclude(session_key=None).exists()


@pytest.mark.django_db(transaction=True)
def test_resetting_while_somebody_signs_in_leaves_nobody_in(race, aoi):
    from oms.kernel.services import pins  # noqa: PLC0415

    store = make_store()
    mio = works_at(store, "mio", "美緒 みお")
    tablet = tablet_of(store, aoi)
    for _round in range(4):
        pins.set_pin(mio, PIN, address="")
        outcomes = race(
            2, lambda which: pins.remove(mio, by=aoi, address="") if which else enter(tablet, mio).status_code
        )
        assert outcomes[1] is True and outcomes[0] in {302, 400, 404}, outcomes
        assert not is_in(tablet)
