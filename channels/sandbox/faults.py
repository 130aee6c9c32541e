"""Misbehaviour on demand, per marketplace.

SPEC is a comma list of `channel:kind[=value][:limit…]`; `*` means every channel. A limit is a count (`3`), simulated
seconds (`60s`) or a probability (`25%`); without a limit the fault stays until it is cleared.

    rakuten:429:3            the next three calls
    amazon:cut:1             the next answer breaks off in the middle of its body (the call itself was done)
    yahoo:slow=5:60s:50%     for a minute, every second call waits five seconds
    *:maintenance:600s       all malls are closed for ten minutes
    rakuten:unapplied:1      the next write is answered as done and forgotten
    *:partial:3              three rows of bulk calls fail, their neighbours do not
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

ANSWERED = frozenset({"429", "500", "503", "maintenance", "revoked"})
"""Answered by Simulator.fault_response; `revoked` = the credential is no longer valid."""
TRANSPORT = frozenset({"slow", "cut", "reset", "unapplied"})
"""Done by the server: wait; break off the body after the call was done; drop the connection before it is done; answer
a write as done and forget it."""
INNER = frozenset({"duplicate", "late", "stale", "skew", "partial", "expired_token"})
"""Done inside: pages overlap; new orders become visible late; pushed quantities show late; the mall's clock differs;
rows of bulk calls fail one by one (`Simulator.row_fails`); all access tokens end now."""
KINDS = ANSWERED | TRANSPORT | INNER


@dataclass(slots=True)
class Fault:
    kind: str
    value: float = 0  # simulated seconds: slow to wait, late and stale of delay, skew ahead of the world (or behind)
    count: int | None = None  # how often more
    until: datetime | None = None
    probability: float = 1.0

    def copy(self) -> "Fault":
        """Its own count, so that one SPEC entry for all channels counts on each."""
        return replace(self)

    def as_json(self) -> dict[str, Any]:
        until = self.until and self.until.isoformat()
        return {"kind": self.kind, "value": self.value, "count": self.count, "until": until, "p": self.probability}


class Faults:
    """The faults of one marketplace; thread-safe."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._random = random.Random(0)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def active(self) -> list[Fault]:
        """Faults that may still happen."""
        with self._lock:
            self._drop_ended()
            return list(self._faults)

    def take(self, *kinds: str) -> Fault | None:
        """The first fault of these kinds that happens now; one of its times is used up."""
        with self._lock:
            self._drop_ended()
            for fault in self._faults:
                if fault.kind in kinds and self._random.random() < fault.probability:
                    if fault.count is not None:
                        fault.count -= 1
                    return fault
        return None

    def value_of(self, kind: str) -> float:
        """The value of the first active fault of a kind that is a state and is not used up; 0 without one."""
        return next((fault.value for fault in self.active() if fault.kind == kind), 0)

    def _drop_ended(self) -> None:
        now = self._clock()
        self._faults = [f for f in self._faults if f.count != 0 and (f.until is None or now < f.until)]


def parse(spec: str, now: datetime) -> list[tuple[str, Fault]]:
    """(channel or "*", fault) for each entry of a SPEC; raises ValueError in plain words."""
    return [_parse_entry(entry.strip(), now) for entry in spec.split(",") if entry.strip()]


def _parse_entry(entry: str, now: datetime) -> tuple[str, Fault]:
    channel, _, rest = entry.partition(":")
    words = rest.split(":")
    kind, _, value = words[0].partition("=")
    if kind not in KINDS:
        raise ValueError(f"unknown fault {kind!r} in {entry!r}; known: {' '.join(sorted(KINDS))}")
    fault = Fault(kind, value=float(value or 0))
    for word in words[1:]:
        if word.endswith("s"):
            fault.until = now + timedelta(seconds=float(word[:-1]))
        elif word.endswith("%"):
            fault.probability = float(word[:-1]) / 100
        else:
            fault.count = int(word)
    return channel, fault
