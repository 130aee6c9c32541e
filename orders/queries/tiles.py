"""The counts on the stage tiles: exact, and cheap at any number of orders."""

from django.db import connection

from oms.kernel import clock
from orders.models import Order
from orders.models.order import ChannelSync, Stage


def stage_counts() -> dict[str, int]:
    """Orders per stage; every stage is in the answer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT stage, sum(n)::bigint FROM (SELECT stage, count AS n FROM orders_stagecount "
            "UNION ALL SELECT stage, delta FROM orders_stagedelta) AS parts GROUP BY stage"
        )
        found = dict(cursor.fetchall())
    return {stage: int(found.get(stage, 0)) for stage in Stage.values}


def due_today_counts() -> dict[str, int]:
    """Open orders per stage whose ship-by is today or past."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT stage, count(*) FROM orders_order WHERE ship_by < %s AND ship_by IS NOT NULL "
            "AND shipped_at IS NULL AND cancelled_at IS NULL GROUP BY stage",
            [clock.end_of_today()],
        )
        return dict(cursor.fetchall())


def rows_per_stage() -> dict[str, int]:
    """The same counts the slow way, for the audit."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT stage, count(*) FROM {Order._meta.db_table} GROUP BY stage")
        return dict(cursor.fetchall())


def failed_sync_count() -> int:
    """Orders of which the channel did not take our last word. Few, and counted by a partial index."""
    return Order.objects.filter(channel_sync=ChannelSync.FAILED).count()
