"""A file of the system used before: taken in, mapped to our fields, checked line by line, applied, taken back.

Nothing holds a whole file in memory: lines are copied into rows as they are read, and units are worked in batches, each
in a transaction of its own together with how far it is.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import chain
from typing import IO

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import override

from inventory.models import Location
from oms.kernel import clock
from oms.kernel.later import later
from oms.kernel.models import User
from oms.kernel.said import said, words_of
from oms.kernel.services import setting_versions
from oms.kernel.sql import copy_rows, update_rows
from orders.decide import moving_in as decide
from orders.decide.csv_records import Record, records
from orders.models import MoveIn, MoveInEvent, MoveInPreset, MoveInRow, Shop
from orders.services import moving_in_kinds as kinds
from orders.services import moving_in_reading as reading
from orders.services.moving_in_reading import Unusable

KIND = "move_in_preset"  # of the versions of a mapping
MOST_BYTES = 200_000_000
LINES_AT_ONCE = 2_000
UNITS_AT_ONCE = 500
AT_ONCE = 1_000  # lines that are applied while the person waits
STUCK = timedelta(minutes=2)
WIDEST = 500
UNREAD = "unread"  # a line that is no record: its error was found while reading, and no mapping changes it

State = MoveIn.State


# ---- reading -----------------------------------------------------------------------------------------------------


@transaction.atomic
def read(file: IO[bytes], *, name: str, kind: str, by: User) -> MoveIn:
    """Store the file's lines with a guess of what its columns are. Raises Unusable; nothing is stored then."""
    encoding = reading.encoding_of(file)
    lines = reading.lines_of(file, encoding)
    first = next(lines, "")
    delimiter = max("\t,;", key=first.count)
    found = records(chain([first], lines), delimiter)
    heads = [cell.strip() for cell in next(found, Record([])).cells]
    if not any(heads):
        raise Unusable(_("ファイルが空です。1行目に見出しのあるCSVを選んでください。"))
    if len(heads) > WIDEST:
        raise Unusable(_("列が多すぎます（%(most)d列まで）。要らない列を消してください。") % {"most": WIDEST})
    preset, mapping = decide.guess(kind, heads)
    now = clock.now()
    move = MoveIn.objects.create(
        kind=kind, name=name[:200], encoding=encoding, delimiter=delimiter, heads=heads, mapping=mapping, preset=preset,
        at=now, touched_at=now, by=by,
    )  # fmt: skip
    move.total = _copy(move.pk, found)
    move.save(update_fields=["total"])
    if not move.total:
        raise Unusable(_("データの行がありません。"))
    note(move.pk, "read", f"{name[:200]} {move.total}", by=by)
    return move


def _copy(move_id: int, found: Iterator[Record]) -> int:
    """Copy the lines as they come; returns how many. Empty ones are left out, unreadable ones keep why."""
    total = 0

    def numbered() -> Iterator[tuple[object, ...]]:
        nonlocal total
        for line, record in enumerate(found, start=2):
            if any(cell.strip() for cell in record.cells):
                total += 1
                outcome = UNREAD if record.fault else ""
                yield (
                    move_id,
                    line,
                    json.dumps(record.cells[:WIDEST], ensure_ascii=False),
                    "",
                    record.fault,
                    outcome,
                    None,
                )

    copy_rows("orders_moveinrow", ["move_id", "line", "cells", "key", "error", "outcome", "before"], numbered())
    return total


# ---- mapping and checking ----------------------------------------------------------------------------------------


@transaction.atomic
def map_columns(
    move: MoveIn, mapping: Mapping[str, int], *, shop: Shop | None, location: Location | None, by: User
) -> None:
    """Say which column is which field, then check every line. Raises Unusable when something needed is missing."""
    if lacking := decide.missing(move.kind, mapping):
        raise Unusable(_("次の項目の列を選んでください：%(names)s") % {"names": "、".join(lacking)})
    if move.kind == "orders" and shop is None:
        raise Unusable(_("受注を入れる店舗を選んでください。モールの受注は、そのモールの店舗に入れます。"))
    locked = MoveIn.objects.select_for_update(no_key=True).filter(pk=move.pk, state__in=[State.READ, State.CHECKED])
    if locked.order_by("pk").first() is None:
        raise Unusable(_("すでに取り込みを始めたファイルです。"))
    move.mapping, move.shop, move.location, move.touched_at = dict(mapping), shop, location, clock.now()
    move.state = State.CHECKED
    move.save(update_fields=["mapping", "shop", "location", "state", "touched_at"])
    move.bad = _check(move)
    move.planned = _plan(move)
    move.save(update_fields=["bad", "planned"])
    note(move.pk, "checked", "", by=by)


