import pytest

from channels.connectors.contract import ChannelError
from channels.services import shops
from tests.channels.builders import make_connection


@pytest.fixture
def connection():
    return make_connection()


@pytest.fixture
def as_aoi(client_of, aoi):
    return client_of(aoi)


@pytest.fixture
def sent_later(monkeypatch):
    """Tasks that a view wants to run later, as (name, *ids)."""
    sent = []
    for place in ("channels.views.shops", "channels.views.listings", "channels.views.quarantine"):
        monkeypatch.setattr(f"{place}.later", lambda *what: sent.append(what))
    return sent


class Channel:
    """A channel that answers as told."""

    def __init__(self):
        self.seen = "店舗「くらし」に接続しました。"
        self.refuses: ChannelError | None = None

    def check(self):
        if self.refuses:
            raise self.refuses
        return self.seen


@pytest.fixture
def channel(monkeypatch):
    answering = Channel()
    monkeypatch.setattr(shops, "connector_of", lambda connection: answering)
    return answering
