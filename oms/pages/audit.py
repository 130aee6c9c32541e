"""All invariants of the house, room by room."""

from collections.abc import Callable, Mapping

from django.db import connection

from channels.services import audit as channels
from fulfillment.services import audit as fulfillment
from inventory.services import audit as inventory
from oms.kernel import audit as kernel
from orders.services import audit as orders

ROOMS: Mapping[str, Callable[[], list[str]]] = {
    "inventory": inventory.violations,
    "orders": orders.violations,
    "fulfillment": fulfillment.violations,
    "channels": channels.violations,
    "kernel": kernel.violations,
}


def violations(progress: Callable[[str], object] = lambda room: None) -> list[str]:
    """What is broken anywhere, each with its room before it; `progress` hears which room is looked at."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        usual = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('statement_timeout', '0', false)")  # a million orders take their time
    try:
        found = []
        for room, check in ROOMS.items():
            progress(room)
            found += [f"{room}: {sentence}" for sentence in check()]
        return found
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [usual])
