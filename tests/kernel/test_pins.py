"""PINs: which digits are refused, how few guesses are looked at, what a reset ends."""

import time
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import identify_hasher
from django.db.models import QuerySet

from oms.kernel import clock
from oms.kernel.models import Pin, SignInEvent
from oms.kernel.services import pins, store_devices
from oms.kernel.services.pins import Outcome
from tests.pages.store_devices.builders import PIN, make_store, tablet_of, waiting_code, works_at
from tests.pages.store_devices.builders import device_of as row_of

Kind = SignInEvent.Kind


@pytest.mark.parametrize(
    "pin",
    [
        *("0000", "777777", "1212", "123123", "1122", "1221", "12121"),  # repetitions
        *("1234", "4321", "7890", "0987", "2468", "8642", "12345678"),  # rows
        *("2580", "0852", "147258", "159357", "963852"),  # lines of the keypad
        *("1985", "2026", "19900401", "20000229", "900401"),  # years and dates
        *("5963", "1004"),
    ],
)
def test_digits_that_somebody_would_try_first_are_refused(pin):
    assert pins.is_guessable(pin)


@pytest.mark.parametrize("pin", ["4917", "8305", "60427", "739104", "28461937"])
def test_ordinary_digits_are_taken(pin):
    assert pins.is_well_formed(pin) and not pins.is_guessable(pin)


def test_hardly_more_than_a_tenth_of_all_is_refused():
    """So that the refusals do not make guessing easier."""
    for length, step, most in ((4, 1, 0.08), (6, 17, 0.06)):  # of a million, every seventeenth: all digits come evenly
        tried = range(0, 10**length, step)
        assert sum(pins.is_guessable(f"{number:0{length}d}") for number in tried) / len(tried) < most


def test_digits_of_the_own_name_are_refused():
    assert pins.is_guessable("4917", "store4917") and not pins.is_guessable("4917", "store491")


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "", "１２３４", "١٢٣٤"])
def test_only_four_to_eight_digits_are_a_pin(pin):
    assert not pins.is_well_formed(pin)


def test_full_width_digits_are_meant_as_digits():
    assert pins.tidy("４９ １７") == "4917"


@pytest.fixture
def store(db):
    return make_store()


@pytest.fixture
def mio(store):
    return works_at(store, "mio", "美緒 みお")


@pytest.fixture
def device(store, aoi):
    return row_of(tablet_of(store, aoi))


@pytest.fixture
def at(monkeypatch):
    """`at(16)`: so many minutes later."""
    real, ahead = clock.now, [timedelta()]
    monkeypatch.setattr(clock, "now", lambda: real() + ahead[0])

    def move(minutes):
        ahead[0] += timedelta(minutes=minutes)

    return move


def outcome(device, who, pin=PIN):
    return pins.check(device, who.pk, pin, address="203.0.113.9").outcome


def test_it_is_kept_as_a_slow_hash_alone(mio):
    kept = Pin.objects.get(user=mio)
    assert PIN not in kept.secret and identify_hasher(kept.secret)


def test_five_wrong_ones_and_the_right_one_has_to_wait_on_this_device(store, device, mio, aoi, at):
    seen = [pins.check(device, mio.pk, "0000", address="") for _try in range(5)]
    assert [one.outcome for one in seen] == [Outcome.WRONG] * 4 + [Outcome.WAIT]
    assert [one.left for one in seen] == [4, 3, 2, 1, 0]
    assert outcome(device, mio) is Outcome.WAIT
    assert outcome(row_of(tablet_of(store, aoi, "奥")), mio) is Outcome.GOOD  # elsewhere in the store
    at(16)
    assert outcome(device, mio) is Outcome.GOOD
    assert SignInEvent.objects.filter(kind=Kind.PIN_REFUSED, person=mio, store_device=device).count() == 5


