"""Members: found by one field, shown by right."""

from importlib import import_module

import pytest
from django.apps import apps
from django.urls import reverse

from customers.models import BlacklistEntry, Member
from customers.queries.members import listed_members
from customers.services.identity import Person, match_members
from oms.kernel import clock

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
URL = "/customers/"

MEGUMI = Person("佐藤 恵", "サトウ メグミ", "090-1234-5678", "megumi@example.com", "154-0024", "東京都")
ICHIRO = Person("髙橋 一郎", "タカハシ イチロウ", "+81 90-8765-4321", "ichiro@example.jp", "530-0001", "大阪府")


@pytest.fixture
def members() -> dict[str, int]:
    megumi, ichiro = match_members([MEGUMI, ICHIRO])
    assert megumi and ichiro
    return {"megumi": megumi, "ichiro": ichiro}


def body_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("佐藤", ["佐藤 恵"]),
        ("さとう", ["佐藤 恵"]),
        ("高橋", ["髙橋 一郎"]),
        ("5678", ["佐藤 恵"]),
        ("4321", ["髙橋 一郎"]),
        ("99999", []),
        ("090-8765", ["髙橋 一郎"]),
        ("example", ["佐藤 恵", "髙橋 一郎"]),
        ("佐藤 5678", ["佐藤 恵"]),
        ("鈴木", []),
        ("", ["佐藤 恵", "髙橋 一郎"]),
    ],
)
def test_one_field_finds_by_name_kana_phone_tail_and_mail(members, typed, names):
    assert sorted(listed_members(typed).values_list("name", flat=True)) == sorted(names)


def test_members_from_before_the_search_column_are_filled_in(members):
    Member.objects.update(search="")
    import_module("customers.migrations.0003_fill_member_search").fill(apps, None)
    assert listed_members("佐藤").count() == 1 and not Member.objects.filter(search="").exists()


def test_the_list_shows_the_phone_by_its_tail_only(client_of, aoi, members):
    text = body_of(client_of(aoi).get(URL, {"q": "佐藤"}))
    assert "佐藤 恵" in text and "＊＊＊5678" in text and "1234-5678" not in text
    assert 'id="members-table"' in body_of(client_of(aoi).get(URL, headers=HTMX))


def test_the_page_shows_the_person_and_asks_for_the_orders(client_of, aoi, members):
    text = body_of(client_of(aoi).get(reverse("customers:detail", args=[members["megumi"]])))
    assert "090-1234-5678" in text and "megumi@example.com" in text
    assert reverse("orders:member-panel", args=[members["megumi"]]) in text


def test_without_the_right_the_person_stays_masked(client_of, ben, members):
    client = client_of(ben)
    for text in (body_of(client.get(URL)), body_of(client.get(reverse("customers:detail", args=[members["megumi"]])))):
        assert "佐＊＊＊" in text
        for secret in ("佐藤", "サトウ", "1234-5678", "megumi", "154-0024"):
            assert secret not in text, secret


def test_a_note_about_the_person_is_a_neutral_mark(client_of, aoi, members):
    BlacklistEntry.objects.create(phone="09012345678", reason="代引の受取拒否", created_at=clock.now())
    text = body_of(client_of(aoi).get(reverse("customers:detail", args=[members["megumi"]])))
    assert "注意書きあり" in text and "受取拒否" not in text


def test_strangers_and_packers_see_no_members(client_of, chie, person_with, members):
    for who in (chie, person_with("warehouse"), person_with("accounting")):
        assert client_of(who).get(URL).status_code == 403
        assert client_of(who).get(reverse("customers:detail", args=[members["megumi"]])).status_code == 403


def test_the_list_costs_a_fixed_number_of_queries(client_of, aoi, members, django_assert_max_num_queries):
    client = client_of(aoi)
    client.get(URL)
    with django_assert_max_num_queries(6) as few:
        client.get(URL)
    match_members([Person(f"会員{n}", "", f"0901111{n:04}") for n in range(60)])
    with django_assert_max_num_queries(6) as many:
        assert len(client.get(URL).context["rows"]) == 50
    assert len(few) == len(many)


def test_other_methods_and_unknown_members(client_of, aoi, members):
    client = client_of(aoi)
    assert client.post(URL).status_code == 405
    assert client.get(reverse("customers:detail", args=[10**9])).status_code == 404
