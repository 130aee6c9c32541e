"""What an administrator changes about a shop: settings, addresses, credentials, what is paused. All is journaled."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from channels.models import Connection
from channels.services import credentials, renewal, shops
from channels.services.pausing import FUNCTION_LABELS, FUNCTIONS, set_paused, wake
from oms.kernel.later import later
from oms.kernel.models import User
from oms.kernel.services import setting_versions
from orders.models import Shop

__all__ = ["FUNCTIONS", "FUNCTION_LABELS", "add", "change", "set_paused"]


@transaction.atomic
def add(
    code: str,
    *,
    channel: str,
    settings: Mapping[str, Any],
    addresses: Mapping[str, str],
    secrets: Mapping[str, str],
    by: User | None,
    notices: Mapping[str, Any] | None = None,
) -> Connection:
    """Register a shop with everything a person typed. Raises as `shops.add_shop` does."""
    connection = shops.add_shop(
        code, channel=channel, name=str(settings["name"]), values=secrets, by=by,
        base_url=addresses.get("base_url", ""), auth_url=addresses.get("auth_url", ""),
    )  # fmt: skip
    shops.journal(connection, "added", by=by)
    change(connection.pk, settings=settings, addresses=addresses, secrets={}, notices=notices, by=by)
    return connection


@transaction.atomic
def change(
    connection_id: int,
    *,
    settings: Mapping[str, Any],
    addresses: Mapping[str, str],
    secrets: Mapping[str, str],
    by: User | None,
    notices: Mapping[str, Any] | None = None,
) -> list[str]:
    """Write what differs; returns the names of the changed settings, addresses and credentials.

    `settings` are columns of the shop, `notices` those of the connection that say how the channel is told, `addresses`
    are base_url and auth_url; empty `secrets` keep what is stored.
    New credentials or another address are tried at the next poll, which comes at once. Stored secrets never follow to
    another address: those that are not among `secrets` are gone then. A shop that is active again catches up.
    """
    with setting_versions.kept("shop", _shop_of(connection_id), by=by):
        connection = Connection.objects.select_for_update(no_key=True, of=("self",)).get(pk=connection_id)
        shop = Shop.objects.select_for_update(no_key=True).get(pk=connection.shop_id)
        sleeping = not shop.active
        changed = _set(shop, settings) + _set(connection, notices or {})
        moved = _set(connection, {name: url.strip().rstrip("/") for name, url in addresses.items()})
        if "preorder_policy" in changed:
            later("orders.tasks.reapply_reason", "mixed_preorder")  # whether it stops is the policy's matter
        if changed or moved:
            shops.journal(connection, "settings", keys=", ".join(changed + moved), by=by)
        if moved:
            renewal.drop(connection_id, by=by)
            credentials.forget_secrets(connection_id, by=by)
        if sleeping and shop.active:
            wake(connection)
        given = sorted(key for key, value in secrets.items() if value.strip())
        credentials.change(connection_id, secrets, by=by)
        renewal.overtaken(connection_id, given)
        if moved or given:
            wake(connection)
        return [*changed, *moved, *given]


def _shop_of(connection_id: int) -> int:
    return Connection.objects.values_list("shop", flat=True).get(pk=connection_id)


def _set(row: Shop | Connection, values: Mapping[str, Any]) -> list[str]:
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=changed)
    return changed
