"""Credentials: encrypted at rest with rotatable keys, written by people, read only to make calls, never shown."""

import json
import re
from collections.abc import Mapping

from cryptography.fernet import InvalidToken
from django.db import transaction

from channels.connectors.contract import CredentialsRefused
from channels.connectors.registry import connector_class
from channels.models import Connection, CredentialEvent
from channels.services import terms
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.sealing import box

PEM_FRAME = re.compile(r"-----[A-Z ]+-----")


def encrypt(data: bytes) -> bytes:
    return box().encrypt(data)


def decrypt(data: bytes) -> bytes:
    """Raises CredentialsRefused when none of the configured keys fits."""
    try:
        return box().decrypt(bytes(data))
    except InvalidToken as error:
        raise CredentialsRefused(
            said("暗号鍵が合わないため読めません。OMS_ENCRYPTION_KEYS に以前の鍵も入っているか確かめてください。")
        ) from error


def read(connection: Connection) -> dict[str, str]:
    """The credentials in the clear, for a call that is about to be made."""
    return unseal(bytes(connection.secrets))


def last_four(connection: Connection) -> dict[str, str]:
    """What a screen may show: "••••1234" for each key that has a value."""
    return {key: tail(value) for key, value in read(connection).items() if value}


def tail(value: str) -> str:
    """The last four characters, of a value long enough that they tell nothing; of a key in lines, the key's own."""
    value = "".join(PEM_FRAME.sub("", value).split())
    return f"••••{value[-4:]}" if len(value) > 8 else "••••"


@transaction.atomic
def change(connection_id: int, values: Mapping[str, str], *, by: User | None, kind: str = "changed") -> Connection:
    """Overwrite the given credentials; empty values leave what is stored. Journaled without values.

    What differs begins its life now, and ends as its connector declares.
    """
    connection = _locked(connection_id)
    given = {key: value.strip() for key, value in values.items() if value.strip()}
    if not given:
        return connection
    before = read(connection)
    put(connection, before | given, by=by)
    terms.begin(connection, [key for key, value in given.items() if before.get(key) != value], by=by)
    CredentialEvent.objects.create(
        connection=connection, at=clock.now(), kind=kind, keys=", ".join(sorted(given)), by=by
    )
    return connection


def put(connection: Connection, values: Mapping[str, str], *, by: User | None) -> None:
    """Store exactly these credentials on a row that the caller has locked. The caller writes the journal."""
    connection.secrets = encrypt(json.dumps(dict(values)).encode())
    connection.secrets_changed_at, connection.secrets_changed_by = clock.now(), by
    connection.save(update_fields=["secrets", "secrets_changed_at", "secrets_changed_by"])


@transaction.atomic
def forget_secrets(connection_id: int, *, by: User | None) -> list[str]:
    """Drop every secret value, because the shop's address changed: what was typed for one address never goes to
    another. What is no secret (a shop's name at the mall) stays. Returns the dropped keys."""
    connection = _locked(connection_id)
    before = read(connection)
    secret = {key for key, _label, hidden in connector_class(connection.shop.channel).credential_fields if hidden}
    gone = sorted(key for key in before if key in secret)
    if gone:
        put(connection, {key: value for key, value in before.items() if key not in secret}, by=by)
        CredentialEvent.objects.create(
            connection=connection, at=clock.now(), kind="forgotten", keys=", ".join(gone), by=by
        )
    return gone


def stored_secrets(connection: Connection) -> set[str]:
    """The keys of secrets that have a value."""
    secret = {key for key, _label, hidden in connector_class(connection.shop.channel).credential_fields if hidden}
    return {key for key, value in read(connection).items() if value and key in secret}


def seal(values: Mapping[str, str]) -> bytes:
    """Credentials as a column holds them."""
    return encrypt(json.dumps(dict(values)).encode()) if values else b""


def unseal(data: bytes) -> dict[str, str]:
    """Raises CredentialsRefused when no configured key fits."""
    if not data:
        return {}
    found: dict[str, str] = json.loads(decrypt(bytes(data)))
    return found


def _locked(connection_id: int) -> Connection:
    rows = Connection.objects.select_for_update(no_key=True, of=("self",)).select_related("shop")
    return rows.get(pk=connection_id)
