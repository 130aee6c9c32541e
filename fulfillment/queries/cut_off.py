"""When what is ready leaves by itself the next time."""

from datetime import datetime

from fulfillment.models import ReleaseTime
from oms.kernel import clock


def next_release(now: datetime) -> datetime | None:
    """The next release of today; None when there is none any more. One query."""
    local = clock.in_tokyo(now)
    later = ReleaseTime.objects.filter(active=True, at__gt=local.time()).order_by("at").first()
    return datetime.combine(local.date(), later.at, clock.TOKYO) if later else None
