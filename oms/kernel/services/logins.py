"""Guessing passwords is slowed down: too many failures of one account, one address, or both together, and no more tries
are looked at for a while. Counted in the cache; when that is down, people may log in all the same.
"""

import hashlib
from collections.abc import Iterator

import redis
import structlog
from django.core.cache import cache

log = structlog.get_logger(__name__)

WINDOW_S = 15 * 60
# Failures within the window. Somebody else's failures elsewhere must not easily lock a person out: so the pair is held
# shorter than the account.
PAIR, ACCOUNT, ADDRESS = 10, 60, 100


def is_blocked(username: str, address: str) -> bool:
    """Whether this try must not be looked at, however right its password may be."""
    try:
        counts = cache.get_many([key for key, _limit in _keys(username, address)])
    except redis.RedisError as error:
        log.warning("login_failures_not_read", error=str(error))
        return False
    return any(counts.get(key, 0) >= limit for key, limit in _keys(username, address))


def note_failure(username: str, address: str) -> None:
    """Count a wrong password. The window begins with the first failure."""
    try:
        for key, _limit in _keys(username, address):
            if not cache.add(key, 1, WINDOW_S):
                _count(key)
    except redis.RedisError as error:
        log.warning("login_failure_not_counted", error=str(error))


def note_success(username: str, address: str) -> None:
    """The person is who they say: their own mistakes from this address are forgotten."""
    try:
        cache.delete(next(_keys(username, address))[0])
    except redis.RedisError as error:
        log.warning("login_failures_not_forgotten", error=str(error))


def _count(key: str) -> None:
    try:
        cache.incr(key)
    except ValueError:  # its window ended just now
        cache.add(key, 1, WINDOW_S)


def _keys(username: str, address: str) -> Iterator[tuple[str, int]]:
    """(key, limit), the pair first. Names are hashed: people type anything there, passwords too."""
    name = hashlib.blake2b(username.casefold().encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    yield f"login:{name}:{address}", PAIR
    yield f"login:{name}", ACCOUNT
    yield f"login-from:{address}", ADDRESS
