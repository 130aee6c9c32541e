"""Coming in, the first page, and what a person sees when something is wrong."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oms.kernel.models import User
from oms.kernel.roles import create_demo_accounts
from oms.pages import navigation

pytestmark = pytest.mark.django_db


@pytest.fixture
def accounts():
    return create_demo_accounts("himitsu-1")


def logged_in(username):
    client = Client()
    client.force_login(User.objects.get(username=username))
    return client


def test_a_stranger_is_sent_to_the_login_page():
    response = Client().get(reverse("pages:home"))
    assert response.status_code == 302
    assert response["Location"] == "/login/?next=/"


def test_the_login_page_is_japanese_and_needs_no_scripts():
    response = Client(headers={"accept-language": "en"}).get(reverse("pages:login"))
    text = response.content.decode()
    assert '<html lang="ja"' in text and "パスワード" in text
    assert '<form method="post" action="/login/"' in text


def test_a_good_password_leads_where_the_person_wanted_to_go(accounts):
    response = Client().post("/login/", {"username": "operator", "password": "himitsu-1", "next": "/keys/"})
    assert response.status_code == 302 and response["Location"] == "/keys/"


def test_a_login_never_leads_to_another_site(accounts):
    response = Client().post(
        "/login/", {"username": "operator", "password": "himitsu-1", "next": "https://evil.example/"}
    )
    assert response["Location"] == "/"


def test_a_wrong_password_keeps_the_name_and_says_so(accounts):
    response = Client().post("/login/", {"username": "operator", "password": "wrong"})
    text = response.content.decode()
    assert response.status_code == 200
    assert "ユーザー名かパスワードが違います" in text and 'value="operator"' in text


def test_logging_out_is_a_post(accounts):
    client = logged_in("operator")
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/").status_code == 302


def test_the_chosen_language_stays_with_the_person(accounts):
    client = logged_in("operator")
    assert client.post("/language/", {"language": "en", "next": "/keys/"})["Location"] == "/keys/"
    assert 'lang="en"' in client.get("/keys/").content.decode()
    assert User.objects.get(username="operator").language == "en"
    fresh = Client()
    fresh.post("/login/", {"username": "operator", "password": "himitsu-1"})
    assert 'lang="en"' in fresh.get("/").content.decode()


def test_an_unknown_language_changes_nothing(accounts):
    client = logged_in("operator")
    client.post("/language/", {"language": "xx"})
    assert 'lang="ja"' in client.get("/").content.decode()


@pytest.mark.parametrize("name", ["pages:home", "pages:keys"])
def test_every_role_can_open_the_common_pages(accounts, name):
    for account in accounts:
        assert logged_in(account.username).get(reverse(name)).status_code == 200


def test_the_style_guide_is_for_staff_only(accounts):
    assert logged_in("operator").get("/styleguide/").status_code == 403
    assert logged_in("admin").get("/styleguide/").status_code == 200


def test_error_pages_say_what_to_do(accounts, monkeypatch):
    client = logged_in("operator")
    missing = client.get("/no-such-page/")
    assert missing.status_code == 404 and "検索欄で探してください" in missing.content.decode()
    forbidden = client.get("/styleguide/")
    assert "管理者に権限の追加を頼んでください" in forbidden.content.decode()


def test_a_form_without_its_token_gets_a_japanese_page(accounts):
    client = Client(enforce_csrf_checks=True)
    response = client.post("/login/", {"username": "operator", "password": "himitsu-1"})
    assert response.status_code == 403
    assert "画面の有効期限が切れました" in response.content.decode()


def test_the_page_for_our_own_faults_needs_neither_session_nor_database(accounts, monkeypatch):
    def broken(request):
        raise RuntimeError("boom")

    monkeypatch.setattr("oms.pages.navigation.panels", broken)
    client = logged_in("operator")
    client.raise_request_exception = False
    response = client.get("/")
    assert response.status_code == 500
    assert "サーバーで予期しない問題が起きました" in response.content.decode()


def test_every_html_page_carries_a_strict_content_security_policy(accounts):
    policy = logged_in("operator").get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


def test_no_page_contains_what_the_policy_forbids(accounts):
    for path in ["/", "/keys/", "/styleguide/", "/login/"]:
        text = logged_in("admin").get(path, follow=True).content.decode()
        assert " style=" not in text and " onclick=" not in text and "<style" not in text
        assert "<script>" not in text and "javascript:" not in text


def test_navigation_shows_only_what_exists_and_is_allowed(accounts, monkeypatch):
    served = {"orders:list": "/orders/", "orders:inbox": "/orders/inbox/", "inventory:list": "/inventory/"}
    monkeypatch.setattr(navigation, "url_or_empty", lambda name: served.get(name, ""))
    shown = {name: links_of(name) for name in ("operator", "warehouse")}
    assert shown == {
        "operator": ["/orders/", "/orders/inbox/", "/inventory/"],
        "warehouse": ["/inventory/"],
    }


def test_the_longest_address_is_the_current_one(accounts, monkeypatch):
    served = {"orders:list": "/", "inventory:list": "/keys/"}
    monkeypatch.setattr(navigation, "url_or_empty", lambda name: served.get(name, ""))
    text = logged_in("operator").get("/keys/").content.decode()
    assert 'href="/keys/" aria-current="page"' in text and text.count("aria-current") == 1


def test_a_stranger_sees_no_navigation_and_is_told_what_to_do():
    User.objects.create(username="chie")
    text = logged_in("chie").get("/").content.decode()
    assert "nav-link" not in text and "必要な権限を管理者に頼んでください" in text


def links_of(username):
    text = logged_in(username).get("/keys/").content.decode()
    return re.findall(r'class="nav-link" href="([^"]+)"', text)


def test_every_key_of_the_navigation_opens_one_place_and_is_on_the_key_page(accounts):
    keys = ["h", *(entry.key for entry in navigation.ENTRIES if entry.key)]
    assert len(keys) == len(set(keys))
    text = logged_in("admin").get(reverse("pages:keys")).content.decode()
    assert all(f"<kbd>w {key}</kbd>" in text and f'data-key="w {key}"' in text for key in keys)


def test_the_key_page_names_only_screens_the_person_may_open(accounts):
    text = logged_in("warehouse").get(reverse("pages:keys")).content.decode()
    assert "<kbd>w s</kbd>" in text and "<kbd>w u</kbd>" not in text


def test_the_strip_of_shops_stands_only_where_somebody_may_read_it(accounts):
    shown = {name: 'id="health-strip"' in logged_in(name).get("/keys/").content.decode() for name in ("admin", "store")}
    assert shown == {"admin": True, "store": False}


@pytest.mark.parametrize("username", ["operator", "store", "admin"])
def test_the_first_page_asks_nothing_twice(accounts, username):
    client = logged_in(username)
    with CaptureQueriesContext(connection) as asked:
        client.get(reverse("pages:home"))
    statements = [query["sql"] for query in asked.captured_queries]
    assert len(statements) == len(set(statements))
