"""Sentences that are stored once and read in each reader's language.

`said("在庫が%(n)s点足りません。", n=3)` is a `str` whose value is the Japanese sentence: comparing, hashing, searching
and f-strings see that. `str()` of it, and therefore a template, gives the sentence in the language of whoever reads.
`stored` adds to the text what is needed to say it again, after a separator that no text contains; `told` reads it
back. A text without it, of a person or of an older row, is what it is in every language.
"""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Self, SupportsIndex

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, override, pgettext_lazy

SEPARATOR = "\x1f"
SOURCE = "ja"

# What stands between the parts of a list, by what stands there in Japanese.
BETWEEN = {
    "、": pgettext_lazy("between names", "、"),
    "・": pgettext_lazy("between names", "・"),
    "」「": pgettext_lazy("between names", "」「"),
    " ": " ",
    "": pgettext_lazy("between sentences", "。"),
    "\n": "\n",
}

# A form, as JSON keeps it: text and numbers as they are; [msgid] or [msgid, {name: form}]; {"all": [form], "by": "、"}.
Form = Any


class Said(str):
    """The Japanese sentence, and the form from which the reader's is made. Built by `said`, `together`, `told`."""

    _form: Form
    _kept: str

    @classmethod
    def of(cls, form: Form) -> Self:
        made = cls(_japanese(form))
        made._form = form
        return made

    @classmethod
    def kept(cls, text: str, kept: str) -> Self:
        """As read from a row; what was kept is only looked at when somebody reads in another language."""
        made = cls(text)
        made._kept = kept
        return made

    @property
    def form(self) -> Form:
        if "_form" not in self.__dict__:
            self._form = _read(str.__str__(self), self._kept)
        return self._form

    def __str__(self) -> str:
        language = get_language()
        if language is None or language.startswith(SOURCE):
            return str.__str__(self)
        try:
            return _in_reader(self.form)
        except (KeyError, TypeError, ValueError):  # written by a version whose words are gone, or by nobody of ours
            return str.__str__(self)

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        """A slice that cuts nothing off is still the sentence: `cause[:300]` before a row is written."""
        cut = str.__getitem__(self, key)
        return self if len(cut) == len(self) and isinstance(key, slice) and key.step is None else cut

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (stored(self),)


def said(sentence: str | Promise, **values: object) -> str:
    """A sentence of ours (a `Said`), marked for translation, with `%(name)s` for each value.

    A value is data (text, a number), a `Said`, a label that waits for its language, an exception that says one of
    these, or a list of them, joined by 、.
    A literal % is doubled where there are values.
    """
    form = _form_of(sentence, ours=True)
    if values:
        form = [form[0], {name: _form_of(value) for name, value in values.items()}]
    return Said.of(form)


def together(parts: Iterable[object], by: str = "、") -> str:
    """The parts in one text, separated as `by` (a key of `BETWEEN`) is in the reader's language. Empty parts go."""
    return Said.of({"all": [_form_of(part) for part in parts if part], "by": by})


def sentences(*parts: object) -> str:
    """Whole sentences one after another: without a space in Japanese, with one in English."""
    return together(parts, by="")


def words_of(error: Exception) -> str:
    """What an exception says, with its form: `str(error)` is in the language of whoever happens to work."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, str) else str(first)


def stored(text: str | Promise) -> str:
    """As a column keeps it: the Japanese text, so that one can search it, and behind it the form."""
    if isinstance(text, Promise):
        text = said(text)
    if not isinstance(text, Said):
        return text
    japanese, form = str.__str__(text), text.form
    if isinstance(form, str):
        return japanese
    if form == [japanese]:
        return japanese + SEPARATOR
    return japanese + SEPARATOR + json.dumps(form, ensure_ascii=False, separators=(",", ":"))


def told(text: str) -> str:
    """What `stored` made of it: a `Said`, or the text when there is no form behind it."""
    plain, separator, kept = text.partition(SEPARATOR)
    return Said.kept(plain, kept) if separator else text


def heard(text: str | Promise) -> str:
    """What its reader is shown of a text that `stored` made, or that was never stored."""
    return str(told(text) if isinstance(text, str) else text)


def _again(text: str) -> str:
    return told(text)


def _form_of(value: object, *, ours: bool = False) -> Form:
    if isinstance(value, Said):
        return value.form
    if isinstance(value, Promise):
        return [_source(value)]
    if isinstance(value, Exception):
        return _form_of(words_of(value))
    if isinstance(value, list | tuple):
        return {"all": [_form_of(one) for one in value], "by": "、"}
    if ours:
        return [value]
    return value if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _source(label: Promise) -> str:
    """A label's Japanese, which is what it is looked up by."""
    with override(SOURCE):
        return str(label)


def _japanese(form: Form) -> str:
    match form:
        case [sentence]:
            return str(sentence)
        case [sentence, values]:
            return str(sentence) % {name: v if isinstance(v, int) else _japanese(v) for name, v in values.items()}
        case {"all": parts, "by": by}:
            return str(by).join(_japanese(part) for part in parts)
    return str.__str__(form) if isinstance(form, str) else str(form)


def _in_reader(form: Form) -> str:
    match form:
        case [sentence]:
            return gettext(sentence)
        case [sentence, values]:
            return gettext(sentence) % {name: v if isinstance(v, int) else _in_reader(v) for name, v in values.items()}
        case {"all": parts, "by": by}:
            return _between(by).join(_in_reader(part) for part in parts)
    return str(form)


def _between(by: str) -> str:
    word = str(BETWEEN.get(by, by))
    return by if word == "。" else word


@lru_cache(maxsize=2_000)
def _read(text: str, kept: str) -> Form:
    if not kept:
        return [text]
    try:
        form = json.loads(kept)
    except ValueError:
        return text
    return form if isinstance(form, list | dict) and _is_form(form) else text


def _is_form(form: Form) -> bool:
    match form:
        case str() | int() | [str()]:
            return True
        case [str(), Mapping() as values]:
            return all(isinstance(name, str) and _is_form(value) for name, value in values.items())
        case {"all": [*parts], "by": str()}:
            return all(_is_form(part) for part in parts)
    return False
