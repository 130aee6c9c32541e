"""What every test may ask for: the cast, a race of threads, a browser."""

import contextlib
import gc
import importlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import CommandError
from django.core.signals import request_finished, request_started
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest
from django.test import Client, TransactionTestCase

from oms.kernel.models import User
from oms.kernel.observability import heartbeat
from oms.kernel.roles import OWN_APPS
from oms.runtime.places import BASE_DIR
from tests.database import Made
from tests.windows import HEIGHT, WIDTH, Windows

# The one without windows costs half; a whole one does as well.
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, CHROMIUMS)), "/usr/bin/chromium")
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--process-per-site",  # the pages of one window share a process, which stays warm from test to test
]
TESTS = Path(__file__).parent
SCREENSHOTS = BASE_DIR / "var" / "screenshots"
RACE_PATIENCE_S = 60
EXPECT_MS = 15_000  # what comes is seen at once; a busy machine takes longer than Playwright's five seconds
LAST_ANSWERS_S = 10
SERVER_THREAD = "process_request_thread"  # each holds a connection to the database until the browser's socket ends
QUIET_S = 0.1
EMPTYINGS = 5


# A busy machine answers later, not wrongly: no example fails for its time.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

# They wait for processes, up to a minute each, and use no database of ours, so that pytest-django would run them last:
# one worker at work, the other with nothing to do.
LONG = (
    "tests/runtime/test_up.py",
    "tests/runtime/test_embedded.py",
    "tests/pages/test_demo_day.py::test_a_small_day_ends_with_clean_books",
)


def pytest_collection(session: pytest.Session) -> None:
    """Each worker of a whole run begins with another part of the modules: what one has compiled, the others read."""
    worker = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args != session.config.getini("testpaths"):
        return
    modules = [".".join(path.relative_to(BASE_DIR).with_suffix("").parts) for path in sorted(TESTS.rglob("test_*.py"))]
    first = len(modules) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
    for module in modules[first:] + modules[:first]:
        with contextlib.suppress(Exception, pytest.skip.Exception):  # collecting tells what is the matter
            importlib.import_module(module)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones come first. Without Chromium the browser tests are skipped and say so; everything else runs."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
    if Path(CHROMIUM).exists():
        return
    absent = pytest.mark.skip(reason="no Chromium: run `make test` as root on Debian, or apt-get install chromium")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(absent)


def pytest_collection_finish() -> None:
    """What is loaded stays: looking through it for garbage again and again costs a thirtieth of the whole run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.fixture(scope="session")
def _made(django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any) -> Made:
    made = Made()
    with django_db_blocker.unblock():
        made.offer()
    return made


@pytest.fixture(scope="session")
def django_db_modify_db_settings(_made: Made) -> None:
    """After the name of the worker's own database, what it is a copy of."""


@pytest.fixture(scope="session")
def django_db_setup(_made: Made, django_db_setup: None, django_db_keepdb: bool, django_db_blocker: Any) -> None:
    if django_db_keepdb:
        _made.leave()  # of an earlier run, with whatever it left there
    with django_db_blocker.unblock():
        _made.keep(connection.settings_dict["NAME"])


# The cast. aoi may do everything, ben may only look, chie is a stranger without any right. The roles' groups are there:
# making a database, and emptying it by Django, writes them.


@pytest.fixture
def aoi(db: None) -> User:
    """May: an administrator, with every right of our own apps."""
    return person("aoi", "青井 あおい", role="administrator")


@pytest.fixture
def ben(db: None) -> User:
    """May look: every `view_` right, nothing else. Masked personal data stays masked."""
    looker = person("ben", "弁田 べん")
    looker.user_permissions.set(
        Permission.objects.filter(content_type__app_label__in=OWN_APPS, codename__startswith="view_").exclude(
            codename="view_personal_data"
        )
    )
    return looker


@pytest.fixture
def chie(db: None) -> User:
    """A stranger: may log in, and that is all."""
    return person("chie", "千絵 ちえ")


@pytest.fixture
def person_with(db: None) -> Callable[[str], User]:
    """`person_with("warehouse")`: somebody who holds exactly this role (names in `oms.kernel.roles`)."""
    return lambda role: person(f"has-{role}", role, role=role)


@pytest.fixture
def client_of(db: None) -> Callable[[User], Client]:
    """`client_of(aoi).get("/orders/")`: a logged-in test client of one's own."""

    def log_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return log_in


def person(username: str, display_name: str, role: str | None = None) -> User:
    user = User.objects.create_user(username=username, password="himitsu-no-kotoba", display_name=display_name)
    if role is not None:
        user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture(scope="module")
