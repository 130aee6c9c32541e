"""Token buckets in simulated seconds."""

import threading
from collections.abc import Callable
from datetime import datetime


class Bucket:
    """Holds at most `burst` tokens and gains `per_second` of them; thread-safe."""

    def __init__(self, clock: Callable[[], datetime], *, per_second: float, burst: int) -> None:
        self._clock = clock
        self.per_second = per_second
        self.burst = burst
        self._level = float(burst)
        self._at = clock()
        self._lock = threading.Lock()

    def take(self, cost: float = 1) -> bool:
        """True when the call may pass."""
        with self._lock:
            self._fill()
            if self._level < cost:
                return False
            self._level -= cost
            return True

    def wait_s(self, cost: float = 1) -> float:
        """Simulated seconds until `cost` tokens are there; 0 when they are."""
        with self._lock:
            self._fill()
            return max(0.0, (cost - self._level) / self.per_second)

    def _fill(self) -> None:
        now = self._clock()
        gained = (now - self._at).total_seconds() * self.per_second
        self._level = min(float(self.burst), self._level + max(0.0, gained))
        self._at = now


class Buckets:
    """Named buckets; a switch turns them all off for tests that are about something else."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def get(self, name: str, *, per_second: float, burst: int) -> Bucket:
        """The bucket of this name, made full on first use."""
        with self._lock:
            if name not in self._buckets:
                self._buckets[name] = Bucket(self._clock, per_second=per_second, burst=burst)
            return self._buckets[name]
