"""Installations of their own, in temporary data folders, run as real processes."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from oms.runtime.places import BASE_DIR, Places

OURS = ("OMS_", "PYTEST_", "DJANGO_", "DATABASE_URL", "REDIS_URL", "MAKELEVEL", "PROMETHEUS_")


@dataclass
class Installation:
    """One data folder, and the commands that work on it as a person would type them."""

    data: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def places(self) -> Places:
        return Places(self.data)

    def environment(self, **more: str) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return {**clean, "OMS_DATA": str(self.data), **more}

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE_DIR,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def python(self, code: str) -> subprocess.Popen[str]:
        """A process that runs this code; its output is a pipe."""
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=BASE_DIR,
            env=self.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def up(self, *arguments: str) -> subprocess.Popen[str]:
        with (self.data / "console.txt").open("a") as console:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *arguments],
                cwd=BASE_DIR,
                env=self.environment(),
                stdout=console,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.started.append(process)
        return process

    def console(self) -> str:
        return (self.data / "console.txt").read_text()

    def processes(self) -> list[str]:
        """Command lines of everything alive that belongs to this data folder."""
        signs = (str(self.data), str(self.places.sockets))
        return [line for line in map(command_line, psutil.process_iter()) if any(sign in line for sign in signs)]


def command_line(process: psutil.Process) -> str:
    """Command and folder of a live process; "" for zombies and for what ended meanwhile."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
            return ""
        return " ".join([*process.cmdline(), process.environ().get("OMS_DATA", "")])
    except psutil.Error:
        return ""


def eventually(true: Callable[[], bool], timeout_s: float = 20) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.1)
    return true()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "data")
    made.data.mkdir()
    yield made
    for process in made.started:
        if process.poll() is None:
            process.terminate()
            process.wait(30)
    eventually(lambda: not made.processes())


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
