"""Rights by action: every one that a page asks for can be given, is enforced, and is shown in words."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import get_resolver, reverse

from channels.services import credentials
from customers.models import BlacklistEntry
from customers.services import blacklist
from customers.services.identity import Person
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.rights import ALL, AREAS
from oms.kernel.roles import ROLES
from oms.kernel.services import roles
from tests.channels.builders import make_connection
from tests.conftest import person
from tests.orders.builders import make_shop
from tests.pages.test_settings_walk import rights_of, views

pytestmark = pytest.mark.django_db

# What workflows call by these names.
BY_ACTION = {
    "view personal data": "orders.view_personal_data",
    "export": "orders.export_order",
    "edit money": "orders.record_payment",
    "refund limit": "orders.change_refundlimit",
    "blacklist": "customers.manage_blacklist",
    "rules": "orders.manage_rules",
    "credentials": "channels.change_credential",
    "reopen shipment": "fulfillment.reopen_shipment",
    "stock correct": "inventory.change_balance",
}


def allowed(name: str, *rights: str) -> User:
    one = person(name, name)
    one.user_permissions.set(
        Permission.objects.get(content_type__app_label=right.split(".")[0], codename=right.split(".")[1])
        for right in rights
    )
    return one


def test_every_right_that_a_page_asks_for_can_be_given_and_exists():
    asked = {right for _name, view in views(get_resolver()) for right in rights_of(view)}
    assert asked - ALL == set(), "give it words in oms/kernel/rights.py"
    existing = {roles.named(one) for one in Permission.objects.select_related("content_type")}
    assert existing >= ALL
    assert {right for role in ROLES for right in role.permissions or ()} <= ALL


@pytest.mark.parametrize("right", BY_ACTION.values(), ids=BY_ACTION)
def test_each_action_has_a_right_of_its_own_that_pages_ask_for_and_the_table_shows(right, client, aoi):
    assert any(right in rights_of(view) for _name, view in views(get_resolver()))
    client.force_login(aoi)
    page = client.get(reverse("pages:roles"))
    assert page.status_code == 200
    holders = {role.code for role in ROLES if role.permissions is None or right in role.permissions}
    ticks = [row[1] for area in page.context["areas"] for row in area["rights"]]
    codes = [code for area in AREAS for code in area.rights]
    shown = {
        role["group"].name
        for role, tick in zip(page.context["roles"], dict(zip(codes, ticks, strict=True))[right], strict=True)
        if tick
    }
    assert shown == holders


def test_an_own_role_gives_what_is_ticked_and_takes_it_back(client, aoi):
    client.force_login(aoi)
    client.post(reverse("pages:role-add"), {"name": "応援", "area_orders": ["orders.view_order", "orders.hold_order"]})
    role = Group.objects.get(name="応援")
    form = {
        "username": "niko",
        "display_name": "にこ",
        "is_active": "on",
        "password": "atarashii-kotoba",
        "roles": ["応援"],
    }
    assert client.post(reverse("pages:person-add"), form).status_code == 302
    niko = User.objects.get(username="niko")
    assert niko.has_perm("orders.hold_order") and not niko.has_perm("orders.cancel_order")
    page = client.get(reverse("pages:person", args=[niko.pk])).content.decode()
    assert "受注を保留する" in page and "受注をキャンセルする</dd>" not in page
    client.post(reverse("pages:role", args=[role.pk]), {"name": "応援", "area_orders": ["orders.view_order"]})
    assert not User.objects.get(pk=niko.pk).has_perm("orders.hold_order")
    refused = client.post(reverse("pages:role-delete", args=[role.pk]), follow=True)
    assert "にこ" in refused.content.decode() and Group.objects.filter(pk=role.pk).exists()
    client.post(reverse("pages:person", args=[niko.pk]), form | {"password": "", "roles": []})
    client.post(reverse("pages:role-delete", args=[role.pk]))
    assert not Group.objects.filter(pk=role.pk).exists()


def test_presets_are_neither_changed_nor_deleted_nor_named_twice(client, aoi):
    client.force_login(aoi)
    preset = Group.objects.get(name="operator")
    for name in ("pages:role", "pages:role-delete"):
        assert client.post(reverse(name, args=[preset.pk]), {"name": "x"}).status_code == 404
    for name in ("operator", "受注担当"):
        page = client.post(reverse("pages:role-add"), {"name": name})
        assert page.status_code == 200 and page.context["form"].errors["name"]
    begun = client.get(reverse("pages:role-add"), {"from": "warehouse"}).context["form"]
    assert "fulfillment.ship_shipment" in begun["area_shipping"].value()


def test_only_who_manages_people_sees_roles(client, ben, person_with):
    for who in (ben, person_with("shift_lead")):
        client.force_login(who)
        assert client.get(reverse("pages:roles")).status_code == 403
        assert client.post(reverse("pages:role-add"), {"name": "x"}).status_code == 403


# ---- credentials


def test_settings_of_a_shop_without_the_right_for_credentials(client):
    connection = make_connection("rakuten-1")
    kept = credentials.read(connection)
    client.force_login(allowed("yu", "channels.change_connection", "channels.view_connection"))
    url = reverse("channels:edit", args=[connection.shop_id])
    form = client.get(url).context["form"]
    assert not any(name.startswith("credential_") for name in form.fields)
    sent = {name: form[name].value() or "" for name in form.fields if form[name].value() is not None}
    sent |= {"name": "新しい名前", "base_url": "http://elsewhere.example", "credential_service_secret": "SP-x"}
    assert client.post(url, {k: v for k, v in sent.items() if v is not False}).status_code == 302
    connection.refresh_from_db()
    connection.shop.refresh_from_db()
    assert connection.shop.name == "新しい名前" and connection.base_url == ""
    assert credentials.read(connection) == kept
    for name, more in (("renewal", []), ("credential", ["license_key"])):
        assert client.get(reverse(f"channels:{name}", args=[connection.shop_id, *more])).status_code == 403


# ---- blacklist


def test_the_blacklist_is_kept_on_its_page_and_remembers_who_and_why(client, person_with):
    lead = person_with("shift_lead")
    client.force_login(lead)
    url = reverse("customers:blacklist")
    sent = {"phone": "090-1234-5678", "name": "佐藤　恵", "postal_code": "154-0024", "reason": "受取拒否が続いた"}
    assert client.post(url, sent).status_code == 302
    buyer, other = Person("別人", phone="０９０１２３４５６７８"), Person("佐藤恵", postal_code="154-0024")
    assert all(one and one.entry.reason == "受取拒否が続いた" for one in blacklist.matches([[buyer], [other]]))
    assert client.post(url, sent).context["form"].non_field_errors()  # once is enough
    entry = BlacklistEntry.objects.get()
    lift = reverse("customers:blacklist-lift", args=[entry.pk])
    client.post(lift, {})
    assert blacklist.matches([[buyer]])[0]
    client.post(lift, {"why": "和解した"})
    entry.refresh_from_db()
    assert (entry.by, entry.lifted_by, entry.lifted_why) == (lead, lead, "和解した")
    assert blacklist.matches([[buyer], [other]]) == [None, None]
    assert "和解した" in client.get(url, {"state": "lifted"}).content.decode()


@pytest.mark.parametrize(
    "sent",
    [
        {"phone": ""},
        {"phone": "", "name": "佐藤 恵"},
        {"phone": "", "postal_code": "154-0024"},
        {"phone": "", "address": "東京都世田谷区三軒茶屋"},
        {"phone": "", "email": "megumi"},
    ],
)
def test_an_entry_needs_what_speaks_for_one_person(sent, client, person_with):
    client.force_login(person_with("shift_lead"))
    page = client.post(reverse("customers:blacklist"), {"phone": "0312345678", "reason": "x"} | sent)
    assert page.context["form"].errors and not BlacklistEntry.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [{"email": "Megumi@Example.com"}, {"postal_code": "154-0024", "address": "東京都世田谷区三軒茶屋二丁目14番3号"}],
)
def test_a_mail_address_or_an_address_is_enough_and_both_are_shown(sent, client, person_with):
    client.force_login(person_with("shift_lead"))
    url = reverse("customers:blacklist")
    assert client.post(url, {"reason": "受取拒否"} | sent).status_code == 302
    assert next(reversed(sent.values())) in client.get(url).content.decode()
    assert client.post(url, {"reason": "受取拒否"} | sent).context["form"].non_field_errors()


def test_an_entry_says_how_strict_it_is_for_what_and_until_when(client, person_with):
    client.force_login(person_with("shift_lead"))
    shop, url = make_shop(), reverse("customers:blacklist")
    sent = {"phone": "0312345678", "reason": "受取拒否", "severity": "warn", "shops": [shop.code], "payments": ["cod"]}
    assert client.post(url, sent | {"until": "2020-01-01"}).context["form"].errors["until"]
    assert client.post(url, sent | {"until": str(clock.today())}).status_code == 302
    page = client.get(url).content.decode()
    assert "注意として知らせる" in page and f"{shop.name}・" in page and f"{clock.today():%Y/%m/%d}まで" in page
    BlacklistEntry.objects.update(until=clock.today() - timedelta(days=1))
    assert "0312345678" not in client.get(url).content.decode()
    assert "0312345678" in client.get(url, {"state": "over"}).content.decode()


def test_operators_do_not_keep_the_blacklist(client, person_with):
    client.force_login(person_with("operator"))
    assert client.get(reverse("customers:blacklist")).status_code == 403
