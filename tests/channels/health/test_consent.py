"""連携する: through the mall's own page and back, with a state that is signed, bound to the session and good once."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.urls import reverse

from channels.models import Connection, Renewal
from channels.services import credentials

pytestmark = pytest.mark.django_db


def agree(page, answer: str = "allow") -> str:
    """What the person does at the mall; returns the address that the mall sends them back to."""
    url = page.context["url"]
    shown = requests.get(url, timeout=10)
    assert "同意する" in shown.text
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    sent = requests.post(url.partition("?")[0], data=asked | {"answer": answer}, allow_redirects=False, timeout=10)
    assert sent.status_code == 302
    return sent.headers["Location"]


def back(client, location: str):
    parts = urlsplit(location)
    return client.get(parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}, follow=True)


def test_a_person_agrees_and_the_new_token_is_tested_and_switched_to(house, client_of, aoi):
    here = house("yahoo")
    here.pull()
    before = credentials.read(here.fresh())["refresh_token"]
    client = client_of(aoi)
    page = client.get(reverse("channels:consent", args=[here.connection.shop_id]))
    assert "http://testserver" + reverse("channels:consent-callback") in page.content.decode()
    done = back(client, agree(page))
    assert "切り替えました" in done.content.decode()
    token = credentials.read(here.fresh())["refresh_token"]
    assert token != before and Renewal.objects.get().state == "kept"
    here.pull()
    assert here.fresh().health == "running"
    assert token not in done.content.decode()


def test_the_first_consent_of_a_shop_is_stored_and_tried(house, client_of, aoi):
    here = house("yahoo")
    values = {k: v for k, v in credentials.read(here.fresh()).items() if k != "refresh_token"}
    Connection.objects.filter(pk=here.connection.pk).update(secrets=credentials.seal(values))
    client = client_of(aoi)
    done = back(client, agree(client.get(reverse("channels:consent", args=[here.connection.shop_id]))))
    assert "接続しました" in done.content.decode()
    assert credentials.read(here.fresh())["refresh_token"].startswith("sandbox-yahoo-")
    assert not Renewal.objects.exists()


def test_a_person_who_declines_changes_nothing(house, client_of, aoi):
    here = house("yahoo")
    before = credentials.read(here.fresh())
    client = client_of(aoi)
    done = back(client, agree(client.get(reverse("channels:consent", args=[here.connection.shop_id])), "deny"))
    assert "許可されませんでした" in done.content.decode() and credentials.read(here.fresh()) == before


def test_a_state_is_good_once_and_in_its_own_session_only(house, client_of, aoi, person_with):
    here = house("yahoo")
    client = client_of(aoi)
    location = agree(client.get(reverse("channels:consent", args=[here.connection.shop_id])))
    stranger = client_of(person_with("administrator"))
    assert "もう一度「連携する」" in back(stranger, location).content.decode()
    assert not Renewal.objects.exists()
    assert "切り替えました" in back(client, location).content.decode()
    assert "もう一度「連携する」" in back(client, location).content.decode()
    assert Renewal.objects.count() == 1


@pytest.mark.parametrize("state", ["", "nonsense", "WyJ4Il0:1abc:zzzz"])
def test_a_made_up_state_is_refused(client_of, aoi, state):
    client = client_of(aoi)
    page = client.get(reverse("channels:consent-callback"), {"code": "x", "state": state}, follow=True)
    assert "もう一度「連携する」" in page.content.decode()


def test_a_state_that_is_too_old_is_refused(house, client_of, aoi, monkeypatch):
    here = house("yahoo")
    client = client_of(aoi)
    location = agree(client.get(reverse("channels:consent", args=[here.connection.shop_id])))
    monkeypatch.setattr("channels.views.consent.LIFE_S", -1)
    assert "有効時間が過ぎた" in back(client, location).content.decode()


def test_a_code_is_good_once_for_its_own_address(house):
    here = house("yahoo")
    known = here.mall.credentials()
    asked = {"response_type": "code", "client_id": known["client_id"], "redirect_uri": "http://a/", "answer": "allow"}
    root = here.connection.auth_url
    sent = requests.post(f"{root}/yconnect/v2/authorization", data=asked, allow_redirects=False, timeout=10)
    code = parse_qs(urlsplit(sent.headers["Location"]).query)["code"][0]
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://a/"}
    auth = (known["client_id"], known["client_secret"])

    def take(**other):
        return requests.post(f"{root}/yconnect/v2/token", data=grant | other, auth=auth, timeout=10)

    assert take(code="wrong").json()["error"] == "invalid_grant"
    given = take()
    assert given.status_code == 200 and given.json()["refresh_token"]
    assert take().json()["error"] == "invalid_grant"


def test_a_shop_without_consent_has_no_such_page(house, client_of, aoi):
    here = house("rakuten")
    assert client_of(aoi).get(reverse("channels:consent", args=[here.connection.shop_id])).status_code == 404


def test_without_an_application_the_page_says_what_to_do_first(house, client_of, aoi):
    here = house("yahoo")
    Connection.objects.filter(pk=here.connection.pk).update(secrets=b"")
    page = client_of(aoi).get(reverse("channels:consent", args=[here.connection.shop_id]))
    assert "先に、店舗の設定で" in page.content.decode() and page.context["url"] == ""


def test_who_may_not_is_refused(house, client_of, ben):
    here = house("yahoo")
    client = client_of(ben)
    assert client.get(reverse("channels:consent", args=[here.connection.shop_id])).status_code == 403
    assert client.get(reverse("channels:consent-callback")).status_code == 403
