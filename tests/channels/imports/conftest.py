import pytest

from channels.services import shops
from tests.channels.builders import make_connection
from tests.channels.imports.mall import Mall, ago


@pytest.fixture
def mall(monkeypatch):
    mall = Mall()
    monkeypatch.setattr(shops, "connector_of", lambda connection: mall)
    return mall


@pytest.fixture
def connection(db):
    """A shop that imported ten minutes ago."""
    return make_connection(cursor=ago(minutes=10), last_import_at=ago(minutes=10))
