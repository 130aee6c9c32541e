"""Amazon.co.jp's Selling Partner API, as far as the sandbox speaks it."""

from channels.sandbox.amazon.simulator import AmazonSimulator

SIMULATOR = AmazonSimulator

__all__ = ["SIMULATOR", "AmazonSimulator"]
