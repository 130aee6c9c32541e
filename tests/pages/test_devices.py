"""Signed-in devices: seen, ended one by one or together, by the person or an administrator; passwords."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from oms.kernel import clock, tasks
from oms.kernel.models import Device, SignInEvent
from oms.kernel.services import devices
from oms.schedule import BEAT_SCHEDULE

pytestmark = pytest.mark.django_db
PASSWORD = "himitsu-no-kotoba"
ACCOUNT = reverse("pages:account")
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/1 Safari/604.1"


@pytest.fixture
def at(aoi):
    """`at(IPHONE)`: aoi, signed in with this browser through the page."""

    def sign_in(agent=WINDOWS, address="203.0.113.7", username="aoi"):
        client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
        answer = client.post("/login/", {"username": username, "password": PASSWORD})
        assert answer.status_code == 302
        return client

    return sign_in


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def is_in(client) -> bool:
    return client.get("/").status_code == 200


def device_of(client) -> Device:
    return Device.objects.get(session_key=client.session.session_key)


def test_everybody_sees_where_they_are_signed_in(at):
    desk, phone = at(WINDOWS), at(IPHONE, "2001:db8::5")
    page = text_of(desk.get(ACCOUNT))
    assert "Chrome（Windows）" in page and "Safari（iPhone）" in page and "2001:db8::5" in page
    first = re.search(r"<tbody>.*?</tr>", page, re.S)[0]
    assert "この端末" in first and "Windows" in first and "<form" not in first
    assert text_of(phone.get(ACCOUNT)).index("Safari（iPhone）") < text_of(phone.get(ACCOUNT)).index(
        "Chrome（Windows）"
    )


def test_the_same_browser_stays_one_row_however_often_it_comes_back(at, ben):
    desk = at()
    desk.post("/logout/")
    desk.post("/login/", {"username": "aoi", "password": PASSWORD})
    assert Device.objects.count() == 1 and is_in(desk)
    desk.post("/logout/")
    desk.post("/login/", {"username": "ben", "password": PASSWORD})
    assert sorted(Device.objects.values_list("user__username", flat=True)) == ["aoi", "ben"]
    assert Device.objects.exclude(session_key=None).count() == 1
    assert list(SignInEvent.objects.order_by("pk").values_list("kind", flat=True)) == [
        *["signed_in", "signed_out"] * 2,
        "signed_in",
    ]


def test_an_ended_device_is_out_with_its_next_request(at):
    desk, phone = at(WINDOWS), at(IPHONE)
    assert is_in(phone)
    page = text_of(desk.post(reverse("pages:device-end", args=[device_of(phone).pk]), follow=True))
    assert "端末をログアウトしました" in page and "iPhone" not in page
    assert phone.get("/orders/")["Location"] == "/login/?next=/orders/" and is_in(desk)
    poll = phone.get("/health-strip/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/orders/"})
    assert poll["HX-Redirect"] == "/login/?next=%2Forders%2F"
    event = SignInEvent.objects.get(kind="device_ended")
    assert event.by == event.person and "Safari（iPhone）" in event.text


def test_ending_twice_is_told_and_journaled_once(at):
    desk, phone = at(WINDOWS), at(IPHONE)
    end = reverse("pages:device-end", args=[device_of(phone).pk])
    desk.post(end)
    assert "すでにログアウトしています" in text_of(desk.post(end, follow=True))
    assert SignInEvent.objects.filter(kind="device_ended").count() == 1
    own = reverse("pages:device-end", args=[device_of(desk).pk])
    assert "メニューの「ログアウト」" in text_of(desk.post(own, follow=True)) and is_in(desk)


def test_all_others_are_ended_together(at):
    desk, phone, tablet = at(WINDOWS), at(IPHONE), at(IPHONE, "198.51.100.3")
    assert "2台の端末をログアウトしました" in text_of(desk.post(reverse("pages:devices-end-others"), follow=True))
    assert [is_in(client) for client in (desk, phone, tablet)] == [True, False, False]
    assert "ログアウトする端末はありませんでした" in text_of(
        desk.post(reverse("pages:devices-end-others"), follow=True)
    )


@pytest.mark.parametrize(
    "name", ["account", "account-password", "second-step", "second-step-off", "devices-end-others"]
)
def test_an_account_is_for_who_is_logged_in(client, db, name):
    url = reverse(f"pages:{name}")
    for answer in (client.get(url), client.post(url)):
        assert answer.status_code == 302 and answer["Location"].startswith("/login/?next=")


def test_nobody_ends_the_device_of_somebody_else(at, ben, client_of):
    desk = at()
    looker = client_of(ben)
    assert looker.post(reverse("pages:device-end", args=[device_of(desk).pk])).status_code == 404
    assert looker.post(reverse("pages:person-device-end", args=[device_of(desk).user_id, 1])).status_code == 403
    assert looker.post(reverse("pages:person-devices-end", args=[device_of(desk).user_id])).status_code == 403
    assert is_in(desk)


def test_an_administrator_sees_and_ends_the_devices_of_a_person(at, ben, client_of):
    theirs, keeper = at(IPHONE, username="ben"), at()
    page = text_of(keeper.get(reverse("pages:person", args=[ben.pk])))
    assert "Safari（iPhone）" in page and "すべてログアウトさせる" in page
    one = reverse("pages:person-device-end", args=[ben.pk, device_of(theirs).pk])
    assert "1台の端末をログアウトしました" in text_of(keeper.post(one, follow=True)) and not is_in(theirs)
    theirs = at(IPHONE, username="ben")
    keeper.post(reverse("pages:person-devices-end", args=[ben.pk]))
    assert not is_in(theirs) and is_in(keeper)
    event = SignInEvent.objects.filter(kind="device_ended").latest("pk")
    assert (event.person, event.by.username, event.address) == (ben, "aoi", "203.0.113.7")


def test_a_new_password_ends_every_other_device(at, aoi):
    desk, phone = at(WINDOWS), at(IPHONE)
    change = reverse("pages:account-password")
    new = {"current": PASSWORD, "new": "atarashii-kotoba", "again": "atarashii-kotoba"}
    assert "今のパスワードが違います" in text_of(desk.post(change, new | {"current": "x"}))
    assert "2つの新しいパスワードが違います" in text_of(desk.post(change, new | {"again": "x"}))
    assert "errors" not in text_of(desk.post(change, new | {"new": "short", "again": "short"})) and is_in(phone)
    assert "パスワードを変更しました" in text_of(desk.post(change, new, follow=True))
    assert is_in(desk) and not is_in(phone)
    assert device_of(desk).session_key and Session.objects.count() <= 2
    aoi.refresh_from_db()
    assert aoi.check_password("atarashii-kotoba")
    assert text_of(desk.get(ACCOUNT)).count("この端末") >= 1


def test_guessing_the_present_password_ends_soon(at):
    desk, change = at(), reverse("pages:account-password")
    wrong = {"current": "x", "new": "atarashii-kotoba", "again": "atarashii-kotoba"}
    for _try in range(10):
        desk.post(change, wrong)
    assert "しばらく受け付けません" in text_of(desk.post(change, wrong | {"current": PASSWORD}))


@pytest.mark.parametrize("change", [{"password": "atarashii-kotoba", "is_active": "on"}, {"password": ""}])
def test_a_password_given_by_an_administrator_or_a_stop_ends_all_devices(at, ben, change):
    theirs, keeper = at(IPHONE, username="ben"), at()
    keeper.post(reverse("pages:person", args=[ben.pk]), {"username": "ben", "display_name": "弁", "roles": []} | change)
    assert not is_in(theirs) and is_in(keeper)
    assert not Device.objects.filter(user=ben).exclude(session_key=None).exists()
    assert SignInEvent.objects.filter(kind="device_ended", person=ben).count() == 1


def test_whoever_changes_the_own_password_on_the_page_of_users_stays_in_here_alone(at, aoi):
    desk, phone = at(WINDOWS), at(IPHONE)
    posted = {"username": "aoi", "display_name": "青井", "is_active": "on", "roles": ["administrator"]}
    desk.post(reverse("pages:person", args=[aoi.pk]), posted | {"password": "atarashii-kotoba"})
    assert is_in(desk) and not is_in(phone) and device_of(desk)


def test_a_session_without_a_device_is_no_session(at):
    desk = at()
    Device.objects.all().delete()
    devices._noted.clear()
    assert not is_in(desk)


def test_a_list_shows_no_device_whose_session_has_run_out(at):
    desk, phone = at(WINDOWS), at(IPHONE)
    Session.objects.filter(session_key=phone.session.session_key).delete()
    assert "iPhone" not in text_of(desk.get(ACCOUNT))


def test_an_ordinary_request_costs_no_further_query(at, monkeypatch, settings):
    """Django's own two: the session and the person. Every five minutes one more notes that the device is in use."""
    desk = at()
    is_in(desk)
    early = clock.now() - timedelta(hours=1)
    Device.objects.update(last_seen_at=early)

    def queries(client) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/keys/").status_code == 200
        return [query["sql"] for query in captured]

    quiet = queries(desk)
    assert 'FROM "django_session"' in quiet[0] and quiet[1].startswith('SELECT "kernel_user"."id"')
    assert not any("kernel_device" in sql for sql in quiet)
    with settings_without_the_middleware(settings):
        plain = Client()
        plain.cookies = desk.cookies
        assert len(queries(plain)) == len(quiet)
    now = devices.time.monotonic()
    monkeypatch.setattr(devices.time, "monotonic", lambda: now + devices.SEEN_EVERY_S + 1)
    noted = queries(desk)
    assert len(noted) == len(quiet) + 1 and sum(sql.startswith('UPDATE "kernel_device"') for sql in noted) == 1
    assert Device.objects.get().last_seen_at > early and len(queries(desk)) == len(quiet)


