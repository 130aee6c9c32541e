"""Rate limits of channels, shared between processes through Redis; measured in business (simulated) seconds."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import redis
from django.conf import settings

from oms.kernel import clock

# One bucket per (shop, operation) as a "generic cell rate": the stored value is the time the bucket is full again.
TAKE = """
local now, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = full_at + interval - now - interval * burst
if wait <= 0.001 then -- a shorter wait would be rounded to none and then not be counted
  redis.call('SET', KEYS[1], string.format('%.6f', full_at + interval), 'EX', math.ceil(interval * burst * 2) + 60)
  return '0'
end
return string.format('%.6f', wait)
"""


_nobody_waits: ContextVar[bool] = ContextVar("nobody_waits", default=False)


@contextmanager
def unattended() -> Iterator[None]:
    """Calls inside are a background job's: they leave the last calls of each burst to people (`Plan.reserve`)."""
    before = _nobody_waits.set(True)
    try:
        yield
    finally:
        _nobody_waits.reset(before)


@dataclass(frozen=True, slots=True)
class Plan:
    """`interval_s` seconds between calls in the long run; `burst` calls may come at once, of which unattended jobs
    leave `reserve` to people."""

    interval_s: float
    burst: int = 1
    reserve: int = 0


@dataclass
class Limiter:
    """Limits by operation name; `"*"` is the default. Operations with the same `Plan` key share nothing."""

    plans: Mapping[str, Plan]
    client: "redis.Redis" = field(default_factory=lambda: redis.Redis.from_url(settings.REDIS_URL))

    def wait(self, shop_code: str, operation: str) -> None:
        """Wait until one call of `operation` may go out."""
        plan = self.plans.get(operation) or self.plans.get("*")
        if plan is None:
            return
        name = operation if operation in self.plans else "*"
        take = self.client.register_script(TAKE)
        burst = max(plan.burst - (plan.reserve if _nobody_waits.get() else 0), 1)
        while True:
            answer = take(keys=[f"limit:{shop_code}:{name}"], args=[_now_s(), plan.interval_s, burst])
            pause_s = float(answer)
            if pause_s <= 0:
                return
            clock.sleep(min(pause_s, 60))

    def slow_down(self, shop_code: str, operation: str) -> None:
        """The channel said "too fast": treat the bucket as empty."""
        name = operation if operation in self.plans else "*"
        if plan := self.plans.get(name):
            full_at = _now_s() + plan.interval_s * plan.burst
            self.client.set(f"limit:{shop_code}:{name}", f"{full_at:.6f}", ex=int(plan.interval_s * plan.burst) + 60)

    def start_over(self, shop_code: str, operation: str) -> None:
        """Forget what was used: the bucket is full again."""
        self.client.delete(f"limit:{shop_code}:{operation if operation in self.plans else '*'}")


def _now_s() -> float:
    return clock.now().timestamp()
