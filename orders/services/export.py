"""Writing orders into a file: frozen selection, one file, some days of keeping, a journal of who took what out.

Asking twice makes two files and changes nothing else. Each beginning has a number and a part file of its own; who finds
his number overtaken stops, so a worker believed dead harms nobody. A file is finished under a new name before its row
tells of it; what no row names is swept.
"""

import os
import shutil
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import F, Func, IntegerField, Q
from django.db.models.expressions import RawSQL
from django.utils.translation import override
from xlsxwriter.exceptions import XlsxWriterException

from oms.kernel import clock, own_words
from oms.kernel.later import later
from oms.kernel.models import User
from oms.kernel.said import said
from orders.decide.export_columns import Layout, chosen, words_of
from orders.models import ExportEvent, ExportRun
from orders.queries.export_rows import sources
from orders.services.export_files import Replaced, TooLong, opened

MOST = 200_000
AT_ONCE = 300  # so many are written while the person waits; more go to a worker
PORTION = 1_000
KEPT = timedelta(days=7)
FORGOTTEN = timedelta(days=1)
STUCK = timedelta(minutes=3)
ATTEMPTS = 3
STRAY_S = 3_600  # a file that no row names is swept when it is older

State = ExportRun.State
Kind = ExportEvent.Kind
log = structlog.get_logger(__name__)


class Overtaken(Exception):
    """Somebody else has begun this run anew."""


class Unreadable(Exception):
    """The file is not there any more; the text says what to do."""


# ---- choosing and beginning


def draft(order_ids: Sequence[int], *, by: User, query: str = "") -> ExportRun:
    """Freeze a selection. Nothing is written yet."""
    now = clock.now()
    return ExportRun.objects.create(order_ids=list(order_ids), by=by, query=query, created_at=now, touched_at=now)


def start(run: ExportRun, layout: Layout, *, kind: str, reason: str) -> bool:
    """Begin a draft; False when it has been begun already. Large ones go to a worker."""
    asked = {
        "layout_name": str(layout.name)[:40],
        "grain": layout.grain,
        "columns": list(layout.columns),
        "format": kind,
        "keep_zeros": layout.keep_zeros,
        "personal": layout.personal,
        "reason": reason,
    }
    with transaction.atomic():
        drafts = ExportRun.objects.filter(pk=run.pk, state=State.DRAFT)
        begun = drafts.update(state=State.RUNNING, touched_at=clock.now(), **asked)
        if begun:
            _note(run.pk, Kind.BEGUN, by=run.by, count=total_of(run.pk), text=reason)
    if begun:
        _go(run.pk)
    return bool(begun)


def retry(run: ExportRun, *, by: User) -> bool:
    """Begin a failed run again, from its first order; False when it has not failed."""
    with transaction.atomic():
        failed = ExportRun.objects.filter(pk=run.pk, state=State.FAILED)
        begun = failed.update(state=State.RUNNING, tries=0, position=0, error="", touched_at=clock.now())
        if begun:
            _note(run.pk, Kind.RETRIED, by=by)
    if begun:
        _go(run.pk)
    return bool(begun)


def again(run: ExportRun, *, by: User) -> ExportRun:
    """A new draft with the same orders."""
    ids = ExportRun.objects.values_list("order_ids", flat=True).get(pk=run.pk)
    return draft(ids, by=by, query=run.query)


def _go(key: UUID) -> None:
    """Here and now, or in a worker. What is lost between the commit and this, the sweep begins."""
    if total_of(key) > AT_ONCE:
        later("orders.tasks.write_export", str(key))
    else:
        work(key)


def total_of(key: UUID) -> int:
    """How many orders were chosen."""
    size = Func(F("order_ids"), function="cardinality", output_field=IntegerField())
    return ExportRun.objects.annotate(chosen=size).values_list("chosen", flat=True).get(pk=key)


# ---- writing


def work(key: UUID | str) -> None:
    """Write a running run's file from its first line. A failure is told on the run."""
    run = _claimed(key)
    if run is None:
        return
    own_words.refresh()
    part = path_of(f"{run.pk.hex}.{run.attempt}.part")
    with override(run.by.language):  # a worker writes in the words of who asked
        try:
            part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _finish(run, part, *_write(run, part))
        except Overtaken:
            log.info("export_overtaken", run=str(run.pk))
        except TooLong as error:
            _fail(run, str(error))
        except (OSError, XlsxWriterException) as error:
            log.warning("export_not_stored", run=str(run.pk), error=str(error))
            _fail(run, said("ファイルを保存できませんでした。データフォルダの空き容量と権限を確かめてください。"))
        except SoftTimeLimitExceeded:
            _fail(run, said("時間がかかりすぎました。期間などで分けて書き出してください。"))
        except Exception as error:  # whatever it was, the person is told, and may try again
            log.exception("export_failed", run=str(run.pk))
            cause = said(
                "書き出しの途中でエラーが起きました（%(error)s）。やり直しても続くときは管理者に知らせてください。",
                error=type(error).__name__,
            )
            _fail(run, cause)
        finally:
            part.unlink(missing_ok=True)


def _claimed(key: UUID | str) -> ExportRun | None:
    """The run, begun under a new number; None when somebody is at it, or it is over."""
    now = clock.now()
    rows = ExportRun.objects.filter(pk=key, state=State.RUNNING)
    to_begin = rows.filter(Q(tries=0) | Q(touched_at__lt=now - STUCK, tries__lt=ATTEMPTS))
    if not to_begin.update(attempt=F("attempt") + 1, tries=F("tries") + 1, position=0, rows=0, touched_at=now):
        return None
    return ExportRun.objects.defer("order_ids").select_related("by").get(pk=key)


