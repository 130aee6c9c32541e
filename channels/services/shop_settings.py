"""What an administrator changes about a shop: settings, addresses, credentials, what is paused. All is journaled."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from channels.models import Connection
from channels.services import credentials, shops
from oms.kernel.models import User
from orders.models import Shop

# What can be paused, by the word in the URL.
FUNCTIONS = {"import": "import_paused", "stock": "publish_paused", "notices": "notices_paused"}
FUNCTION_LABELS = {"import": _("受注の取込"), "stock": _("在庫の連携"), "notices": _("モールへの通知")}


@transaction.atomic
def set_paused(connection_id: int, function: str, *, paused: bool, by: User | None) -> bool:
    """Pause or resume one function of a shop; False when it is so already. Raises KeyError for an unknown function."""
    column = FUNCTIONS[function]
    changed = Connection.objects.filter(pk=connection_id, **{column: not paused}).update(**{column: paused})
    if changed:
        connection = Connection.objects.get(pk=connection_id)
        shops.journal(connection, "paused" if paused else "resumed", keys=function, by=by)
    return bool(changed)


@transaction.atomic
def add(
    code: str,
    *,
    channel: str,
    settings: Mapping[str, Any],
    addresses: Mapping[str, str],
    secrets: Mapping[str, str],
    by: User | None,
) -> Connection:
    """Register a shop with everything a person typed. Raises as `shops.add_shop` does."""
    connection = shops.add_shop(code, channel=channel, name=str(settings["name"]), values=secrets, by=by)
    shops.journal(connection, "added", by=by)
    change(connection.pk, settings=settings, addresses=addresses, secrets={}, by=by)
    return connection


@transaction.atomic
def change(
    connection_id: int,
    *,
    settings: Mapping[str, Any],
    addresses: Mapping[str, str],
    secrets: Mapping[str, str],
    by: User | None,
) -> list[str]:
    """Write what differs; returns the names of the changed settings, addresses and credentials.

    `settings` are columns of the shop, `addresses` are base_url and auth_url; empty `secrets` keep what is stored.
    New credentials or another address are tried at the next poll, which comes at once.
    """
    connection = Connection.objects.select_for_update(no_key=True, of=("self",)).get(pk=connection_id)
    shop = Shop.objects.select_for_update(no_key=True).get(pk=connection.shop_id)
    changed = _set(shop, settings)
    moved = _set(connection, {name: url.strip().rstrip("/") for name, url in addresses.items()})
    if changed or moved:
        shops.journal(connection, "settings", keys=", ".join(changed + moved), by=by)
    given = sorted(key for key, value in secrets.items() if value.strip())
    credentials.change(connection_id, secrets, by=by)
    if moved or given:
        Connection.objects.filter(pk=connection_id).update(next_poll_at=None)
    return [*changed, *moved, *given]


def _set(row: Shop | Connection, values: Mapping[str, Any]) -> list[str]:
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=changed)
    return changed
