"""Ending processes that are not our children, and knowing when they are gone."""

import contextlib
import time

import psutil


def wait_gone(process: psutil.Process, timeout_s: float) -> bool:
    """True once the process is gone. A zombie is gone: in a container nobody may ever collect it."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if is_gone(process):
            return True
        time.sleep(0.02)
    return is_gone(process)


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def end(process: psutil.Process, *, patience_s: float = 5) -> None:
    """Ask it to end, then make it end."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        if not wait_gone(process, patience_s):
            process.kill()
            wait_gone(process, patience_s)
