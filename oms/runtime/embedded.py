"""The embedded servers: started for whoever comes first, stopped by whoever leaves last.

Every process that uses them holds a shared file lock on the data folder for its lifetime; the kernel releases it
however the process ends. Who leaves takes the lock alone: if that works, nobody else is there, and the servers stop.
A small watcher process does the same for those that were killed and could not.
"""

import atexit
import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from oms.runtime import postgres, redis_server
from oms.runtime.places import BASE_DIR, Places, make_folders, places

_held: dict[Path, int] = {}  # data folder → the open lock file that says "I use the servers"


def database_url() -> str:
    """`DATABASE_URL`, else the embedded PostgreSQL, started when it does not run yet."""
    if url := os.environ.get("DATABASE_URL"):
        return url
    where = places()
    if _may_start():
        use(where)
    return postgres.url(where)


def redis_url(database: int = 0) -> str:
    """`REDIS_URL`, else the embedded Redis, started when it does not run yet."""
    if url := os.environ.get("REDIS_URL"):
        return url
    where = places()
    if _may_start():
        use(where)
    return redis_server.url(where, database)


def use(where: Places) -> None:
    """Start what does not run and keep it running until this process ends. Raises Problem when it cannot."""
    if where.data in _held:
        return
    make_folders(where)
    with _start_lock(where):
        users = _open_lock(where, "users")
        fcntl.flock(users, fcntl.LOCK_SH)
        _watch(where)
        if not os.environ.get("DATABASE_URL"):
            postgres.start(where)
        if not os.environ.get("REDIS_URL"):
            redis_server.start(where)
        _held[where.data] = users
    atexit.register(_leave_if_owner, where, os.getpid())


def leave(where: Places) -> None:
    """Say that this process no longer uses the servers; the last one stops them and waits for their end."""
    users = _held.pop(where.data, None)
    if users is None:
        return
    with _start_lock(where):
        if _alone(users):
            stop_servers(where)
    os.close(users)


def stop_servers(where: Places) -> None:
    """Stop both servers, whoever uses them."""
    postgres.stop(where)
    redis_server.stop(where)


def stop_when_unused(where: Places) -> None:
    """The watcher's whole life: wait until nobody uses the servers, then stop them. One watcher per data folder."""
    watch = _open_lock(where, "watch")
    if not _alone(watch):
        return
    users = _open_lock(where, "users")
    while True:
        fcntl.flock(users, fcntl.LOCK_EX)
        with contextlib.suppress(BlockingIOError), _start_lock(where, wait=False):
            stop_servers(where)
            os.close(watch)  # before the start lock: the next starter must see that it needs a new watcher
            return
        fcntl.flock(users, fcntl.LOCK_UN)  # somebody is starting: he needs this lock before he gives his back
        time.sleep(0.1)


def _may_start() -> bool:
    """`OMS_SERVERS=off`: settings are only read (type checks, image builds), nothing will be asked of a server."""
    return os.environ.get("OMS_SERVERS", "on") != "off"


def _leave_if_owner(where: Places, pid: int) -> None:
    if os.getpid() == pid:  # a forked child inherits this exit handler, but not the right to turn off the light
        leave(where)


def _open_lock(where: Places, name: str) -> int:
    return os.open(where.data / f"servers.{name}", os.O_RDWR | os.O_CREAT, 0o600)


def _alone(lock: int) -> bool:
    """Turn this process's hold on the lock into an exclusive one, if nobody else holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _start_lock(where: Places, *, wait: bool = True) -> Iterator[None]:
    """One process at a time starts or stops servers. Raises BlockingIOError when taken and `wait` is false."""
    lock = _open_lock(where, "start")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(lock)


def _watch(where: Places) -> None:
    """Start the watcher, unless one is there. The caller holds the start lock."""
    lock = _open_lock(where, "watch")
    free = _alone(lock)
    os.close(lock)
    if not free:
        return
    subprocess.Popen(
        [sys.executable, "-m", "oms.runtime.watcher"],
        cwd=BASE_DIR,
        env={**os.environ, "OMS_DATA": str(where.data)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(where.log / "watcher.log").open("a"),
        start_new_session=True,
    )
