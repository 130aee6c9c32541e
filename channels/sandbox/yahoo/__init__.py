"""Yahoo! Shopping as a local server: the wire format of docs/channels/yahoo.md, over the sandbox world."""

from channels.sandbox.yahoo.simulator import YahooSimulator

SIMULATOR = YahooSimulator

__all__ = ["SIMULATOR", "YahooSimulator"]
