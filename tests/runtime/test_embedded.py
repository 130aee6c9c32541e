"""The embedded servers: started by the first, shared by all, stopped by the last, whatever kills whom."""

import os
import signal
import stat
from pathlib import Path

import psutil

from oms.runtime import postgres, redis_server
from oms.runtime.places import Places
from tests.runtime.conftest import Installation, eventually

USE = """
import psycopg, redis
from oms.runtime import embedded
url, cache = embedded.database_url(), embedded.redis_url()
with psycopg.connect(url, autocommit=True) as connection:
    connection.execute("SELECT pg_advisory_lock(1)")
    connection.execute("CREATE TABLE IF NOT EXISTS visits (n int)")
    connection.execute("INSERT INTO visits VALUES (1)")
    visits = connection.execute("SELECT count(*) FROM visits").fetchone()[0]
print(visits, redis.Redis.from_url(cache).ping(), flush=True)
"""
USE_AND_STAY = USE + "import time; time.sleep(600)"


def test_a_command_that_started_the_servers_stops_them(installation):
    answer, _ = installation.python(USE).communicate(timeout=60)
    assert answer == "1 True\n"
    assert not postgres.running(installation.places) and not redis_server.answers(installation.places)
    assert eventually(lambda: not installation.processes()), "their watcher ends by itself, a moment later"
    assert installation.python(USE).communicate(timeout=60)[0] == "2 True\n", "data survive the stop"


def test_servers_stay_while_another_process_uses_them_and_open_to_nobody_else(installation):
    stays = installation.python(USE_AND_STAY)
    assert stays.stdout is not None and stays.stdout.readline() == "1 True\n"
    for private in (installation.places.postgres_socket, installation.places.redis_socket):
        assert stat.S_IMODE(private.stat().st_mode) & 0o077 == 0
    assert installation.python(USE).communicate(timeout=60)[0] == "2 True\n"
    assert postgres.running(installation.places) and redis_server.answers(installation.places)


def test_many_that_start_at_once_share_one_server(installation):
    together = [installation.python(USE) for _ in range(4)]
    answers = sorted(process.communicate(timeout=90)[0] for process in together)
    assert all(answer.endswith("True\n") for answer in answers), answers
    assert installation.python(USE).communicate(timeout=60)[0] == "5 True\n"


def test_killed_servers_start_again_and_a_killed_user_leaves_none_behind(installation):
    stays = installation.python(USE_AND_STAY)
    assert stays.stdout is not None and stays.stdout.readline() == "1 True\n"
    kill_servers(installation)
    assert installation.python(USE).communicate(timeout=90)[0] == "2 True\n"
    stays.kill()
    stays.wait()
    assert eventually(lambda: not installation.processes()), installation.processes()


def test_a_pid_file_that_names_a_stranger_is_not_believed(installation):
    assert installation.python(USE).communicate(timeout=60)[0] == "1 True\n"
    lines = [str(os.getpid()), str(installation.places.postgres), "1", "5432", "/nowhere", "", "0 0", "ready"]
    pid_file = installation.places.postgres / "postmaster.pid"
    pid_file.write_text("\n".join(lines) + "\n")
    assert postgres.running(installation.places) is None
    assert installation.python(USE).communicate(timeout=90)[0] == "2 True\n"
    assert psutil.pid_exists(os.getpid())


def test_a_long_data_folder_still_has_short_sockets(tmp_path):
    deep = Installation(tmp_path / ("very-long-folder-name-" * 5) / ("and-another-" * 8) / "データ")
    deep.data.mkdir(parents=True)
    assert deep.python(USE).communicate(timeout=60)[0] == "1 True\n"
    assert len(str(deep.places.postgres_socket / ".s.PGSQL.5432").encode()) < 100


def test_two_folders_never_share_a_socket():
    assert Places(Path("/srv/one")).sockets != Places(Path("/srv/two")).sockets


def kill_servers(installation: Installation) -> None:
    server = postgres.running(installation.places)
    assert server is not None
    redis_pid = int((installation.data / "redis.pid").read_text())
    for pid in (server.pid, redis_pid):
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: postgres.running(installation.places) is None)
