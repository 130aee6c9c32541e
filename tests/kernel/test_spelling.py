"""Another spelling for what the label software cannot print."""

import pytest

from oms.kernel.spelling import is_solved, proposed


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("𠮷田 太郎", "吉田 太郎"),
        ("Café ヴェール", "Cafe ヴェール"),
        ("メゾン青葉🏠402", "メゾン青葉402"),
        ("髙橋 﨑子", "髙橋 﨑子"),
        ("〜通り1‐2", "～通り1－2"),
    ],
)
def test_a_letter_gets_its_usual_spelling(written, printed):
    assert proposed(written) == (printed if not is_solved(written) else written)
    assert is_solved(proposed(written))


def test_a_letter_that_nobody_knows_stays_for_a_person():
    rare = "\U00020bb9" if not is_solved(proposed("\U00020bb9")) else "\U0002a6b2"
    assert proposed(f"田{rare}") == f"田{rare}" and not is_solved(rare)
