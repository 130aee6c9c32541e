"""Devices of stores: registering them, signing in by PIN, what such a session may do, and everything that ends it."""

import re
from datetime import timedelta
from types import SimpleNamespace
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
from oms.kernel.roles import sync_roles
from oms.kernel.services import devices, pin_sessions, store_devices
from oms.kernel.services.people import save_person
from oms.pages.scope import BY_PASSWORD
from tests.pages.store_devices import PIN, device_of, enter, is_in, make_store, tablet_of, waiting_code, works_at

pytestmark = pytest.mark.django_db
PASSWORD = "himitsu-no-kotoba"
LIST, ADD = reverse("pages:store-devices"), reverse("pages:store-device-add")
REGISTER, SET_PIN = reverse("pages:login-device"), reverse("pages:account-pin")
TABLET = "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Version/18.0 Mobile/1 Safari/604.1"


def text_of(response, status=200) -> str:
    assert response.status_code == status
    return response.content.decode()


def kinds() -> list[str]:
    return list(SignInEvent.objects.order_by("pk").values_list("kind", flat=True))


@pytest.fixture
def store(db):
    sync_roles()
    return make_store()


@pytest.fixture
def mio(store):
    return works_at(store, "mio", "美緒 みお")


@pytest.fixture
def tablet(store, aoi):
    return tablet_of(store, aoi, headers={"User-Agent": TABLET})


@pytest.fixture
def moment(monkeypatch):
    """`moment(60)`: so many seconds later, for sessions."""
    now = [pin_sessions.time.time()]
    monkeypatch.setattr(pin_sessions, "time", SimpleNamespace(time=lambda: now[0]))

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


# ---- registering


def test_an_administrator_makes_a_code_and_the_tablet_becomes_a_device(client_of, aoi, store, mio):
    keeper = client_of(aoi)
    assert "登録した端末はありません" in text_of(keeper.get(LIST))
    made = keeper.post(ADD, {"key": uuid4(), "place": store.pk, "name": "レジ横"})
    page, code = text_of(made), made.context["code"]
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", code) and code in page and 'class="qr"' in page
    assert "no-store" in made["Cache-Control"] and code not in text_of(keeper.get(LIST))
    assert code.replace("-", "") not in str(StoreDevice.objects.values().get())
    tablet = Client(headers={"User-Agent": TABLET})
    assert f'value="{code}"' in text_of(tablet.get(REGISTER, {"code": code}))
    assert StoreDevice.objects.get().registered_at is None  # whoever only looks uses nothing up
    names = text_of(tablet.post(REGISTER, {"code": code.lower()}, follow=True))
    assert "登録しました" in names and "渋谷店" in names and "美緒 みお" in names
    cookie = tablet.cookies["oms_store_device"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and int(cookie["max-age"]) > 300 * 24 * 3600
    assert cookie.value not in str(StoreDevice.objects.values().get())
    row = text_of(keeper.get(LIST))
    assert "レジ横" in row and "Safari（iPad）" in row and "登録済み" in row
    assert kinds()[-2:] == ["store_device_code", "store_device_added"]


def test_a_code_is_good_once_and_for_a_quarter_of_an_hour(store, aoi, monkeypatch):
    device, code = waiting_code(store, aoi)
    assert Client().post(REGISTER, {"code": code}).status_code == 302
    second = Client()
    assert "使えません" in text_of(second.post(REGISTER, {"code": code})) and "oms_store_device" not in second.cookies
    _device, late = waiting_code(store, aoi, "奥")
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=16))
    assert "使えません" in text_of(second.post(REGISTER, {"code": late}))
    assert StoreDevice.objects.registered().get() == device


def test_a_form_sent_twice_is_one_device_whose_first_code_is_worth_nothing(client_of, aoi, store):
    keeper, form = client_of(aoi), {"key": uuid4(), "place": store.pk, "name": "レジ横"}
    first, second = (keeper.post(ADD, form).context["code"] for _time in range(2))
    assert StoreDevice.objects.count() == 1
    assert "使えません" in text_of(Client().post(REGISTER, {"code": first}))
    assert Client().post(REGISTER, {"code": second}).status_code == 302
    assert "もう登録を待っていません" in text_of(keeper.post(ADD, form, follow=True))


