"""Keeps a handful of child processes alive, and leaves none behind.

Each child leads a process group of its own, so that Ctrl-C reaches only the supervisor, and a whole family can be ended
at once. On Linux the kernel also tells the children when the supervisor itself is killed.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

TICK_S = 0.1
PATIENCE_S = 12
QUICK_DEATH_S = 20
QUICK_DEATHS = 5
LOG_LIMIT = 20 * 2**20
PR_SET_PDEATHSIG = 1


class ChildFailed(Exception):
    """A child does not stay up. `name` says which; its log file tells why."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass
class Child:
    """One process to keep. Its output goes to `log`; `environment` is added to the supervisor's."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0
    again_at: float = 0
    quick_deaths: int = 0

    def start(self) -> None:
        _trim(self.log)
        with self.log.open("ab") as output:
            self.process = launch(self.command, self.environment, output)
        self.started_at = time.monotonic()

    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def plan_restart(self) -> None:
        """After a death: wait 1, 2, 4 … seconds, longer after each quick one. Raises ChildFailed after too many."""
        lived_s = time.monotonic() - self.started_at
        self.quick_deaths = self.quick_deaths + 1 if lived_s < QUICK_DEATH_S else 1
        if self.quick_deaths >= QUICK_DEATHS:
            raise ChildFailed(self.name)
        self.process = None
        self.again_at = time.monotonic() + 2 ** (self.quick_deaths - 1)


class Supervisor:
    """`stopping` turns true on SIGINT, SIGTERM or SIGHUP; whoever waits here then comes back."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.children: list[Child] = []
        self.stopping = False
        self.tell = tell
        self._make = _InterruptedMake()
        self._trimmed_at = time.monotonic()

    def listen(self) -> None:
        """Take the signals over, also where the shell had them ignored (a job in the background of a script)."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def add(self, child: Child) -> None:
        self.children.append(child)
        child.start()

    def run(self, command: Sequence[str], environment: Mapping[str, str], output: BinaryIO | None = None) -> int:
        """Run one command to its end, as a child that stops with us. Returns its status, -1 when we were stopped."""
        process = launch(command, environment, output)
        while process.poll() is None and self.pause():
            continue
        if process.returncode is None:
            end_groups([process], PATIENCE_S)
            return -1
        return process.returncode

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> bool:
        """Keep the children while waiting; false after the time-out, or when stopped."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.pause():
            self.keep()
            if ready():
                return True
        return False

    def keep(self) -> None:
        """One round: restart what died. Raises ChildFailed when something dies again and again."""
        for child in self.children:
            if child.process is not None and not child.is_up():
                child.plan_restart()
                self.tell(f"{child.name} が止まったため、再起動します(記録: {child.log})")
            elif child.process is None and time.monotonic() >= child.again_at:
                child.start()
        if time.monotonic() - self._trimmed_at > 60:
            self._trimmed_at = time.monotonic()
            for child in self.children:
                _trim(child.log)

    def pause(self) -> bool:
        """Sleep a tick; false when it is time to stop."""
        time.sleep(TICK_S)
        self.stopping = self.stopping or self._make.was_interrupted()
        return not self.stopping

    def stop(self) -> None:
        """End every child with its family: ask, wait, make it."""
        end_groups([child.process for child in self.children if child.process is not None], PATIENCE_S)
        self.children.clear()

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.stopping = True


def launch(
    command: Sequence[str], environment: Mapping[str, str], output: BinaryIO | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that leads its own group and hears of our death. Without `output` it writes to our console."""
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
        preexec_fn=_hear_of_our_death,  # noqa: PLW1509 - the supervisor has one thread
    )


def end_groups(processes: Sequence[subprocess.Popen[bytes]], patience_s: float) -> None:
    for process in processes:
        _signal_group(process, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and any(process.poll() is None for process in processes):
        time.sleep(0.05)
    for process in processes:
        _signal_group(process, signal.SIGKILL)  # also what an ended leader left in its group
        process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _hear_of_our_death() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _trim(log: Path) -> None:
    """Keep one older part of a grown log; the writer goes on in the same file, because it only ever appends."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_LIMIT:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)


class _InterruptedMake:
    """Under `make run`, an interrupt sent to make alone never reaches us: make then just waits for its child.

    But it gives its own handler up before waiting, and that can be seen; so can its death.
    """

    def __init__(self) -> None:
        self.parent = os.getppid()
        self.watching = "MAKELEVEL" in os.environ and self._catches_sigint()

    def was_interrupted(self) -> bool:
        return self.watching and (os.getppid() != self.parent or not self._catches_sigint())

    def _catches_sigint(self) -> bool:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.parent}/status").read_text().splitlines():
                if line.startswith("SigCgt:"):
                    return bool(int(line.split()[1], 16) & 1 << (signal.SIGINT - 1))
        return False
