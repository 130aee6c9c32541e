"""Which connector serves which channel. Loaded on first use, so that a screen pays for none."""

from functools import cache

from django.utils.module_loading import import_string

from channels.connectors.contract import Connector

CONNECTORS = {
    "amazon": "channels.connectors.amazon.AmazonConnector",
    "rakuten": "channels.connectors.rakuten.RakutenConnector",
    "yahoo": "channels.connectors.yahoo.YahooConnector",
    "qoo10": "channels.connectors.qoo10.Qoo10Connector",
    "futureshop": "channels.connectors.futureshop.FutureshopConnector",
}


@cache
def connector_class(channel: str) -> type[Connector]:
    """Raises KeyError for a channel that has no connector."""
    found: type[Connector] = import_string(CONNECTORS[channel])
    return found
