from typing import Any

from django.core.management.base import CommandError, CommandParser

from oms.kernel.commands import JsonCommand
from oms.kernel.models import User
from oms.kernel.services import second_step


class Command(JsonCommand):
    help = (
        "Take the two-step login of one person away, when nobody is left who could do it on the page: their browsers "
        "are signed out, the password alone lets them in, and they must set up anew. JSON: username, had_second_step."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def run(self, **options: Any) -> Any:
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"there is nobody with the user name {options['username']!r}")
        had = second_step.reset([person.pk], by=None, why="コマンド second_step_reset")
        return {"username": person.username, "had_second_step": bool(had)}
