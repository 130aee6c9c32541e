"""The stage a demo day plays on: a database of its own, a sandbox and a web server as processes, one clock for all."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import requests
from psycopg import sql

BASE_DIR = Path(__file__).resolve().parents[3]
PATIENCE_S = 90


@dataclass(frozen=True)
class Stage:
    """Where everything listens."""

    sandbox: dict[str, Any]  # channel → base_url, auth_url, credentials
    control: str  # the sandbox's control door
    web: str


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """A fresh database on the same server; its URL. Dropped at the end, whoever is still connected."""
    name = f"demo_day_{os.getpid()}_{secrets.token_hex(3)}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield with_database(url, name)
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@contextmanager
def sandbox(seed: int, environment: dict[str, str]) -> Iterator[tuple[dict[str, Any], str]]:
    """The five marketplaces; yields their addresses and the control door's URL."""
    port = free_port()
    command = [sys.executable, "-m", "channels.sandbox", "--port", str(port), "--seed", str(seed)]
    with child(command, environment, stdout=subprocess.PIPE) as process:
        line = process.stdout.readline() if process.stdout else b""
        if not line.startswith(b"{"):
            raise RuntimeError("the sandbox did not start")
        yield json.loads(line), f"http://127.0.0.1:{port}/_sandbox"


@contextmanager
def web_server(environment: dict[str, str]) -> Iterator[str]:
    """The product's own web server; yields its address when it answers."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "warning", "oms.wsgi:application"),
    ]
    with child(command, environment, stdout=subprocess.DEVNULL):
        address = f"http://127.0.0.1:{port}"
        wait_until_answers(address)
        yield address


def wait_until_answers(address: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            requests.get(f"{address}/login/", timeout=5)
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the web server did not start")


@contextmanager
def child(command: list[str], environment: dict[str, str], *, stdout: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=BASE_DIR, env=environment, stdout=stdout, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
