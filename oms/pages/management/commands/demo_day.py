"""A demo day in a database of its own, with a sandbox and a web server of its own.

This process only builds the stage; the day runs in a second one, which reads the new database's address at its start.
"""

import json
import os
import subprocess
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from oms.kernel.commands import JsonCommand
from oms.pages.demo_day import stage
from oms.runtime import embedded

REDIS_DATABASE = 9  # limits and tokens of the day, apart from the real ones


class Command(JsonCommand):
    help = "One five-channel day through the sandbox over HTTP; prints its measures as JSON (docs/operations.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--orders", type=int, default=500)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--speed", type=float, default=60, help="simulated seconds per second")

    def run(self, **options: Any) -> Any:
        with stage.own_database(embedded.database_url()) as url:
            environment = {
                **os.environ,
                "DATABASE_URL": url,
                "REDIS_URL": _own_redis(settings.REDIS_URL),
                "OMS_CLOCK_SPEED": str(options["speed"]),
                "OMS_CLOCK_EPOCH": str(time.time()),
                "OMS_ENV": "local",
            }
            self.progress("tables…")
            manage(["migrate", "--verbosity", "0"], environment)
            with stage.sandbox(options["seed"], environment) as (malls, control), stage.web_server(environment) as web:
                self.progress(f"sandbox at {control}, desk at {web}")
                play = {"sandbox": malls, "control": control, "web": web}
                return run_day(play, options["orders"], options["seed"], environment)


def run_day(play: dict[str, Any], orders: int, seed: int, environment: dict[str, str]) -> Any:
    command = [sys.executable, "-m", "oms.pages.demo_day", "--orders", str(orders), "--seed", str(seed)]
    done = subprocess.run(
        command,
        cwd=stage.BASE_DIR,
        env=environment,
        input=json.dumps(play).encode(),
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise CommandError("the day did not end; see above")
    return json.loads(done.stdout.splitlines()[-1])


def manage(arguments: list[str], environment: dict[str, str]) -> None:
    command = [sys.executable, str(stage.BASE_DIR / "manage.py"), *arguments]
    subprocess.run(command, cwd=stage.BASE_DIR, env=environment, check=True, stdout=subprocess.DEVNULL)


def _own_redis(url: str) -> str:
    """The same server, another of its databases."""
    if url.startswith("unix://"):
        return f"{url.split('?', maxsplit=1)[0]}?db={REDIS_DATABASE}"
    return f"{url.rsplit('/', 1)[0] if url.count('/') > 2 else url}/{REDIS_DATABASE}"
