from typing import Any

from django.core.management.base import CommandParser

from channels.services.named import connection_named, order_named
from oms.kernel.commands import JsonCommand
from orders.queries.export import order_json


class Command(JsonCommand):
    help = "Print the normalised order as JSON (keys: docs/order_json.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("shop")
        parser.add_argument("order", metavar="CHANNEL_ORDER_NO")

    def run(self, **options: Any) -> Any:
        return order_json(order_named(connection_named(options["shop"]), options["order"]))
