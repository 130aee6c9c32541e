"""Pins, image, compose file and make targets agree with the code they name."""

import re
import subprocess

import polib
import pytest
import yaml
from packaging.requirements import Requirement

from bench.__main__ import table
from bench.row import Row
from oms import schedule
from oms.runtime import install, messages, obstacles
from oms.runtime.places import BASE_DIR, Places
from oms.runtime.problem import Problem

PINS = [line for line in (BASE_DIR / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]


def test_every_dependency_is_pinned_exactly_and_no_index_is_named():
    assert all(re.fullmatch(r"[\w.\[\]-]+==[\w.+!]+", pin) for pin in PINS)
    pinned = {re.sub(r"[-_.]+", "-", pin.split("==")[0]).lower(): pin.split("==")[1] for pin in PINS}
    for wanted in map(Requirement, install.requirements(["local", "dev"])):
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        assert name in pinned, f"{name} is not pinned"
        assert pinned[name] in wanted.specifier, f"{name} {pinned[name]} is outside {wanted.specifier}"


def test_compose_uses_roles_that_the_image_has():
    services = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())["services"]
    assert {"web", "beat", "migrate", "postgres", "redis"} <= set(services)
    roles = set(re.findall(r"^([a-z]+)\)$", (BASE_DIR / "oms/runtime/container.sh").read_text(), re.MULTILINE))
    ours = {name: service for name, service in services.items() if "build" in service}
    assert {service["command"][0] for service in ours.values()} <= roles
    queues = [q for s in ours.values() if s["command"][0] == "worker" for q in s["command"][1].split(",")]
    assert sorted(queues) == sorted(schedule.QUEUES), "every queue has exactly one kind of worker"
    assert all("migrate" in s["depends_on"] for name, s in ours.items() if name != "migrate")


def test_compose_variables_are_in_the_example():
    example = (BASE_DIR / ".env.example").read_text()
    wanted = set(re.findall(r"\$\{(\w+):\?", (BASE_DIR / "docker-compose.yml").read_text()))
    assert wanted and all(f"\n{name}=" in example for name in wanted)


def test_the_image_copies_only_what_exists_and_runs_as_nobody_special():
    text = (BASE_DIR / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        assert all((BASE_DIR / path).exists() for path in line.split()), line
    assert re.search(r"^USER oms$", text, re.MULTILINE)
    entry = re.search(r'ENTRYPOINT \["/app/(.+)"\]', text)
    assert entry and (BASE_DIR / entry[1]).stat().st_mode & 0o111


@pytest.mark.parametrize(
    "script", ["oms/runtime/bootstrap.sh", "oms/runtime/chromium.sh", "oms/runtime/container.sh", ".ci/run"]
)
def test_shell_scripts_parse(script):
    subprocess.run(["sh", "-n", str(BASE_DIR / script)], check=True)


def test_a_missing_python_is_said_plainly(tmp_path):
    for tool in ("dirname", "sh"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    (tmp_path / "python3").write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    (tmp_path / "python3").chmod(0o755)
    asked = ["/bin/sh", str(BASE_DIR / "oms/runtime/bootstrap.sh")]
    done = subprocess.run(asked, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Python 3.11 以上が必要です" in done.stderr and "Python 3.9.2" in done.stderr and "needed" in done.stderr


def test_a_full_disk_is_said_plainly(tmp_path, monkeypatch):
    monkeypatch.setattr(obstacles, "NEEDED_MB", 10**9)
    with pytest.raises(Problem, match="空き容量が足りません"):
        obstacles.check_disk(Places(tmp_path))
    monkeypatch.setattr(install, "NEEDED_MB", 10**9)
    with pytest.raises(install.Refused, match="No disk space"):
        install.check_disk()


def test_a_missing_venv_module_and_a_failed_install_are_said_plainly(monkeypatch, tmp_path):
    monkeypatch.setattr(install, "run_quietly", lambda _command: False)
    with pytest.raises(install.Refused, match=r"apt-get install python3\.\d+-venv"):
        install.make_venv()
    monkeypatch.setattr(install, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(install, "make_venv", lambda: None)
    monkeypatch.setattr(install, "run_pip", lambda _wanted: "ERROR: No matching distribution found for Django")
    with pytest.raises(install.Refused, match=r"No matching distribution(.|\n)*could not be installed"):
        install.install(["local"])


def test_catalogues_compile_without_gettext(tmp_path):
    folder = tmp_path / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    catalogue = polib.POFile()
    catalogue.append(polib.POEntry(msgid="受注一覧", msgstr="Orders"))
    catalogue.save(str(folder / "django.po"))
    assert messages.compile_all(tmp_path) == [folder / "django.mo"]
    assert polib.mofile(str(folder / "django.mo"))[0].msgstr == "Orders"
    assert messages.compile_all(tmp_path) == [], "nothing changed, nothing to do"


def test_the_benchmark_table_judges_rates_and_durations():
    rate = Row("intake", 900, "orders/s", 10_000, 0.09, must=0.04, target=0.10)
    slow = Row("desk", 30, "ms", 10, 3.0, must=2.0, target=1.3, lower_is_better=True)
    free = Row("memory", 90, "MB", 100, 0.9, must=0, target=0)
    assert (rate.verdict, slow.verdict, free.verdict) == ("ok", "BELOW", "")
    head, *lines = table([rate, slow, free]).splitlines()
    assert head.startswith("measure") and len(lines) == 3
    assert "≥ 0.04" in lines[0] and "≤ 2" in lines[1]


def test_scheduled_tasks_exist():
    from oms.celery import app  # noqa: PLC0415

    app.loader.import_default_modules()
    assert {entry["task"] for entry in schedule.BEAT_SCHEDULE.values()} <= set(app.tasks)
