"""Every operator on every kind it is offered for: one value that passes and one that does not. Pure."""

from datetime import date

import pytest

from orders.decide.rules import operators
from orders.decide.rules.fields import ALL_KINDS, CHOICE, DATE, FLAG, MOMENT, NUMBER, OPERATORS, SET, TEXT, TIME

TODAY = date(2026, 11, 20)
LISTS = {"停止": frozenset({"abc", "赤"})}
JUNE, JULY, AUGUST = date(2026, 6, 1), date(2026, 7, 1), date(2026, 8, 1)
ROWS = [  # kind, operator, value, what passes, what does not
    (TEXT, "is", "abc", "abc", "abcd"),
    (TEXT, "is_not", "abc", "x", "abc"),
    (TEXT, "in", ["abc", "x"], "x", "y"),
    (TEXT, "not_in", ["abc", "x"], "y", "x"),
    (TEXT, "in_list", "停止", "abc", "ab"),
    (TEXT, "not_in_list", "停止", "ab", "abc"),
    (TEXT, "prefix_in_list", "停止", "abcde", "ab"),
    (TEXT, "contains_any", ["急", "早"], "急ぎ", "ゆっくり"),
    (TEXT, "contains_all", ["急", "ぎ"], "急ぎ", "急"),
    (TEXT, "contains_none", ["急"], "ゆっくり", "急ぎ"),
    (TEXT, "starts", ["ab"], "abc", "cab"),
    (TEXT, "ends", ["bc"], "abc", "bca"),
    (TEXT, "matches", "^a.c$", "abc", "abcd"),
    (TEXT, "empty", None, "", "x"),
    (TEXT, "filled", None, "x", ""),
    (TEXT, "longer", 3, "abcd", "abc"),
    (TEXT, "shorter", 3, "ab", "abc"),
    (NUMBER, "is", 3, 3, 4),
    (NUMBER, "is_not", 3, 4, 3),
    (NUMBER, "in", [1, 3], 3, 2),
    (NUMBER, "not_in", [1, 3], 2, 3),
    (NUMBER, "gt", 3, 4, 3),
    (NUMBER, "ge", 3, 3, 2),
    (NUMBER, "lt", 3, 2, 3),
    (NUMBER, "le", 3, 3, 4),
    (NUMBER, "between", [3, 5], 5, 6),
    (NUMBER, "empty", None, None, 0),
    (NUMBER, "filled", None, 0, None),
    (DATE, "is", "2026-07-01", JULY, JUNE),
    (DATE, "is_not", "2026-07-01", JUNE, JULY),
    (DATE, "before", "2026-07-01", JUNE, JULY),
    (DATE, "after", "2026-07-01", AUGUST, JULY),
    (DATE, "since", "2026-07-01", JULY, JUNE),
    (DATE, "until", "2026-07-01", JULY, AUGUST),
    (DATE, "between", ["2026-06-01", "2026-07-01"], JULY, AUGUST),
    (DATE, "within_days", 3, date(2026, 11, 23), date(2026, 11, 24)),
    (DATE, "beyond_days", 3, date(2026, 11, 24), date(2026, 11, 23)),
    (DATE, "past_days", 3, date(2026, 11, 17), date(2026, 11, 16)),
    (DATE, "older_days", 3, date(2026, 11, 16), date(2026, 11, 17)),
    (DATE, "empty", None, None, JUNE),
    (DATE, "filled", None, JUNE, None),
    (TIME, "is", "09:00", "09:00", "09:01"),
    (TIME, "is_not", "09:00", "09:01", "09:00"),
    (TIME, "gt", "09:00", "09:01", "09:00"),
    (TIME, "ge", "09:00", "09:00", "08:59"),
    (TIME, "lt", "09:00", "08:59", "09:00"),
    (TIME, "le", "09:00", "09:00", "09:01"),
    (TIME, "between", ["09:00", "12:00"], "12:00", "12:01"),
    (MOMENT, "before", "2026-06-01T20:00", "2026-06-01T19:59", "2026-06-01T20:00"),
    (MOMENT, "after", "2026-06-01T20:00", "2026-06-01T20:01", "2026-06-01T20:00"),
    (MOMENT, "since", "2026-06-01T20:00", "2026-06-01T20:00", "2026-06-01T19:59"),
    (MOMENT, "until", "2026-06-01T20:00", "2026-06-01T20:00", "2026-06-01T20:01"),
    (MOMENT, "between", ["2026-06-01T20:00", "2026-06-02T02:00"], "2026-06-02T02:00", "2026-06-02T02:01"),
    (FLAG, "yes", None, True, False),
    (FLAG, "no", None, False, True),
    (CHOICE, "is", "gold", "gold", ""),
    (CHOICE, "is_not", "gold", "", "gold"),
    (CHOICE, "in", ["gold", "silver"], "silver", ""),
    (CHOICE, "not_in", ["gold"], "", "gold"),
    (CHOICE, "empty", None, "", "gold"),
    (CHOICE, "filled", None, "gold", ""),
    (SET, "in_list", "停止", frozenset({"赤", "青"}), frozenset({"青"})),
    (SET, "not_in_list", "停止", frozenset({"青"}), frozenset({"赤"})),
    (SET, "contains_any", ["赤", "緑"], frozenset({"赤", "青"}), frozenset({"青"})),
    (SET, "contains_all", ["赤", "青"], frozenset({"赤", "青"}), frozenset({"赤"})),
    (SET, "contains_none", ["赤"], frozenset({"青"}), frozenset({"赤"})),
    (SET, "empty", None, frozenset(), frozenset({"赤"})),
    (SET, "filled", None, frozenset({"赤"}), frozenset()),
]


@pytest.mark.parametrize(("kind", "op", "value", "passes", "fails"), ROWS)
def test_passes_and_fails(kind, op, value, passes, fails):
    test = operators.test_for(kind, op, value, LISTS, lambda: TODAY)
    assert test(passes) and not test(fails)


def test_every_operator_is_tried_on_every_kind_it_is_offered_for():
    offered = {(kind, one.code) for one in OPERATORS.values() for kind in one.kinds if one.code != "changed"}
    assert offered == {(kind, op) for kind, op, *_rest in ROWS} and OPERATORS["changed"].kinds == ALL_KINDS


@pytest.mark.parametrize("op", ["gt", "ge", "lt", "le", "between", "since", "until", "before", "after", "past_days"])
def test_what_is_not_known_is_neither_more_nor_less_than_anything(op):
    kind = DATE if op in {"since", "until", "before", "after", "past_days"} else NUMBER
    value = {"between": [1, 2], "past_days": 3}.get(op, "2026-01-01" if kind == DATE else 1)
    assert not operators.test_for(kind, op, value, LISTS, lambda: TODAY)(None)