def test_guessing_codes_ends_soon(store, aoi):
    _device, code = waiting_code(store, aoi)
    guesser = Client(REMOTE_ADDR=f"10.{uuid4().hex}")
    for _try in range(10):
        assert guesser.post(REGISTER, {"code": "0000-0000"}).status_code == 200
    assert "しばらく受け付けません" in text_of(guesser.post(REGISTER, {"code": code}), 429)
    assert Client(REMOTE_ADDR=f"10.{uuid4().hex}").post(REGISTER, {"code": code}).status_code == 302


def test_a_browser_is_one_device_and_who_registers_it_is_signed_out_there(store, aoi, client_of):
    browser = client_of(aoi)
    for name in ("古い名前", "新しい名前"):
        assert "からログアウトします" in text_of(browser.get(REGISTER)) or name != "古い名前"
        browser.post(REGISTER, {"code": waiting_code(store, aoi, name)[1]})
        assert not is_in(browser)
    assert StoreDevice.objects.registered().get().name == "新しい名前"
    assert StoreDevice.objects.get(name="古い名前").ended_at is not None


def test_a_store_manager_registers_for_the_own_store_alone(store, aoi, client_of):
    other = make_store("梅田店")
    foreign = device_of(tablet_of(other, aoi, "梅田の端末"))
    keeper = client_of(works_at(store, "kai", "海 かい", role="store_manager"))
    page = text_of(keeper.get(LIST))
    assert "渋谷店" in page and "梅田店" not in page and "梅田の端末" not in page
    assert keeper.post(ADD, {"key": uuid4(), "place": store.pk, "name": "レジ横"}).context["code"]
    assert keeper.post(ADD, {"key": uuid4(), "place": other.pk, "name": "x"}).context["form"].errors["place"]
    hers = waiting_code(other, aoi)[0]
    stolen = keeper.post(ADD, {"key": hers.key, "place": store.pk, "name": "x"})
    assert stolen.context["form"].non_field_errors() and "code" not in stolen.context
    for name in ("store-device-end", "store-device-code", "store-device-state"):
        url = reverse(f"pages:{name}", args=[foreign.pk])
        assert {keeper.get(url).status_code, keeper.post(url).status_code} <= {404, 405}
    assert StoreDevice.objects.get(pk=foreign.pk).ended_at is None


def test_staff_and_lookers_register_and_end_nothing(store, mio, tablet, client_of, ben):
    for who in (mio, ben):
        client = client_of(who)
        assert client.get(LIST).status_code == 403 and client.post(ADD).status_code == 403
        assert client.post(reverse("pages:store-device-end", args=[device_of(tablet).pk])).status_code == 403
        assert client.post(reverse("pages:pin-reset", args=[mio.pk])).status_code == 403
    assert Pin.objects.filter(user=mio).exists()


def test_the_page_of_the_code_learns_that_the_tablet_is_registered(client_of, aoi, store):
    device, code = waiting_code(store, aoi)
    url, asks = reverse("pages:store-device-state", args=[device.pk]), {"HX-Request": "true"}
    keeper = client_of(aoi)
    assert "待っています" in text_of(keeper.get(url, headers=asks))
    Client().post(REGISTER, {"code": code})
    said = text_of(keeper.get(url, headers=asks))
    assert "登録できました" in said and "hx-get" not in said
    assert keeper.get(url)["Location"] == LIST


def test_the_list_asks_the_same_number_of_queries_for_many_devices(client_of, aoi, store, mio):
    keeper = client_of(aoi)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert keeper.get(LIST).status_code == 200
        return len(captured)

    enter(tablet_of(store, aoi, "1"), mio)
    queries()
    one = queries()
    for number in range(3):
        enter(tablet_of(store, aoi, f"奥{number}"), mio)
    assert queries() == one and "美緒 みお" in text_of(keeper.get(LIST))


# ---- the names and the PIN


def test_the_device_shows_its_stores_people_and_nobody_else(store, mio, aoi, tablet, person_with):
    works_at(make_store("梅田店"), "ume", "梅 うめ")
    person_with("store_staff")  # of every store, without a PIN
    gone = works_at(store, "yui", "結 ゆい")
    gone.is_active = False
    gone.save(update_fields=["is_active"])
    page = text_of(tablet.get("/login/"))
    assert [one.username for one in tablet.get("/login/").context["people"]] == ["mio"]
    assert "PIN未設定：store_staff" in page and "梅 うめ" not in page and "結 ゆい" not in page and "青井" not in page
    assert 'name="password"' not in page and 'name="password"' in text_of(tablet.get("/login/?by=password"))
    assert 'name="password"' in text_of(Client().get("/login/"))


