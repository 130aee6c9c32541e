"""How many processes this machine carries."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import psutil

GIB = 2**30


@dataclass(frozen=True)
class Capacity:
    web_workers: int
    web_threads: int
    processes_per_worker: int


def capacity() -> Capacity:
    return fit(memory_bytes(), os.cpu_count() or 1)


def fit(memory: int, cores: int) -> Capacity:
    """About 100 MB a Python process, of which a worker's own processes share half with their parent."""
    if memory < 3 * GIB:
        return Capacity(web_workers=1, web_threads=4, processes_per_worker=1)
    return Capacity(web_workers=min(4, max(2, cores // 2)), web_threads=4, processes_per_worker=2)


def memory_bytes() -> int:
    """The machine's memory, or the container's limit where that is less."""
    memory = psutil.virtual_memory().total
    with contextlib.suppress(OSError, ValueError):
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return memory
