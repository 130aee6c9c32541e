from typing import Any

from django.core.management.base import CommandError, CommandParser

from channels.services import notices
from channels.services.named import connection_named, order_named
from fulfillment.services.rush import NotReady, ship_now
from oms.kernel.commands import JsonCommand
from oms.kernel.models import Effect
from orders.models.order import Carrier


class Command(JsonCommand):
    help = "Confirm the shipment of an order and tell the channel. Refuses an unready order unless --force (journaled)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("shop")
        parser.add_argument("order", metavar="CHANNEL_ORDER_NO")
        parser.add_argument("--carrier", required=True, choices=Carrier.values)
        parser.add_argument("--tracking", required=True, metavar="NO")
        parser.add_argument("--force", action="store_true")

    def run(self, **options: Any) -> Any:
        connection = connection_named(options["shop"])
        order = order_named(connection, options["order"])
        try:
            shipments = ship_now(
                order, carrier=options["carrier"], tracking_no=options["tracking"], force=options["force"]
            )
        except NotReady as error:
            raise CommandError(error.cause) from error
        self.progress("shipped; telling the channel")
        notices.deliver_now(order)
        told = Effect.objects.filter(subject=f"order:{order.pk}:channel", kind="channel_ship").order_by("-pk").first()
        if told and told.state == Effect.State.FAILED:
            raise CommandError(told.last_error)
        return {
            "shipments": shipments,
            "channel": told.state if told else "not_needed",
            "cause": told.last_error if told else "",
        }
