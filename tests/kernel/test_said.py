"""Sentences that are stored once and read in each reader's language."""

import copy
import pickle

import pytest
from django.utils.html import escape
from django.utils.translation import gettext_lazy, override
from hypothesis import given
from hypothesis import strategies as st

from oms.kernel.models import Effect
from oms.kernel.said import SEPARATOR, Said, heard, said, sentences, stored, together, told, words_of
from oms.kernel.said_field import choice
from oms.kernel.services.outbox import GiveUp
from orders.models import ReviewReason
from orders.models.order import Stage
from tests.channels.builders import make_effect

SHORT = "%(code)s が%(short)s点足りません。"
TAKEN = "在庫は%(name)sの受注 %(no)s に引き当てられています。"


def short(code: str = "CHAIR", n: int = 3) -> str:
    return said(SHORT, code=code, short=n)


def test_it_is_the_japanese_sentence_to_everything_that_compares_or_searches():
    assert short() == "CHAIR が3点足りません。" == f"{short()}" and "足りません" in short()
    assert len({short(), "CHAIR が3点足りません。"}) == 1
    with override("en"):
        assert short() == "CHAIR が3点足りません。"


def test_each_reader_gets_it_in_their_language():
    text = told(stored(short()))
    with override("en"):
        assert str(text) == "CHAIR is short by 3." == heard(stored(short())) == escape(text)
        assert "%(cause)s" % {"cause": text} == "CHAIR is short by 3."  # noqa: UP031 - as translations do
    with override("ja"):
        assert str(text) == "CHAIR が3点足りません。"
    with override(None):  # a worker
        assert str(text) == "CHAIR が3点足りません。"


def test_who_works_in_english_stores_what_a_japanese_reader_gets():
    with override("en"):
        kept = stored(sentences(short(), said(TAKEN, name="楽天市場店", no="R-1")))
        label = stored(said(Stage.REVIEW.label))
    assert str(told(kept)) == "CHAIR が3点足りません。在庫は楽天市場店の受注 R-1 に引き当てられています。"
    assert str(told(label)) == "確認待ち"


def test_sentences_lists_and_labels_nest():
    text = together([short("A", 1), said("%(why)s（%(note)s）", why=Stage.REVIEW.label, note="急ぎ"), ""])
    assert text == "A が1点足りません。、確認待ち（急ぎ）"
    listed = said("商品コード %(codes)s に対応する SKU がありません。", codes=["A", "B"])
    assert listed == "商品コード A、B に対応する SKU がありません。"
    with override("en"):
        assert str(told(stored(text))) == "A is short by 1., Needs review (急ぎ)"
        assert str(told(stored(listed))) == "No SKU stands for item code A, B."
        assert str(sentences(short(), short("B"))) == "CHAIR is short by 3. B is short by 3."


def test_a_slice_that_cuts_nothing_keeps_the_sentence():
    with override("en"):
        assert str(short()[:500]) == "CHAIR is short by 3."
        assert str(short()[:5]) == "CHAIR" and not isinstance(short()[:5], Said)


def test_texts_of_people_and_of_older_rows_stay_what_they_are():
    assert stored("入金") == "入金" and told("入金") == "入金" and not isinstance(told("入金"), Said)
    with override("en"):
        assert heard("入金") == "入金"


@pytest.mark.parametrize(
    "kept",
    ["{", "[1]", '["%(a)s"]x', '{"all":1}', '["%(a)s",{"b":"c"}]', '["%(a)d",{"a":"c"}]', '["a",["b"]]', "null", '"x"'],
)
def test_a_form_that_makes_no_sense_leaves_the_text(kept):
    with override("en"):
        assert heard(f"入金{SEPARATOR}{kept}") == "入金"


def test_words_that_are_gone_are_read_in_japanese():
    with override("en"):
        assert str(told(stored(said("もう言わない%(n)s言葉", n=1)))) == "もう言わない1言葉"


def test_an_exception_keeps_its_sentence_and_says_it():
    with override("en"):
        trouble = GiveUp(short())
        assert stored(words_of(trouble)) == stored(short()) and str(trouble) == "CHAIR is short by 3."
        assert str(said("注文通知は使えません: %(cause)s", cause=trouble)).endswith("CHAIR is short by 3.")


def test_copies_are_the_same_sentence():
    for twin in (copy.copy(short()), copy.deepcopy(short()), pickle.loads(pickle.dumps(short()))):
        with override("en"):
            assert str(twin) == "CHAIR is short by 3." and stored(twin) == stored(short())


PLAIN = st.text(st.characters(exclude_characters=SEPARATOR, exclude_categories=["Cs"]), max_size=30)


@given(PLAIN, st.integers())
def test_whatever_the_values_hold_comes_back(code, n):
    text = said(SHORT, code=code, short=n)
    back = told(stored(text))
    assert back == text == f"{code} が{n}点足りません。"
    with override("en"):
        assert str(back) == str(text) == f"{code} is short by {n}."


@given(PLAIN)
def test_a_text_is_stored_as_it_is(text):
    assert told(stored(text)) == text


@pytest.mark.parametrize(
    ("lookup", "words", "found"),
    [
        ("exact", "CHAIR が3点足りません。", True),
        ("in", ["CHAIR が3点足りません。"], True),
        ("icontains", "chair が", True),
        ("icontains", "short", False),  # a name within the form is no word of the sentence
        ("endswith", "足りません。", True),
        ("exact", "", False),
    ],
)
def test_the_column_is_searched_by_what_it_says(db, lookup, words, found):
    effect = make_effect(last_error=short())
    assert Effect.objects.filter(pk=effect.pk, **{f"last_error__{lookup}": words}).exists() is found
    effect.refresh_from_db()
    assert effect.last_error == short() and heard(effect.last_error) == "CHAIR が3点足りません。"
    with override("en"):
        assert str(effect.last_error) == "CHAIR is short by 3."


def test_a_sentence_is_found_by_what_it_says_and_by_a_sentence(db):
    make_effect(last_error=short())
    make_effect(last_error="")
    assert Effect.objects.filter(last_error=short()).count() == 1
    assert Effect.objects.filter(last_error="").count() == Effect.objects.exclude(last_error=short()).count() == 1


def test_a_label_is_stored_whoever_works():
    reason = ReviewReason(state=ReviewReason.State.OPEN)
    with override("en"):
        kept = stored(choice(reason, "state"))
    assert heard(kept) == "未確認"
    with override("en"):
        assert heard(kept) != "未確認"
    assert said(gettext_lazy("入金")) == "入金"
