"""The marketplaces over HTTP: one threaded server, one path prefix per marketplace, and faults on the wire."""

import importlib
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from werkzeug import Request, Response

from channels.sandbox.control import Control
from channels.sandbox.faults import ANSWERED, Fault, parse
from channels.sandbox.model import CHANNELS, Channel
from channels.sandbox.simulator import Simulator, json_response
from channels.sandbox.transport import Answer, Server
from channels.sandbox.world import World

HEARTBEAT_S = 0.1
"""Wall seconds between two looks at what is due in the world."""


def simulators(world: World) -> dict[Channel, Simulator]:
    """One of each marketplace on this world."""
    made: dict[Channel, Simulator] = {}
    for channel in CHANNELS:
        try:
            made[channel] = importlib.import_module(f"channels.sandbox.{channel}").SIMULATOR(world)
        except (ModuleNotFoundError, AttributeError) as missing:
            print(f"sandbox: {channel} is left out: {missing}", file=sys.stderr)
    return made


class Sandbox:
    """Finds the marketplace by the prefix, lets its faults happen, and asks it."""

    def __init__(
        self, world: World, malls: Mapping[Channel, Simulator] | None = None, *, simulated_speed: float = 1
    ) -> None:
        self.world = world
        self.malls: dict[Channel, Simulator] = dict(malls) if malls is not None else simulators(world)
        self._by_prefix = {mall.prefix: mall for mall in self.malls.values()}
        self._control = Control(world, self.inject, self.clear_faults, self._show_faults)
        self._speed = simulated_speed
        world.life.late_s = self._late_s
        world.stale_s = lambda channel: self._value(channel, "stale")
        world.skew_s = lambda channel: self._value(channel, "skew")

    def __call__(self, request: Request) -> Answer:
        prefix = request.script_root
        if prefix == "/_sandbox":
            return Answer(self._control.handle(request, request.path))
        mall = self._by_prefix.get(prefix)
        if mall is None:
            return Answer(json_response({"error": f"no marketplace at {prefix}"}, 404))
        if mall.faults.take("reset"):
            return Answer(None)
        response = self._answer(mall, request)
        return Answer(response, cut=mall.faults.take("cut") is not None)

    def _answer(self, mall: Simulator, request: Request) -> Response:
        slow = mall.faults.take("slow")
        if slow:
            time.sleep(slow.value / self._speed)
        fault = mall.faults.take(*ANSWERED)
        if fault:
            return mall.fault_response(fault, request)
        try:
            if any(fault.kind == "unapplied" for fault in mall.faults.active()):
                with self.world.forgetting(lambda: mall.faults.take("unapplied") is not None):
                    return mall.handle(request)
            return mall.handle(request)
        except Exception:  # a bug of a simulator: the other marketplaces go on, and its author sees where
            traceback.print_exc(file=sys.stderr)
            return json_response({"error": f"the {mall.channel} simulator failed, see its log"}, 500)

    def _value(self, channel: Channel, kind: str) -> float:
        mall = self.malls.get(channel)
        return mall.faults.value_of(kind) if mall else 0

    def _late_s(self, channel: Channel) -> float:
        mall = self.malls.get(channel)
        late = mall.faults.take("late") if mall else None
        return late.value if late else 0

    # ---- faults and addresses ----------------------------------------------------------------------------------

    def inject(self, spec: str) -> int:
        """Let a SPEC of faults begin (see faults.py); returns how many. Raises ValueError in plain words."""
        entries = parse(spec, self.world.now())
        for name, fault in entries:
            if name != "*" and name not in self.malls:
                raise ValueError(f"no marketplace {name!r} in {spec!r}")
            for channel, mall in self.malls.items():
                if name in ("*", channel):
                    _begin(mall, fault)
        return len(entries)

    def clear_faults(self) -> None:
        for mall in self.malls.values():
            mall.faults.clear()

    def _show_faults(self) -> dict[str, list[dict[str, Any]]]:
        return {channel: [fault.as_json() for fault in mall.faults.active()] for channel, mall in self.malls.items()}

    def addresses(self, root: str) -> dict[str, dict[str, Any]]:
        """Base URL, auth URL and credentials of each marketplace: the line that `manage.py sandbox` prints."""
        return {
            channel: {
                "base_url": mall.base_url(root),
                "auth_url": mall.auth_url(root),
                "credentials": mall.credentials(),
            }
            for channel, mall in self.malls.items()
        }


def _begin(mall: Simulator, fault: Fault) -> None:
    if fault.kind == "expired_token":
        mall.tokens.expire_all()
    else:
        mall.faults.add(fault.copy())


class RunningSandbox:
    """A listening sandbox whose world lives on by itself until `stop`."""

    def __init__(self, sandbox: Sandbox, *, host: str = "127.0.0.1", port: int = 0, heartbeat: bool = True) -> None:
        self.sandbox = sandbox
        self.world = sandbox.world
        self._server = Server((host, port), sandbox)
        self.root = f"http://{host}:{self._server.server_port}"
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox-http", daemon=True)
        ]
        if heartbeat:
            self._threads.append(threading.Thread(target=self._live, name="sandbox-life", daemon=True))
        for thread in self._threads:
            thread.start()

    def addresses(self) -> dict[str, dict[str, Any]]:
        return self.sandbox.addresses(self.root)

    def stop(self) -> None:
        """Close the door and wait until nothing runs any more."""
        self._stopped.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()

    def _live(self) -> None:
        while not self._stopped.wait(HEARTBEAT_S):
            try:
                self.world.advance()
            except Exception:  # a bug in one event must not stop the world; the event itself is spent
                traceback.print_exc(file=sys.stderr)


@contextmanager
def running_sandbox(
    world: World, port: int = 0, *, malls: Mapping[Channel, Simulator] | None = None, heartbeat: bool = False
) -> Iterator[RunningSandbox]:
    """A sandbox in this process, for tests: yields its root URL, addresses and world.

    Without `heartbeat` nothing happens by itself: call `world.advance()`.
    """
    running = RunningSandbox(Sandbox(world, malls), port=port, heartbeat=heartbeat)
    try:
        yield running
    finally:
        running.stop()
