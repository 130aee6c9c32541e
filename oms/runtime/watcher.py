"""`python -m oms.runtime.watcher`: stops the embedded servers when their last user is gone, even after a SIGKILL."""

import signal

from oms.runtime.embedded import stop_when_unused
from oms.runtime.places import places

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop_when_unused(places())
