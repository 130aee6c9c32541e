"""One process at a time, over all workers: for tokens that many calls want renewed at the same moment."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import redis
from redis.exceptions import LockError

from channels.connectors.contract import ChannelDown
from oms.kernel.said import said

HELD_S = 90  # a worker that died keeps the others waiting no longer
WAIT_S = 90
OTHERS_RENEW = said("ほかの処理がモールの認証を更新していて、まだ終わりません。自動で再試行します。")


@contextmanager
def alone(client: redis.Redis, name: str) -> Iterator[None]:
    """Whoever comes meanwhile waits, and looks then whether the work is done. Raises ChannelDown after a long wait.

    A mall that takes longer to answer than the lock lasts costs a second renewal, and no error.
    """
    lock = client.lock(f"{name}:lock", timeout=HELD_S, blocking_timeout=WAIT_S)
    if not lock.acquire():
        raise ChannelDown(OTHERS_RENEW)
    try:
        yield
    finally:
        with suppress(LockError):  # it ended by itself, and may be another's by now
            lock.release()
