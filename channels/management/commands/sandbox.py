"""The five marketplaces as local HTTP servers, alone."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels.sandbox import cli


class Command(BaseCommand):
    help = "Run the marketplace sandbox; prints one JSON line with each base URL and its credentials when ready."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        cli.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("host", "port", "seed", "rate", "fault", "state")
        try:
            cli.run(**{name: options[name] for name in names})
        except cli.CannotStart as cause:
            raise CommandError(str(cause)) from cause
