"""Amazon.co.jp through the Selling Partner API; what it covers is in docs/channels/amazon.md."""

from channels.connectors.amazon.connector import AmazonConnector

__all__ = ["AmazonConnector"]
