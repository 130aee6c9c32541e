"""The sandbox as a process: arguments, the line it prints when ready, and its end."""

import json
import signal
import sys
import threading
from argparse import ArgumentParser
from datetime import timedelta

from channels.sandbox.server import RunningSandbox, Sandbox
from channels.sandbox.world import World
from oms.kernel import clock

BLOCK = 500
"""Orders planned at once when orders come at a steady rate; the mix is exact over a block."""


class CannotStart(Exception):
    """The cause in plain words."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="0 = any free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0, metavar="ORDERS_PER_MIN", help="in simulated minutes")
    parser.add_argument("--fault", default="", metavar="SPEC", help="for example rakuten:429:3,amazon:cut:1")
    parser.add_argument("--state", metavar="FILE", help="keeps the world over restarts")


def run(*, host: str, port: int, seed: int, rate: float, fault: str, state: str | None) -> None:
    """Serve until SIGTERM or SIGINT. Prints one JSON line with addresses and credentials when ready.

    Must run in the main thread. Raises CannotStart.
    """
    stopped = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stopped.set())
    world = World(seed, clock.now, state=state)
    try:
        sandbox = Sandbox(world, simulated_speed=clock.speed())
        sandbox.inject(fault)
        running = RunningSandbox(sandbox, host=host, port=port)
    except ValueError as wrong:
        raise CannotStart(f"--fault: {wrong}") from wrong
    except OSError as taken:
        raise CannotStart(f"port {port} cannot be used: {taken.strerror}") from taken
    print(json.dumps(running.addresses(), ensure_ascii=False), flush=True)
    print(f"sandbox: {running.root} is ready", file=sys.stderr, flush=True)
    while not stopped.wait(0.5):
        keep_rate(world, rate)
    running.stop()
    world.close()


def keep_rate(world: World, per_minute: float) -> None:
    """Plan the next block of orders when the last one is used up."""
    if per_minute > 0 and world.life.waiting("order") == 0:
        world.generate(BLOCK, over=timedelta(minutes=BLOCK / per_minute))
