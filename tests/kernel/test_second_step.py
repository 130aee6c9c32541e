"""Codes of the app and recovery codes: what is taken, once, and what is refused."""

import json
import time
from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django_otp.oath import totp

from oms.kernel import clock
from oms.kernel.models import Device, RecoveryCode, SecondStep, SignInEvent
from oms.kernel.sealing import box
from oms.kernel.services import second_step
from oms.kernel.services.second_step import Answer

pytestmark = pytest.mark.django_db
SECRET = bytes(range(20))
HERE = "203.0.113.7"


def code(steps_from_now: int = 0, secret: bytes = SECRET) -> str:
    """What the app shows so many steps from now. The first is taken when setting up, so tests go on with the next."""
    return f"{totp(secret, drift=steps_from_now):06d}"


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch):
    """Time stands still, so that no test runs over the end of a step."""
    moment = time.time()
    monkeypatch.setattr("time.time", lambda: moment)
    monkeypatch.setattr("django_otp.oath.time", lambda: moment)


@pytest.fixture
def codes(aoi) -> list[str]:
    return second_step.set_up(aoi, SECRET, code(-1), keep=None, address=HERE)


def check(user, typed, address=HERE):
    return second_step.check(user, typed, address=address)


def kinds(user) -> list[str]:
    return list(SignInEvent.objects.filter(person=user).order_by("pk").values_list("kind", flat=True))


def test_the_app_reads_the_secret_from_the_picture(aoi):
    address = second_step.address_for_app(aoi, SECRET)
    assert address.startswith("otpauth://totp/") and "secret=AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT" in address
    assert "digits=6" in address and "period=30" in address and ":aoi" in address.replace("%3A", ":")
    svg = second_step.picture(address)
    assert svg.startswith("<svg") and "style=" not in svg and "<script" not in svg
    assert second_step.typed_secret(SECRET) == "AAAQ EAYE AUDA OCAJ BIFQ YDIO B4IB CEQT"


def test_setting_up_asks_for_the_right_code_and_gives_ten_recovery_codes(aoi):
    assert second_step.set_up(aoi, SECRET, "000000", keep=None, address=HERE) is None
    assert not SecondStep.objects.exclude(confirmed_at=None).exists()
    codes = second_step.set_up(aoi, SECRET, code(), keep=None, address=HERE)
    assert len(set(codes)) == 10 and all(len(one) == 19 for one in codes)
    assert second_step.set_up(aoi, bytes(20), code(0, bytes(20)), keep=None, address=HERE) is None  # it is on already
    assert kinds(aoi) == ["set_up"]


def test_neither_the_secret_nor_a_recovery_code_is_kept_in_the_clear(aoi, codes):
    row = SecondStep.objects.get(user=aoi)
    assert SECRET not in bytes(row.secret) and box().decrypt(bytes(row.secret)) == SECRET
    kept = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert len(kept) == 10 and not kept & {*codes, *(one.replace("-", "") for one in codes)}


@pytest.mark.parametrize("shape", ["{}", " {} ", "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}", "wide"])
def test_a_code_may_be_pasted_with_spaces_or_typed_in_full_width(aoi, codes, shape):
    shown = code()
    wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in shown)
    assert check(aoi, wide if shape == "wide" else shape.format(shown)) is Answer.APP


def test_a_code_is_taken_once(aoi, codes):
    assert check(aoi, code()) is Answer.APP
    assert check(aoi, code()) is Answer.USED
    assert check(aoi, code(-1)) is Answer.USED  # also the one of the setting up, and any earlier one
    assert check(aoi, code(1)) is Answer.APP  # the phone is a little ahead


def test_codes_of_long_ago_and_of_others_are_wrong(aoi, codes):
    assert {check(aoi, code(n)) for n in (-3, 3)} == {Answer.WRONG}
    assert {check(aoi, typed) for typed in ("", "12345", "ABCD", "９" * 300, code(0, bytes(20)))} == {Answer.WRONG}


def test_a_recovery_code_is_good_once_in_any_writing(aoi, ben, codes):
    assert check(ben, codes[0]) is Answer.WRONG
    assert check(aoi, codes[0].lower().replace("-", " ")) is Answer.RECOVERY
    assert check(aoi, codes[0]) is Answer.USED
    assert check(aoi, codes[1].replace("0", "O").replace("1", "l")) is Answer.RECOVERY
    assert second_step.codes_left(aoi) == 8
    assert SignInEvent.objects.filter(kind="recovery_used").order_by("pk").last().text == "残り8個"


