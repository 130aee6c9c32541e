"""Loaded by pytest before the settings (`-p` in pyproject): tests get a data folder and a Redis database of their own,
so that they never meet a running `make run`.
"""

import os
import sys

from oms.runtime import messages
from oms.runtime.places import BASE_DIR

# Compiled modules are kept, whatever the machine's habit: else every worker, and every process that a test starts,
# compiles the product, and each worker all tests.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("OMS_DATA", str(BASE_DIR / "var" / "test"))
os.environ["OMS_ENV"] = "test"
os.environ["MAIL_DELAY_S"] = "0"  # what is scheduled is due; the tests of the delay set it
worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
os.environ["OMS_REDIS_DATABASE"] = str(1 + int(worker.removeprefix("gw")) % 60)
# Playwright's synchronous interface runs an event loop in the test's thread; Django would refuse the database there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
messages.compile_all()