def _check(move: MoveIn) -> int:
    """Give each line its key, or its error. Returns how many cannot be read."""
    bad, seen = MoveInRow.objects.filter(move=move, outcome=UNREAD).count(), set[str]()
    place = move.location.code if move.location else ""
    for rows in _batches(move):
        checked = [(pk, *_judged(move, cells, place)) for pk, _line, cells in rows]
        refused = kinds.KINDS[move.kind].refuse({key for _pk, key, error in checked if not error})
        final = []
        for pk, key, error in checked:
            wrong = error or refused.get(key, "")
            if not wrong and move.kind in {"products", "stock", "members"}:
                wrong = said("同じものがファイルの前の行にもあります。") if key in seen else ""
                seen.add(key)
            bad += bool(wrong)
            final.append((pk, "" if wrong else key[:200], wrong[:300]))
        update_rows("orders_moveinrow", {"key": "text", "error": "text"}, final)
    return bad


def _judged(move: MoveIn, cells: list[str], place: str) -> tuple[str, str]:
    try:
        return decide.key_of(move.kind, decide.values_of(cells, move.mapping), place=place), ""
    except decide.BadCell as fault:
        return "", words_of(fault)


def _batches(move: MoveIn) -> Iterator[list[tuple[int, int, list[str]]]]:
    last = 0
    rows = MoveInRow.objects.filter(move=move).exclude(outcome=UNREAD).order_by("line")
    while found := list(rows.filter(line__gt=last).values_list("pk", "line", "cells")[:LINES_AT_ONCE]):
        last = found[-1][1]
        yield found


def _plan(move: MoveIn) -> dict[str, int]:
    """Outcome → how many units applying would give."""
    planned: dict[str, int] = {}
    for units in _units_after(move, ""):
        for outcome in kinds.KINDS[move.kind].plan(move, units).values():
            planned[outcome] = planned.get(outcome, 0) + 1
    return planned


def _units_after(move: MoveIn, position: str) -> Iterator[dict[str, list[kinds.Values]]]:
    """Batches of units in the order of their keys: key → its lines' values."""
    while units := next_units(move, position):
        position = max(units)
        yield units


def next_units(move: MoveIn, position: str) -> dict[str, list[kinds.Values]]:
    rows = MoveInRow.objects.filter(move=move, key__gt=position)
    keys = list(rows.order_by("key").values_list("key", flat=True).distinct()[:UNITS_AT_ONCE])
    units: dict[str, list[kinds.Values]] = {key: [] for key in keys}
    if keys:
        found = MoveInRow.objects.filter(move=move, key__in=keys).order_by("key", "line")
        for key, cells in found.values_list("key", "cells"):
            units[key].append(decide.values_of(cells, move.mapping))
    return units


@transaction.atomic
def hand_out(move: MoveIn, *, why: str, by: User) -> Iterator[list[str]]:
    """`broken_lines` for somebody who takes them away, on record. Raises Unusable where persons stand in them and
    nobody says what for."""
    if move.is_personal and not why:
        raise Unusable(_("個人情報を含むファイルです。何に使うかを書いてください。"))
    note(move.pk, "taken", why, by=by)
    return broken_lines(move)


def broken_lines(move: MoveIn) -> Iterator[list[str]]:
    """The lines that cannot be read, as they came, each with its number and what to do; heads first."""
    yield [_("行"), _("エラー"), *move.heads]
    rows = MoveInRow.objects.filter(move=move).exclude(error="").order_by("line")
    for line, error, cells in rows.values_list("line", "error", "cells").iterator(chunk_size=LINES_AT_ONCE):
        yield [str(line), str(error), *cells]


@transaction.atomic
def save_preset(move: MoveIn, name: str, *, by: User) -> None:
    """Keep this mapping for the next file of the kind; the same name is written over."""
    heads = {field: move.heads[column] for field, column in move.mapping.items()}
    keep_preset(move.kind, name, heads, by=by)
    note(move.pk, "preset", name, by=by)


def keep_preset(kind: str, name: str, heads: Mapping[str, str], *, by: User | None) -> None:
    with setting_versions.kept(KIND, f"{kind}/{name}", by=by):
        MoveInPreset.objects.update_or_create(kind=kind, name=name, defaults={"heads": dict(heads)})


