"""`python -m oms.runtime.healthy`: the web container's health check. 0 while this process can serve.

Reads /healthz, but looks only at the database: a dead worker is for monitoring to tell; a new web cures nothing.
"""

import sys

from oms.runtime.up import health

if __name__ == "__main__":
    failing = health(8000)
    sys.exit(failing is None or "database" in failing)
