"""What beat and the workers do in production, as threads of one process: import, allocate, publish, tell, release."""

import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from django.db import OperationalError, connection

from channels.connectors.contract import ChannelError
from channels.models import Connection
from channels.services import intake, polling, publish, reimport
from fulfillment.services import allocate, merge_sweep, release
from oms.kernel.services import outbox
from oms.kernel.sql import was_in_the_way
from orders.services import stage


@dataclass
class Crew:
    """Threads that each repeat one kind of work until told to stop; a crash is kept and ends the day loudly.

    Work that another worker kept from its locks is done in the next round, as the next beat does it in production.
    """

    crashes: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for connection_id in Connection.objects.values_list("pk", flat=True):
            self._add(f"pull-{connection_id}", partial(_pull, connection_id), pause_s=0.05)
            self._add(f"push-{connection_id}", partial(_push, connection_id), pause_s=0.02)
        self._add("refetch", _refetch, pause_s=1)
        self._add("marks", publish.consume_marks, pause_s=0.01)
        self._add("allocate", allocate.allocate_waiting, pause_s=0.2)
        self._add("stages", stage.sweep, pause_s=1)
        self._add("counts", stage.fold_counts, pause_s=5)
        self._add("merges", merge_sweep.sweep, pause_s=2)
        self._add("release", release.release_due, pause_s=0.5)
        for number in range(3):
            self._add(f"outbox-{number}", outbox.deliver_due, pause_s=0.1)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _add(self, name: str, work: Callable[[], object], *, pause_s: float) -> None:
        thread = threading.Thread(target=self._repeat, args=(name, work, pause_s), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _repeat(self, name: str, work: Callable[[], object], pause_s: float) -> None:
        try:
            while not self._stop.is_set():
                try:
                    work()
                except OperationalError as trouble:
                    if not was_in_the_way(trouble):
                        raise
                    print(f"{name}: another worker was in the way, tried again", file=sys.stderr, flush=True)
                time.sleep(pause_s)
        except Exception:
            self.crashes.append(f"{name}: {traceback.format_exc()}")
        finally:
            connection.close()


def _pull(connection_id: int) -> None:
    """Import when the shop's own rhythm says so."""
    if not polling.due_for_import(connection_id):
        return
    try:
        intake.pull(Connection.objects.select_related("shop").get(pk=connection_id))
    except (ChannelError, intake.Busy):
        return  # recorded on the shop; tried again with the next poll


def _refetch() -> None:
    for one in reimport.unfinished():
        reimport.work_off(one)


def _push(connection_id: int) -> None:
    shop = Connection.objects.select_related("shop").get(pk=connection_id)
    try:
        publish.push_shop(shop)
        publish.read_back(shop)
    except ChannelError:
        return  # recorded on the shop; what is due stays due
