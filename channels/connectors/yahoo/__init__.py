"""Yahoo! Shopping (ストアクリエイターPro): order, stock and item APIs over XML. See docs/channels/yahoo.md."""

from channels.connectors.yahoo.connector import YahooConnector

__all__ = ["YahooConnector"]
