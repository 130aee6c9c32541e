"""Deciding, without a database."""

from datetime import date
from time import process_time

import pytest

from orders.decide.rules import engine
from orders.decide.rules.engine import Subject, compile_rule, decide, drawn, explain
from orders.decide.rules.operators import BadPattern, compile_pattern
from tests.orders.rules.builders import cond, do, document, group

TODAY = date(2026, 11, 28)


def compiled(*conditions, id_=1, **more):
    wanted = document(*conditions, then=more.pop("then", do("add_tag", tag="A")), **more)
    return compile_rule(id_, 1, f"r{id_}", wanted, lists={"島": frozenset({"907-0001"})}, today=lambda: TODAY)


def facts(**more):
    return {"channel": "rakuten", "shop": "r1", "order_key": "r1:1", "member_id": None, "location_codes": frozenset(),
            "tags": frozenset(), "lines": [], **more}  # fmt: skip


def matches(*conditions, **values):
    verdicts = decide([compiled(*conditions)], [Subject(1, facts(**values), frozenset({"imported"}))], today=TODAY)
    return verdicts[1][0].matched


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        (cond("buyer_name", "is", "ｻﾄｳ"), "サトウ", True),
        (cond("buyer_name", "is", "ABC"), "ａｂｃ ", True),
        (cond("remarks", "contains_all", ["急", "便"]), "至急便で", True),
        (cond("remarks", "contains_none", ["急"]), "至急", False),
        (cond("remarks", "empty"), "", True),
        (cond("remarks", "longer", 3), "四文字だ", True),
        (cond("remarks", "matches", "[0-9]{3}-[0-9]{4}"), "〒１５４-００２４", True),
        (cond("postal_code", "starts", ["154"]), "〒154-0024", True),
        (cond("postal_code", "is", "1540024"), "154-0024", True),
        (cond("postal_code", "in_list", "島"), "9070001", True),
        (cond("total", "between", [1000, 2000]), 2000, True),
        (cond("total", "ge", 1), None, False),
        (cond("total", "in", [1, 2]), 2, True),
        (cond("wish_date", "within_days", 3), date(2026, 12, 1), True),
        (cond("wish_date", "beyond_days", 3), date(2026, 12, 1), False),
        (cond("wish_date", "older_days", 1), date(2026, 11, 26), True),
        (cond("wish_date", "before", "2026-12-01"), None, False),
        (cond("ordered_time", "between", ["09:00", "15:00"]), "14:59", True),
        (cond("tags", "contains_any", ["VIP"]), frozenset({"vip"}), True),
        (cond("tags", "contains_none", ["VIP"]), frozenset(), True),
        (cond("held", "no"), False, True),
        (cond("channel_marks", "empty"), frozenset(), True),
    ],
)
def test_operators(condition, value, expected):
    assert matches(condition, **{condition["field"]: value}) is expected


def test_groups_nest_with_all_any_and_none():
    tree = group(
        "any",
        group("all", cond("total", "ge", 10), cond("held", "no")),
        group("none", cond("held", "yes"), cond("total", "ge", 1)),
    )
    assert matches(tree, total=10, held=False) and not matches(tree, total=5, held=False)
    assert matches(tree, total=0, held=False)


def test_a_pattern_takes_time_in_proportion_to_the_text():
    rule = compiled(cond("remarks", "matches", "(a+)+$"))
    began = process_time()
    decide([rule], [Subject(1, facts(remarks="a" * 5000 + "b"), frozenset({"imported"}))], today=TODAY)
    assert process_time() - began < 0.5
    with pytest.raises(BadPattern):
        compile_pattern("a" * 201)


def test_scope_and_period_leave_orders_alone():
    subject = Subject(1, facts(), frozenset({"imported"}))
    for more in (
        {"shops": ["r2"]},
        {"channels": ["amazon"]},
        {"until": "2026-11-27"},
        {"from": "2026-11-29"},
        {"locations": ["W1"]},
    ):
        assert decide([compiled(**more)], [subject], today=TODAY)[1] == []
    assert decide([compiled(shops=["r1"], until="2026-11-28")], [subject], today=TODAY)[1]


def test_the_lottery_is_fair_and_always_the_same():
    hits = [drawn("7", f"shop:{n}") < 5 for n in range(20_000)]
    assert 0.04 < sum(hits) / len(hits) < 0.06
    assert hits == [drawn("7", f"shop:{n}") < 5 for n in range(20_000)]
    assert hits != [drawn("8", f"shop:{n}") < 5 for n in range(20_000)]


def test_a_rule_that_fails_says_so_and_the_others_go_on():
    broken, fine = compiled(cond("total", "ge", 1)), compiled(id_=2)
    verdicts = decide([broken, fine], [Subject(1, facts(total="text"), frozenset({"imported"}))], today=TODAY)[1]
    assert (verdicts[0].error, verdicts[0].matched, verdicts[1].matched) == ("TypeError", None, True)


def test_a_rule_out_of_time_is_given_up_for_the_rest_of_the_batch(monkeypatch):
    monkeypatch.setattr(engine, "TIME_LIMIT_S", -1.0)
    subjects = [Subject(n, facts(), frozenset({"imported"})) for n in (1, 2)]
    verdicts = decide([compiled()], subjects, today=TODAY)
    assert [verdicts[n][0].error for n in (1, 2)] == ["time_limit", "time_limit"]


def test_explaining_shows_each_part_with_its_value():
    tree = document(cond("total", "ge", 10), group("any", cond("held", "yes")))["if"]
    found = explain(tree, facts(total=5, held=True), lists={}, today=lambda: TODAY, salt="1")
    assert (found.result, [one.result for one in found.items], found.items[0].value) == (False, [False, True], 5)


def test_a_thousand_orders_and_a_hundred_rules_in_two_seconds():
    rules = [
        compiled(
            cond("total", "ge", n * 100),
            cond("remarks", "contains_any", ["急", f"語{n}"]),
            group("any", cond("held", "no"), cond("total", "lt", 5)),
            id_=n,
        )
        for n in range(1, 101)
    ]
    subjects = [
        Subject(n, facts(total=n * 10, remarks="至急お願い", held=False), frozenset({"imported"})) for n in range(1000)
    ]
    began = process_time()
    verdicts = decide(rules, subjects, today=TODAY)
    assert process_time() - began < 2 and len(verdicts) == 1000
