"""One five-channel day: buyers in the sandbox, the product's workers and screens, a robot at the desk, a warehouse."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests
from django.db import connection

from channels.demo import company
from channels.models import Listing
from channels.sandbox.life import EVENT_KINDS
from fulfillment.models import Shipment
from fulfillment.services.release import release_ready
from fulfillment.services.ship import Departure, confirm_shipments
from oms.kernel import clock, roles
from oms.kernel.models import Effect
from oms.pages.demo_day import measures
from oms.pages.demo_day.robot import Robot
from oms.pages.demo_day.stage import Stage
from oms.pages.demo_day.workers import Crew
from orders.models import Order
from orders.models.order import Stage as OrderStage
from orders.services.journal import SYSTEM

PASSWORD = "demo-day"
DAY = timedelta(hours=5)  # buyers order within it
EVENING = timedelta(hours=2)  # the last parcels; whatever buyers would still do comes at its beginning
ROUND_S = 600  # simulated seconds between two rounds of the robot and the warehouse
PICKING_TIME = timedelta(minutes=40)
BATCH = 200


@dataclass
class Day:
    """A day under way."""

    stage: Stage
    orders: int
    seed: int

    def run(self) -> dict[str, Any]:
        """Play it and measure it. Raises RuntimeError when a worker crashed."""
        began = time.monotonic()
        self._open()
        crew = Crew()
        crew.start()
        self._control("generate", {"count": self.orders, "over_s": DAY.total_seconds()})
        robot = Robot(self.stage.web, "operator", PASSWORD)
        robot.log_in()
        self._work(robot, crew)
        crew.stop()
        if crew.crashes:
            raise RuntimeError("\n".join(crew.crashes))
        truth = requests.get(f"{self.stage.control}/truth", timeout=60).json()
        for effect in Effect.objects.exclude(state__in=["done", "manual_done", "cancelled"]).order_by("pk")[:BATCH]:
            say(f"unfinished: {effect.kind} of {effect.subject}, {effect.state}: {effect.last_error}")
        return {**measures.measure(truth), "duration_s": round(time.monotonic() - began, 1)}

    def _open(self) -> None:
        """The company, its shops, its people, and the shops' shelves as the malls opened with them."""
        roles.sync_roles()
        roles.create_demo_accounts(PASSWORD)
        company.load(self.stage.sandbox, seed=self.seed, opening_day=clock.today())
        waiting = Listing.objects.filter(desired_at__isnull=False).count()
        say(f"company loaded, {waiting} quantities to publish first")

    def _work(self, robot: Robot, crew: Crew) -> None:
        """Rounds until the day and its evening are over and nothing is left to do."""
        evening = clock.now() + DAY
        ends, last_words = evening + EVENING, list(EVENT_KINDS)
        while not crew.crashes:
            due = clock.now() + timedelta(seconds=ROUND_S)
            release_ready()
            decided = robot.work_reasons()
            shipped = ship_picked()
            say(f"{clock.in_tokyo(clock.now()):%H:%M} decided {decided}, shipped {shipped}, {stages()}")
            if clock.now() > evening and last_words:
                self._control("advance", {"fire": last_words.pop(0)})
            if clock.now() > ends:
                robot.give_up_short_orders(short_orders())
                if settled() or clock.now() > ends + timedelta(hours=12):
                    return
            clock.sleep(max(1.0, (due - clock.now()).total_seconds()))

    def _control(self, call: str, body: dict[str, Any]) -> Any:
        answer = requests.post(f"{self.stage.control}/{call}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()


def ship_picked() -> int:
    """The warehouse: what was instructed long enough ago leaves with a tracking number, as its system would report."""
    ready = Shipment.objects.filter(state="instructed", instructed_at__lt=clock.now() - PICKING_TIME).order_by("pk")
    shipped = 0
    for part in _parts(list(ready)):
        departures = [Departure(one.pk, one.carrier, tracking_no(one.pk)) for one in part]
        shipped += len(confirm_shipments(departures, actor=SYSTEM).shipments)
    return shipped


def tracking_no(number: int) -> str:
    """Twelve digits whose last is the check digit of the three big carriers (modulo 7)."""
    body = 47_000_000_000 + number
    return f"{body}{body % 7}"


def short_orders() -> list[int]:
    """Orders that still wait for stock at the end of the day."""
    return list(Order.objects.filter(stage=OrderStage.AWAITING_STOCK).values_list("pk", flat=True))


def settled() -> bool:
    """Nothing moves any more: no effect waits, no parcel is being picked, nothing is ready."""
    effects = Effect.objects.filter(state__in=["waiting", "running"]).exists()
    working = Order.objects.filter(
        stage__in=[OrderStage.READY, OrderStage.REVIEW, OrderStage.AWAITING_STOCK, OrderStage.PARTIALLY_SHIPPED]
    ).exists()
    parcels = Shipment.objects.filter(state="instructed").exists()
    pushes = (
        Listing.objects.filter(desired_at__isnull=False, failures=0, sku__isnull=False).exclude(mode="stopped").exists()
    )
    return not (effects or working or parcels or pushes)


def stages() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT stage, count(*) FROM orders_order GROUP BY stage ORDER BY stage")
        return " ".join(f"{stage}={count}" for stage, count in cursor.fetchall())


def _parts(rows: Sequence[Shipment]) -> list[Sequence[Shipment]]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
