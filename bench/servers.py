"""Processes of the product on a scratch database, started for a measure and ended after it."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil
from django.db import connection

ROOT = Path(__file__).parent.parent
END_S = 15


@contextmanager
def running(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[psutil.Process]:
    """`python -m arguments…` as a child of its own; ended, if need be by force, when the block is left."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        try:
            child.wait(END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(END_S)


def database_url() -> str:
    """Where the default connection points to now, for another process."""
    place = connection.settings_dict
    user = quote(place["USER"]) + (f":{quote(place['PASSWORD'])}" if place["PASSWORD"] else "")
    query = urlencode({"host": place["HOST"], "port": place["PORT"]})
    return f"postgresql://{user}@/{quote(place['NAME'])}?{query}"


def megabytes(process: psutil.Process) -> float:
    return process.memory_info().rss / 2**20
