"""A spelling that the label software can print, for a text that it cannot: what people would write instead. Pure.

𠮷 → 吉 by the groups of kanji that matching uses, é → e, ① stays, an emoji falls away. A letter for which nobody knows
another spelling stays, so that the text can be seen to need a person.
"""

import unicodedata

from oms.kernel.text import cp932_form, fold_kanji, to_cp932_problems

PICTURES = {"So", "Sk", "Cn", "Co", "Cs", "Mn", "Me", "Cf"}  # symbols, marks and letters that no font here has


def proposed(text: str) -> str:
    """The text with every letter that cannot be printed replaced by its usual spelling, or left out where it is a
    picture. Equal to the text where nothing is wrong."""
    wrong = set(to_cp932_problems(text))
    if not wrong:
        return text
    plain = cp932_form(text)
    return " ".join("".join(_instead(char) if char in wrong else char for char in plain).split(" ")).strip()


def is_solved(text: str) -> bool:
    """Whether the label software can print every letter."""
    return not to_cp932_problems(text)


def _instead(char: str) -> str:
    for other in (fold_kanji(char), unicodedata.normalize("NFKC", char), _without_accents(char)):
        if other != char and not to_cp932_problems(other):
            return other
    return "" if unicodedata.category(char) in PICTURES else char


def _without_accents(char: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFD", char) if not unicodedata.combining(one))
