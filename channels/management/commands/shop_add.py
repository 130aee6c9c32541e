from typing import Any

from django.core.management.base import CommandError, CommandParser

from channels.connectors.registry import CONNECTORS, connector_class
from channels.services import shops
from oms.kernel.commands import JsonCommand


class Command(JsonCommand):
    help = "Register a shop (or bring a registered one up to date). The URLs may point anywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the shop's code")
        parser.add_argument("--channel", required=True, choices=sorted(CONNECTORS))
        parser.add_argument("--title", default="", help="the name people see")
        parser.add_argument("--base-url", default="")
        parser.add_argument("--auth-url", default="")
        parser.add_argument("--credential", action="append", default=[], metavar="KEY=VALUE")

    def run(self, **options: Any) -> Any:
        values = dict(_pair(text) for text in options["credential"])
        known = {key for key, _label, _secret in connector_class(options["channel"]).credential_fields}
        if unknown := sorted(set(values) - known):
            raise CommandError(
                f"unknown credential {', '.join(unknown)}; {options['channel']} takes {', '.join(sorted(known))}"
            )
        try:
            connection = shops.add_shop(
                options["name"],
                channel=options["channel"],
                name=options["title"],
                base_url=options["base_url"],
                auth_url=options["auth_url"],
                values=values,
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        return {"shop": connection.shop.code, "channel": connection.shop.channel}


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"--credential takes KEY=VALUE, not {text!r}")
    return key, value
