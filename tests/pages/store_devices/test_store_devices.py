"""Devices of stores: registering them, the names and the PIN, the own page, English."""

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oms.kernel import clock
from oms.kernel.models import Device, Pin, SignInEvent, SignInRule, StoreDevice
from tests.pages.store_devices.builders import (
    PIN,
    device_of,
    enter,
    is_in,
    make_store,
    tablet_of,
    waiting_code,
    works_at,
)
from tests.pages.store_devices.conftest import TABLET
from tests.pages.test_english import japanese_in

pytestmark = pytest.mark.django_db
PASSWORD = "himitsu-no-kotoba"
LIST, ADD = reverse("pages:store-devices"), reverse("pages:store-device-add")
REGISTER, SET_PIN = reverse("pages:login-device"), reverse("pages:account-pin")


def text_of(response, status=200) -> str:
    assert response.status_code == status
    return response.content.decode()


def kinds() -> list[str]:
    return list(SignInEvent.objects.order_by("pk").values_list("kind", flat=True))


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


def test_every_page_of_it_speaks_english(aoi, client_of):
    store = make_store("Shibuya")
    ann, bob = works_at(store, "ann", "Ann"), works_at(store, "bob", "Bob", pin="")
    aoi.display_name = "Aoi"
    aoi.save(update_fields=["display_name"])
    keeper, own = client_of(aoi), client_of(bob)
    tablet = tablet_of(store, aoi, "Till", headers={"User-Agent": TABLET})
    tablet.get("/login/")  # reads the Japanese message
    for client in (keeper, own, tablet):
        client.cookies["django_language"] = "en"
    pages = [
        keeper.post(ADD, {"key": uuid4(), "place": store.pk, "name": "Back"}),
        keeper.post(reverse("pages:store-device-end", args=[StoreDevice.objects.latest("pk").pk]), follow=True),
        keeper.get(reverse("pages:person", args=[ann.pk])),
        keeper.post(reverse("pages:pin-reset", args=[bob.pk]), follow=True),
        own.get(reverse("pages:account")),
        own.get(SET_PIN),
        own.post(SET_PIN, {"current": "x", "new": "1234", "again": "4321"}),
        tablet.get(REGISTER),
        tablet.post(REGISTER, {"code": "x"}),
        tablet.get("/login/"),
        tablet.get("/login/?by=password"),
        tablet.get(f"/login/pin/{ann.pk}/"),
        *(enter(tablet, ann, "0000") for _try in range(4)),
    ]
    assert len({japanese_free(page) for page in pages}) > 5
    assert "15 minutes" in japanese_free(enter(tablet, ann, "0000"), 429)
    Pin.objects.update(failures=20)
    assert "administrator" in japanese_free(enter(tablet, ann, "0000"), 429)
    Pin.objects.update(failures=0)
    other = tablet_of(store, aoi, "Other")
    other.get("/login/")
    other.cookies["django_language"] = "en"
    enter(other, ann)
    assert "Switch person" in japanese_free(other.get("/"))
    assert "your own login" in japanese_free(other.get("/people/"), 403).lower()
    other.post("/logout/")
    Pin.objects.all().delete()
    assert "Nobody at this store" in japanese_free(other.get("/login/"))


def japanese_free(response, status=200) -> str:
    assert response.status_code == status
    text = unescape(response.content.decode())
    assert japanese_in(text) == []
    return text
