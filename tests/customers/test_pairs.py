"""Two members that look like one: found when their sure keys meet, asked about once, decided for good."""

import pytest
from django.test import Client

from customers.models import Identity, Member, MemberNote, MemberPair, MemberTag
from customers.services import erase, identity, labels, pairs
from customers.services.identity import Person
from oms.kernel.models import User
from orders.models import Order, ReviewReason
from orders.services.intake import take_in
from tests.orders.builders import TOKYO_PARTY, changed, make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
SATO = Person("佐藤 恵", phone="090-1234-5678")
BY_MAIL = Person("さとう めぐみ", email="megumi@example.com")
BOTH = Person("佐藤 恵", phone="090-1234-5678", email="megumi@example.com")


def client_of(role: str) -> Client:
    from django.contrib.auth.models import Group  # noqa: PLC0415

    user = User.objects.create_user(f"{role}-person", password="x")
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def test_keys_of_two_members_that_meet_in_one_person_make_a_pair_once():
    first, second = identity.match_members([SATO, BY_MAIL])
    assert first != second and not MemberPair.objects.exists()
    assert identity.match_members([BOTH, BOTH]) == [first, first]
    identity.match_members([BOTH])
    pair = MemberPair.objects.get()
    assert {pair.first_id, pair.second_id} == {first, second} and pair.state == "open"
    assert set(pair.met_on.split(",")) == {"name_phone", "email"}


def test_people_of_one_household_are_no_doubles():
    identity.match_members([SATO, Person("佐藤 健", phone="090-1234-5678")])
    identity.match_members([SATO, Person("佐藤 健", phone="090-1234-5678")])
    assert Member.objects.count() == 2 and not MemberPair.objects.exists()


def doubtful_order() -> Order:
    identity.match_members([SATO, BY_MAIL])
    take_in(make_shop(), [make_channel_order(buyer=TOKYO_PARTY)], sku_of=mapped(make_sku(stock_units=5)))
    return Order.objects.get()


def test_an_order_says_that_its_member_has_a_double_and_does_not_stop():
    order = doubtful_order()
    reason = order.reasons.get(code="member_duplicate")
    assert reason.level == "info" and reason.state == "open" and order.stage != "review"
    pair = MemberPair.objects.get()
    assert f"会員{pair.first_id}と会員{pair.second_id}" in reason.evidence


def test_another_person_is_said_once_closes_the_reason_and_never_asks_again():
    order, lead = doubtful_order(), client_of("shift_lead")
    pair = MemberPair.objects.get()
    page = lead.get(f"/customers/{pair.second_id}/").content.decode()
    assert "別人です" in page and f"/customers/{pair.first_id}/" in page
    answer = lead.post(f"/customers/pairs/{pair.pk}/different/", {"member": pair.second_id})
    assert answer.status_code == 302 and answer.url == f"/customers/{pair.second_id}/"
    assert order.reasons.get(code="member_duplicate").state == "auto_resolved"
    lead.post(f"/customers/pairs/{pair.pk}/different/")
    identity.match_members([BOTH])
    take_in(make_shop(), [make_channel_order()], sku_of=mapped(make_sku()))
    assert MemberPair.objects.get().state == "different"
    assert ReviewReason.objects.filter(code="member_duplicate").count() == 1
    assert "別人です" not in lead.get(f"/customers/{pair.second_id}/").content.decode()


def test_only_who_may_change_members_decides():
    doubtful_order()
    pair = MemberPair.objects.get()
    operator = client_of("operator")
    assert "別人です" not in operator.get(f"/customers/{pair.first_id}/").content.decode()
    assert operator.post(f"/customers/pairs/{pair.pk}/different/").status_code == 403
    assert client_of("shift_lead").get(f"/customers/pairs/{pair.pk}/different/").status_code == 405
    pair.refresh_from_db()
    assert pair.state == "open"


def test_the_order_page_leads_to_both_members():
    order = doubtful_order()
    page = client_of("operator").get(f"/orders/{order.pk}/").content.decode()
    assert "二つの会員を見比べる" in page and f"/customers/{order.member_id}/" in page


def test_a_forgotten_member_leaves_no_tag_note_or_pair():
    first, _second = identity.match_members([SATO, BY_MAIL])
    identity.match_members([BOTH])
    labels.add_tags([labels.NewLabel(first, "常連", "k1")])
    labels.add_notes([labels.NewLabel(first, "丁寧に", "k2")])
    erase.forget([first], name="（消去済み）")
    assert not (MemberPair.objects.exists() or MemberTag.objects.exists() or MemberNote.objects.exists())
    assert not Identity.objects.filter(member=first).exists()


def test_the_members_page_shows_tags_and_notes():
    [member] = identity.match_members([SATO])
    labels.add_tags([labels.NewLabel(member, "常連", "k1"), labels.NewLabel(member, "常連", "k2")])
    labels.add_notes([labels.NewLabel(member, "裾上げの約束", "k3", "ルール「常連」・受注 1")])
    page = client_of("shift_lead").get(f"/customers/{member}/").content.decode()
    assert page.count(">常連<") == 1 and "裾上げの約束" in page and "受注 1" in page
    labels.remove(["k1", "k3"])
    assert pairs.open_pairs([]) == {} and MemberTag.objects.get().key == "k2" and not MemberNote.objects.exists()


def test_a_new_mail_address_of_a_known_order_finds_the_double_too():
    shop, skus = make_shop(), mapped(make_sku(stock_units=5))
    identity.match_members([BY_MAIL])
    from dataclasses import replace  # noqa: PLC0415

    told = make_channel_order(buyer=replace(TOKYO_PARTY, email=""))
    take_in(shop, [told], sku_of=skus)
    assert not MemberPair.objects.exists()
    take_in(shop, [changed(told, buyer=TOKYO_PARTY)], sku_of=skus)
    assert Order.objects.get().reasons.filter(code="member_duplicate", state="open").exists()
