"""What the company says of a member: written by right, journaled, never over a colleague's word."""

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from customers.models import Member, MemberChange, MemberNote, MemberTag, Rank
from customers.queries.members import listed_members
from customers.services import labels, notes, profile, ranks
from customers.services.erase import forget
from customers.services.identity import Person, match_members
from oms.kernel.models import SettingVersion

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def megumi() -> Member:
    [pk] = match_members([Person("佐藤 恵", "サトウ メグミ", "090-1234-5678", "megumi@example.com")])
    return Member.objects.get(pk=pk)


@pytest.fixture
def gold() -> Rank:
    return ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True), by=None)


def typed(client, member: Member, **values) -> dict:
    shown = client.get(reverse("customers:facts", args=[member.pk])).context["form"].initial
    return {**shown, "birthday": shown["birthday"] or "", "store_member": ""} | values


def test_number_rank_birthday_card_and_tags_are_written_on_the_page_and_journaled(client_of, aoi, megumi, gold):
    client = client_of(aoi)
    url = reverse("customers:facts", args=[megumi.pk])
    told = {"member_no": "M-001", "rank": "gold", "birthday": "1990-06-12", "store_member": "on", "tags": "常連、花"}
    text = client.post(url, typed(client, megumi, **told), headers=HTMX).content.decode()
    assert 'id="member-facts"' in text and "ゴールド" in text and "M-001" in text
    megumi.refresh_from_db()
    assert (megumi.member_no, megumi.rank, str(megumi.birthday), megumi.store_member) == (
        "M-001", gold, "1990-06-12", True,
    )  # fmt: skip
    assert profile.tags_of(megumi.pk) == ["常連", "花"]
    facts, tags = MemberChange.objects.order_by("pk")
    assert facts.by == aoi and facts.after["rank"] == "gold" and facts.before["rank"] == ""
    assert tags.after == {"tags": ["常連", "花"]}
    assert listed_members("M-001").get() == megumi and listed_members("めぐみ").get() == megumi
    page = client.get(reverse("customers:detail", args=[megumi.pk])).content.decode()
    assert "1990/06/12" in page and "変更の記録" in page
    assert client.post(url, typed(client, megumi, **told)).status_code == 302 and MemberChange.objects.count() == 2


def test_a_tag_that_a_rule_gave_can_be_taken_off(client_of, aoi, megumi):
    labels.add_tags([labels.NewLabel(megumi.pk, "常連", "rule:1")])
    client = client_of(aoi)
    client.post(reverse("customers:facts", args=[megumi.pk]), typed(client, megumi, tags=""))
    assert not MemberTag.objects.exists()


def test_who_comes_second_sees_what_stands_now(client_of, aoi, megumi, gold):
    client = client_of(aoi)
    old = typed(client, megumi, member_no="B")
    profile.change({megumi.pk: {"member_no": "A"}}, by=aoi)
    response = client.post(reverse("customers:facts", args=[megumi.pk]), old)
    assert response.status_code == 409 and "今の値は「A」です" in response.content.decode()
    assert Member.objects.get().member_no == "A"


def test_a_number_belongs_to_one_member_and_days_are_days_of_a_life(client_of, aoi, megumi):
    [other] = match_members([Person("鈴木 一郎", "", "090-0000-1111")])
    profile.change({other: {"member_no": "M-1"}}, by=None)
    client = client_of(aoi)
    url = reverse("customers:facts", args=[megumi.pk])
    assert "ほかの会員が使っています" in client.post(url, typed(client, megumi, member_no="M-1")).content.decode()
    assert "1900年から" in client.post(url, typed(client, megumi, birthday="1800-01-01")).content.decode()
    with pytest.raises(profile.NumberTaken):
        profile.change({megumi.pk: {"member_no": "X"}, other: {"member_no": "X"}}, by=None)
    assert Member.objects.get(pk=megumi.pk).member_no == ""


def test_many_members_change_in_a_fixed_number_of_queries(gold, django_assert_max_num_queries):
    ids = match_members([Person(f"会員{n}", "", f"0901111{n:04}") for n in range(60)])
    with django_assert_max_num_queries(14):
        assert len(profile.change({pk: {"rank": "gold"} for pk in ids}, by=None, source="members.csv")) == 60
    assert MemberChange.objects.filter(source="members.csv").count() == 60
    assert profile.change({pk: {"rank": "gold"} for pk in ids}, by=None) == []


def test_the_journal_is_append_only_and_forgetting_empties_it(megumi, gold, aoi):
    profile.change({megumi.pk: {"member_no": "M-9", "rank": "gold"}}, by=aoi)
    notes.write(megumi.pk, "裾上げ", promise=True, by=aoi)
    with pytest.raises(DatabaseError), transaction.atomic():
        MemberChange.objects.update(after={})
    forget([megumi.pk], name="消去済み")
    megumi.refresh_from_db()
    assert (megumi.member_no, megumi.rank, megumi.birthday, MemberNote.objects.count()) == ("", None, None, 0)
    assert MemberChange.objects.get().after == {} and MemberChange.objects.get().by == aoi


