"""ログインの決まり: roles limited to networks, nobody locked out by their own hand, and the journal of it all."""

import json
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import reverse

from oms.kernel.models import SignInEvent, SignInRule
from oms.kernel.services import devices
from oms.kernel.services.sign_in_rules import save_rule

pytestmark = pytest.mark.django_db
PASSWORD = "himitsu-no-kotoba"
RULES, HISTORY = reverse("pages:sign-in-rules"), reverse("pages:sign-in-history")
OFFICE, HOME = "203.0.113.7", "198.51.100.9"


def text_of(response, status=200) -> str:
    assert response.status_code == status
    return response.content.decode()


def group(code: str) -> Group:
    return Group.objects.get(name=code)


def rule_url(code: str) -> str:
    return reverse("pages:sign-in-rule", args=[group(code).pk])


@pytest.fixture(autouse=True)
def _forgetful():
    devices._noted.clear()


@pytest.fixture
def keeper(client_of, aoi):
    client = client_of(aoi)
    client.defaults["REMOTE_ADDR"] = OFFICE
    return client


@pytest.fixture
def worker(person_with):
    return person_with("operator")


def sign_in(address, username="has-operator"):
    client = Client(REMOTE_ADDR=address)
    return client, client.post("/login/", {"username": username, "password": PASSWORD})


def limit(keeper, code="operator", networks="203.0.113.0/24", **more):
    return keeper.post(rule_url(code), {"networks": networks, **more}, follow=True)


def test_a_limited_role_gets_in_from_its_networks_only(keeper, worker):
    assert "受注担当の決まりを保存しました" in text_of(limit(keeper))
    client, answer = sign_in(OFFICE)
    assert answer.status_code == 302 and client.get("/orders/").status_code == 200
    client, answer = sign_in(HOME)
    page = text_of(answer, 403)
    assert "この場所からは使えません" in page and HOME in page and "青井 あおい" in page
    assert "_auth_user_id" not in client.session
    assert SignInEvent.objects.get(kind="address_refused").address == HOME


def test_who_is_in_cannot_go_on_from_elsewhere_until_they_are_back(keeper, worker):
    client, _answer = sign_in(OFFICE)
    limit(keeper, networks="203.0.113.7")
    assert client.get("/orders/").status_code == 200
    for _time in range(3):
        assert "この場所からは使えません" in text_of(client.get("/orders/", REMOTE_ADDR=HOME), 403)
    poll = client.get("/health-strip/", headers={"HX-Request": "true"}, REMOTE_ADDR=HOME)
    assert poll["HX-Refresh"] == "true"
    assert SignInEvent.objects.filter(kind="address_refused").count() == 1  # an open page asks again and again
    assert client.get("/orders/", REMOTE_ADDR=OFFICE).status_code == 200
    assert client.post("/logout/", REMOTE_ADDR=HOME)["Location"] == "/login/"


def test_a_person_with_two_limited_roles_must_be_where_both_may_be(keeper, worker):
    worker.groups.add(group("warehouse"))
    limit(keeper)
    limit(keeper, "warehouse", HOME)
    assert sign_in(OFFICE)[1].status_code == sign_in(HOME)[1].status_code == 403


def test_other_roles_are_not_concerned(keeper, person_with, worker):
    limit(keeper)
    person_with("accounting")
    assert sign_in(HOME, "has-accounting")[1].status_code == 302


def test_what_a_client_says_of_itself_counts_only_behind_a_proxy(keeper, worker):
    limit(keeper)
    forged = {"username": "has-operator", "password": PASSWORD}
    client = Client(REMOTE_ADDR=HOME)
    assert client.post("/login/", forged, headers={"X-Forwarded-For": OFFICE}).status_code == 403
    with override_settings(TRUSTED_PROXIES=1):
        told = {"X-Forwarded-For": f"{OFFICE}, {HOME}"}
        assert client.post("/login/", forged, headers=told).status_code == 403
        told = {"X-Forwarded-For": f"{HOME}, {OFFICE}"}
        assert client.post("/login/", forged, headers=told).status_code == 302


def test_nobody_saves_a_list_that_shuts_themselves_out(keeper):
    page = text_of(limit(keeper, "administrator", "198.51.100.0/24"))
    assert f"あなたが今使っている接続元 {OFFICE} が入っていません" in page
    assert not SignInRule.objects.exclude(networks="").exists() and keeper.get("/").status_code == 200
    assert "保存しました" in text_of(limit(keeper, "administrator", f"198.51.100.0/24\n{OFFICE}"))
    assert keeper.get("/").status_code == 200 and keeper.get("/", REMOTE_ADDR="192.0.2.1").status_code == 403


