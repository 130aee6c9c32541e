"""Nobody waits for ever for a slow channel; and the publisher knows how late it is."""

import threading
from datetime import timedelta

import pytest
from django.utils import translation
from django.utils.translation import get_language

from channels.connectors.contract import ChannelDown, CredentialsRefused, StockResult
from channels.services import publish, shops
from channels.services.patience import within
from oms.kernel import clock
from tests.channels.builders import make_connection, make_listing
from tests.orders.builders import make_sku


def test_what_the_call_returns_is_returned():
    assert within(lambda: "seen", 5) == within(lambda: "seen", None) == "seen"


def test_nothing_is_an_answer_too():
    assert within(lambda: None, 5) is None


def test_what_the_call_raises_is_raised():
    def refuse():
        raise CredentialsRefused("違います。")

    with pytest.raises(CredentialsRefused, match="違います。"):
        within(refuse, 5)


def test_a_call_that_takes_too_long_is_left_to_itself():
    over = threading.Event()
    with pytest.raises(ChannelDown, match="時間がかかって"):
        within(lambda: over.wait(10), 0.05)
    over.set()


def test_the_call_speaks_the_language_of_the_page():
    with translation.override("en"):
        assert within(get_language, 5) == "en"


class Mall:
    capabilities = shops.connector_class("rakuten").capabilities

    def push_stock(self, items):
        return [StockResult(item.listing_code, ok=True, confirmed=item.quantity) for item in items]


@pytest.mark.django_db
def test_a_push_notes_how_long_the_change_waited(monkeypatch):
    monkeypatch.setattr(shops, "connector_of", lambda connection: Mall())
    connection = make_connection()
    for number, age_s in enumerate((2, 4, 60)):
        changed_at = clock.now() - timedelta(seconds=age_s)
        make_listing(connection.shop, f"L{number}", sku=make_sku("CHAIR"), desired=1, desired_at=changed_at)
    result = publish.push_shop(connection)
    connection.refresh_from_db()
    assert result.pushed == 3 and 4 <= connection.publish_delay_s < 6
