"""Operators as functions: a condition's value is made ready once, then asked of thousands of orders. Pure."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import re2

from orders.decide.rules.fields import DATE, NUMBER, SET, TEXT

Test = Callable[[Any], bool]
Lists = Mapping[str, frozenset[str]]

NOTHING: set[object] = {None, "", frozenset()}
LONGEST_PATTERN = 200
LONGEST_TEXT = 5_000  # of a buyer's text no more is searched


class BadPattern(ValueError):
    """A pattern that is too long or cannot be understood."""


def fold(text: Any) -> str:
    """How texts are compared: width and case make no difference, nor do blanks around."""
    return unicodedata.normalize("NFKC", str(text)).casefold().strip()


def digits(text: Any) -> str:
    """Postal codes and phone numbers, with and without dashes."""
    return "".join(char for char in unicodedata.normalize("NFKC", str(text)) if char.isdigit())


def compile_pattern(pattern: str) -> Any:
    """RE2 takes time in proportion to the text, whatever the pattern. Raises BadPattern."""
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(pattern)
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(unicodedata.normalize("NFKC", pattern).casefold(), options)
    except re2.error as error:
        raise BadPattern(pattern) from error


def test_for(  # noqa: PLR0911, PLR0917 - one answer an operator
    kind: str, op: str, value: Any, lists: Lists, today: Callable[[], date], ready: Callable[[Any], str] = fold
) -> Test:
    """The test of one condition, over the field's value: a text made `ready`, number, date, bool, or a set of folded
    texts."""
    if op in {"yes", "no"}:
        wanted = op == "yes"
        return lambda have: bool(have) is wanted
    if op == "empty":
        return lambda have: have in NOTHING
    if op == "filled":
        return lambda have: have not in NOTHING
    if kind == SET:
        return _set_test(op, value, lists)
    if kind == TEXT or op in {"in_list", "not_in_list"}:
        return _text_test(op, value, lists, ready)
    if kind == DATE:
        return _date_test(op, value, today)
    return _plain_test(kind, op, value)


def _set_test(op: str, value: Any, lists: Lists) -> Test:
    wanted = lists.get(value, frozenset()) if op.endswith("in_list") else frozenset(fold(one) for one in value)
    tests: dict[str, Test] = {
        "contains_any": lambda have: not wanted.isdisjoint(have or ()),
        "contains_all": lambda have: wanted <= (have or frozenset()),
        "contains_none": lambda have: wanted.isdisjoint(have or ()),
        "in_list": lambda have: not wanted.isdisjoint(have or ()),
        "not_in_list": lambda have: wanted.isdisjoint(have or ()),
    }
    return tests[op]


def _text_test(op: str, value: Any, lists: Lists, ready: Callable[[Any], str]) -> Test:
    if op.endswith("in_list"):
        return _list_test(op, frozenset(ready(one) for one in lists.get(value, frozenset())) - {""})
    if op == "matches":
        pattern = compile_pattern(value)
        return lambda have: pattern.search((have or "")[:LONGEST_TEXT]) is not None
    if op in {"longer", "shorter"}:
        limit = int(value)
        return (lambda have: len(have or "") > limit) if op == "longer" else (lambda have: len(have or "") < limit)
    words = tuple(ready(one) for one in (value if isinstance(value, list) else [value]))
    return _words_test(op, words)


def _list_test(op: str, known: frozenset[str]) -> Test:
    if op == "prefix_in_list":
        starts = tuple(known)
        return lambda have: (have or "").startswith(starts) if starts else False
    if op == "in_list":
        return lambda have: (have or "") in known
    return lambda have: (have or "") not in known


def _words_test(op: str, words: tuple[str, ...]) -> Test:
    one, many = words[0] if words else "", frozenset(words)
    tests: dict[str, Test] = {
        "is": lambda have: (have or "") == one,
        "is_not": lambda have: (have or "") != one,
        "in": lambda have: (have or "") in many,
        "not_in": lambda have: (have or "") not in many,
        "contains_any": lambda have: any(word in (have or "") for word in words),
        "contains_all": lambda have: all(word in (have or "") for word in words),
        "contains_none": lambda have: not any(word in (have or "") for word in words),
        "starts": lambda have: (have or "").startswith(words),
        "ends": lambda have: (have or "").endswith(words),
    }
    return tests[op]


def _date_test(op: str, value: Any, today: Callable[[], date]) -> Test:
    if op in {"within_days", "beyond_days", "past_days", "older_days"}:
        span = timedelta(days=int(value))
        days: dict[str, Test] = {
            "within_days": lambda have: have is not None and today() <= have <= today() + span,
            "beyond_days": lambda have: have is not None and have > today() + span,
            "past_days": lambda have: have is not None and today() - span <= have <= today(),
            "older_days": lambda have: have is not None and have < today() - span,
        }
        return days[op]
    first, last = _pair(value, date.fromisoformat)
    dates: dict[str, Test] = {
        "is": lambda have: have == first,
        "is_not": lambda have: have != first,
        "before": lambda have: have is not None and have < first,
        "after": lambda have: have is not None and have > first,
        "since": lambda have: have is not None and have >= first,
        "until": lambda have: have is not None and have <= first,
        "between": lambda have: have is not None and first <= have <= last,
    }
    return dates[op]


def _plain_test(kind: str, op: str, value: Any) -> Test:
    """Numbers, times of day as "HH:MM", moments as "2026-06-01T20:00", and codes. What is not known (None) is neither
    more nor less than anything."""
    if op in {"in", "not_in"}:
        many = frozenset(_number(one) if kind == NUMBER else str(one) for one in value)
        return (lambda have: have in many) if op == "in" else (lambda have: have not in many)
    first, last = _pair(value, _number if kind == NUMBER else str)
    tests: dict[str, Test] = {
        "is": lambda have: have == first,
        "is_not": lambda have: have != first,
        "gt": lambda have: have is not None and have > first,
        "ge": lambda have: have is not None and have >= first,
        "lt": lambda have: have is not None and have < first,
        "le": lambda have: have is not None and have <= first,
        "between": lambda have: have is not None and first <= have <= last,
        "before": lambda have: have is not None and have < first,
        "after": lambda have: have is not None and have > first,
        "since": lambda have: have is not None and have >= first,
        "until": lambda have: have is not None and have <= first,
    }
    return tests[op]


def _pair(value: Any, read: Callable[[Any], Any]) -> tuple[Any, Any]:
    pair: Sequence[Any] = value if isinstance(value, list) else [value, value]
    return read(pair[0]), read(pair[1])


def _number(value: Any) -> float:
    return float(value)
