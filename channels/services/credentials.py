"""Credentials: encrypted at rest with rotatable keys, written by people, read only to make calls, never shown."""

import json
from collections.abc import Mapping
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from channels.connectors.contract import CredentialsRefused
from channels.models import Connection, CredentialEvent
from oms.kernel import clock
from oms.kernel.models import User


@cache
def box() -> MultiFernet:
    """The first key encrypts; all of them decrypt."""
    return MultiFernet([Fernet(key) for key in settings.OMS_ENCRYPTION_KEYS])


def encrypt(data: bytes) -> bytes:
    return box().encrypt(data)


def decrypt(data: bytes) -> bytes:
    """Raises CredentialsRefused when none of the configured keys fits."""
    try:
        return box().decrypt(bytes(data))
    except InvalidToken as error:
        raise CredentialsRefused(
            _("暗号鍵が合わないため読めません。OMS_ENCRYPTION_KEYS に以前の鍵も入っているか確かめてください。")
        ) from error


def read(connection: Connection) -> dict[str, str]:
    """The credentials in the clear, for a call that is about to be made."""
    if not connection.secrets:
        return {}
    found: dict[str, str] = json.loads(decrypt(bytes(connection.secrets)))
    return found


def last_four(connection: Connection) -> dict[str, str]:
    """What a screen may show: "••••1234" for each key that has a value."""
    return {key: f"••••{value[-4:]}" if len(value) > 8 else "••••" for key, value in read(connection).items() if value}


@transaction.atomic
def change(connection_id: int, values: Mapping[str, str], *, by: User | None, kind: str = "changed") -> Connection:
    """Overwrite the given credentials; empty values leave what is stored. Journaled without values."""
    connection = Connection.objects.select_for_update(no_key=True).get(pk=connection_id)
    given = {key: value.strip() for key, value in values.items() if value.strip()}
    if not given:
        return connection
    merged = read(connection) | given
    connection.secrets = encrypt(json.dumps(merged).encode())
    connection.secrets_changed_at, connection.secrets_changed_by = clock.now(), by
    connection.save(update_fields=["secrets", "secrets_changed_at", "secrets_changed_by"])
    CredentialEvent.objects.create(
        connection=connection, at=clock.now(), kind=kind, keys=", ".join(sorted(given)), by=by
    )
    return connection
