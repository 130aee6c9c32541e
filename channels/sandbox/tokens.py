"""Access tokens with an end, in simulated seconds."""

import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal


class TokenStore:
    """Issued tokens of one marketplace; thread-safe. Tokens do not survive a restart, as with a real key change."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._ends: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def issue(self, *, life_s: float = 3600, prefix: str = "") -> str:
        """A new token, good for `life_s` simulated seconds."""
        token = prefix + secrets.token_urlsafe(32)
        with self._lock:
            self._ends[token] = self._clock() + timedelta(seconds=life_s)
        return token

    def check(self, token: str) -> Literal["valid", "expired", "unknown"]:
        """What this token is worth now."""
        with self._lock:
            end = self._ends.get(token)
        if end is None:
            return "unknown"
        return "valid" if self._clock() < end else "expired"

    def expire_all(self) -> None:
        """Every token issued so far is expired from now on."""
        with self._lock:
            now = self._clock()
            self._ends = dict.fromkeys(self._ends, now)
