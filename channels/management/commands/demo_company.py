import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from channels.demo import company
from oms.kernel import clock, roles
from oms.runtime.places import places

PASSWORD = "demo-order-desk"  # printed on purpose: a demo on one's own machine


class Command(BaseCommand):
    help = "Load the demo company; its shops are those of the running sandbox (OMS_SANDBOX names its address file)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        named = os.environ.get("OMS_SANDBOX", "")
        addresses = json.loads(Path(named).read_text()) if named else {}
        roles.sync_roles()
        company.load(addresses, seed=options["seed"], opening_day=clock.today())
        accounts = roles.create_demo_accounts(PASSWORD)
        lines = [f"  {account.username:<12} {account.role}" for account in accounts]
        text = f"アカウント(パスワードはすべて {PASSWORD}):\n" + "\n".join(lines) + "\n"
        file = places().data / "accounts.txt"
        file.touch(mode=0o600)
        file.write_text(text)
        self.stderr.write(text)
