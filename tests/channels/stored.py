"""From the wire to the order as JSON, through a registered shop and the intake."""

from typing import Any

from channels.models import Connection, QuarantinedOrder
from channels.services import intake, shops
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from orders.models import Order
from orders.queries.export import order_json


def connect(channel: str, mall: Any) -> Connection:
    """A shop of the sandbox mall, registered with the product."""
    return shops.add_shop(
        f"{channel}-1",
        channel=channel,
        base_url=mall.simulator.base_url(mall.root),
        auth_url=mall.simulator.auth_url(mall.root),
        values=mall.simulator.credentials(),
    )


def pulled(connection: Connection, number: str) -> dict[str, Any]:
    """The order as `show_order` prints it, after one import."""
    intake.pull(connection)
    assert not QuarantinedOrder.objects.filter(resolved_at=None).exists()
    return order_json(intake.order_of(connection, number))


def deliver(order: Order, mall: Any, kind: str) -> int:
    """The worker's rounds until the word is through; returns how many."""
    for rounds in range(1, 40):
        outbox.deliver_subject(f"order:{order.pk}:channel")
        if not Effect.objects.filter(kind=kind, state=Effect.State.WAITING).exists():
            return rounds
        mall.time.skip(seconds=30)
    raise AssertionError(Effect.objects.get(kind=kind).last_error)
