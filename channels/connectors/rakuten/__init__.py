"""Rakuten Ichiba through RMS WEB SERVICE; see docs/channels/rakuten.md."""

from channels.connectors.rakuten.connector import RakutenConnector

__all__ = ["RakutenConnector"]
