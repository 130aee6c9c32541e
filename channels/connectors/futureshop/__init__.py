"""futureshop through its admin API; see docs/channels/futureshop.md."""

from channels.connectors.futureshop.connector import FutureshopConnector

__all__ = ["FutureshopConnector"]
