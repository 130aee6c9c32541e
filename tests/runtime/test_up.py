"""`manage.py up` as a person meets it: start, use, Ctrl-C, start again."""

import io
import json
import signal
import socket
import urllib.request

import pytest

from oms.runtime import obstacles, up
from oms.runtime.places import Places
from tests.runtime.conftest import Installation, eventually

READY_S = 90


def test_up_serves_refuses_a_twin_and_keeps_its_data_over_a_kill(installation, free_port):
    first = start(installation, free_port)
    account = (installation.data / "accounts.txt").read_text()
    checks = json.loads(ask(free_port, "healthz"))["checks"]
    assert {"database", "redis", "beat", "worker:intake", "worker:default"} <= set(checks)
    assert "oms_silence_seconds" in ask(free_port, "metrics")
    assert "admin" in account and account in installation.console()

    while_up = installation.manage("shell", "-v0", "-c", COUNT_USERS)
    assert while_up.stdout.strip() == "1", while_up.stderr
    assert ask(free_port, "healthz"), "a command that ends must not stop servers that others use"

    twin = installation.manage("up", "--port", str(free_port + 1))
    assert twin.returncode == 1
    assert "すでに起動しています" in twin.stderr and f":{free_port}/" in twin.stderr
    assert "running already" in twin.stderr

    first.kill()
    assert eventually(lambda: not installation.processes(), 40), installation.processes()

    again = start(installation, free_port)
    assert (installation.data / "accounts.txt").read_text() == account
    again.send_signal(signal.SIGINT)
    assert again.wait(40) == 0
    assert eventually(lambda: not installation.processes(), 5), installation.processes()
    assert "停止しました" in installation.console()


def test_a_lost_sandbox_port_is_replaced_and_else_kept(tmp_path):
    where = Places(tmp_path)
    port = obstacles.sandbox_port(where)
    assert obstacles.sandbox_port(where) == port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        moved = obstacles.sandbox_port(where)
    assert moved != port and obstacles.sandbox_port(where) == moved


def test_two_starts_at_once_never_find_the_same_port_free(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with obstacles.choosing_port(lambda: pytest.fail("nobody else is choosing")):
        asked = []
        with obstacles.choosing_port(lambda: len(asked) < 3 and asked.append("waited") is None):
            assert asked == ["waited"] * 3  # and then it was told to stop waiting
    with obstacles.choosing_port(lambda: pytest.fail("the turn was not given back")):
        assert obstacles.sandbox_port(Places(tmp_path))


def test_a_closed_console_stops_nobody(monkeypatch):
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Closed())
    with up.step("first"):
        up.say("second")


def test_a_port_in_use_is_said_before_anything_starts(installation, free_port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        refused = installation.manage("up", "--port", str(free_port))
    assert refused.returncode == 1
    assert f"ポート {free_port}" in refused.stderr and f"PORT={free_port + 1}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not installation.processes()


COUNT_USERS = "from oms.kernel.models import User; print(User.objects.count())"


def start(installation: Installation, port: int):
    process = installation.up("--port", str(port), "--empty", "--no-sandbox")
    told = installation.console().count("止めるには")
    assert eventually(lambda: installation.console().count("止めるには") > told or process.poll() is not None, READY_S)
    assert process.poll() is None, installation.console()
    return process


def ask(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
        return answer.read().decode()
