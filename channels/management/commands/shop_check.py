from typing import Any

from django.core.management.base import CommandError, CommandParser

from channels.connectors.contract import ChannelError
from channels.services import shops
from channels.services.named import connection_named
from oms.kernel.commands import JsonCommand


class Command(JsonCommand):
    help = "Try a shop's credentials: exit 0, or a plain-word cause."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("shop")

    def run(self, **options: Any) -> Any:
        try:
            return {"ok": True, "seen": shops.check(connection_named(options["shop"]))}
        except ChannelError as error:
            raise CommandError(error.cause) from error
