"""What can stand in the way of a start, and the message that says so."""

import contextlib
import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from oms.runtime.places import Places
from oms.runtime.problem import Problem

NEEDED_MB = 500
SANDBOX_PORT = 8900


@contextlib.contextmanager
def only_one(where: Places, address: str) -> Iterator[None]:
    """One `up` per data folder. Raises Problem that names the address of the running one."""
    with (where.data / "up.lock").open("a+") as lock:
        lock.seek(0)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem(
                f"すでに起動しています: {lock.read().strip()}(データ: {where.data})",
                "It is running already. Stop it first, or use another folder with DATA=….",
            ) from error
        lock.truncate(0)
        lock.write(address)
        lock.flush()
        yield


def check_disk(where: Places) -> None:
    free_mb = shutil.disk_usage(where.data).free // 2**20
    if free_mb < NEEDED_MB:
        raise Problem(
            f"空き容量が足りません: {where.data} に {free_mb} MB しかありません({NEEDED_MB} MB 以上必要です)。",
            f"No disk space: {free_mb} MB free, {NEEDED_MB} MB needed.",
        )


def check_port(host: str, port: int) -> None:
    try:
        _bind(host, port)
    except OSError as error:
        raise Problem(
            f"ポート {port} は使用中か、許可されていません({error.strerror})。"
            f"別のポートを指定してください: make run PORT={port + 1}",
            f"Port {port} is in use or not allowed. Try another: make run PORT={port + 1}",
        ) from error


def _bind(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


@contextlib.contextmanager
def choosing_port(go_on: Callable[[], bool]) -> Iterator[None]:
    """One start of this user at a time, from looking for a free port until somebody listens on it: else two would find
    the same one free. `go_on` waits a moment and says whether to wait on; if not, we go out of turn."""
    with (Path(tempfile.gettempdir()) / f"oms-ports-{os.geteuid()}.lock").open("a") as lock:
        taken = False
        while not taken:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                taken = True
            if not taken and not go_on():
                break
        yield


def sandbox_port(where: Places) -> int:
    """The port of the last start, else the next free one; the demo shops follow a move (`oms.runtime.prepare`)."""
    kept = where.data / "sandbox.port"
    last = int(kept.read_text()) if kept.exists() else SANDBOX_PORT
    for port in (last, *range(SANDBOX_PORT, SANDBOX_PORT + 100)):
        with contextlib.suppress(OSError):
            _bind("127.0.0.1", port)
            kept.write_text(str(port))
            return port
    raise Problem("サンドボックス用の空きポートがありません。", "No free port for the sandbox.")
