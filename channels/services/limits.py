"""An administrator's own limits for late shipments and cancellations, in place of what the connector declares."""

from collections.abc import Mapping

from django.db import transaction

from channels.models import Connection, ServiceLimit
from channels.services import shops
from oms.kernel.models import User
from oms.kernel.services import setting_versions


@transaction.atomic
def set_limits(connection: Connection, values: Mapping[str, tuple[float, int] | None], *, by: User | None) -> None:
    """Kind → (percent, days), or None for what the connector declares. Journaled."""
    with setting_versions.kept("service_limits", connection.shop_id, by=by):
        for kind, value in sorted(values.items()):
            if value is None:
                ServiceLimit.objects.filter(shop=connection.shop_id, kind=kind).delete()
            else:
                percent, days = value
                ServiceLimit.objects.update_or_create(
                    shop_id=connection.shop_id, kind=kind, defaults={"percent": percent, "days": days}
                )
        words = ", ".join(f"{kind} {value[0]:g}% / {value[1]}" for kind, value in sorted(values.items()) if value)
        shops.journal(connection, "limits", words, by=by)
