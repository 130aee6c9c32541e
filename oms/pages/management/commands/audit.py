from typing import Any

from oms.kernel.commands import JsonCommand
from oms.pages.audit import violations


class Command(JsonCommand):
    help = "Check every invariant. JSON: ok, violations; exit 1 when one is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if self.found:
            raise SystemExit(1)

    def run(self, **options: Any) -> Any:
        self.found = violations(lambda room: self.progress(f"checking {room}"))
        return {"ok": not self.found, "violations": self.found}
