from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from channels.connectors.contract import ChannelError
from channels.models import Connection
from channels.services import intake, reimport
from channels.services.named import connection_named
from oms.kernel.clock import TOKYO
from oms.kernel.commands import JsonCommand


class Command(JsonCommand):
    help = "Import a shop's orders now. JSON: fetched, created, updated, unchanged, quarantined."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("shop")
        parser.add_argument("--since", type=_moment, default=None, metavar="ISO")
        parser.add_argument("--orders", nargs="+", metavar="NO", help="these order numbers only")

    def run(self, **options: Any) -> Any:
        connection = connection_named(options["shop"])
        if options["orders"]:
            return self._by_number(connection, " ".join(options["orders"]))
        try:
            return intake.pull(connection, since=options["since"]).as_json()
        except ChannelError as error:
            raise CommandError(error.cause) from error
        except intake.Busy:
            raise CommandError("another import of this shop is under way; try again in a moment") from None

    def _by_number(self, connection: Connection, text: str) -> Any:
        """{"orders": {number: outcome}}: created, updated, unchanged, unknown or failed; causes on standard error."""
        pasted = reimport.numbers_in(text)
        if pasted.wrong:
            raise CommandError(f"no order numbers: {', '.join(pasted.wrong)}")
        outcomes = {}
        for no in pasted.numbers:
            outcomes[no], cause = reimport.bring(connection, no)
            self.progress(f"{no}: {cause}")
        return {"orders": outcomes}


def _moment(text: str) -> datetime:
    """ISO 8601; without offset it is Tokyo time."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=TOKYO)
