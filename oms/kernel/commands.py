"""Commands that others rely on: progress on standard error, one JSON object as the last line of standard output."""

import json
from typing import Any

from django.core.management.base import BaseCommand


class JsonCommand(BaseCommand):
    """`run(**options)` returns the object to print."""

    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(self.run(**options), ensure_ascii=False, default=str))

    def run(self, **options: Any) -> Any:
        raise TypeError(f"{type(self).__name__} does not say what it does")

    def progress(self, text: str) -> None:
        self.stderr.write(text)
