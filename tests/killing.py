"""Killing a worker at a chosen line: a forked process with database connections of its own, counted by its trace."""

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

from django.db import OperationalError, connection, connections

KILLED = -signal.SIGKILL


def lines_of(call: Callable[[], object], watched: set[str]) -> int:
    """How many lines of these files `call` runs, counted in a process of its own."""
    reader, writer = os.pipe()
    assert end_of(lambda: os.write(writer, str(traced(call, watched)).encode())) == 0
    os.close(writer)
    with os.fdopen(reader) as answer:
        return int(answer.read())


def traced(call: Callable[[], object], watched: set[str], *, die_at: int = 0) -> int:
    """How many lines of these files `call` runs; at line `die_at` the process is killed."""
    count = 0

    def local(_frame, event, _argument):
        nonlocal count
        count += event == "line"
        if event == "line" and count == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return local

    sys.settrace(lambda frame, _event, _argument: local if frame.f_code.co_filename in watched else None)
    try:
        call()
    finally:
        sys.settrace(None)
    return count


def end_of(call: Callable[[], object]) -> int:
    """How a worker that does this ends: its exit code, or the negative number of the signal that ended it."""
    _pid, status = os.waitpid(forked(call), 0)
    return os.waitstatus_to_exitcode(status)


def forked(call: Callable[[], object]) -> int:
    """A worker process of its own, with database connections of its own."""
    connections.close_all()
    gc.collect()  # what an earlier test left must not be tidied up in the child, over the child's own connection
    child = os.fork()
    if child:
        return child
    gc.disable()
    try:
        connect_for_good()
        call()
    except BaseException:  # the child must never come back into pytest
        traceback.print_exc()
        os._exit(1)
    connections.close_all()
    os._exit(0)


def connect_for_good() -> None:
    """The first connection of a forked process may be cut by what its parent's threads left half closed."""
    for _ in range(5):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                time.sleep(0.02)
                cursor.execute("SELECT 1")
            return
        except OperationalError:
            connections.close_all()