def test_a_pin_lets_its_person_in_and_the_journal_says_where(tablet, mio):
    page = text_of(tablet.get(f"/login/pin/{mio.pk}/"))
    assert "美緒 みお" in page and 'inputmode="numeric"' in page
    assert "あと4回" in text_of(enter(tablet, mio, "0000")) and not is_in(tablet)
    answer = enter(tablet, mio, "４９１７", next="/inventory/")
    assert (answer.status_code, answer["Location"]) == (302, "/inventory/")
    home = tablet.get("/")
    assert "交代" in text_of(home) and "渋谷店・レジ横" in home.content.decode()
    assert "no-store" in home["Cache-Control"] and '"historyCacheSize": 0' in home.content.decode()
    refused, came = SignInEvent.objects.filter(person=mio, store_device=device_of(tablet)).order_by("pk")
    assert (refused.kind, refused.text) == ("pin_refused", "渋谷店・レジ横")
    assert (came.kind, came.by, came.text) == ("pin_signed_in", mio, "渋谷店・レジ横・Safari（iPad）")
    assert enter(tablet_again := Client(), mio)["Location"] == "/login/" and not is_in(tablet_again)


def test_the_next_one_takes_over_at_once(tablet, store, mio):
    rin = works_at(store, "rin", "凛 りん", pin="8305")
    enter(tablet, mio)
    names = tablet.post("/logout/", follow=True)
    assert "名前を選んでください" in text_of(names) and not is_in(tablet)
    enter(tablet, rin, "8305")
    assert "凛 りん" in text_of(tablet.get("/")) and Session.objects.count() == 1
    enter(tablet, mio)  # also straight from the one to the other
    assert "美緒 みお" in text_of(tablet.get("/")) and Session.objects.count() == 1
    assert Device.objects.exclude(session_key=None).get().user == mio
    assert [kind for kind in kinds() if kind.startswith(("pin_signed", "signed"))] == [
        *("pin_signed_in", "signed_out", "pin_signed_in", "signed_out", "pin_signed_in")
    ]


def test_it_never_asks_for_the_second_step_nor_to_set_it_up(tablet, mio):
    SignInRule.objects.create(group=Group.objects.get(name="store_staff"), second_step=True)
    assert enter(tablet, mio)["Location"] == "/" and is_in(tablet)
    plain = Client()
    plain.post("/login/", {"username": "mio", "password": PASSWORD})
    assert plain.get("/")["Location"] == reverse("pages:second-step")


def test_wrong_pins_close_it_and_say_what_to_do(tablet, mio):
    for _try in range(4):
        enter(tablet, mio, "0000")
    page = text_of(enter(tablet, mio, "0000"), 429)
    assert "15分ほど待つか" in page and "パスワードでログイン" in page and 'name="pin"' not in page
    assert enter(tablet, mio).status_code == 429 and not is_in(tablet)
    Pin.objects.filter(user=mio).update(failures=20)
    page = text_of(enter(tablet, mio), 429)
    assert "使えなくなりました" in page and "管理者に連絡" in page


def test_who_gets_in_after_wrong_ones_is_told(tablet, mio):
    for _try in range(3):
        enter(tablet, mio, "0000")
    assert "PINの誤りが3回ありました" in text_of(enter(tablet, mio).client.get("/"))


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


# ---- the own page


def test_a_pin_is_set_by_who_knows_the_password(store, client_of):
    nao = works_at(store, "nao", "直 なお", pin="")
    own = client_of(nao)
    assert SET_PIN in text_of(own.get(reverse("pages:account")))
    good = {"current": PASSWORD, "new": "4917", "again": "4917"}
    for change, said in (
        ({"current": "x"}, "今のパスワードが違います"),
        ({"new": "123"}, "4〜8桁の数字にしてください"),
        ({"new": "1234", "again": "1234"}, "すぐに当てられます"),
        ({"again": "4918"}, "2つの新しいPINが違います"),
    ):
        page = text_of(own.post(SET_PIN, good | change))
        assert said in page and "4917" not in page
    assert not Pin.objects.exists()
    assert "PINを設定しました" in text_of(own.post(SET_PIN, good, follow=True))
    assert kinds()[-1] == "pin_set" and Pin.objects.get().user == nao


def test_an_administrator_sees_whether_there_is_a_pin_and_never_which(client_of, aoi, mio):
    page = text_of(client_of(aoi).get(reverse("pages:person", args=[mio.pk])))
    assert "PINをリセットする" in page and PIN not in page and Pin.objects.get().secret not in page


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
