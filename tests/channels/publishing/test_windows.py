from datetime import UTC, datetime, time, timedelta

from channels.decide.windows import Window, ends_at, phase
from oms.kernel.clock import TOKYO

LEAD = timedelta(minutes=15)
THURSDAY = Window(120, weekday=3, start_time=time(1, 0))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=TOKYO)


def test_a_weekly_window_comes_back_each_week_in_tokyo_time():
    assert phase([THURSDAY], at(26, 0, 44), LEAD) == ""
    assert phase([THURSDAY], at(26, 0, 45), LEAD) == "before"
    assert phase([THURSDAY], at(26, 1), LEAD) == phase([THURSDAY], at(19, 2, 59), LEAD) == "during"
    assert phase([THURSDAY], at(26, 3), LEAD) == ""
    assert phase([THURSDAY], datetime(2026, 11, 25, 16, 30, tzinfo=UTC), LEAD) == "during"


def test_a_window_over_the_turn_of_the_week_goes_on_after_it():
    sunday_night = Window(240, weekday=6, start_time=time(23, 0))
    assert phase([sunday_night], at(23, 2, 30), LEAD) == "during"  # a Monday
    monday = Window(60, weekday=0, start_time=time(0, 5))
    assert phase([monday], at(22, 23, 55), LEAD) == "before"


def test_a_single_window_ends_and_stays_over():
    once = Window(30, starts_at=at(28, 12))
    assert ends_at([once, THURSDAY], at(28, 12, 10)) == at(28, 12, 30)
    assert ends_at([once], at(28, 12, 30)) is None
    assert phase([once], at(28, 12, 30), LEAD) == ""
