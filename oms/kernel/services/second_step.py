"""Two-step login: an authenticator app (TOTP, RFC 6238) and ten recovery codes.

A code is taken once: the row of the person is locked, and the time step of the last one taken only grows. Failures are
counted from the journal, so that they count exactly and survive a restart of anything.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from urllib.parse import quote, urlencode

import segno
from django.conf import settings
from django.db import transaction
from django.utils import translation
from django_otp.oath import TOTP

from oms.kernel import clock, codes
from oms.kernel.models import RecoveryCode, SecondStep, SignInEvent, User
from oms.kernel.sealing import box
from oms.kernel.services import devices
from oms.kernel.services import sign_in_journal as journal

Kind = SignInEvent.Kind
STEP_S, DIGITS, TOLERANCE = 30, 6, 1  # what every authenticator app understands; one step of drift either way
CODES, CODE_LENGTH = 10, 16
WINDOW = timedelta(minutes=15)
ACCOUNT, ADDRESS = 10, 50  # wrong codes within the window before no more are looked at


class Answer(StrEnum):
    APP, RECOVERY = "app", "recovery"
    WRONG, USED, BLOCKED = "wrong", "used", "blocked"

    @property
    def good(self) -> bool:
        return self in {Answer.APP, Answer.RECOVERY}


# ---- setting up


def new_secret() -> bytes:
    return secrets.token_bytes(20)


def typed_secret(secret: bytes) -> str:
    """For typing into the app: groups of four letters."""
    letters = base64.b32encode(secret).decode()
    return " ".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def address_for_app(user: User, secret: bytes) -> str:
    """The otpauth address that the app reads from the picture. The product's name as everybody sees it, in Japanese."""
    with translation.override(settings.LANGUAGE_CODE):
        issuer = str(settings.PRODUCT_NAME)
    values = {"secret": base64.b32encode(secret).decode(), "issuer": issuer, "digits": DIGITS, "period": STEP_S}
    return f"otpauth://totp/{quote(f'{issuer}:{user.username}')}?{urlencode(values, quote_via=quote)}"


def picture(address: str) -> str:
    """The QR code as inline SVG, without styles; dark on white in the dark theme too, or no camera reads it."""
    code = segno.make(address, error="m", micro=False)
    return code.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None)


@transaction.atomic
def set_up(user: User, secret: bytes, typed: str, *, keep: str | None, address: str) -> list[str] | None:
    """Switch on with this secret, if the app's code fits it: the ten recovery codes, to be shown once; else None.

    None also when it is on already. Every other browser of the person is signed out: it came in with a password alone.
    """
    row = _locked(user)
    step = _step_of(secret, _app_code(typed), after=row.last_step)
    if row.confirmed_at is not None or step is None:
        return None
    row.secret, row.confirmed_at, row.last_step, row.must_renew = box().encrypt(secret), clock.now(), step, False
    row.save(update_fields=["secret", "confirmed_at", "last_step", "must_renew"])
    made = _fresh_codes(user)
    journal.write(Kind.SET_UP, person=user, by=user, address=address)
    devices.end_all([user.pk], by=user, keep=keep, address=address, why="二段階認証の設定")
    return made


# ---- asking


@transaction.atomic
def check(user: User, typed: str, *, address: str) -> Answer:
    """Look at one try: a code of the app or a recovery code; a good one is used up, a wrong one counted."""
    row = _locked(user)
    if row.confirmed_at is None:
        return Answer.WRONG
    if _is_blocked(user, address):
        return Answer.BLOCKED
    answer = _looked_at(row, user, typed)
    if answer is Answer.RECOVERY:
        left = RecoveryCode.objects.filter(user=user, used_at=None).count()
        journal.write(Kind.RECOVERY_USED, person=user, by=user, address=address, text=f"残り{left}個")
    elif not answer.good:
        text = "使用済みのコード" if answer is Answer.USED else ""
        journal.write(Kind.CODE_REFUSED, person=user, by=None, address=address, text=text)
    return answer


