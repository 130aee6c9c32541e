from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from channels.connectors.contract import ChannelError
from channels.services import gaps
from channels.services.named import connection_named
from oms.kernel import clock
from oms.kernel.commands import JsonCommand


class Command(JsonCommand):
    help = "Compare a shop's order numbers with the channel, day by day, and fetch what is missing. JSON: days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("shop")
        parser.add_argument("--day", type=date.fromisoformat, action="append", metavar="YYYY-MM-DD")

    def run(self, **options: Any) -> Any:
        connection = connection_named(options["shop"])
        days = options["day"] or [clock.today() - timedelta(days=1), clock.today()]
        try:
            return {"days": [gaps.compare(connection, day).as_json() for day in days]}
        except ChannelError as error:
            raise CommandError(error.cause) from error
