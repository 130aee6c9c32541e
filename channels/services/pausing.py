"""Pausing a shop's functions one by one, and waking what waited meanwhile."""

from collections.abc import Sequence

from django.db import connection as database
from django.db import transaction

from channels.models import Connection
from channels.services import shops
from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.services import outbox

WAITING_SUBJECTS = """
SELECT e.subject FROM kernel_effect e JOIN orders_order o ON o.id = (e.payload->>'order')::bigint
 WHERE e.state = 'waiting' AND e.kind LIKE 'channel\\_%%' AND o.shop_id = %s
"""

# What can be paused, by the word in the URL.
FUNCTIONS = {"import": "import_paused", "stock": "publish_paused", "notices": "notices_paused"}
FUNCTION_LABELS = {"import": said("受注の取込"), "stock": said("在庫の連携"), "notices": said("モールへの通知")}


@transaction.atomic
def set_paused(connection_id: int, function: str, *, paused: bool, by: User | None) -> bool:
    """Pause or resume one function of a shop; False when it is so already. Raises KeyError for an unknown function."""
    column = FUNCTIONS[function]
    changed = Connection.objects.filter(pk=connection_id, **{column: not paused}).update(**{column: paused})
    if changed:
        connection = Connection.objects.get(pk=connection_id)
        shops.journal(connection, "paused" if paused else "resumed", keys=function, by=by)
        if not paused:
            wake(connection)
    return bool(changed)


def wake(connection: Connection) -> None:
    """What waited while the shop or one of its functions rested goes on at once: the import from where it stood, and
    the notices. In the caller's transaction."""
    Connection.objects.filter(pk=connection.pk).update(next_poll_at=None)
    with database.cursor() as cursor:
        cursor.execute(WAITING_SUBJECTS, [connection.shop_id])
        outbox.wake([subject for (subject,) in cursor.fetchall()])


def pause_all(connection: Connection, *, by: User | None) -> list[str]:
    """Pause every function that runs; returns their names, for `resume`. In the caller's transaction."""
    return [function for function in FUNCTIONS if set_paused(connection.pk, function, paused=True, by=by)]


def resume(connection: Connection, functions: Sequence[str], *, by: User | None) -> None:
    """Let these functions run again; what a person resumed meanwhile runs already."""
    for function in functions:
        set_paused(connection.pk, function, paused=False, by=by)