def module_rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """For a module's own fixture of scope "module": what it stores is made once, and each test, in a savepoint, finds
    it as it was made. Not beside committing tests; hand out copies of objects, not the objects."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def race(transactional_db: None) -> Callable[[int, Callable[..., Any]], list[Any]]:
    """`race(32, fn)`: calls `fn` in so many threads at the same moment, each with its own database connection.

    Returns what each call returned, or the exception it raised. A function with a parameter gets its number (0…n-1).
    """
    return run_race


def run_race(n: int, fn: Callable[..., Any]) -> list[Any]:
    outcomes: list[Any] = [TimeoutError("this thread did not finish")] * n
    start = threading.Barrier(n)
    takes_number = fn.__code__.co_argcount > 0 if hasattr(fn, "__code__") else False

    def run(number: int) -> None:
        try:
            connection.ensure_connection()
            start.wait(RACE_PATIENCE_S)
            outcomes[number] = fn(number) if takes_number else fn()
        except Exception as error:  # every outcome is an answer; the test decides which it accepts
            outcomes[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(RACE_PATIENCE_S)
    return outcomes


# The browser. One Chromium per pytest process; each person of a test has a window of their own, emptied for the next.


@pytest.fixture(scope="session")
def browser(django_db_setup: None, live_server: Any) -> Iterator[Any]:
    """Ends before the database of the tests does, and the server's connections to it with it."""
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - 0.3 s, for browser tests only

    expect.set_options(timeout=EXPECT_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()
        wait_until(lambda: not any(SERVER_THREAD in one.name for one in threading.enumerate()))


@pytest.fixture(scope="session")
def _files_stay() -> Iterator[None]:
    """A window keeps styles, scripts and pictures, as from an installed product, and asks for none with every page."""
    serve = StaticFilesHandler.serve

    def kept(handler: StaticFilesHandler, request: HttpRequest) -> Any:
        answer = serve(handler, request)
        answer["Cache-Control"] = "max-age=3600"
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(StaticFilesHandler, "serve", kept)
        yield


@pytest.fixture(scope="session")
def windows(browser: Any, live_server: Any, _files_stay: None) -> Windows:
    return Windows(browser, live_server.url)


@pytest.fixture
def page_as(windows: Windows, live_server: Any) -> Iterator[Callable[..., Any]]:
    """`page_as(user)`: a page on which this person is logged in; `page_as(None)`: nobody is.

    Relative addresses work: `page.goto("/orders/")`. A JavaScript error or a failed answer (5xx) fails the test.
    """
    complaints: list[str] = []

    def open_page(user: User | None, *, width: int = WIDTH, height: int = HEIGHT, language: str = "ja") -> Any:
        cookies = [cookie(live_server.url, settings.LANGUAGE_COOKIE_NAME, language)]
        if user is not None:
            cookies.append(cookie(live_server.url, settings.SESSION_COOKIE_NAME, session_of(user)))
        page = windows.page(cookies, width=width, height=height)
        page.on("pageerror", lambda error: complaints.append(f"JavaScript: {error}"))
        page.on("response", lambda answer: answer.status >= 500 and complaints.append(f"{answer.status} {answer.url}"))
        return page

    yield open_page
    windows.give_back()
    wait_for_the_last_answers()
    assert not complaints, "\n".join(complaints)


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LAST_ANSWERS_S
    while time.monotonic() < end and not true():
        time.sleep(0.02)


def wait_for_the_last_answers() -> None:
    """A page asks on its own (health strip, live rows); an answer under way would cross the emptying of tables."""
    end = time.monotonic() + LAST_ANSWERS_S
    quiet_since = time.monotonic()
    while time.monotonic() < end and time.monotonic() - quiet_since < QUIET_S:
        if _answering:
            quiet_since = time.monotonic()
        time.sleep(0.01)


_answering: set[int] = set()  # threads of the live server that are at work on an answer
request_started.connect(lambda **_: _answering.add(threading.get_ident()), weak=False)
request_finished.connect(lambda **_: _answering.discard(threading.get_ident()), weak=False)


@pytest.fixture(scope="session", autouse=True)
def _quick_and_patient_emptying() -> None:
    """Emptying the tables after a committing test touches only those that hold rows, and leaves the permissions alone.

    Django would truncate every table and write all permissions again, half a second each time. It gives way to a
    request that came last of all, and tries again.
    """
    empty = TransactionTestCase._fixture_teardown
    kept: dict[str, object] = {}

    def patiently(case: TransactionTestCase) -> None:
        if kept and kept == _fingerprint_of_rights() and _delete_rows():
            return None
        for _ in range(EMPTYINGS - 1):
            try:
                empty(case)
            except CommandError:
                time.sleep(QUIET_S)
            else:
                kept.update(_fingerprint_of_rights())
                return None
        empty(case)
        kept.update(_fingerprint_of_rights())
        return None

    TransactionTestCase._fixture_teardown = patiently  # type: ignore[method-assign]


RIGHTS = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")


def _fingerprint_of_rights() -> dict[str, object]:
    with connection.cursor() as cursor:
        found: dict[str, object] = {}
        for table in RIGHTS:
            cursor.execute(f"SELECT count(*), sum(hashtext(t::text)::bigint) FROM {table} t")
            found[table] = cursor.fetchone()
    return found


def _delete_rows() -> bool:
    """Whether it went through; not when somebody still holds a lock on a row or a table."""
    tables = [name for name in connection.introspection.django_table_names(only_existing=True) if name not in RIGHTS]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '2s'")
            cursor.execute(" UNION ALL ".join(f"SELECT '{t}' WHERE EXISTS (SELECT FROM {t})" for t in tables))
            for (table,) in cursor.fetchall():
                cursor.execute(f"DELETE FROM {table}")
    except OperationalError:
        return False
    return True


@pytest.fixture
def browser_page(page_as: Callable[..., Any], aoi: User) -> Any:
    """A page on which aoi is logged in."""
    return page_as(aoi)


@pytest.fixture
def screenshot(request: pytest.FixtureRequest) -> Callable[..., Path]:
    """`screenshot(page, "desk")` writes var/screenshots/desk.png and returns its path."""

    def take(page: Any, name: str, *, full_page: bool = False) -> Path:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        page.screenshot(path=str(path), full_page=full_page)
        return path

    return take


def cookie(url: str, name: str, value: str) -> Any:
    return {"name": name, "value": value, "url": url}


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture(autouse=True)
def _own_ground() -> None:
    """Nobody's data, and no rate limit or token that an earlier test left in this process's Redis database."""
    assert os.environ["OMS_DATA"] != str(BASE_DIR / "var"), "a test must not write into the checkout's own data"
    heartbeat.client().flushdb()