def test_a_promise_is_written_ticked_and_opened_again_on_the_page(client_of, person_with, megumi):
    client = client_of(person_with("store_staff"))
    page = reverse("customers:detail", args=[megumi.pk])
    form = {"text": "次回、カタログを入れる", "promise": "on", "key": "abc"}
    for _twice in range(2):
        client.post(reverse("customers:note-add", args=[megumi.pk]), form)
    note = MemberNote.objects.get()
    assert note.promise and "未完了の約束" in client.get(page).content.decode()
    url = reverse("customers:promise", args=[megumi.pk, note.pk])
    text = client.post(url, headers=HTMX).content.decode()
    assert "約束・済み" in text and "未完了の約束" not in client.get(page).content.decode()
    client.post(url, {"open": "1"})
    note.refresh_from_db()
    assert note.done_at is None and MemberChange.objects.count() == 2
    assert client.post(reverse("customers:note-add", args=[megumi.pk]), {"text": " "}).status_code == 302
    assert MemberNote.objects.count() == 1


def test_ranks_keep_their_code_and_stay_while_somebody_has_one(client_of, aoi, megumi, gold):
    client = client_of(aoi)
    url = reverse("customers:ranks")
    assert "ほかの会員ランクと同じ" in client.post(
        url, {"code": "gold", "name": "別", "level": "9"}
    ).content.decode()  # fmt: skip
    assert client.post(url, {"code": "金", "name": "別", "level": "9"}).context["form"].errors["code"]
    assert client.post(url, {"code": "silver", "name": "シルバー", "level": "2"}).status_code == 302
    profile.change({megumi.pk: {"rank": "gold"}}, by=None)
    client.post(reverse("customers:rank", args=[gold.pk]), {"name": "金会員", "level": "5"})
    gold.refresh_from_db()
    assert (gold.code, gold.name, gold.level, gold.is_vip) == ("gold", "金会員", 5, False)
    for rank in Rank.objects.all():
        client.post(reverse("customers:rank-delete", args=[rank.pk]))
    assert Rank.objects.get() == gold


def test_a_rank_comes_back_by_its_code_unless_another_took_its_place(client_of, aoi, gold):
    client = client_of(aoi)
    page = client.get(reverse("customers:rank", args=[gold.pk])).content.decode()
    assert reverse("pages:setting-subject", args=["rank", "gold"]) in page
    client.post(reverse("customers:rank-delete", args=[gold.pk]))
    made, gone = SettingVersion.objects.filter(kind="rank", ref="gold").order_by("number")
    assert (gone.content, gone.title, gone.by) == (None, "ゴールド", aoi)
    client.post(reverse("customers:ranks"), {"code": "silver", "name": "シルバー", "level": "3"})
    back = reverse("pages:setting-back", args=[made.pk])
    assert "ほかの会員ランクと同じ" in client.post(back).context["causes"][0]
    client.post(reverse("customers:rank-delete", args=[Rank.objects.get(code="silver").pk]))
    assert client.post(back).status_code == 302
    rank = Rank.objects.get()
    assert (rank.code, rank.name, rank.level, rank.is_vip) == ("gold", "ゴールド", 3, True)


def test_going_back_takes_no_rank_away_that_somebody_has(client_of, aoi, megumi, gold):
    client = client_of(aoi)
    client.post(reverse("customers:rank-delete", args=[gold.pk]))
    made, gone = SettingVersion.objects.filter(kind="rank", ref="gold").order_by("number")
    client.post(reverse("pages:setting-back", args=[made.pk]))
    profile.change({megumi.pk: {"rank": "gold"}}, by=None)
    answer = client.post(reverse("pages:setting-back", args=[gone.pk]))
    assert "この会員ランクの会員がいます" in answer.context["causes"][0]
    assert Rank.objects.filter(code="gold").exists()


def test_rights(client_of, aoi, ben, chie, person_with, megumi, gold):  # noqa: PLR0917 - the cast
    facts, add = reverse("customers:facts", args=[megumi.pk]), reverse("customers:note-add", args=[megumi.pk])
    for who in (ben, chie, person_with("warehouse")):
        client = client_of(who)
        assert client.get(facts).status_code == 403 and client.post(add, {"text": "x"}).status_code == 403
        assert client.get(reverse("customers:ranks")).status_code == 403
    assert client_of(person_with("operator")).get(facts).status_code == 403
    assert client_of(person_with("store_manager")).get(facts).status_code == 200
    assert client_of(aoi).get(add).status_code == 405
    profile.change({megumi.pk: {"member_no": "M-77", "rank": "gold"}}, by=None)
    masked = client_of(ben).get(reverse("customers:detail", args=[megumi.pk])).content.decode()
    assert "M-77" not in masked and "ゴールド" in masked
