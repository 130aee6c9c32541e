"""The one clock. Services take business time from here, so that a simulated day can run faster than the wall.

`OMS_CLOCK_SPEED` (a factor) and `OMS_CLOCK_EPOCH` (unix seconds, wall time at which simulated and wall time agree)
are shared with the sandbox.
"""

import os
import time as wall
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")


def speed() -> float:
    """Simulated seconds per wall second."""
    return float(os.environ.get("OMS_CLOCK_SPEED", "1"))


def now() -> datetime:
    """Business time, aware, UTC."""
    factor = speed()
    if factor == 1:
        return datetime.now(UTC)
    epoch = float(os.environ["OMS_CLOCK_EPOCH"])
    return datetime.fromtimestamp(epoch + (wall.time() - epoch) * factor, UTC)


def today() -> date:
    """Today's date in Tokyo."""
    return now().astimezone(TOKYO).date()


def sleep(seconds: float) -> None:
    """Wait so many simulated seconds."""
    wall.sleep(seconds / speed())


def in_tokyo(moment: datetime) -> datetime:
    """The same moment on a Tokyo clock."""
    return moment.astimezone(TOKYO)


def end_of_today() -> datetime:
    """Tomorrow's midnight in Tokyo."""
    return datetime.combine(today() + timedelta(days=1), time.min, TOKYO)