def _looked_at(row: SecondStep, user: User, typed: str) -> Answer:
    if code := _app_code(typed):
        secret = box().decrypt(bytes(row.secret))
        step = _step_of(secret, code, after=row.last_step)
        if step is None:
            return Answer.WRONG if _step_of(secret, code, after=0) is None else Answer.USED
        row.last_step = step
        row.save(update_fields=["last_step"])
        return Answer.APP
    digest = _digest(user, codes.tidy(typed))
    if RecoveryCode.objects.filter(user=user, digest=digest, used_at=None).update(used_at=clock.now()):
        return Answer.RECOVERY
    return Answer.USED if RecoveryCode.objects.filter(user=user, digest=digest).exists() else Answer.WRONG


def _is_blocked(user: User, address: str) -> bool:
    wrong = SignInEvent.objects.filter(kind=Kind.CODE_REFUSED, at__gt=clock.now() - WINDOW)
    return (
        wrong.filter(person=user)[:ACCOUNT].count() >= ACCOUNT
        or wrong.filter(address=address[:45])[:ADDRESS].count() >= ADDRESS
    )


# ---- afterwards


def codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


@transaction.atomic
def renew_codes(user: User, *, address: str) -> list[str]:
    """Ten new recovery codes, to be shown once; the old ones are worth nothing any more."""
    _locked(user)
    made = _fresh_codes(user)
    journal.write(Kind.CODES_RENEWED, person=user, by=user, address=address)
    return made


def own_codes(user: User, shown: Iterable[str]) -> list[str]:
    """Those of the given recovery codes that are this person's and unused, as they were shown."""
    by_digest = {_digest(user, codes.tidy(code)): codes.shown(codes.tidy(code)) for code in shown}
    known = RecoveryCode.objects.filter(user=user, used_at=None, digest__in=by_digest).values_list("digest", flat=True)
    held = set(known)
    return [code for digest, code in by_digest.items() if digest in held]


@transaction.atomic
def switch_off(user: User, *, address: str) -> None:
    """The person's own wish (the caller has asked for password and code). Trust of browsers ends with it."""
    if _taken_away([user.pk], must_renew=False):
        journal.write(Kind.SWITCHED_OFF, person=user, by=user, address=address)
        user.devices.update(trusted_until=None)


@transaction.atomic
def reset(people: Iterable[int], *, by: User | None, address: str = "", why: str = "") -> list[int]:
    """Take the second step of these people away, since the device is lost: they sign in anew and must set up anew.

    Whoever had none stays as they are. Returns the ids of those who had one.
    """
    had = _taken_away(list(people), must_renew=True)
    SignInEvent.objects.bulk_create(
        journal.entry(Kind.RESET, person=pk, by=by, address=address, text=why) for pk in had
    )
    devices.end_all(had, by=by, address=address, why="二段階認証のリセット")
    return had


def _taken_away(people: list[int], *, must_renew: bool) -> list[int]:
    rows = SecondStep.objects.filter(user__in=people).exclude(confirmed_at=None)
    had = list(rows.select_for_update(no_key=True).order_by("pk").values_list("user_id", flat=True))
    # The last step stays: a code that was taken is not taken again, whatever secret comes next.
    SecondStep.objects.filter(user__in=had).update(secret=b"", confirmed_at=None, must_renew=must_renew)
    RecoveryCode.objects.filter(user__in=had).delete()
    return had


# ---- codes


def _locked(user: User) -> SecondStep:
    SecondStep.objects.get_or_create(user=user)
    return SecondStep.objects.select_for_update(no_key=True).order_by("pk").get(user=user)


def _step_of(secret: bytes, code: str, *, after: int) -> int | None:
    """The time step whose code this is, later than `after`. By the wall's clock, which the phone shares."""
    totp = TOTP(secret, step=STEP_S, digits=DIGITS)
    totp.time = time.time()
    if not code or not totp.verify(int(code), tolerance=TOLERANCE, min_t=after + 1):
        return None
    return int(totp.t())


def _app_code(typed: str) -> str:
    """The six digits, or nothing where it is no code of an app."""
    code = codes.tidy(typed)
    return code if len(code) == DIGITS and code.isdigit() else ""


def _fresh_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    made = [codes.fresh(CODE_LENGTH) for _code in range(CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(user, code)) for code in made)
    return [codes.shown(code) for code in made]


def _digest(user: User, code: str) -> str:
    """Eighty random bits need no slow hash; the person's number keeps equal codes of two people apart."""
    return hashlib.sha256(f"{user.pk}:{code.translate(codes.ALIKE)}".encode()).hexdigest()
