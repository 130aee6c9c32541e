"""`manage.py up`: everything on one machine: servers, tables, demo company, sandbox, web, workers, beat.

Runs without Django, so that it says at once what is in the way, and stays small while it waits.
"""

import argparse
import contextlib
import http.client
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from oms.runtime import embedded, messages, obstacles, postgres, redis_server
from oms.runtime.capacity import Capacity, capacity
from oms.runtime.places import BASE_DIR, Places, make_folders, places
from oms.runtime.problem import Problem
from oms.runtime.supervisor import Child, ChildFailed, Supervisor
from oms.schedule import QUEUES

READY_S = 180
SANDBOX_RATE = "4"  # orders a minute: enough to watch, slow enough to work on


@dataclass(frozen=True)
class Wish:
    """What the command line asked for."""

    host: str
    port: int
    data: Path | None
    sandbox: bool
    empty: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8000, help="web address's port (8000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets other machines in")
    parser.add_argument("--data", type=Path, default=None, help="data folder (OMS_DATA, else var/)")
    parser.add_argument("--no-sandbox", action="store_true", help="do not start the marketplaces' sandbox")
    parser.add_argument("--empty", action="store_true", help="do not load the demo company")


def main(arguments: list[str]) -> int:
    """The exit status: 0 after a wanted stop, 1 with a message otherwise."""
    parser = argparse.ArgumentParser(prog="manage.py up", description="起動 / start everything")
    add_arguments(parser)
    given = parser.parse_args(arguments)
    wish = Wish(given.host, given.port, given.data, sandbox=not given.no_sandbox, empty=given.empty)
    try:
        return _up(wish)
    except Problem as problem:
        print(f"\n起動できません / cannot start\n{problem}", file=sys.stderr, flush=True)
        return 1


def _up(wish: Wish) -> int:
    if wish.data is not None:
        os.environ["OMS_DATA"] = str(wish.data.resolve())
    where = places()
    make_folders(where)
    with obstacles.only_one(where, address(wish)):
        obstacles.check_disk(where)
        obstacles.check_port(wish.host, wish.port)
        supervisor = Supervisor(say)
        supervisor.listen()
        try:
            _start(supervisor, where, wish)
            while supervisor.pause():
                supervisor.keep()
        except ChildFailed as failed:
            raise _hopeless(failed.name, where) from failed
        finally:
            _stop(supervisor, where)
    return 0


def _start(supervisor: Supervisor, where: Places, wish: Wish) -> None:
    started = time.monotonic()
    say(f"受注デスクを起動しています(データ: {where.data})")
    with step("データベース(PostgreSQL)と Redis を起動"):
        embedded.use(where)
    environment = _environment(where)
    with step("翻訳を準備"):
        messages.compile_all()
    if wish.sandbox and _has_command("sandbox"):
        _start_sandbox(supervisor, where, environment)
    if not _prepare(supervisor, where, wish, environment):
        return
    with step("画面・ワーカー・スケジューラを起動"):
        for child in _children(where, wish, environment, capacity()):
            supervisor.add(child)
        supervisor.wait_until(lambda: health(wish.port) is not None, READY_S)
        supervisor.wait_until(lambda: health(wish.port) == {}, 30)
    if not supervisor.stopping:
        _welcome(where, wish, time.monotonic() - started)


def _start_sandbox(supervisor: Supervisor, where: Places, environment: dict[str, str]) -> None:
    """Its world is kept over restarts; what it says when ready goes into `sandbox.json` for `demo_company`."""
    with obstacles.choosing_port(supervisor.pause):
        port = obstacles.sandbox_port(where)
        command = [*_manage("sandbox"), "--port", str(port), "--state", str(where.sandbox_world)]
        child = _child("sandbox", where, environment, [*command, "--rate", SANDBOX_RATE])
        began_at = child.log.stat().st_size if child.log.exists() else 0
        where.sandbox_addresses.unlink(missing_ok=True)
        with step(f"モールのサンドボックスを起動(ポート {port})"):
            supervisor.add(child)
            supervisor.wait_until(lambda: _read_addresses(child.log, began_at, where.sandbox_addresses), READY_S)
    environment["OMS_SANDBOX"] = str(where.sandbox_addresses)


def _read_addresses(log: Path, began_at: int, into: Path) -> bool:
    """Find the JSON line that the sandbox prints when it is ready."""
    with log.open("rb") as output:
        output.seek(began_at)
        ready = [line for line in output.read().splitlines() if line.startswith(b'{"')]
    if ready:
        into.write_bytes(ready[0] + b"\n")
    return bool(ready)


