from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from oms.runtime import up


class Command(BaseCommand):
    help = "Starts everything on this machine. (manage.py runs it without loading Django; this names it in `help`.)"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        up.add_arguments(parser)

    def handle(self, *_args: Any, **_options: Any) -> None:
        raise CommandError("`up` starts processes of its own; run it as `manage.py up`.")
