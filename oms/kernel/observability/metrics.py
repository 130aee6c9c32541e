"""Figures for Prometheus. Request figures are counted in each web process; states are read when asked.

Another app adds its own by `gauges("oms_shops", "Shops by health.", ["health"], read)` in `AppConfig.ready`.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence

import redis
import structlog
from django.db import DatabaseError
from django.db.models import Count
from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.observability import heartbeat

log = structlog.get_logger(__name__)

Rows = Iterable[tuple[Sequence[str], float]]  # label values, figure

REQUESTS = Counter("oms_http_requests", "Answers by route and status.", ["method", "route", "status"])
SECONDS = Histogram(
    "oms_http_request_seconds",
    "Seconds from request to answer.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


class StateGauges(Collector):
    """A family of gauges read at the moment of asking; one that cannot be read is left out, with a log line."""

    def __init__(self, name: str, text: str, labels: Sequence[str], read: Callable[[], Rows]) -> None:
        self.name, self.text, self.labels, self.read = name, text, labels, read

    def collect(self) -> Iterable[GaugeMetricFamily]:
        family = GaugeMetricFamily(self.name, self.text, labels=self.labels)
        try:
            for values, figure in self.read():
                family.add_metric(list(values), figure)
        except (DatabaseError, redis.RedisError) as error:
            log.warning("metric_unreadable", metric=self.name, error=str(error))
            return []
        return [family]


_states: dict[str, StateGauges] = {}


def gauges(name: str, text: str, labels: Sequence[str], read: Callable[[], Rows]) -> None:
    """Add a family of gauges; registering a name again replaces it."""
    _states[name] = StateGauges(name, text, labels, read)


def text() -> bytes:
    """Everything, in Prometheus' text format."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # adds up what all web processes of this machine counted
    else:
        registry.register(_Own())
    for state in _states.values():
        registry.register(state)
    return generate_latest(registry)


class _Own(Collector):
    """This process's own counters, where only one process serves."""

    def collect(self) -> Iterable[Metric]:
        return [*REQUESTS.collect(), *SECONDS.collect()]


def _effects() -> Rows:
    counted = Effect.objects.exclude(state=Effect.State.DONE).values_list("kind", "state").annotate(n=Count("pk"))
    return [((kind, state), n) for kind, state, n in counted]


def _oldest_waiting() -> Rows:
    due = Effect.objects.filter(state=Effect.State.WAITING, next_try_at__lte=clock.now()).order_by("next_try_at")
    first = due.values_list("next_try_at", flat=True).first()
    return [((), (clock.now() - first).total_seconds() if first else 0.0)]


def _silence() -> Rows:
    return [((part,), age) for part, age in heartbeat.ages_s().items() if age is not None]


def _queues() -> Rows:
    queues = [part.removeprefix("worker:") for part in heartbeat.ages_s() if part.startswith("worker:")]
    return [((queue,), float(heartbeat.client().llen(queue))) for queue in queues]


gauges("oms_effects", "Outbox effects by kind and state, delivered ones left out.", ["kind", "state"], _effects)
gauges("oms_effect_oldest_due_seconds", "How long the oldest due effect has waited.", [], _oldest_waiting)
gauges("oms_silence_seconds", "Seconds since the last sign of life.", ["part"], _silence)
gauges("oms_queue_length", "Messages waiting for a worker.", ["queue"], _queues)
gauges("oms_time_seconds", "Wall time of the answer.", [], lambda: [((), time.time())])
