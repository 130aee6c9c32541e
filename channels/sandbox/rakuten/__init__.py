"""Rakuten RMS as a local server: the wire format of docs/channels/rakuten.md, over the sandbox world."""

from channels.sandbox.rakuten.simulator import RakutenSimulator

SIMULATOR = RakutenSimulator

__all__ = ["SIMULATOR", "RakutenSimulator"]
