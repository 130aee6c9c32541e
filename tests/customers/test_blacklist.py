"""Whom the blacklist means: spelling makes no difference, and one item alone does not weigh like another."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from customers.models import BlacklistEntry
from customers.services import blacklist
from customers.services.blacklist import entry_of, judged, keys_of
from customers.services.identity import Person

LISTED = {
    "name": "高崎 恵",
    "phone": "090-1234-5678",
    "email": "megumi.t+shop@example.com",
    "postal_code": "100-0013",
    "address": "東京都千代田区霞が関2-14-3 コーポ青葉402",
}
STRANGER = Person("田中 一郎", phone="03-9999-0000", email="ichiro@example.com", postal_code="530-0001")

WIDE = {ord(char): chr(ord(char) + 0xFEE0) for char in "0123456789-+@.abcdefghijklmnopqrstuvwxyz"}


def spelled(*ways: str) -> st.SearchStrategy[str]:
    """One of these, in half or full width, with spaces around it or not."""
    return st.builds(
        lambda text, wide, space: f"{space}{text.translate(WIDE) if wide else text}{space}",
        st.sampled_from(ways),
        st.booleans(),
        st.sampled_from(["", " ", "　"]),
    )


PHONES = spelled(
    "090-1234-5678", "09012345678", "+81 90-1234-5678", "+819012345678", "090－1234－5678", "090ー1234ー5678"
)
MAILS = spelled("megumi.t+shop@example.com", "MEGUMI.T+shop@Example.COM")
NAMES = spelled("高崎 恵", "髙崎　恵", "高﨑恵", "髙﨑 恵", "高 崎 恵")
CODES = spelled("100-0013", "1000013", "〒100-0013")
PREFECTURES = st.sampled_from(["東京都", ""])
STREETS = spelled(
    "千代田区霞が関2-14-3 コーポ青葉402",
    "千代田区霞ヶ関2丁目14番3号コーポ青葉402",
    "千代田区霞ケ関二丁目十四番三号 コーポ青葉402",
    "千代田区 霞が関２－１４－３　コーポ青葉 402号室",
    "千代田区霞ガ関2−14‐3 コーポ青葉402",
)

SPELLED = st.fixed_dictionaries(
    {
        "phone": PHONES,
        "email": MAILS,
        "name": NAMES,
        "postal_code": CODES,
        "prefecture": PREFECTURES,
        "address": STREETS,
    }
)


@given(SPELLED)
def test_no_spelling_hides_a_person(spelled):
    entry = entry_of(reason="", **LISTED)
    person = Person(**spelled)
    [match] = judged([[keys_of(person)]], [entry])
    assert match and match.items == ("phone", "email", "address", "name") and match.score == 200


@given(SPELLED)
def test_no_spelling_of_the_entry_hides_a_person(spelled):
    whole = spelled.pop("prefecture") + spelled["address"].strip()
    entry = entry_of(**{**spelled, "address": whole}, reason="")
    person = Person(**{**LISTED, "prefecture": "東京都", "address": LISTED["address"].removeprefix("東京都")})
    [match] = judged([[keys_of(person)]], [entry])
    assert match and match.score == 200


def met(person: Person, **entry: str) -> tuple[tuple[str, ...], int] | None:
    [match] = judged([[keys_of(STRANGER), keys_of(person)]], [entry_of(reason="", **entry)])
    assert match is None or match.place == 1
    return match and (match.items, match.score)


def test_each_item_has_its_weight():
    assert met(Person("別人", phone="09012345678"), **LISTED) == (("phone",), 60)
    assert met(Person("別人", email="megumi.t+shop@example.com"), **LISTED) == (("email",), 60)
    assert met(Person("別人", email="megumit@example.com"), **LISTED) is None  # dots and +tags are kept
    assert met(Person("高崎恵"), **LISTED) == (("name",), 30)
    assert met(Person("高崎恵", postal_code="1000013"), **LISTED) == (("name", "postal_code"), 60)
    assert met(Person("別人", postal_code="1000013"), **LISTED) is None
    here = {"postal_code": "100-0013", "prefecture": "東京都", "address": LISTED["address"].removeprefix("東京都")}
    assert met(Person("別人", **here), **LISTED) == (("address",), 50)
    assert met(Person("高崎恵", **here), **LISTED) == (("address", "name"), 80)  # the code is in the address already
    assert met(STRANGER, **LISTED) is None


def test_an_address_without_its_postal_code_is_found_by_its_prefecture():
    here = Person("別人", postal_code="100-0013", prefecture="東京都", address="千代田区霞が関2-14-3")
    assert met(here, address="東京都千代田区霞ヶ関2丁目14番3号") == (("address",), 50)
    assert met(here, address="大阪府千代田区霞ヶ関2丁目14番3号") is None


def test_what_is_empty_matches_nothing_and_a_name_alone_is_told_apart():
    assert met(Person(""), phone="09012345678") is None
    [match] = judged([[keys_of(Person("高崎恵", phone="0312345678"))]], [entry_of(reason="", **LISTED)])
    assert match and match.is_name_alone


def test_the_entry_that_says_most_counts_and_of_equals_the_oldest():
    weak, first, second = (
        entry_of(name="高崎恵", reason="弱い"),
        entry_of(phone="09012345678", reason="一"),
        entry_of(phone="09012345678", reason="二"),
    )
    [match] = judged([[keys_of(Person("高崎恵", phone="090-1234-5678"))]], [weak, first, second])
    assert match and match.entry is first


@pytest.mark.django_db
def test_a_batch_costs_one_query_and_lifted_entries_match_nobody():
    entry = blacklist.put_on(**LISTED, reason="受取拒否", by=None)
    group = [STRANGER, Person("別人", phone="09012345678")]
    with CaptureQueriesContext(connection) as queries:
        assert [bool(match) for match in blacklist.matches([group] * 50 + [[STRANGER]])] == [True] * 50 + [False]
        assert blacklist.matches([[Person("")]]) == [None]
    assert len(queries) == 1
    blacklist.lift(entry.pk, why="和解", by=None)
    assert blacklist.matches([group]) == [None] and BlacklistEntry.objects.exists()


@pytest.mark.django_db
def test_every_item_is_found_by_an_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT * FROM customers_blacklistentry WHERE (phone IN ('1', '2') OR email_key IN ('a', 'b')"
            " OR name_key IN ('c', 'd') OR address_key IN ('e', 'f')) AND lifted_at IS NULL"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert all(f"blacklist_{name}" in plan for name in ("phone", "email", "name", "address")), plan
