from typing import Any

from django.core.management.base import CommandError, CommandParser

from channels.connectors.contract import ChannelError
from channels.services import compare, publish
from channels.services.named import connection_named
from oms.kernel.commands import JsonCommand


class Command(JsonCommand):
    help = "Publish a shop's stock now. JSON: pushed, confirmed, failed with causes; --full adds what it compared."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("shop")
        parser.add_argument("--sku", action="append", nargs="+", default=[], metavar="CODE")
        parser.add_argument(
            "--full", action="store_true", help="read everything the channel shows first, and heal differences"
        )

    def run(self, **options: Any) -> Any:
        codes = [code for group in options["sku"] for code in group]
        connection = connection_named(options["shop"])
        compared = {}
        try:
            if options["full"]:
                run = compare.now(connection)
                compared = {"compared": run.checked, "different": run.different, "missing": run.missing}
            result = publish.push_all(connection, sku_codes=codes)
        except ChannelError as error:
            raise CommandError(error.cause) from error
        return {"pushed": result.pushed, "confirmed": result.confirmed, "failed": result.failed, **compared}
