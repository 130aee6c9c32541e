"""Being in by PIN on a store's device: what such a session may do, everything that ends it, what it costs."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory.models import Location
from oms.kernel import clock
from oms.kernel.models import Device, Pin, SignInEvent, SignInRule, StoreDevice
from oms.kernel.services import devices, store_devices
from oms.kernel.services.people import save_person
from oms.pages.scope import BY_PASSWORD
from tests.pages.store_devices.builders import device_of, enter, is_in, make_store, tablet_of, works_at

pytestmark = pytest.mark.django_db
PASSWORD = "himitsu-no-kotoba"
LIST, ADD = reverse("pages:store-devices"), reverse("pages:store-device-add")
SET_PIN = reverse("pages:account-pin")


def text_of(response, status=200) -> str:
    assert response.status_code == status
    return response.content.decode()


# ---- what such a session may do


def test_it_holds_a_stores_rights_at_most_and_only_at_this_store(tablet, store, aoi):
    """An administrator who also helps in the store, by PIN."""
    aoi.groups.add(Group.objects.get(name="store_manager"))
    aoi.is_superuser = True
    aoi.save(update_fields=["is_superuser"])
    works_at(store, "x", "x")
    Pin.objects.create(user=aoi, secret=Pin.objects.get().secret, set_at=clock.now())
    assert enter(tablet, aoi).status_code == 302
    for closed in ("/people/", "/people/sign-in/", LIST, "/orders/rules/", "/orders/privacy/", "/outbox/"):
        page = text_of(tablet.get(closed), 403)
        assert "本人のログインが必要です" in page and f'value="{closed}"' in page, closed
    assert tablet.post(ADD, {"key": uuid4(), "place": store.pk, "name": "x"}).status_code == 403
    assert tablet.get("/inventory/").status_code == 200 and tablet.get("/orders/").status_code == 200
    home = text_of(tablet.get("/"))
    assert "/people/" not in home and reverse("pages:account") not in home
    onward = tablet.post("/logout/", {"by": "password", "next": "/people/"})
    assert onward["Location"] == "/login/?by=password&next=%2Fpeople%2F"
    assert 'name="password"' in text_of(tablet.get(onward["Location"]))
    tablet.post("/login/?by=password", {"username": "aoi", "password": PASSWORD, "next": "/people/"})
    assert tablet.get("/people/").status_code == 200  # by the own password


def test_stock_is_corrected_at_this_store_and_at_no_other_of_the_person(tablet, store):
    warehouse = Location.objects.create(code="W-9", name="東京倉庫")
    kai = works_at(store, "kai", "海 かい", role="store_manager")
    kai.place_ids = [store.pk, warehouse.pk]
    kai.save(update_fields=["place_ids"])
    from tests.orders.builders import make_sku  # noqa: PLC0415

    sku = make_sku("CHAIR", stock_units=3, location=store)
    enter(tablet, kai)
    url, form = reverse("inventory:correct", args=[sku.pk]), {"how": "add", "units": 2, "reason": "x"}
    assert tablet.post(url, form | {"location": warehouse.pk}).context["form"].errors["location"]
    assert tablet.post(url, form | {"location": store.pk}).status_code == 302


@pytest.mark.parametrize("name", sorted(BY_PASSWORD - {"pages:login-code"}))
def test_what_decides_who_comes_in_wants_the_own_password(name, tablet, mio):
    enter(tablet, mio)
    needs_id = any(part in name for part in ("device-end", "code", "state")) and "others" not in name
    url = reverse(name, args=[1] if needs_id and name != "pages:second-step-codes" else [])
    for answer in (tablet.get(url), tablet.post(url, {"current": PASSWORD, "new": "8305", "again": "8305"})):
        assert answer.status_code == 403, name
    assert Pin.objects.get(user=mio).failures == 0 and is_in(tablet)


def test_one_sees_by_which_device_one_is_in(tablet, mio, client_of):
    enter(tablet, mio)
    desk = client_of(mio)
    assert "PINでログイン：渋谷店・レジ横" in text_of(desk.get(reverse("pages:account")))
    row = Device.objects.get(store_device=device_of(tablet))
    desk.post(reverse("pages:device-end", args=[row.pk]))
    assert not is_in(tablet)


# ---- what ends it


def test_a_screen_that_is_left_alone_ends_and_says_so_in_the_journal(tablet, mio, moment):
    enter(tablet, mio)
    moment(500)
    assert is_in(tablet)
    moment(500)
    assert is_in(tablet)  # at work all the time
    moment(601)
    assert tablet.get("/orders/")["Location"] == "/login/?next=/orders/" and not is_in(tablet)
    left = SignInEvent.objects.get(kind="signed_out")
    assert left.by is None and left.person == mio and left.text == "渋谷店・レジ横・Safari（iPad）・操作がなかったため"


def test_who_is_in_by_password_on_a_stores_device_is_out_as_soon(tablet, mio, aoi, moment, client_of):
    desk = client_of(aoi)
    tablet.post("/login/?by=password", {"username": "aoi", "password": PASSWORD})
    page = text_of(tablet.get("/people/"))
    assert "交代" in page and "本人のログイン中" in page and "no-store" in tablet.get("/people/")["Cache-Control"]
    moment(500)
    assert tablet.get("/people/").status_code == 200 and tablet.get(reverse("pages:pin-watch")).status_code == 204
    moment(601)
    assert tablet.get("/people/")["Location"] == "/login/?next=/people/"
    assert desk.get("/people/").status_code == 200 and desk.get(reverse("pages:pin-watch")).status_code == 404
    assert "交代" not in desk.get("/people/").content.decode()


def test_leaving_when_the_time_is_over_leads_to_the_names_and_no_further(tablet, mio, moment):
    enter(tablet, mio)
    moment(601)
    names = tablet.post("/logout/", follow=True)
    assert "名前を選んでください" in text_of(names)
    assert enter(tablet, mio, next="/logout/")["Location"] == "/"


def test_what_a_page_asks_by_itself_keeps_nobody_in(tablet, mio, moment):
    enter(tablet, mio)
    watch = reverse("pages:pin-watch")
    for _poll in range(3):
        moment(190)
        assert tablet.get(watch, headers={"X-Live": "1"}).status_code == 204
    moment(190)
    assert tablet.get(watch, headers={"X-Live": "1"})["Location"].startswith("/login/")


def test_somebody_who_types_for_long_stays_in(tablet, mio, moment):
    enter(tablet, mio)
    for _look in range(4):
        moment(400)
        assert tablet.get(reverse("pages:pin-watch")).status_code == 204


def test_the_session_of_a_forgotten_device_runs_out_by_itself(tablet, mio):
    enter(tablet, mio)
    session = Session.objects.get()
    assert session.expire_date < clock.now() + timedelta(minutes=12)
    Session.objects.update(expire_date=clock.now() - timedelta(seconds=1))
    assert not is_in(tablet) and not Device.objects.with_state().filter(signed_in=True).exists()


def test_a_revoked_device_is_out_with_its_next_request_and_shows_no_names(tablet, mio, aoi, client_of):
    enter(tablet, mio)
    page = text_of(client_of(aoi).post(reverse("pages:store-device-end", args=[device_of(tablet).pk]), follow=True))
    assert "渋谷店・レジ横の登録を取り消しました" in page and "取り消した端末" in page
    assert tablet.get("/orders/")["Location"] == "/login/?next=/orders/"
    assert 'name="password"' in text_of(tablet.get("/login/")) and enter(tablet, mio)["Location"] == "/login/"
    ended, out = SignInEvent.objects.filter(kind__in=["store_device_ended", "device_ended"]).order_by("pk")
    assert ended.by == out.by == aoi and out.person == mio and "店舗端末の取り消し" in out.text


def test_a_device_that_nobody_used_for_long_has_ended(tablet, mio, settings):
    device = device_of(tablet)
    StoreDevice.objects.update(last_seen_at=clock.now() - timedelta(days=settings.STORE_DEVICE_DAYS + 1))
    assert 'name="password"' in text_of(tablet.get("/login/"))
    device.refresh_from_db()
    assert device.ended_at and device.token_digest is None
    assert "90日使われなかった" in SignInEvent.objects.get(kind="store_device_ended").text


def test_a_device_in_use_is_noted_every_five_minutes(tablet):
    early = clock.now() - timedelta(days=80)
    StoreDevice.objects.update(last_seen_at=early)
    tablet.get("/login/")
    noted = StoreDevice.objects.get().last_seen_at
    tablet.get("/login/")
    assert noted > early and StoreDevice.objects.get().last_seen_at == noted


@pytest.mark.parametrize("what", ["reset", "stopped", "password", "changed", "removed", "moved"])
def test_what_changes_about_the_person_ends_the_session(what, tablet, mio, aoi, client_of):
    enter(tablet, mio)
    keeper, own = client_of(aoi), client_of(mio)
    if what == "reset":
        assert "PINをリセットしました" in text_of(keeper.post(reverse("pages:pin-reset", args=[mio.pk]), follow=True))
    elif what in {"stopped", "moved"}:
        mio.is_active = what != "stopped"
        mio.place_ids = [make_store("梅田店").pk] if what == "moved" else mio.place_ids
        if what == "moved":
            mio.save(update_fields=["place_ids"])
        else:
            save_person(mio, groups=[], password="", by=aoi)
    elif what == "password":
        new = {"current": PASSWORD, "new": "atarashii-kotoba", "again": "atarashii-kotoba"}
        own.post(reverse("pages:account-password"), new)
    elif what == "changed":
        assert own.post(SET_PIN, {"current": PASSWORD, "new": "8305", "again": "8305"}).status_code == 302
        assert is_in(own)
    else:
        own.post(reverse("pages:account-pin-remove"))
    assert not is_in(tablet)
    assert not Device.objects.exclude(store_device=None).with_state().filter(signed_in=True).exists()


def test_the_addresses_of_the_role_hold_on_the_device_too(store, aoi, mio):
    tablet = tablet_of(store, aoi, REMOTE_ADDR="203.0.113.7")
    enter(tablet, mio)
    SignInRule.objects.create(group=Group.objects.get(name="store_staff"), networks="198.51.100.0/24")
    assert "この場所からは使えません" in text_of(tablet.get("/orders/"), 403)
    assert tablet.get("/orders/").status_code == 302  # out
    assert "この場所からは使えません" in text_of(enter(tablet, mio), 403) and not is_in(tablet)
    assert SignInEvent.objects.filter(kind="address_refused", person=mio).exists()
    SignInRule.objects.update(networks="203.0.113.0/24")
    assert enter(tablet, mio).status_code == 302 and is_in(tablet)


# ---- what it costs


def test_an_ordinary_request_by_pin_costs_no_further_query(tablet, mio, moment):
    """Django's own two. While people work, one more in half a minute writes the session."""
    enter(tablet, mio)
    is_in(tablet)

    def queries(client) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/keys/").status_code == 200
        return [query["sql"] for query in captured]

    quiet = queries(tablet)
    assert 'FROM "django_session"' in quiet[0] and quiet[1].startswith('SELECT "kernel_user"."id"')
    assert not any("device" in sql or "kernel_pin" in sql for sql in quiet)
    assert sum(sql.startswith("UPDATE") for sql in quiet) == 0
    plain = Client()
    plain.post("/login/", {"username": "mio", "password": PASSWORD})
    queries(plain)
    assert len(quiet) == len(queries(plain))
    moment(31)
    written = queries(tablet)
    assert sum(sql.startswith('UPDATE "django_session"') for sql in written) == 1
    assert len([sql for sql in written if "SAVEPOINT" not in sql]) == len(quiet) + 1
    assert len(queries(tablet)) == len(quiet)


def test_a_browser_without_the_cookie_pays_nothing_at_the_login(db):
    with CaptureQueriesContext(connection) as captured:
        Client().get("/login/")
    assert len(captured) == 0


def test_nothing_is_remembered_by_a_process_about_devices(tablet, mio):
    """An ended session is over in every worker at once: what a process notes is when, not whether."""
    enter(tablet, mio)
    assert is_in(tablet)
    store_devices.end(device_of(tablet), by=None)
    assert devices._noted and not is_in(tablet)
