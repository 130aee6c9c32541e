from getpass import getuser
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.db import transaction

from oms.kernel.models import User
from oms.kernel.services.people import password_changed


class Command(changepassword.Command):
    help = f"{changepassword.Command.help} All browsers of the person are signed out, and their trust ends."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> str | None:
        told: str | None = super().handle(*args, **options)  # raises where nothing was changed
        person = User.objects.get(username=options["username"] or getuser())
        password_changed(person, by=None, session=None, address="")
        return told
