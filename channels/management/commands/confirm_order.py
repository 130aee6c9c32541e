from typing import Any

from django.core.management.base import CommandError, CommandParser

from channels.connectors.contract import ChannelError
from channels.services import shops
from channels.services.named import connection_named, order_named
from oms.kernel.commands import JsonCommand
from oms.kernel.models import Effect
from orders.models.order import ChannelSync, Phase
from orders.services import confirm, facts


class Command(JsonCommand):
    help = "Acknowledge an order at its channel, where the channel has such a step."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("shop")
        parser.add_argument("order", metavar="CHANNEL_ORDER_NO")

    def run(self, **options: Any) -> Any:
        connection = connection_named(options["shop"])
        order = order_named(connection, options["order"])
        if not order.shop.can("confirm"):
            return {"confirmed": False, "cause": f"{order.shop.channel_label} has no such step"}
        if order.confirmed_at or order.phase == Phase.OPEN:
            return {"confirmed": True, "already": True}
        if order.cancelled_at:
            raise CommandError("the order is cancelled")
        try:
            shops.connector_of(connection).confirm(order.for_connector)
        except ChannelError as error:
            raise CommandError(error.cause) from error
        confirm.record_confirmed([order.pk])
        Effect.objects.filter(key=f"confirm:{order.pk}", state__in=["waiting", "failed"]).update(
            state=Effect.State.DONE
        )
        facts.write_channel_sync([order.pk], ChannelSync.IN_SYNC)
        return {"confirmed": True, "already": False}
