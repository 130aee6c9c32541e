"""Amazon's usage plans for one shop: the published ones, until Amazon names another rate."""

import math
from dataclasses import replace
from functools import cache
from typing import cast

import redis
from django.conf import settings

from channels.connectors.limits import Limiter, Plan

# Calls per second and burst by operation, as published.
RATES = {
    "searchOrders": (0.0056, 20),
    "getOrder": (0.5, 30),
    "confirmShipment": (2, 10),
    "patchListingsItem": (5, 5),
    "getListingsItem": (5, 10),
    "searchListingsItems": (5, 5),
    "createFeedDocument": (0.5, 15),
    "createFeed": (0.0083, 15),
    "getFeed": (2, 15),
    "getFeeds": (0.0222, 10),
    "getFeedDocument": (0.0222, 10),
    "getMarketplaceParticipations": (0.016, 15),
    "createReport": (0.0167, 15),
    "getReport": (2, 15),
    "getReportDocument": (0.0167, 15),
    "getInventorySummaries": (2, 2),
    "createDestination": (1, 5),
    "getDestinations": (1, 5),
    "createSubscription": (1, 5),
    "getSubscription": (1, 5),
}
# Calls of a burst that background jobs leave to people who press a button.
RESERVED = {"searchOrders": 4, "getOrder": 8, "searchListingsItems": 1, "getFeeds": 2, "createReport": 2}
HEAD_ROOM = 1.02  # a little slower than allowed: clocks differ, and a refused call costs more than a short wait
LEARNED_FOR_S = 24 * 3600


@cache
def shared_redis(url: str) -> redis.Redis:
    """One pool of connections per process."""
    client: redis.Redis = redis.Redis.from_url(url)
    return client


class Pace(Limiter):
    """The limits of one shop, for one connector. What Amazon says about its rates is kept for all processes."""

    def __init__(self, shop_code: str) -> None:
        client = shared_redis(settings.REDIS_URL)
        self.shop_code, self._rates_key = shop_code, f"amazon:rates:{shop_code}"
        learned = cast(dict[bytes, bytes], client.hgetall(self._rates_key))
        rates = {name: float(learned.get(name.encode(), rate)) for name, (rate, _) in RATES.items()}
        self._plans = {
            name: Plan(HEAD_ROOM / rates[name], burst, RESERVED.get(name, 0)) for name, (_, burst) in RATES.items()
        }
        self._refused: set[str] = set()
        super().__init__(self._plans, client)

    def slow_down(self, shop_code: str, operation: str) -> None:
        """A first refusal may be a hiccup and costs the caller's short pause; a second one empties the bucket, which
        for a search means three minutes."""
        if operation in self._refused:
            super().slow_down(shop_code, operation)
        self._refused.add(operation)

    def answered(self, operation: str, rate_header: str | None) -> None:
        """A call went well. Amazon may grant this seller another rate than the published one and says so."""
        self._refused.discard(operation)
        rate, plan = _positive(rate_header), self._plans.get(operation)
        if plan is None or rate is None or math.isclose(HEAD_ROOM / rate, plan.interval_s, rel_tol=0.01):
            return
        self._plans[operation] = replace(plan, interval_s=HEAD_ROOM / rate)
        self.client.hset(self._rates_key, operation, str(rate))
        self.client.expire(self._rates_key, LEARNED_FOR_S)
        if self._plans[operation].interval_s < plan.interval_s:
            # The calls so far were counted at the slower rate and would hold up the next one.
            self.start_over(self.shop_code, operation)


def _positive(text: str | None) -> float | None:
    try:
        rate = float(text or 0)
    except ValueError:
        return None
    return rate if rate > 0 and math.isfinite(rate) else None