def test_new_recovery_codes_replace_the_old_ones(aoi, codes):
    fresh = second_step.renew_codes(aoi, address=HERE)
    assert check(aoi, codes[0]) is Answer.WRONG and check(aoi, fresh[0]) is Answer.RECOVERY
    assert second_step.own_codes(aoi, [codes[1], fresh[0], fresh[1], "x"]) == [fresh[1]]


def test_after_ten_wrong_codes_the_right_one_has_to_wait(aoi, codes):
    assert {check(aoi, "000000" if code() != "000000" else "111111") for _try in range(10)} == {Answer.WRONG}
    assert check(aoi, code()) is Answer.BLOCKED
    assert check(aoi, code(), address="198.51.100.1") is Answer.BLOCKED
    assert kinds(aoi).count("code_refused") == 10  # what is not looked at is not counted


def test_an_address_that_tries_many_accounts_is_closed_to_others(aoi, ben, codes):
    now = clock.now()
    SignInEvent.objects.bulk_create(
        SignInEvent(at=now, kind="code_refused", person=ben, address=HERE) for _try in range(second_step.ADDRESS)
    )
    assert check(aoi, code()) is Answer.BLOCKED
    assert check(aoi, code(), address="198.51.100.1") is Answer.APP


def test_the_wait_ends(aoi, codes):
    early = clock.now() - second_step.WINDOW - timedelta(seconds=1)
    SignInEvent.objects.bulk_create(
        SignInEvent(at=early, kind="code_refused", person=aoi, address=HERE) for _try in range(60)
    )
    assert check(aoi, code()) is Answer.APP


def test_one_code_lets_one_in_when_many_come_at_once(race, transactional_db, django_user_model):
    user = django_user_model.objects.create_user("dai", password="himitsu-no-kotoba")
    second_step.set_up(user, SECRET, code(-1), keep=None, address=HERE)
    answers = race(8, lambda: check(user, code()))
    assert sorted(answers) == [Answer.APP, *[Answer.USED] * 7]
    recovery = second_step.renew_codes(user, address=HERE)[0]
    answers = race(2, lambda: check(user, recovery))
    assert sorted(answers) == [Answer.RECOVERY, Answer.USED]


def test_a_reset_takes_everything_away_and_asks_for_it_anew(aoi, ben, codes):
    assert second_step.reset([ben.pk, aoi.pk], by=ben, address=HERE, why="紛失") == [aoi.pk]
    row = SecondStep.objects.get(user=aoi)
    assert row.must_renew and row.confirmed_at is None and bytes(row.secret) == b""
    assert not RecoveryCode.objects.filter(user=aoi).exists()
    assert check(aoi, code()) is Answer.WRONG
    event = SignInEvent.objects.get(kind="reset")
    assert (event.person, event.by, event.text) == (aoi, ben, "紛失")
    assert second_step.reset([aoi.pk], by=ben) == []  # once is enough
    assert second_step.set_up(aoi, SECRET, code(), keep=None, address=HERE)
    assert not SecondStep.objects.get(user=aoi).must_renew


def test_switching_off_is_journaled_once_and_ends_trust(aoi, codes):
    now = clock.now()
    Device.objects.create(user=aoi, browser="b", first_seen_at=now, last_seen_at=now, trusted_until=now)
    second_step.switch_off(aoi, address=HERE)
    second_step.switch_off(aoi, address=HERE)
    assert kinds(aoi).count("switched_off") == 1 and not Device.objects.exclude(trusted_until=None).exists()
    assert not SecondStep.objects.get(user=aoi).must_renew


def test_the_command_lets_a_locked_out_administrator_in_again(aoi, codes):
    out = StringIO()
    call_command("second_step_reset", "aoi", stdout=out)
    assert json.loads(out.getvalue()) == {"username": "aoi", "had_second_step": True}
    assert SignInEvent.objects.get(kind="reset").by is None
    with pytest.raises(CommandError, match="nobody"):
        call_command("second_step_reset", "zoe")


def test_rotating_the_keys_takes_the_secrets_along(aoi, codes, settings, monkeypatch):
    fresh = Fernet.generate_key().decode()
    keys = [fresh, *settings.OMS_ENCRYPTION_KEYS]
    monkeypatch.setattr(settings, "OMS_ENCRYPTION_KEYS", keys)
    call_command("rotate_keys", stdout=StringIO(), stderr=StringIO())
    assert Fernet(fresh).decrypt(bytes(SecondStep.objects.get(user=aoi).secret)) == SECRET


def test_the_journal_cannot_be_rewritten(aoi, codes):
    for change in ("UPDATE kernel_signinevent SET text = ''", "DELETE FROM kernel_signinevent"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
