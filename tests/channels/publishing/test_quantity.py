"""The decision: never more than there is, more stock never shows less, between 0 and the cap, one shop per unit."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as some

from channels.decide.pace import decayed, likely_at_most, per_minute
from channels.decide.quantity import FIXED, LAST_UNIT, NORMAL, SOLD_OUT, Rule, Seat, decide, share_out, shown

rules = some.builds(
    Rule,
    mode=some.sampled_from([NORMAL, LAST_UNIT, SOLD_OUT]),
    buffer=some.integers(0, 20),
    share=some.integers(0, 100),
    cap=some.none() | some.integers(0, 50),
    priority=some.integers(0, 3),
    adaptive=some.booleans(),
    hot_below=some.integers(0, 30),
    hot_per_minute=some.integers(0, 5),
)


def seats_of(rule, most=6):
    return some.lists(
        some.builds(
            Seat,
            id=some.just(0),
            rule=rule,
            supply=some.integers(0, 60),
            units=some.integers(1, 3),
            pace=some.floats(0, 20),
            sales=some.floats(0, 20),
            delay_s=some.floats(0, 600),
            import_age_s=some.floats(0, 600),
            holds=some.integers(0, 30),
            relative=some.booleans(),
            extra=some.integers(0, 5),
        ),
        max_size=most,
    ).map(lambda seats: [replace(seat, id=number) for number, seat in enumerate(seats, start=1)])


@given(seats_of(rules))
def test_no_shop_is_told_more_than_there_is_or_than_its_cap(seats):
    told = decide(seats)
    assert told.keys() == {seat.id for seat in seats}
    for seat in seats:
        assert 0 <= told[seat.id].quantity * seat.units <= seat.supply
        assert seat.rule.cap is None or told[seat.id].quantity <= seat.rule.cap


@given(seats_of(some.builds(Rule, mode=some.just(LAST_UNIT), hot_below=some.just(60))))
def test_last_units_are_shown_at_one_shop_each(seats):
    shared = [replace(seat, supply=seats[0].supply, units=1) for seat in seats]
    told = decide(shared)
    assert all(told[seat.id].alone for seat in shared)
    assert sum(told[seat.id].quantity for seat in shared) <= (shared[0].supply if shared else 0)


@given(seats_of(some.builds(Rule, mode=some.just(LAST_UNIT), hot_below=some.just(60))))
def test_a_unit_leaves_one_shop_before_another_gets_it(seats):
    """Whatever part of the pushes arrives, the shops together never can sell more than there is."""
    held = sum(seat.holds for seat in seats)
    assume(held <= 60)  # beyond, they would not be scarce
    shared = [replace(seat, supply=max(held, 1), units=1) for seat in seats]
    told = decide(shared)
    assert sum(max(told[seat.id].quantity, seat.holds) for seat in shared) <= max(held, 1)


@given(seats_of(rules, most=1), some.integers(0, 20))
def test_more_stock_never_shows_less(seats, more):
    for seat in seats:
        assert shown(seat) <= shown(replace(seat, supply=seat.supply + more))
        assert shown(seat, reserve=more) <= shown(seat)


@given(some.integers(0, 200), seats_of(rules))
def test_sharing_out_gives_everything_that_fits_and_no_more(total, seats):
    limits = {seat.id: seat.supply for seat in seats}
    given_ = share_out(total, seats, limits)
    assert sum(given_.values()) == min(total, sum(limits.values()))
    assert all(0 <= given_[id_] <= limits[id_] for id_ in limits)


def test_a_fixed_number_is_what_the_merchant_said():
    assert decide([Seat(1, Rule(mode=FIXED, fixed=9), supply=0)])[1].quantity == 9


def test_a_shop_whose_cap_was_lowered_gives_up_what_it_holds():
    rule = Rule(mode=LAST_UNIT, hot_below=50)
    told = decide([Seat(1, replace(rule, cap=0), 9, holds=4), Seat(2, rule, 9, holds=4)])
    assert (told[1].quantity, told[1].keeps) == (0, False)


def test_the_formula():
    seat = Seat(1, Rule(buffer=2, share=50, cap=30), supply=21)
    assert shown(seat) == 9
    assert shown(replace(seat, supply=200)) == 30
    assert shown(replace(seat, units=4)) == 2


def test_the_very_last_unit_goes_to_the_shop_that_stands_first():
    first, second = Rule(mode=LAST_UNIT, priority=1), Rule(mode=LAST_UNIT, priority=2)
    told = decide([Seat(1, second, supply=1, pace=5), Seat(2, first, supply=1)])
    assert (told[1].quantity, told[2].quantity) == (0, 1)


def test_what_sells_slowly_is_shown_everywhere_to_the_last_unit():
    told = decide([Seat(number, Rule(), supply=1, pace=0.2, sales=1, delay_s=120) for number in range(5)])
    assert [told[number].quantity for number in range(5)] == [1] * 5


def test_the_reserve_grows_with_the_speed_and_with_the_delay():
    def reserve(pace, delay):
        return decide([Seat(1, Rule(), 500, pace=pace, sales=9, delay_s=delay), Seat(2, Rule(), 500)])[2].reserve

    assert reserve(0, 60) == 0 < reserve(1, 60) < reserve(4, 60) < reserve(4, 240)


def test_a_shop_told_differences_needs_no_reserve_for_its_own_sales():
    absolute = Seat(1, Rule(hot_per_minute=0), 50, pace=3, sales=9, delay_s=60)
    assert decide([absolute])[1].reserve > 0
    assert decide([replace(absolute, relative=True)])[1].reserve == 0


def test_what_sells_fast_and_runs_out_is_parted_between_the_shops():
    seats = [Seat(1, Rule(), 12, pace=4, sales=9, delay_s=60), Seat(2, Rule(), 12, pace=1, sales=3, delay_s=60)]
    told = decide(seats)
    assert told[1].alone and told[2].alone and told[1].quantity > told[2].quantity
    assert told[1].quantity + told[2].quantity == 12


def test_a_speed_fades_and_a_single_sale_is_none():
    assert per_minute(40) > per_minute(decayed(40, 120)) > 0
    assert Seat(1, Rule(), 9, pace=3, sales=1).speed == 0 < Seat(1, Rule(), 9, pace=3, sales=4).speed
    assert decayed(10, 10_000) < 0.001


def test_a_bound_for_rare_events_is_nothing_and_for_others_above_the_mean():
    assert likely_at_most(0.01) == 0
    assert all(likely_at_most(mean) > mean for mean in (0.1, 1, 7, 60))
