"""The supervisor restarts what dies, gives up on what cannot live, and leaves nobody behind."""

import sys

import psutil
import pytest

from oms.runtime import supervisor
from oms.runtime.capacity import GIB, fit
from oms.runtime.supervisor import Child, ChildFailed, Supervisor
from tests.runtime.conftest import eventually

FAMILY = """
import subprocess, sys, time
stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
print(subprocess.Popen([sys.executable, "-c", stubborn]).pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def keeper():
    told: list[str] = []
    made = Supervisor(told.append)
    made.told = told
    yield made
    made.stop()


def test_a_dead_child_is_restarted_and_it_is_said(keeper, tmp_path):
    child = Child("web", [sys.executable, "-c", "import time; time.sleep(600)"], tmp_path / "web.log")
    keeper.add(child)
    first = child.process.pid
    child.process.kill()
    assert keeper.wait_until(lambda: child.is_up() and child.process.pid != first, 20)
    assert "web" in keeper.told[0]


def test_a_child_that_cannot_live_ends_the_whole(keeper, tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "QUICK_DEATHS", 2)
    keeper.add(Child("beat", [sys.executable, "-c", "print('no broker'); raise SystemExit(3)"], tmp_path / "beat.log"))
    with pytest.raises(ChildFailed, match="beat"):
        keeper.wait_until(lambda: False, 30)
    assert "no broker" in (tmp_path / "beat.log").read_text()


def test_stopping_ends_grandchildren_that_ignore_it(keeper, tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "PATIENCE_S", 2)
    child = Child("worker", [sys.executable, "-c", FAMILY], tmp_path / "worker.log")
    keeper.add(child)
    assert eventually(lambda: (tmp_path / "worker.log").read_text().strip() != "")
    grandchild = psutil.Process(int((tmp_path / "worker.log").read_text()))
    keeper.stop()
    assert eventually(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE, 5)


def test_a_grown_log_keeps_one_older_part(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "LOG_LIMIT", 10)
    log = tmp_path / "web.log"
    log.write_text("old old old old")
    child = Child("web", [sys.executable, "-c", "print('new')"], log)
    child.start()
    child.process.wait(20)
    assert log.read_text() == "new\n" and (tmp_path / "web.log.1").read_text() == "old old old old"


def test_a_small_machine_gets_fewer_processes():
    small, large = fit(2 * GIB, 2), fit(16 * GIB, 8)
    assert small.web_workers == 1 and small.processes_per_worker == 1
    assert large.web_workers == 4 and large.processes_per_worker == 2
