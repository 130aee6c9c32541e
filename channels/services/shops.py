"""Shops: registered, tried, paused; and their connectors made from what is stored."""

from collections.abc import Callable, Mapping

from django.db import transaction

from channels.connectors.contract import ChannelError, Connector, ConnectorSettings, CredentialsRefused
from channels.connectors.registry import connector_class
from channels.models import Connection, CredentialEvent
from channels.services import calls, credentials
from channels.services.patience import within
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said
from orders.models import Shop

Health = Connection.Health


@transaction.atomic
def add_shop(
    code: str,
    *,
    channel: str,
    name: str = "",
    base_url: str = "",
    auth_url: str = "",
    values: Mapping[str, str] | None = None,
    by: User | None = None,
) -> Connection:
    """Register a shop, or bring a registered one up to date. Raises KeyError for an unknown channel.

    The code never changes its channel: raises ValueError instead. Stored secrets never follow to another address:
    with a new one the shop has only the secrets among `values`.
    """
    kind = connector_class(channel)
    shop, _created = Shop.objects.get_or_create(
        code=code, defaults={"name": name or f"{kind.label} {code}", "channel": channel, "channel_label": kind.label}
    )
    if shop.channel != channel:
        raise ValueError(said("店舗「%(code)s」は別のモールで登録済みです。別のコードを使ってください。", code=code))
    shop.capabilities, shop.channel_label = declared(channel), kind.label
    shop.name = name or shop.name
    shop.save(update_fields=["capabilities", "channel_label", "name"])
    connection, made = Connection.objects.get_or_create(shop=shop)
    if made or base_url or auth_url:
        addresses = {"base_url": base_url.rstrip("/"), "auth_url": auth_url.rstrip("/")}
        moved = any(getattr(connection, name) != url for name, url in addresses.items())
        Connection.objects.filter(pk=connection.pk).update(**addresses)
        if moved and not made:
            credentials.forget_secrets(connection.pk, by=by)
    return credentials.change(connection.pk, values or {}, by=by)


def declared(channel: str) -> dict[str, object]:
    """A connector's capabilities as the JSON that screens read."""
    capabilities = connector_class(channel).capabilities
    return {name: _plain(getattr(capabilities, name)) for name in capabilities.__dataclass_fields__}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def connector_of(
    connection: Connection,
    *,
    values: Mapping[str, str] | None = None,
    purpose: str = "",
    save: Callable[[Mapping[str, str]], None] | None = None,
) -> Connector:
    """A connector ready to call, its calls on record. `values` are tried in place of the stored credentials; what the
    channel then replaces goes to `save`."""
    shop = connection.shop

    def made(credentials_read: Mapping[str, str]) -> Connector:
        return connector_class(shop.channel)(
            ConnectorSettings(
                shop_code=shop.code,
                base_url=connection.base_url,
                auth_url=connection.auth_url,
                credentials=credentials_read,
                save_credentials=save or (lambda changed: _save_renewed(connection.pk, changed)),
            )
        )

    stored = credentials.read(connection) if values is None else values
    return calls.watched(made, connection, stored, purpose=purpose)


def _save_renewed(connection_id: int, changed: Mapping[str, str]) -> None:
    credentials.change(connection_id, changed, by=None, kind="renewed")


def check(connection: Connection, *, by: User | None = None, limit_s: float | None = None) -> str:
    """Try the credentials at the channel; returns what was seen. Raises ChannelError with the plain cause.

    The network call runs outside any transaction, at most `limit_s` long; its outcome is recorded afterwards.
    """
    try:
        seen = within(connector_of(connection).check, limit_s)
    except ChannelError as error:
        note_failure(connection, error)
        journal(connection, "check_failed", error.cause, by=by)
        raise
    note_success(connection)
    journal(connection, "checked", seen, by=by)
    return seen


def journal(connection: Connection, kind: str, text: str = "", *, keys: str = "", by: User | None = None) -> None:
    """Append to the shop's journal; `keys` names what was changed, never its value."""
    CredentialEvent.objects.create(
        connection=connection, at=clock.now(), kind=kind, keys=keys[:300], text=text[:500], by=by
    )


def note_success(connection: Connection) -> None:
    """A call went through: the shop runs."""
    Connection.objects.filter(pk=connection.pk).exclude(health=Health.RUNNING).update(
        health=Health.RUNNING, health_cause="", stopped_since=None
    )


def note_failure(connection: Connection, error: ChannelError) -> None:
    """A call failed: degraded while it may pass by itself, stopped when a person must act.

    A refusal of credentials that were replaced meanwhile says nothing about the new ones.
    """
    stopped = isinstance(error, CredentialsRefused)
    health = Health.STOPPED if stopped else Health.DEGRADED
    rows = Connection.objects.filter(pk=connection.pk)
    if stopped:
        rows = rows.filter(secrets_changed_at=connection.secrets_changed_at)
    if rows.update(health=health, health_cause=error.cause[:500]) and stopped:
        Connection.objects.filter(pk=connection.pk, stopped_since__isnull=True).update(stopped_since=clock.now())