def _write(run: ExportRun, part: Path) -> tuple[int, Replaced]:
    """All lines; returns how many and what was replaced. Raises Overtaken, TooLong, OSError."""
    columns, replaced, count, position = chosen(run.columns), Replaced(), 0, 0
    words = words_of(columns)
    file = opened(part, columns, run.format, keep_zeros=run.keep_zeros)
    try:
        while ids := _next_ids(run, position):
            for order, lines in sources(ids, columns, run.grain, words):
                lost = [file.write([column.value(line) for column in columns]) for line in lines]
                count += len(lines)
                replaced.note(order["id"], order["channel_order_no"], "".join(lost))
            position += len(ids)
            _tell(run, position=position, rows=count)
    except BaseException:
        file.abandon()
        raise
    file.close()
    return count, replaced


def _next_ids(run: ExportRun, position: int) -> list[int]:
    """A portion of the frozen selection; the rest of it stays where it is."""
    portion = RawSQL("order_ids[%s:%s]", [position + 1, position + PORTION])
    rows = ExportRun.objects.filter(pk=run.pk).annotate(portion=portion)
    return list(rows.values_list("portion", flat=True).get() or [])


def _tell(run: ExportRun, **values: Any) -> None:
    """Write down how far it is. Raises Overtaken when another number has begun."""
    mine = ExportRun.objects.filter(pk=run.pk, state=State.RUNNING, attempt=run.attempt)
    if not mine.update(touched_at=clock.now(), **values):
        raise Overtaken


def _finish(run: ExportRun, part: Path, count: int, replaced: Replaced) -> None:
    place = f"{clock.today():%Y-%m-%d}.{uuid4().hex}"
    part.chmod(0o600)
    size = part.stat().st_size
    _sync(part)
    part.rename(path_of(place))
    now = clock.now()
    try:
        with transaction.atomic():
            _tell(
                run, state=State.FINISHED, rows=count, replaced=replaced.told, place=place, size=size, finished_at=now,
                expires_at=now + KEPT,
            )  # fmt: skip
            _note(run.pk, Kind.FINISHED, count=count)
    except BaseException:
        path_of(place).unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    """The row must not outlive the bytes when the machine loses its power."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _fail(run: ExportRun, cause: str) -> None:
    mine = ExportRun.objects.filter(pk=run.pk, state=State.RUNNING, attempt=run.attempt)
    with transaction.atomic():
        if mine.update(state=State.FAILED, error=cause[:300], finished_at=clock.now()):
            _note(run.pk, Kind.FAILED, text=cause)


# ---- taking the file


def take(run: ExportRun, *, by: User) -> Path:
    """The finished file, and on record who took it. Raises Unreadable."""
    path = path_of(run.place)
    if run.state != State.FINISHED or not run.place or not path.is_file():
        raise Unreadable(said("ファイルはもうありません。「同じ受注でもう一度」から書き出し直してください。"))
    _note(run.pk, Kind.DOWNLOADED, by=by, count=run.rows)
    return path


def refuse(run: ExportRun, *, by: User) -> None:
    """On record: somebody asked for a file who may not see what is in it (any more)."""
    _note(run.pk, Kind.REFUSED, by=by)


def path_of(place: str) -> Path:
    return Path(settings.EXPORTS) / place


# ---- looking after


def resume_stuck() -> int:
    """Begin again what a lost worker left; after `ATTEMPTS` it has failed. Returns how many were woken."""
    stuck = ExportRun.objects.filter(state=State.RUNNING, touched_at__lt=clock.now() - STUCK)
    for run in stuck.filter(tries__gte=ATTEMPTS).defer("order_ids").select_related("by"):
        with override(run.by.language):
            _fail(run, said("作成が何度も途中で止まりました。件数を減らして、もう一度お試しください。"))
    keys = [str(key) for key in stuck.filter(tries__lt=ATTEMPTS).values_list("pk", flat=True)]
    for key in keys:
        later("orders.tasks.write_export", key)
    return len(keys)


def forget() -> int:
    """Remove files whose days are over, selections that nobody began, and files that no row names. Returns how many
    files were removed."""
    now = clock.now()
    ExportRun.objects.filter(state=State.DRAFT, touched_at__lt=now - FORGOTTEN).delete()
    over = ExportRun.objects.filter(state=State.FINISHED, expires_at__lte=now).order_by("pk")
    removed = sum(_remove(key) for key in over.values_list("pk", flat=True))
    return removed + _sweep(time.time())


def _remove(key: UUID) -> int:
    with transaction.atomic():
        run = ExportRun.objects.defer("order_ids").select_for_update(no_key=True).order_by("pk").get(pk=key)
        if run.state != State.FINISHED:
            return 0
        path = path_of(run.place)
        run.state, run.place = State.GONE, ""
        run.save(update_fields=["state", "place"])
        _note(key, Kind.REMOVED)
        transaction.on_commit(lambda: path.unlink(missing_ok=True))
    return 1


def _sweep(now_s: float) -> int:
    """What no row names: of workers that died, or whose removal was lost."""
    root = Path(settings.EXPORTS)
    old = {one.name: one for one in root.glob("*") if one.stat().st_mtime < now_s - STRAY_S}
    kept = set(ExportRun.objects.filter(place__in=old).values_list("place", flat=True))
    gone = [path for name, path in old.items() if name not in kept]
    for path in gone:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(gone)


def _note(key: UUID, kind: str, *, by: User | None = None, count: int = 0, text: str = "") -> None:
    ExportEvent.objects.create(run_id=key, at=clock.now(), kind=kind, by=by, count=count, text=text[:300])
