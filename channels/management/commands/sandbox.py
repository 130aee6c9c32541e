"""The five marketplaces as local HTTP servers, alone and without a database."""

import json
import signal
import sys
import threading
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels.sandbox.server import RunningSandbox, Sandbox
from channels.sandbox.world import World
from oms.kernel import clock

BLOCK = 500
"""Orders planned at once when orders come at a steady rate; the mix is exact over a block."""


class Command(BaseCommand):
    help = "Run the marketplace sandbox; prints one JSON line with each base URL and its credentials when ready."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=0, help="0 = any free port")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--rate", type=float, default=0, metavar="ORDERS_PER_MIN", help="in simulated minutes")
        parser.add_argument("--fault", default="", metavar="SPEC", help="for example rakuten:429:3,amazon:cut:1")
        parser.add_argument("--state", metavar="FILE", help="keeps the world over restarts")

    def handle(self, *args: Any, **options: Any) -> None:
        world = World(options["seed"], clock.now, state=options["state"])
        sandbox = Sandbox(world, simulated_speed=clock.speed())
        try:
            sandbox.inject(options["fault"])
        except ValueError as wrong:
            raise CommandError(str(wrong)) from wrong
        stopped = threading.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: stopped.set())
        try:
            running = RunningSandbox(sandbox, host=options["host"], port=options["port"])
        except OSError as taken:
            raise CommandError(f"port {options['port']} cannot be used: {taken}") from taken
        print(json.dumps(running.addresses(), ensure_ascii=False), flush=True)
        print(f"sandbox: {running.root} is ready", file=sys.stderr, flush=True)
        while not stopped.wait(0.5):
            _keep_rate(world, options["rate"])
        running.stop()
        world.close()


def _keep_rate(world: World, per_minute: float) -> None:
    """Plan the next block of orders when the last one is used up."""
    if per_minute > 0 and world.life.waiting("order") == 0:
        world.generate(BLOCK, over=timedelta(minutes=BLOCK / per_minute))