def _prepare(supervisor: Supervisor, where: Places, wish: Wish, environment: dict[str, str]) -> bool:
    """Tables, demo company and accounts, in a process of its own. False when stopped meanwhile."""
    command = [sys.executable, "-m", "oms.runtime.prepare", *(["--empty"] if wish.empty else [])]
    status = supervisor.run(command, environment)
    if status > 0:
        raise Problem(
            "データベースの準備に失敗しました。上の表示を確かめてください。",
            "Preparing the database failed; see above.",
        )
    return status == 0


def _children(where: Places, wish: Wish, environment: dict[str, str], room: Capacity) -> Iterator[Child]:
    web = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", wish.host, "--port", str(wish.port)),
        *("--workers", str(room.web_workers), "--blocking-threads", str(room.web_threads), "--no-ws"),
        *("--respawn-failed-workers", "--workers-kill-timeout", "8", "oms.wsgi:application"),
    ]
    counted = where.data / "metrics"
    shutil.rmtree(counted, ignore_errors=True)
    counted.mkdir()
    yield _child("web", where, {**environment, "PROMETHEUS_MULTIPROC_DIR": str(counted)}, web)
    celery = [sys.executable, "-m", "celery", "-A", "oms.celery"]
    for queue in QUEUES:
        worker = ["worker", "-n", f"{queue}@%h", "-Q", queue, "-c", str(room.processes_per_worker)]
        quiet = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        yield _child(f"worker-{queue}", where, environment, [*celery, *worker, *quiet])
    yield _child("beat", where, environment, [*celery, "beat", "--pidfile=", "--loglevel", "INFO"])


def _child(name: str, where: Places, environment: dict[str, str], command: list[str]) -> Child:
    return Child(name, command, where.log / f"{name}.log", environment)


def _manage(command: str) -> list[str]:
    return [sys.executable, str(BASE_DIR / "manage.py"), command]


def _environment(where: Places) -> dict[str, str]:
    """What the children get: the servers' addresses, so that none of them starts or stops a server itself."""
    return {
        "OMS_DATA": str(where.data),
        "DATABASE_URL": os.environ.get("DATABASE_URL") or postgres.url(where),
        "REDIS_URL": os.environ.get("REDIS_URL") or redis_server.url(where),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(BASE_DIR),
    }


def _stop(supervisor: Supervisor, where: Places) -> None:
    say("停止しています…")
    supervisor.stop()
    embedded.leave(where)
    say("停止しました。データは残っています。")


def _has_command(name: str) -> bool:
    return any(BASE_DIR.glob(f"*/management/commands/{name}.py"))


def health(port: int) -> dict[str, str] | None:
    """What /healthz finds wrong: part → reason, empty when all is well; None while there is no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        checks = json.loads(connection.getresponse().read())["checks"]
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return None
    finally:
        connection.close()
    return {part: check["reason"] for part, check in checks.items() if not check["ok"]}


def _welcome(where: Places, wish: Wish, seconds: float) -> None:
    for part, reason in (health(wish.port) or {}).items():
        say(f"  注意: {part}: {reason}")
    say(f"\n起動しました({seconds:.0f} 秒)。ブラウザーで開いてください → {address(wish)}\n")
    accounts = where.data / "accounts.txt"
    if accounts.exists():
        say(accounts.read_text())
    say(f"止めるには Ctrl-C。記録: {where.log}")


def _hopeless(name: str, where: Places) -> Problem:
    log = where.log / f"{name}.log"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    return Problem(
        f"{name} が何度も止まるため、全体を停止しました。記録: {log}\n{tail}",
        f"{name} keeps dying; everything was stopped.",
    )


def address(wish: Wish) -> str:
    return f"http://{'localhost' if wish.host in {'127.0.0.1', '0.0.0.0'} else wish.host}:{wish.port}/"


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Name the step when it begins, its seconds when it is done."""
    say(f"  {what}…", end="")
    began = time.monotonic()
    try:
        yield
    except BaseException:
        say("")
        raise
    say(f" {time.monotonic() - began:.1f} 秒")


def say(text: str, end: str = "\n") -> None:
    """To the console, while there is one: a closed terminal must not keep us from stopping what we started."""
    try:
        print(text, end=end, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - for the rest of our life
