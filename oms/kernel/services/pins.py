"""PINs of four to eight digits, good only on a registered device of the person's store.

So few digits are guessable; what protects them is that few guesses are looked at. Wrong ones are counted from the
journal under the device's lock, per device and person and per device; a row of them without a right one in between
makes the PIN worth nothing, wherever they were made.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from oms.kernel import clock
from oms.kernel.models import Device, Pin, SignInEvent, StoreDevice, User
from oms.kernel.services import devices
from oms.kernel.services import sign_in_journal as journal
from oms.kernel.services.store_devices import staff_of

Kind = SignInEvent.Kind
LEAST, MOST = 4, 8
WINDOW = timedelta(minutes=15)
HERE, DEVICE = 5, 30  # wrong PINs within the window: of one person on one device, of all on one device
IN_A_ROW = 20  # of one person, anywhere, since the last right one
WORTH_TELLING = 3

# Straight lines on the keypad, and what people choose first although it is neither a row nor a date.
LINES = frozenset({"123", "456", "789", "147", "258", "369", "159", "357", "2580", "1470", "0369"})
FAVOURITES = frozenset({"1004", "1123", "5963", "0721", "4649", "8931"})


# ---- which digits


def tidy(typed: str) -> str:
    """Typed in full width, or with spaces."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", typed[:50]))


def is_well_formed(pin: str) -> bool:
    return bool(re.fullmatch(rf"[0-9]{{{LEAST},{MOST}}}", pin))


def is_guessable(pin: str, username: str = "") -> bool:
    """Whether somebody would try it first: repetitions, rows, lines of the keypad, years, dates, the usual ones,
    digits of the person's own name."""
    return (
        _repeats(pin)
        or _is_row(pin)
        or _is_lines(pin)
        or _is_date(pin)
        or pin in FAVOURITES
        or pin in re.sub(r"\D", "", username)
    )


def _repeats(pin: str) -> bool:
    """1111, 1212, 123123, 1122, 1221."""
    parts = range(1, len(pin) // 2 + 1)
    doubled = len(pin) % 2 == 0 and all(pin[at] == pin[at + 1] for at in range(0, len(pin), 2))
    return doubled or pin == pin[::-1] or any(pin == (pin[:size] * len(pin))[: len(pin)] for size in parts)


def _is_row(pin: str) -> bool:
    """1234, 7890, 9876, 2468: the same small step from each to the next."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return len(steps) == 1 and steps <= {1, 2, 8, 9}


def _is_lines(pin: str) -> bool:
    """2580, 147258: nothing but straight lines on the keypad, up or down."""
    both = LINES | {line[::-1] for line in LINES}
    return pin in both or all(pin[at : at + 3] in both for at in range(0, len(pin), 3))


def _is_date(pin: str) -> bool:
    """1990, 19900401, 900401."""
    if re.fullmatch(r"(19|20)\d\d", pin):
        return True
    for century in ("", "19", "20"):
        whole = century + pin
        if len(whole) == 8 and whole[:2] in {"19", "20"}:
            try:
                date(int(whole[:4]), int(whole[4:6]), int(whole[6:]))
            except ValueError:
                continue
            return True
    return False


# ---- setting


@transaction.atomic
def set_pin(user: User, pin: str, *, address: str) -> None:
    """The person's own new PIN (the caller has asked for the password). Who is in with the old one is out."""
    secret = make_password(pin)
    Pin.objects.update_or_create(user=user, defaults={"secret": secret, "set_at": clock.now(), "failures": 0})
    journal.write(Kind.PIN_SET, person=user, by=user, address=address)
    _end_sessions(user, by=user, address=address, why="PINの変更")


@transaction.atomic
def remove(user: User, *, by: User, address: str) -> bool:
    """By the person, or reset by somebody else: whether there was one. Until it is set anew, no PIN lets them in."""
    # It is deleted: a sign-in that is looking at it must be through first.
    gone = Pin.objects.filter(user=user).select_for_update().order_by("pk").first()
    if gone is None:
        return False
    gone.delete()
    own = by.pk == user.pk
    journal.write(Kind.PIN_REMOVED if own else Kind.PIN_RESET, person=user, by=by, address=address)
    _end_sessions(user, by=by, address=address, why="PINの削除" if own else "PINのリセット")
    return True


def _end_sessions(user: User, *, by: User | None, address: str, why: str) -> None:
    rows = Device.objects.filter(user=user, session_key__isnull=False, store_device__isnull=False)
    devices.end(rows, by=by, address=address, why=why)


def is_locked(pin: Pin | None) -> bool:
    return pin is not None and pin.failures >= IN_A_ROW


# ---- asking


class Outcome(StrEnum):
    GOOD, WRONG, WAIT, DEVICE_WAITS, LOCKED = "good", "wrong", "wait", "device_waits", "locked"
    NOBODY, GONE = "nobody", "gone"  # no such person with a PIN at this store; the device has ended


@dataclass(frozen=True, slots=True)
class Answer:
    """`left`: how many more wrong ones are looked at here. `failures`: wrong ones before this right one."""

    outcome: Outcome
    user: User | None = None
    left: int = 0
    failures: int = 0


@transaction.atomic
def check(device: StoreDevice, user_id: int, typed: str, *, address: str) -> Answer:
    """Look at one try on a device. A wrong one is counted and journaled; call it in the transaction of the sign-in."""
    standing = StoreDevice.objects.registered().select_for_update(no_key=True).order_by("pk").filter(pk=device.pk)
    if standing.first() is None:
        return Answer(Outcome.GONE)
    user = staff_of(device.place_id).filter(pk=user_id).first()
    pin = Pin.objects.select_for_update(no_key=True).order_by("pk").filter(user_id=user_id).first() if user else None
    if user is None or pin is None:
        return Answer(Outcome.NOBODY)
    wrong = SignInEvent.objects.filter(store_device=device, kind=Kind.PIN_REFUSED, at__gt=clock.now() - WINDOW)
    here = wrong.filter(person=user)[:HERE].count()
    if is_locked(pin):
        return Answer(Outcome.LOCKED, user)
    if here >= HERE or wrong[:DEVICE].count() >= DEVICE:
        return Answer(Outcome.WAIT if here >= HERE else Outcome.DEVICE_WAITS, user)
    before = pin.failures
    good = check_password(tidy(typed), pin.secret, setter=lambda typed: _rehash(pin, typed))
    pin.failures = 0 if good else before + 1
    pin.save(update_fields=["failures"])
    if good:
        return Answer(Outcome.GOOD, user, failures=before)
    _tell(Kind.PIN_REFUSED, user, device, address)
    if is_locked(pin):
        _tell(Kind.PIN_LOCKED, user, device, address)
    left = 0 if is_locked(pin) else min(HERE - here, IN_A_ROW - pin.failures + 1) - 1
    return Answer(Outcome.LOCKED if is_locked(pin) else Outcome.WRONG if left else Outcome.WAIT, user, left=left)


def _tell(kind: Kind, user: User, device: StoreDevice, address: str) -> None:
    journal.write(kind, person=user, by=None, address=address, text=device.told, store_device=device)


def _rehash(pin: Pin, typed: str) -> None:
    """Django's hashers have become slower since the PIN was set."""
    pin.secret = make_password(typed)
    pin.save(update_fields=["secret"])
