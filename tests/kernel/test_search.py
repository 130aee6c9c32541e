"""The two halves of the search agree: SQL and Python make the same grams, and a row is found iff it holds the word."""

import pytest
from django.apps.registry import Apps
from django.db import connection, models
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from oms.kernel import search
from oms.kernel.text import search_text

JAPANESE = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "山田太郎高髙橋東京都千代田区一二三ヤマダやまだﾔﾏﾀﾞガが゛ー-‐−～％_%\\'\"０１２09０ aAＡéß𠮷﨑\u3099"
        ),
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
    ),
    max_size=24,
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def scalar(sql: str, *values: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


@pytest.mark.django_db
@QUICK
@given(text=JAPANESE)
@example(text="")
@example(text="山")
@example(text="𠮷野家")
def test_sql_and_python_make_the_same_grams(text):
    assert scalar("SELECT search_grams(%s)", text) == search.grams(text)


@pytest.mark.django_db
def test_the_sql_function_may_stand_in_an_index_and_run_in_parallel():
    kinds = "SELECT provolatile::text || proparallel::text FROM pg_proc WHERE proname = 'search_grams'"
    assert scalar(kinds) == "is"  # immutable, safe


@pytest.fixture
def people(db):
    """A table of its own with the index, so that the test needs no app above the kernel."""

    class Person(models.Model):
        words = models.TextField()

        class Meta:
            app_label = "search_test"
            apps = Apps()
            indexes = [search.gram_index("words", name="person_grams")]

        def __str__(self) -> str:
            return self.words

    with connection.schema_editor() as editor:
        editor.create_model(Person)
    return Person


@QUICK
@given(stored=st.lists(JAPANESE, min_size=1, max_size=3), typed=JAPANESE)
@example(stored=["髙橋 花子", "ﾀｶﾊｼ"], typed="高橋")
@example(stored=["100%_\\off"], typed="%_\\")
@example(stored=["山田"], typed="田")
@example(stored=["山田"], typed="山")
@example(stored=["山", "田"], typed="山田")
def test_a_row_is_found_iff_it_holds_every_word(people, stored, typed):
    people.objects.all().delete()
    row = people.objects.create(words=search_text(*stored))
    found = search.matching(people.objects.all(), "words", typed).filter(pk=row.pk).exists()
    assert found == search.matches(row.words, typed)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("高橋", True),
        ("たかはし", True),
        ("ﾀｶﾊｼ", True),
        ("090-1234", True),
        ("1234 髙橋", True),
        ("５６７８", True),
        ("橋 花", False),  # one character is asked as a beginning; no part begins with 橋
        ("髙", True),
        ("子タ", False),  # across two parts
        ("", False),
        ("　", False),
        ("佐藤", False),
    ],
)
def test_what_an_operator_types(people, typed, found):
    people.objects.create(words=search_text("髙橋 花子", "タカハシ ハナコ", "09012345678"))
    assert search.matching(people.objects.all(), "words", typed).exists() is found


def test_the_index_serves_two_characters_and_one(people):
    people.objects.bulk_create(people(words=search_text(f"顧客{number:05d}")) for number in range(3000))
    people.objects.create(words=search_text("髙橋花子"))
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {people._meta.db_table}")
    for typed in ("高橋", "髙", "橋花子"):
        plan = search.matching(people.objects.all(), "words", typed).explain()
        assert "person_grams" in plan


def test_a_common_word_of_three_characters_is_walked_and_a_rare_one_looked_up(people):
    people.objects.bulk_create(
        people(words=search_text("サトウ" if number % 10 else "サカモトトウコ", f"顧客{number:05d}"))
        for number in range(4_000)
    )
    people.objects.create(words=search_text("テシガワラ"))
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {people._meta.db_table}")

    def plan(typed):
        return search.matching(people.objects.order_by("-pk"), "words", typed)[:51].explain()

    assert "person_grams" not in plan("さとう")
    assert "person_grams" in plan("てしがわら")
    assert search.matching(people.objects.all(), "words", "さとう").count() == 3_600


def test_too_many_and_too_long_words_are_cut():
    assert len(search.search_words(" ".join(str(number) for number in range(99)))) == search.MAX_WORDS
    assert len(search.search_words("あ" * 999)[0]) == search.MAX_WORD_LENGTH
