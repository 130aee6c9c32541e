"""Qoo10 Japan (QAPI). See docs/channels/qoo10.md."""

from channels.connectors.qoo10.connector import Qoo10Connector

__all__ = ["Qoo10Connector"]
