"""A worker may die at any line of a long job; who comes next brings it to its end, and nothing is done twice."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.models import F

from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from oms.pages.audit import violations
from orders.decide.export_columns import READY_MADE
from orders.models import BulkRun, Cancellation, ExportRun, Mail, MoveIn, Order, OrderEvent, ReasonSetting
from orders.services import (
    bulk,
    bulk_slices,
    bulk_undo,
    cancel,
    export,
    export_files,
    hold,
    mail,
    mail_send,
    moving_in,
    moving_in_kinds,
)
from orders.services.intake import take_in
from tests.killing import KILLED, end_of, lines_of, traced
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db(transaction=True)
DEATHS = 10
LONG_AGO = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _short_slices(monkeypatch):
    monkeypatch.setattr(bulk, "SLICE", 2)
    monkeypatch.setattr(bulk_undo, "SLICE", 2)
    monkeypatch.setattr(export, "PORTION", 2)
    monkeypatch.setattr(moving_in, "UNITS_AT_ONCE", 2)


def board(count: int = 5) -> list[int]:
    """Fresh orders, so that one death leaves nothing to the next."""
    ReasonSetting.objects.get_or_create(code="duplicate_suspect", defaults={"active": False, "level": "block"})
    mail.ensure_standard_templates()
    chair = make_sku(stock_units=count)
    told = [make_channel_order(make_line()) for _order in range(count)]
    take_in(make_shop(), told, sku_of=mapped(chair))
    numbers = [one.channel_order_no for one in told]
    return list(Order.objects.filter(channel_order_no__in=numbers).order_by("pk").values_list("pk", flat=True))


def deaths(prepare: Callable[[], Any], job: Callable[[Any], object], *rooms: Any) -> list[Any]:
    """Prepare the job anew and kill a worker at it, at lines all over its course; what was prepared for each death."""
    watched = {str(Path(room.__file__)) for room in rooms}
    first = prepare()
    last = lines_of(lambda: job(first), watched)
    assert last > 3 * DEATHS
    found = []
    for line in range(1, last, max(1, last // DEATHS)):
        prepared = prepare()
        assert end_of(lambda line=line, p=prepared: traced(lambda: job(p), watched, die_at=line)) == KILLED, line
        found.append(prepared)
    return found


def whole() -> None:
    assert [damage for damage in violations() if "has no raw payload" not in damage] == []


def begun(action: str, params: dict[str, Any], by) -> BulkRun:
    run = bulk.draft(action, board(), by=by)
    BulkRun.objects.filter(pk=run.pk).update(state="running", params=params)
    return run


def test_a_worker_killed_in_a_run_of_cancellations_cancels_each_order_once(aoi):
    def prepare() -> BulkRun:
        return begun("cancel", {"reason": "other", "note": "顧客都合"}, aoi)

    for run in deaths(prepare, lambda run: bulk.work(run.pk), bulk, bulk_slices, cancel):
        bulk.work(run.pk)
        run.refresh_from_db()
        assert run.state == "finished" and sorted(run.done) == sorted(run.order_ids), run.failed
        ended = Cancellation.objects.filter(order__in=run.order_ids, state="done")
        assert sorted(ended.values_list("order", flat=True)) == sorted(run.order_ids)
        assert Mail.objects.filter(order__in=run.order_ids, event="cancelled").count() == len(run.order_ids)
    whole()


def test_a_worker_killed_while_a_run_is_taken_back_takes_each_order_back_once(aoi):
    def prepare() -> BulkRun:
        run = begun("hold", {"reason": "確認"}, aoi)
        bulk.work(run.pk)
        BulkRun.objects.filter(pk=run.pk).update(undo_state="running", undone_by=aoi)
        return run

    for run in deaths(prepare, lambda run: bulk_undo.work(run.pk), bulk_undo, bulk_slices, hold):
        BulkRun.objects.filter(pk=run.pk).update(touched_at=clock.now() - LONG_AGO)
        assert bulk_undo.resume_stuck() >= 1
        bulk_undo.work(run.pk)
        run.refresh_from_db()
        assert run.undo_state == "finished" and sorted(run.undone) == sorted(run.order_ids)
        lifted = OrderEvent.objects.filter(order__in=run.order_ids, kind="lifted")
        assert sorted(lifted.values_list("order", flat=True)) == sorted(run.order_ids)
        assert not Order.objects.filter(pk__in=run.order_ids).exclude(held_at=None).exists()
    whole()


def test_a_worker_killed_while_it_writes_a_file_leaves_one_whole_file(aoi, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "EXPORTS", tmp_path)

    def prepare() -> ExportRun:
        run = export.draft(board(), by=aoi)
        layout = READY_MADE[0]
        ExportRun.objects.filter(pk=run.pk).update(
            state="running", columns=list(layout.columns), grain=layout.grain, format="csv", touched_at=clock.now()
        )
        return ExportRun.objects.get(pk=run.pk)

    for run in deaths(prepare, lambda run: export.work(run.pk), export, export_files):
        ExportRun.objects.filter(pk=run.pk, state="running").update(touched_at=clock.now() - LONG_AGO)
        export.work(run.pk)
        run.refresh_from_db()
        assert run.state == "finished", run.cause
        lines = list(csv.reader(io.StringIO(export.path_of(run.place).read_text("utf-8-sig"))))
        assert len(lines) - 1 == run.rows == len(run.order_ids)
    whole()


def test_a_worker_killed_while_a_file_is_moved_in_brings_each_line_once(aoi):
    made = iter(range(1000))

    def prepare() -> MoveIn:
        number = next(made)
        rows = [f"SKU-{number}-{place},P-{number},椅子,100" for place in range(6)]
        text = "syohin_code,daihyo_syohin_code,syohin_name,baika_tnk\n" + "\n".join(rows)
        move = moving_in.read(io.BytesIO(text.encode()), name="old.csv", kind="products", by=aoi)
        moving_in.map_columns(move, move.mapping, shop=None, location=None, by=aoi)
        MoveIn.objects.filter(pk=move.pk).update(state="running", position="")
        return move

    for number, move in enumerate(deaths(prepare, lambda move: moving_in.work(move.pk), moving_in, moving_in_kinds), 1):
        MoveIn.objects.filter(pk=move.pk).update(touched_at=clock.now() - LONG_AGO)
        moving_in.work(move.pk)
        move.refresh_from_db()
        assert move.state == "applied", move.state
        assert Sku.objects.filter(code__startswith=f"SKU-{number}-").count() == 6
    whole()


def test_a_worker_killed_while_it_sends_a_mail_leaves_it_sent_once_or_for_a_person_to_see(aoi):
    def prepare() -> list[int]:
        ids = board(2)
        Effect.objects.update(next_try_at=clock.now() - LONG_AGO)
        return ids

    for ids in deaths(prepare, lambda _ids: outbox.deliver_due(), mail_send, outbox):
        Effect.objects.filter(state="running").update(claimed_at=F("claimed_at") - LONG_AGO)
        outbox.deliver_due()
        states = set(Mail.objects.filter(order__in=ids).values_list("state", flat=True))
        assert states <= {"sent", "uncertain"}, states
        assert not Effect.objects.filter(state__in=["waiting", "running"], kind="mail").exists()