def test_a_right_one_in_between_does_not_open_more_tries(device, mio):
    for _try in range(4):
        outcome(device, mio, "0000")
    assert outcome(device, mio) is Outcome.GOOD
    assert outcome(device, mio, "0000") is Outcome.WAIT and outcome(device, mio) is Outcome.WAIT


def test_wrong_ones_of_everybody_close_the_device_for_a_while(store, device, mio, at):
    many = [works_at(store, f"w{number}", f"人{number}") for number in range(8)]
    for one in many[:7]:
        for _try in range(5):
            outcome(device, one, "0000")
    assert outcome(device, mio) is Outcome.DEVICE_WAITS
    at(16)
    assert outcome(device, mio) is Outcome.GOOD


def test_twenty_in_a_row_are_the_end_of_a_pin_however_slowly_they_come(device, mio, at):
    seen = []
    for _try in range(pins.IN_A_ROW):
        seen.append(outcome(device, mio, "0000"))
        at(16)
    assert seen[-1] is Outcome.LOCKED and outcome(device, mio) is Outcome.LOCKED
    assert SignInEvent.objects.filter(kind=Kind.PIN_LOCKED, person=mio).count() == 1
    pins.set_pin(mio, "8305", address="")
    assert outcome(device, mio, "8305") is Outcome.GOOD


def test_who_gets_in_learns_how_many_wrong_ones_there_were(device, mio):
    for _try in range(3):
        outcome(device, mio, "0000")
    assert pins.check(device, mio.pk, PIN, address="").failures == 3
    assert pins.check(device, mio.pk, PIN, address="").failures == 0


def test_a_pin_is_good_only_at_the_own_store(device, mio, aoi):
    other = make_store("梅田店")
    assert outcome(row_of(tablet_of(other, aoi)), mio) is Outcome.NOBODY
    assert outcome(device, works_at(other, "ume", "梅 うめ")) is Outcome.NOBODY
    assert outcome(device, aoi) is Outcome.NOBODY  # no store role, no place


def test_a_device_that_waits_or_has_ended_looks_at_no_pin(store, device, mio, aoi):
    assert outcome(waiting_code(store, aoi, "倉庫")[0], mio) is Outcome.GONE
    store_devices.end(device, by=aoi)
    assert outcome(device, mio) is Outcome.GONE


def test_whoever_is_stopped_or_without_a_pin_is_nobody(device, store, mio):
    assert outcome(device, works_at(store, "nao", "直 なお", pin="")) is Outcome.NOBODY
    mio.is_active = False
    mio.save(update_fields=["is_active"])
    assert outcome(device, mio) is Outcome.NOBODY


def test_removing_twice_is_told_once(mio, aoi):
    assert pins.remove(mio, by=aoi, address="") and not pins.remove(mio, by=aoi, address="")
    assert SignInEvent.objects.filter(kind=Kind.PIN_RESET, person=mio, by=aoi).count() == 1


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_moment_are_counted_one_by_one(race, aoi):
    store = make_store()
    mio = works_at(store, "mio", "美緒 みお")
    device = row_of(tablet_of(store, aoi))
    outcomes = race(12, lambda: outcome(device, mio, "0000"))
    assert sorted(outcomes) == sorted([Outcome.WRONG] * 4 + [Outcome.WAIT] * 8)
    assert Pin.objects.get(user=mio).failures == 5
    assert SignInEvent.objects.filter(kind=Kind.PIN_REFUSED).count() == 5


@pytest.mark.django_db(transaction=True)
def test_without_the_locks_more_guesses_would_be_looked_at(race, aoi, monkeypatch):
    """The twin of the test above."""
    store = make_store()
    mio = works_at(store, "mio", "美緒 みお")
    device = row_of(tablet_of(store, aoi))
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_how: rows)
    monkeypatch.setattr(pins, "check_password", lambda *_args, **_more: bool(time.sleep(0.3)))
    outcomes = race(12, lambda: outcome(device, mio, "0000"))
    assert outcomes.count(Outcome.WAIT) < 8 and SignInEvent.objects.filter(kind=Kind.PIN_REFUSED).count() > 5