def settings_without_the_middleware(settings):
    rest = [name for name in settings.MIDDLEWARE if name != "oms.kernel.sign_in.SignInMiddleware"]
    assert len(rest) == len(settings.MIDDLEWARE) - 1
    return override_settings(MIDDLEWARE=rest, AUTHENTICATION_BACKENDS=settings.AUTHENTICATION_BACKENDS)


def test_sessions_that_have_run_out_are_deleted_by_the_schedule(aoi, client):
    client.force_login(aoi)
    live = client.session.session_key
    Session.objects.create(session_key="old", session_data="x", expire_date=timezone.now() - timedelta(minutes=1))
    tasks.clear_sessions()
    assert list(Session.objects.values_list("session_key", flat=True)) == [live]
    assert "oms.kernel.tasks.clear_sessions" in {entry["task"] for entry in BEAT_SCHEDULE.values()}


def test_a_password_changed_by_command_ends_browsers_and_their_trust(aoi, client, monkeypatch):
    client.force_login(aoi)
    Device.objects.update(trusted_until=clock.now() + timedelta(days=9))
    typed = iter(["atarashii-kotoba-9", "atarashii-kotoba-9"])
    monkeypatch.setattr("getpass.getpass", lambda prompt="": next(typed))
    call_command("changepassword", "aoi")
    aoi.refresh_from_db()
    device = Device.objects.get()
    assert aoi.check_password("atarashii-kotoba-9")
    assert (device.session_key, device.trusted_until) == (None, None) and not Session.objects.exists()
    assert SignInEvent.objects.filter(kind="password_changed", person=aoi, by=None).exists()


def test_a_command_that_changes_no_password_ends_nothing(aoi, client, monkeypatch):
    client.force_login(aoi)
    monkeypatch.setattr("getpass.getpass", lambda prompt="": "kurz")
    with pytest.raises(CommandError):
        call_command("changepassword", "aoi", stderr=StringIO())
    assert Session.objects.count() == 1 and not SignInEvent.objects.filter(kind="password_changed").exists()
