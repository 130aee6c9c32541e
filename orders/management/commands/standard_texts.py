"""`manage.py standard_texts`: the mails' standard texts, where a company does not have them yet."""

from typing import Any

from django.core.management.base import BaseCommand

from orders.services import mail


class Command(BaseCommand):
    help = "Make the standard texts of mails that are missing; texts that are there stay as they are."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        mail.ensure_standard_templates()
