from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from channels.connectors.contract import ChannelError
from channels.services import intake
from channels.services.named import connection_named
from oms.kernel.clock import TOKYO
from oms.kernel.commands import JsonCommand


class Command(JsonCommand):
    help = "Import a shop's orders now. JSON: fetched, created, updated, unchanged, quarantined."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("shop")
        parser.add_argument("--since", type=_moment, default=None, metavar="ISO")

    def run(self, **options: Any) -> Any:
        try:
            return intake.pull(connection_named(options["shop"]), since=options["since"]).as_json()
        except ChannelError as error:
            raise CommandError(error.cause) from error
        except intake.Busy:
            raise CommandError("another import of this shop is under way; try again in a moment") from None


def _moment(text: str) -> datetime:
    """ISO 8601; without offset it is Tokyo time."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=TOKYO)
