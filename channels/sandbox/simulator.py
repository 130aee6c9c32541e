"""What each marketplace simulator is: a prefix, credentials, a handler, and its own way to say no.

A simulator is one class per file, found by the server as `channels.sandbox.<channel>.SIMULATOR`. It gets requests
whose `request.path` no longer carries the prefix (`request.script_root` does), so it sees the paths of the real API.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from werkzeug import Request, Response

from channels.sandbox.faults import Fault, Faults
from channels.sandbox.limits import Bucket, Buckets
from channels.sandbox.model import Channel
from channels.sandbox.tokens import TokenStore
from channels.sandbox.world import World

T = TypeVar("T")


class Simulator(ABC):
    """One marketplace.

    The server asks `faults` before each request: `429 500 503 maintenance revoked` are answered by `fault_response`;
    `slow cut reset` are done by the server; `expired_token` empties `tokens`; `late` delays new orders in the world;
    `stale` and `skew` change what it sees of the world, `unapplied` makes the server forget a write; `duplicate` works
    through `page`, `partial` through `row_fails`.
    """

    channel: ClassVar[Channel]

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = Faults(world.now)
        self.tokens = TokenStore(world.now)
        self.buckets = Buckets(world.now)

    @property
    def prefix(self) -> str:
        """Where the server mounts it: "/rakuten"."""
        return f"/{self.channel}"

    @abstractmethod
    def credentials(self) -> dict[str, str]:
        """What a shop types in to connect, keys as in decision 26. Stable over restarts of one seed."""

    def base_url(self, root: str) -> str:
        """The URL a connector uses in place of the real host; `root` is "http://127.0.0.1:8100"."""
        return root + self.prefix

    def auth_url(self, root: str) -> str:
        """The URL in place of the authentication host; override when it is another path."""
        return self.base_url(root)

    @abstractmethod
    def handle(self, request: Request) -> Response:
        """Answer one call. Only wrong use of the simulator itself may raise."""

    @abstractmethod
    def fault_response(self, fault: Fault, request: Request) -> Response:
        """The channel's own error shape for fault.kind in {"429", "500", "503", "maintenance", "revoked"}."""

    # ---- for simulators ----------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """What this mall's own clock says."""
        return self.world.now() + timedelta(seconds=self.faults.value_of("skew"))

    def row_fails(self) -> bool:
        """Whether this row of a bulk call is one that the `partial` fault lets fail; ask once for each row."""
        return self.faults.take("partial") is not None

    def bucket(self, name: str, *, per_second: float, burst: int) -> Bucket:
        """The named token bucket in simulated seconds; `bucket.take()` says whether the call may pass."""
        return self.buckets.get(name, per_second=per_second, burst=burst)

    def page(self, rows: Sequence[T], start: int, size: int) -> list[T]:
        """One page; while the `duplicate` fault is on, it begins with the row before it, as a live list shifts."""
        if start > 0 and self.faults.take("duplicate"):
            start -= 1
        return list(rows[start : start + size])


def json_response(body: Any, status: int = 200, *, headers: dict[str, str] | None = None) -> Response:
    """UTF-8 JSON with Japanese as it is."""
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status=status, content_type="application/json; charset=utf-8", headers=headers)


def text_response(text: str, status: int = 200, *, content_type: str = "text/plain; charset=utf-8") -> Response:
    return Response(text, status=status, content_type=content_type)
