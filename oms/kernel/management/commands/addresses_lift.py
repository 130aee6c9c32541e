from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import CommandError, CommandParser

from oms.kernel.commands import JsonCommand
from oms.kernel.services import sign_in_rules


class Command(JsonCommand):
    help = (
        "Let a role in from anywhere again, when the addresses of its list have changed and nobody gets to the page. "
        "Without a role: all of them. JSON: lifted (the roles that were limited)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", nargs="?", help="the group's name, for example administrator")

    def run(self, **options: Any) -> Any:
        groups = Group.objects.order_by("pk")
        if options["role"]:
            groups = groups.filter(name=options["role"])
            if not groups:
                raise CommandError(f"there is no role {options['role']!r}")
        return {"lifted": [group.name for group in groups if sign_in_rules.lift_networks(group, by=None)]}
