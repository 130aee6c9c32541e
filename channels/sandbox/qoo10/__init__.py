"""Qoo10 Japan as a local server: the wire format of docs/channels/qoo10.md, over the sandbox world."""

from channels.sandbox.qoo10.simulator import Qoo10Simulator

SIMULATOR = Qoo10Simulator

__all__ = ["SIMULATOR", "Qoo10Simulator"]
