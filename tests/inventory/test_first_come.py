"""Who is served: a pure decision, so it is tested without a database."""

from hypothesis import given
from hypothesis import strategies as st

from inventory.services.door import Request, first_come


def granted(free: dict[int, int], *requests: Request) -> list[str]:
    return [request.ref for request in first_come(free, requests)]


def test_the_smaller_rank_comes_first_and_equals_keep_their_order():
    late, early = Request.of("late", 1, 1, (5, "b")), Request.of("early", 1, 1, (5, "a"))
    assert granted({1: 1}, late, early) == ["early"]
    assert granted({1: 1}, Request.of("a", 1, 1), Request.of("b", 1, 1)) == ["a"]


def test_a_smaller_later_line_does_not_slip_past_one_that_waits():
    assert granted({1: 2}, Request.of("big", 1, 3, 1), Request.of("small", 1, 1, 2)) == []


def test_another_sku_does_not_wait_with_it():
    assert granted({1: 2, 2: 1}, Request.of("big", 1, 3, 1), Request.of("other", 2, 1, 2)) == ["other"]


def test_a_bundle_waiting_for_one_component_leaves_the_others_alone():
    bundle = Request("bundle", ((1, 1), (2, 1)), 1)
    assert granted({1: 1, 2: 0}, bundle, Request.of("plain", 1, 1, 2)) == ["plain"]


def test_a_component_named_twice_is_needed_twice():
    assert granted({1: 3}, Request("bundle", ((1, 2), (1, 2)))) == []
    assert granted({1: 4}, Request("bundle", ((1, 2), (1, 2)))) == ["bundle"]


def test_a_bundle_without_components_waits():
    assert granted({}, Request("empty", ())) == []


quantities = st.integers(1, 4)
plain = st.builds(lambda balance, quantity, rank: ((balance, quantity),), st.integers(1, 3), quantities, st.just(0))
several = st.lists(st.tuples(st.integers(1, 3), quantities), min_size=1, max_size=3).map(tuple)
wanted = st.lists(st.tuples(plain | several, st.integers(0, 5)), max_size=20)


@given(st.fixed_dictionaries({1: st.integers(0, 10), 2: st.integers(0, 10), 3: st.integers(0, 10)}), wanted)
def test_never_more_than_there_is_and_nobody_is_passed(free, wants):
    requests = [Request(f"line:{number}", parts, rank) for number, (parts, rank) in enumerate(wants)]
    served = first_come(free, requests)
    left = dict(free)
    for request in served:
        for balance, quantity in request.parts:
            left[balance] -= quantity
    assert all(units >= 0 for units in left.values())
    refs = {request.ref for request in served}
    ordered = sorted(requests, key=lambda request: request.rank)
    for position, waiting in enumerate(ordered):
        if waiting.ref in refs or len(waiting.parts) > 1:
            continue
        (balance, _quantity), *_ = waiting.parts
        later = [request for request in ordered[position + 1 :] if request.ref in refs]
        assert not any(balance == other for request in later for other, _units in request.parts)


@given(st.integers(0, 30), st.integers(0, 30))
def test_of_single_units_exactly_as_many_as_there_are(stock, demand):
    requests = [Request.of(f"line:{number}", 1, 1, -number) for number in range(demand)]
    assert len(first_come({1: stock}, requests)) == min(stock, demand)
