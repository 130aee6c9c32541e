"""Another encryption key: everything is re-encrypted, in batches that may stop anywhere."""

import json

import pytest
from cryptography.fernet import Fernet, MultiFernet
from django.core.management import CommandError, call_command

from channels.connectors.contract import RawOrder
from channels.models import Connection, KeyRotation
from channels.models import RawOrder as RawOrderRow
from channels.services import credentials, intake, key_rotation, renewal
from tests.channels.builders import make_connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys(settings, monkeypatch):
    """Call with keys to use them from now on; the stored values are under `old`."""
    old = Fernet.generate_key().decode()

    def use(*wanted: str) -> None:
        settings.OMS_ENCRYPTION_KEYS = list(wanted)
        box = MultiFernet([Fernet(key) for key in wanted])
        monkeypatch.setattr(credentials, "box", lambda: box)

    use(old)
    return old, use


def stored() -> Connection:
    connection = make_connection()
    intake.archive(connection, [RawOrder(f"N-{n}", f'{{"n": {n}}}', "application/json") for n in range(7)])
    renewal.enter(connection.pk, {"license_key": "SL-the-next-one"}, by=None)
    return connection


def rotate(capsys, *more: str) -> dict[str, int]:
    call_command("rotate_keys", *more)
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_everything_is_readable_with_the_new_key_alone(keys, capsys):
    old, use = keys
    connection = stored()
    before = credentials.read(connection)
    new = Fernet.generate_key().decode()
    use(new, old)
    assert rotate(capsys, "--batch", "3") == {"seen": 9, "changed": 9, "unreadable": 0}
    use(new)
    connection.refresh_from_db()
    assert credentials.read(connection) == before
    assert sorted(intake.payload_of(row) for row in RawOrderRow.objects.all())[0] == '{"n": 0}'
    assert credentials.unseal(bytes(connection.renewals.get().fresh)) == {"license_key": "SL-the-next-one"}
    assert rotate(capsys, "--anew") == {"seen": 9, "changed": 0, "unreadable": 0}


def test_a_run_that_was_stopped_goes_on_where_it_stood(keys):
    old, use = keys
    stored()
    new = Fernet.generate_key().decode()
    use(new, old)
    seen = 0
    for table, done in key_rotation.rotate([new, old], batch=2):
        seen += done.seen
        if table == "channels_raworder" and seen >= 6:
            break  # killed
    position = KeyRotation.objects.get(table="channels_raworder").position
    assert position > 0
    rest = sum(done.changed for table, done in key_rotation.rotate([new, old], batch=2) if table == "channels_raworder")
    assert 0 < rest < 7
    use(new)
    assert all(intake.payload_of(row) for row in RawOrderRow.objects.all())


def test_a_value_whose_key_is_gone_is_said_and_not_skipped_for_ever(keys, capsys):
    old, use = keys
    stored()
    new = Fernet.generate_key().decode()
    use(new)  # the old key was removed too early
    with pytest.raises(CommandError, match="fit no configured key"):
        call_command("rotate_keys")
    use(new, old)
    capsys.readouterr()
    assert rotate(capsys)["changed"] == 9
