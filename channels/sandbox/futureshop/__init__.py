"""futureshop as a local server: the wire format of docs/channels/futureshop.md, over the sandbox world."""

from channels.sandbox.futureshop.simulator import FutureshopSimulator

SIMULATOR = FutureshopSimulator

__all__ = ["SIMULATOR", "FutureshopSimulator"]
