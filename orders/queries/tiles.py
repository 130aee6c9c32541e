"""The counts on the stage tiles: exact, and cheap at any number of orders."""

from dataclasses import dataclass

from django.db import connection

from oms.kernel import clock
from orders.models import Order
from orders.models.order import Stage
from orders.queries import visible


def stage_counts() -> dict[str, int]:
    """Orders per stage, of the person's shops; every stage is in the answer."""
    own, ids = visible.in_shops("shop_id")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT stage, sum(n)::bigint FROM (SELECT shop_id, stage, count AS n FROM orders_stagecount "
            f"UNION ALL SELECT shop_id, stage, delta FROM orders_stagedelta) AS parts WHERE true{own} GROUP BY stage",
            ids,
        )
        found = dict(cursor.fetchall())
    return {stage: int(found.get(stage, 0)) for stage in Stage.values}


@dataclass(frozen=True, slots=True)
class Figures:
    """`late`: orders per stage that still have to leave and whose ship-by is today or past. `failed`: orders of which
    the channel did not take our last word."""

    count: dict[str, int]
    late: dict[str, int]
    failed: int


def board_figures() -> Figures:
    """All figures of the tiles by one statement, of the person's shops. What it counts row by row is little, and stands
    in small indexes."""
    own, ids = visible.in_shops("shop_id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT 'count', stage, sum(n)::bigint FROM (
                SELECT shop_id, stage, count AS n FROM orders_stagecount
                UNION ALL SELECT shop_id, stage, delta FROM orders_stagedelta) AS parts WHERE true{own} GROUP BY stage
            UNION ALL
            SELECT 'late', stage, count(*) FROM orders_order
             WHERE ship_by < %s AND ship_by IS NOT NULL AND shipped_at IS NULL AND cancelled_at IS NULL{own}
             GROUP BY stage
            UNION ALL
            SELECT 'failed', '', count(*) FROM orders_order WHERE channel_sync = 'failed'{own}
            """,
            [*ids, clock.end_of_today(), *ids, *ids],
        )
        found: dict[str, dict[str, int]] = {"count": {}, "late": {}, "failed": {}}
        for kind, stage, number in cursor.fetchall():
            found[kind][stage] = int(number)
    return Figures(found["count"], found["late"], found["failed"][""])


def rows_per_stage() -> dict[str, int]:
    """The same counts the slow way, for the audit."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT stage, count(*) FROM {Order._meta.db_table} GROUP BY stage")
        return dict(cursor.fetchall())