def test_nobody_takes_a_role_that_shuts_themselves_out(keeper, aoi):
    limit(keeper, "store_staff", "198.51.100.0/24")
    posted = {"username": "aoi", "display_name": "青井", "is_active": "on", "roles": ["administrator", "store_staff"]}
    page = text_of(keeper.post(reverse("pages:person", args=[aoi.pk]), posted))
    assert "あなた自身が使えなくなります" in page and not aoi.groups.filter(name="store_staff").exists()


def test_what_cannot_be_read_is_said_with_its_line(keeper):
    page = text_of(limit(keeper, networks="203.0.113.0/24\n事務所\n203.0.113.9/24"))
    assert "2行目「事務所」" in page and "3行目" in page and not SignInRule.objects.exists()


def test_the_rules_are_seen_and_every_change_is_on_record_once(keeper, worker, aoi):
    limit(keeper, second_step="on")
    limit(keeper, second_step="on")  # nothing new
    event = SignInEvent.objects.get(kind="rule_changed")
    assert event.by == aoi and event.address == OFFICE
    assert event.text == "受注担当・二段階認証：任意 → 必須、許可する接続元：すべて → 203.0.113.0/24"
    page = text_of(keeper.get(RULES))
    assert "203.0.113.0/24" in page and "必須" in page and "0／1" in page
    keeper.post(reverse("pages:sign-in-trust"), {"may_trust": "on"})
    keeper.post(reverse("pages:sign-in-trust"), {"may_trust": "on"})
    assert SignInEvent.objects.filter(kind="rule_changed").count() == 2


def test_groups_of_the_companys_own_have_rules_too(keeper, ben):
    own = Group.objects.create(name="夜間担当")
    ben.groups.add(own)
    assert "夜間担当" in text_of(keeper.get(RULES))
    limit(keeper, "夜間担当")
    assert sign_in(HOME, "ben")[1].status_code == 403


def test_the_pages_are_for_who_may_manage_signing_in(client_of, person_with, ben):
    url = rule_url("operator") if Group.objects.filter(name="operator").exists() else RULES
    for user in (ben, person_with("shift_lead")):
        client = client_of(user)
        assert {client.get(path).status_code for path in (RULES, HISTORY, url)} == {403}
        assert client.post(reverse("pages:sign-in-trust")).status_code == 403
        assert client.post(rule_url("operator"), {"networks": ""}).status_code == 403


def test_the_command_opens_a_role_whose_addresses_have_changed(aoi, keeper):
    save_rule(group("administrator"), second_step=True, networks=[f"{OFFICE}/32"], by=aoi, address=OFFICE)
    out = StringIO()
    call_command("addresses_lift", "administrator", stdout=out)
    assert json.loads(out.getvalue()) == {"lifted": ["administrator"]}
    assert SignInRule.objects.get().networks == "" and SignInRule.objects.get().second_step
    call_command("addresses_lift", stdout=(again := StringIO()))
    assert json.loads(again.getvalue()) == {"lifted": []}
    with pytest.raises(CommandError, match="no role"):
        call_command("addresses_lift", "king")


def test_the_journal_is_searched_by_day_person_kind_and_words(keeper, worker):
    limit(keeper)
    sign_in(OFFICE)
    sign_in(HOME)
    page = text_of(keeper.get(HISTORY))
    assert "許可されていない接続元" in page and "ログインの決まりの変更" in page
    rows = keeper.get(HISTORY, {"kind": "address_refused"}).context["rows"]
    assert [row["event"].address for row in rows] == [HOME]
    rows = keeper.get(HISTORY, {"person": worker.pk}).context["rows"]
    assert [row["event"].kind for row in rows] == ["address_refused", "signed_in"]
    assert len(keeper.get(HISTORY, {"words": "203.0.113.0/24"}).context["rows"]) == 1
    assert keeper.get(HISTORY, {"until": "2020-01-01"}).context["rows"] == []
    assert "開始日は終了日以前" in text_of(keeper.get(HISTORY, {"since": "2026-02-01", "until": "2026-01-01"}))


def test_the_list_costs_the_same_however_many_entries(keeper, aoi, django_assert_max_num_queries):
    SignInEvent.objects.bulk_create(
        SignInEvent(at=event.at, kind="signed_in", person=aoi, by=aoi)
        for event in SignInEvent.objects.all()[:1]
        for _time in range(40)
    )
    with django_assert_max_num_queries(10):
        keeper.get(HISTORY)
    with django_assert_max_num_queries(10):
        keeper.get(RULES)
