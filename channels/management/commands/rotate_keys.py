from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from channels.services import key_rotation
from oms.kernel.commands import JsonCommand


class Command(JsonCommand):
    help = (
        "Re-encrypt all secrets and archived payloads with the first of OMS_ENCRYPTION_KEYS; may be stopped and run "
        "again. JSON: seen, changed, unreadable; exit 1 when a value fits no configured key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=500, metavar="ROWS")
        parser.add_argument("--anew", action="store_true", help="look at every row again, also at finished ones")

    def run(self, **options: Any) -> Any:
        if options["batch"] < 1:
            raise CommandError("--batch must be 1 or more")
        total: Counter[str] = Counter()
        keys = list(settings.OMS_ENCRYPTION_KEYS)
        for table, done in key_rotation.rotate(keys, batch=options["batch"], anew=options["anew"]):
            total.update(seen=done.seen, changed=done.changed, unreadable=done.unreadable)
            self.progress(f"{table}: {total['seen']} seen, {total['changed']} re-encrypted")
        if total["unreadable"]:
            raise CommandError(
                f"{total['unreadable']} values fit no configured key: put the missing key back into "
                "OMS_ENCRYPTION_KEYS and run this again"
            )
        self.progress("Every value is under the first key: the other keys may be removed now.")
        return {name: total[name] for name in ("seen", "changed", "unreadable")}
