from tests.channels.publishing.malls import malls

__all__ = ["malls"]
