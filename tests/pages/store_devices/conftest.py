"""A store, somebody who works there, and its tablet."""

from types import SimpleNamespace

import pytest

from oms.kernel.services import pin_sessions
from tests.pages.store_devices.builders import make_store, tablet_of, works_at

TABLET = "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Version/18.0 Mobile/1 Safari/604.1"


@pytest.fixture
def store(db):
    return make_store()


@pytest.fixture
def mio(store):
    return works_at(store, "mio", "美緒 みお")


@pytest.fixture
def tablet(store, aoi):
    return tablet_of(store, aoi, headers={"User-Agent": TABLET})


@pytest.fixture
def moment(monkeypatch):
    """`moment(60)`: so many seconds later, for sessions."""
    now = [pin_sessions.time.time()]
    monkeypatch.setattr(pin_sessions, "time", SimpleNamespace(time=lambda: now[0]))

    def move(seconds: float) -> None:
        now[0] += seconds

    return move