def forget_preset(kind: str, name: str, *, by: User | None) -> None:
    with setting_versions.kept(KIND, f"{kind}/{name}", by=by):
        MoveInPreset.objects.filter(kind=kind, name=name).delete()


# ---- applying and taking back ------------------------------------------------------------------------------------


def start(move: MoveIn, *, by: User) -> bool:
    """Begin to apply a checked file; False when somebody has begun already. Large ones go to a worker."""
    return _begin(move, State.CHECKED, State.RUNNING, "applied", by)


def undo(move: MoveIn, *, by: User) -> bool:
    """Begin to take an applied file back; what something was built on since is left as it is. Orders stay (False)."""
    if move.kind == "orders":
        return False
    return _begin(move, State.APPLIED, State.UNDOING, "undone", by)


def _begin(move: MoveIn, before: str, after: str, word: str, by: User) -> bool:
    with transaction.atomic():
        begun = MoveIn.objects.filter(pk=move.pk, state=before).update(
            state=after, position="", touched_at=clock.now(), result={}, by=by
        )
        if not begun:
            return False
        note(move.pk, word, "", by=by)
        if move.total > AT_ONCE:
            later("orders.tasks.work_move_in", move.pk)
    if move.total <= AT_ONCE:
        work(move.pk)
    return True


def work(move_id: int) -> None:
    """Do what is left, batch by batch."""
    while step(move_id):
        continue


@transaction.atomic
def step(move_id: int) -> bool:
    """One batch, committed together with how far it came; False when nothing is left. Locks the file's row first."""
    running = MoveIn.objects.select_for_update(no_key=True, of=("self",)).select_related("shop", "location", "by")
    move = running.filter(pk=move_id, state__in=[State.RUNNING, State.UNDOING]).order_by("pk").first()
    if move is None:
        return False
    units = next_units(move, move.position)
    kind = kinds.KINDS[move.kind]
    if not units:
        move.state = State.APPLIED if move.state == State.RUNNING else State.UNDONE
    else:
        with override(move.by.language):
            done = kind.apply(move, units) if move.state == State.RUNNING else kind.undo(move, _kept(move, units))
        if move.state == State.RUNNING:
            _remember(move, done)
        for outcome, _before in done.values():
            move.result[outcome] = move.result.get(outcome, 0) + 1
        move.position = max(units)
    move.touched_at = clock.now()
    move.save(update_fields=["state", "result", "position", "touched_at"])
    return bool(units)


def _kept(move: MoveIn, units: Mapping[str, object]) -> dict[str, tuple[str, kinds.Before]]:
    """What applying did to these units: outcome and what was there before."""
    rows = MoveInRow.objects.filter(move=move, key__in=list(units)).exclude(outcome="")
    return {key: (outcome, before) for key, outcome, before in rows.values_list("key", "outcome", "before")}


def _remember(move: MoveIn, done: Mapping[str, tuple[str, kinds.Before]]) -> None:
    first = MoveInRow.objects.filter(move=move, key__in=list(done)).order_by("key", "line").distinct("key")
    rows = [MoveInRow(pk=pk, outcome=done[key][0], before=done[key][1]) for pk, key in first.values_list("pk", "key")]
    MoveInRow.objects.bulk_update(rows, ["outcome", "before"])


def resume_stuck() -> int:
    """Wake files whose worker went away; returns how many."""
    stuck = MoveIn.objects.filter(state__in=[State.RUNNING, State.UNDOING], touched_at__lt=clock.now() - STUCK)
    ids = list(stuck.values_list("pk", flat=True))
    for pk in ids:
        later("orders.tasks.work_move_in", pk)
    return len(ids)


def units_of(move: MoveIn) -> int:
    return int(MoveInRow.objects.filter(move=move).exclude(key="").aggregate(n=Count("key", distinct=True))["n"])


def sample(move: MoveIn, most: int = 20) -> list[Record]:
    """The first lines, as they came."""
    rows = MoveInRow.objects.filter(move=move).order_by("line").values_list("cells", "error", "outcome")[:most]
    return [Record(cells, error if outcome == UNREAD else "") for cells, error, outcome in rows]


def note(move_id: int, kind: str, words: str, *, by: User | None) -> None:
    MoveInEvent.objects.create(move_id=move_id, at=clock.now(), kind=kind, text=words[:300], by=by)
