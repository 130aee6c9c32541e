"""As if nothing had been imported yet: for tests that let an import begin again and again."""

from django.db import connection as database

from channels.models import Connection
from inventory.models import Balance
from tests.channels.imports.mall import ago

TABLES = (
    "orders_order, channels_raworder, channels_quarantinedorder, channels_catchup, kernel_effect, inventory_entry, "
    "orders_stagecount, orders_stagedelta"
)


def wipe_orders(connection: Connection) -> None:
    with database.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES} CASCADE")
        cursor.execute("UPDATE inventory_balance SET reserved = 0")
    Balance.objects.filter(reserved__gt=0).update(reserved=0)
    Connection.objects.filter(pk=connection.pk).update(
        cursor=ago(hours=4), last_import_at=ago(hours=4), import_error=""
    )
