"""Deciding rules, against the same conditions written by hand as a Python loop.

The floor is what a programmer would write for these very rules: one function each, plain comparisons on the same
dictionaries, and a note of what each said of each order.
"""

import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from bench.row import Row
from orders.decide.rules.document import blank
from orders.decide.rules.engine import Compiled, Subject, compile_rule, decide

ORDERS, RULES, ROUNDS = 1000, 100, 5
TODAY = date(2026, 11, 28)


def run() -> list[Row]:
    """One row: seconds for 1,000 orders × 100 rules."""
    rules = [_rule(number) for number in range(1, RULES + 1)]
    taken = min(_timed(lambda: decide(rules, _subjects(), today=TODAY)) for _ in range(ROUNDS))
    floor = min(_timed(lambda: _by_hand(_subjects())) for _ in range(ROUNDS))
    making = min(_timed(_subjects) for _ in range(ROUNDS))
    taken, floor = taken - making, floor - making
    return [
        Row("rules, 1,000 orders × 100 rules", taken, "s", floor, taken / floor, 6.0, 3.0, lower_is_better=True),
        Row("rules, the same against two seconds", taken, "s", 2.0, taken / 2.0, 1.0, 0.5, lower_is_better=True),
    ]


def _timed(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _rule(number: int) -> Compiled:
    document = blank() | {
        "if": {
            "match": "all",
            "items": [
                {"field": "total", "op": "ge", "value": number * 500},
                {"field": "remarks", "op": "contains_any", "value": ["至急", f"語{number}"]},
                {
                    "match": "any",
                    "items": [
                        {"field": "held", "op": "no"},
                        {"field": "payment_method", "op": "in", "value": ["cod", "card"]},
                    ],
                },
            ],
        },
        "then": [{"do": "add_tag", "tag": f"t{number}", "undo": True}],
    }
    return compile_rule(number, 1, f"r{number}", document, lists={}, today=lambda: TODAY)


def _subjects() -> Sequence[Subject]:
    return [Subject(number, _facts(number), frozenset({"imported"})) for number in range(ORDERS)]


def _facts(number: int) -> dict[str, Any]:
    return {
        "channel": "rakuten", "shop": "r1", "order_key": f"r1:{number}", "location_codes": frozenset(), "lines": [],
        "tags": frozenset(), "total": number * 53 % 40_000, "remarks": "至急お願い" if number % 7 == 0 else "特になし",
        "held": False, "payment_method": "cod" if number % 9 == 0 else "card",
    }  # fmt: skip


def _hand_written(number: int) -> Callable[[dict[str, Any]], bool]:
    word = f"語{number}"

    def check(facts: dict[str, Any]) -> bool:
        return (
            facts["total"] >= number * 500
            and ("至急" in facts["remarks"] or word in facts["remarks"])
            and (not facts["held"] or facts["payment_method"] in {"cod", "card"})
        )

    return check


def _by_hand(subjects: Sequence[Subject]) -> dict[int, list[tuple[int, bool, list[str]]]]:
    checks = [(number, _hand_written(number)) for number in range(1, RULES + 1)]
    found = {}
    for subject in subjects:
        said = found[subject.id] = []
        for number, check in checks:
            matched = check(subject.facts)
            said.append((number, matched, [f"t{number}"] if matched else []))
    return found
