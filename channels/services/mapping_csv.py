"""Mappings as CSV: out for a spreadsheet, in with a preview of what would change, applied whole and once."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from channels.models import CsvBatch, Listing, ListingEvent
from channels.services import listings, mapping
from channels.services.mapping import Decision
from inventory.models import PublisherMark, Sku
from oms.kernel import clock
from oms.kernel.csv_text import DANGEROUS
from oms.kernel.later import later
from oms.kernel.models import User
from oms.kernel.said import said, stored, together
from oms.kernel.services import setting_versions
from oms.kernel.sql import update_rows
from orders.models import Shop
from orders.services.journal import Actor

# Japanese heads for people; files may also use the English ones.
HEADS = {
    "shop": "店舗コード",
    "code": "在庫コード",
    "channel_sku": "モール商品コード",
    "name": "商品名",
    "sku": "SKUコード",
    "units": "入数",
    "mode": "連携方法",
    "delete": "削除",
}
NEEDED = ("shop", "channel_sku", "sku")
MOST_BYTES = 30_000_000
IN_BACKGROUND_FROM = 2000
STUCK_AFTER = timedelta(minutes=5)
TRUE = {"1", "○", "◯", "削除", "yes", "true"}


class Unusable(Exception):
    """The file as a whole cannot be read; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one line wants. `units` 0 and `mode` "" mean "as it is"; `sku` "" takes the SKU away."""

    line: int
    shop: str
    code: str
    channel_sku: str
    sku: str
    units: int = 0
    mode: str = ""
    delete: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One listing's difference, in words for the preview."""

    line: int
    shop: str
    code: str
    before: str
    after: str


# ---- out ---------------------------------------------------------------------------------------------------------


def written(listings: "QuerySet[Listing]", *, encoding: str) -> Iterator[bytes]:
    """The file, in pieces. `encoding` is "utf-8" (with BOM, for Excel) or "cp932"; what CP932 lacks becomes 〓."""
    rows = listings.order_by("shop__code", "code").values_list(
        "shop__code", "code", "channel_sku", "name", "sku__code", "units", "mode"
    )
    modes = dict(Listing.Mode.choices)
    if encoding == "utf-8":
        yield b"\xef\xbb\xbf"
    yield _line(HEADS.values(), encoding)
    for shop, code, channel_sku, name, sku, units, mode in rows.iterator(chunk_size=2000):
        yield _line([shop, code, channel_sku, name, sku or "", units, modes[mode], ""], encoding)


def _line(values: Iterable[object], encoding: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([_inert(str(value)) for value in values])
    if encoding == "utf-8":
        return text.getvalue().encode()
    return "".join(char if _fits(char) else "〓" for char in text.getvalue()).encode("cp932")


def _fits(char: str) -> bool:
    try:
        char.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def _inert(value: str) -> str:
    """A spreadsheet must not take a mall's text for a formula; `read` takes the apostrophe away again."""
    return f"'{value}" if value.startswith(("'", *DANGEROUS)) else value


# ---- in ----------------------------------------------------------------------------------------------------------


def decoded(data: bytes) -> tuple[str, str]:
    """(text, name of the encoding): UTF-8 with or without BOM, else CP932. Raises Unusable."""
    if len(data) > MOST_BYTES:
        raise Unusable(_("ファイルが大きすぎます（30MBまで）。分けて取り込んでください。"))
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text, "UTF-8" if encoding == "utf-8-sig" else "Shift_JIS (CP932)"
    raise Unusable(_("文字コードを読み取れません。UTF-8 か Shift_JIS のCSVで保存し直してください。"))


def read(text: str) -> tuple[list[Row], list[tuple[int, str]]]:
    """(rows, errors by line). Raises Unusable when a needed column is missing."""
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as broken:
        raise Unusable(
            _("CSVとして読めません（%(detail)s）。引用符を確かめてください。") % {"detail": broken}
        ) from broken
    lines = [[cell.strip() for cell in line] for line in lines]
    if not lines:
        raise Unusable(_("ファイルが空です。"))
    place = _places(lines[0])
    missing = [HEADS[name] for name in NEEDED if name not in place]
    if missing:
        raise Unusable(
            _("見出しに次の列がありません：%(names)s。出力したCSVの見出しをそのまま使ってください。")
            % {"names": "、".join(missing)}
        )
    rows: list[Row] = []
    errors: list[tuple[int, str]] = []
    seen: dict[tuple[str, str], Row] = {}
    modes = {str(label): code for code, label in Listing.Mode.choices} | {code: code for code in Listing.Mode.values}
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cells):
            continue
        values = {name: cells[at].removeprefix("'") if at < len(cells) else "" for name, at in place.items()}
        found = _row(number, values, modes)
        if isinstance(found, str):
            errors.append((number, found))
        elif first := seen.get((found.shop, found.channel_sku)):
            if not _same(first, found):
                errors.append((number, said("%(line)d行目と同じ商品コードで、内容が違います。", line=first.line)))
        else:
            seen[found.shop, found.channel_sku] = found
            rows.append(found)
    return rows, errors


def _same(earlier: Row, row: Row) -> bool:
    """Two listings may share a channel's code; then both lines must want the same."""
    return (earlier.sku, earlier.units, earlier.mode, earlier.delete) == (row.sku, row.units, row.mode, row.delete)


def _places(heads: Sequence[str]) -> dict[str, int]:
    known = {label: name for name, label in HEADS.items()} | {name: name for name in HEADS}
    return {known[head.lower()]: at for at, head in enumerate(heads) if head.lower() in known} | {
        known[head]: at for at, head in enumerate(heads) if head in known
    }


def _row(line: int, values: Mapping[str, str], modes: Mapping[str, str]) -> Row | str:
    """The row, or why it is none."""
    if not values["shop"] or not values["channel_sku"]:
        return said("店舗コードとモール商品コードを入れてください。")
    units = values.get("units", "")
    if units and not (units.isascii() and units.isdigit() and len(units) < 4 and int(units) >= 1):
        return said("入数「%(units)s」は1から999の整数にしてください。", units=units)
    mode = values.get("mode", "")
    if mode and mode not in modes:
        return said(
            "連携方法「%(mode)s」はありません。%(known)s のどれかにしてください。",
            mode=mode,
            known=list(Listing.Mode.labels),
        )
    return Row(
        line=line,
        shop=values["shop"],
        code=values.get("code", ""),
        channel_sku=values["channel_sku"],
        sku=values["sku"],
        units=int(units or 0),
        mode=modes.get(mode, ""),
        delete=values.get("delete", "").lower() in TRUE,
    )


@dataclass(slots=True)
class Plan:
    """What the rows change now, ready to be written."""

    changes: list[Change]
    errors: list[tuple[int, str]]
    decisions: list[Decision]
    unmapped: list[int]
    deleted: list[int]
    modes: list[tuple[Listing, str]]


def plan(rows: Sequence[Row]) -> Plan:
    """Compare the rows with what is stored; a fixed number of queries for any number of rows."""
    shops = {shop.code: shop for shop in Shop.objects.filter(code__in={row.shop for row in rows})}
    skus = dict(Sku.objects.filter(code__in={row.sku for row in rows}).values_list("code", "pk"))
    known: dict[tuple[int, str], list[Listing]] = {}
    wanted = Listing.objects.select_related("sku").defer("sku__search_text")
    wanted = wanted.filter(shop__in=shops.values(), channel_sku__in={row.channel_sku for row in rows})
    for listing in wanted.order_by("pk"):
        known.setdefault((listing.shop_id, listing.channel_sku), []).append(listing)
    made = Plan([], [], [], [], [], [])
    for row in rows:
        shop = shops.get(row.shop)
        if shop is None:
            made.errors.append((row.line, said("店舗「%(code)s」はありません。", code=row.shop)))
        elif row.sku and row.sku not in skus:
            made.errors.append(
                (row.line, said("SKU「%(code)s」はありません。先に商品を登録してください。", code=row.sku))
            )
        else:
            _compare(made, row, shop, skus.get(row.sku), known.get((shop.pk, row.channel_sku), []))
    return made


def _compare(made: Plan, row: Row, shop: Shop, sku_id: int | None, listings: Sequence[Listing]) -> None:
    if not listings and (row.delete or sku_id is None):
        if row.delete:
            made.errors.append((row.line, said("この商品コードの出品がないため、削除できません。")))
        return
    before = _said(listings[0]) if listings else said("新規")
    after = _wanted(row, listings)
    if before == after:
        return
    made.changes.append(Change(row.line, shop.code, row.channel_sku, before, after))
    if row.delete:
        made.deleted += [listing.pk for listing in listings]
        return
    if sku_id is None:
        made.unmapped += [listing.pk for listing in listings if listing.sku_id]
    else:
        units = row.units or (listings[0].units if listings else 1)
        if not listings or any((one.sku_id, one.units) != (sku_id, units) for one in listings):
            made.decisions.append(Decision(shop.pk, row.channel_sku, sku_id, units))
    if row.mode:
        made.modes += [(listing, row.mode) for listing in listings if listing.mode != row.mode]


def _said(listing: Listing) -> str:
    return _words(listing.sku.code if listing.sku else "", listing.units, listing.mode)


def _wanted(row: Row, listings: Sequence[Listing]) -> str:
    if row.delete:
        return said("削除")
    units = row.units or (listings[0].units if listings else 1)
    return _words(row.sku, units if row.sku else 1, row.mode or (listings[0].mode if listings else "normal"))


def _words(sku: str, units: int, mode: str) -> str:
    pieces = f"×{units}" if units != 1 else ""
    return together([sku or said("未対応"), pieces, "·", Listing.Mode(mode).label], " ")


@transaction.atomic
def preview(data: bytes, *, name: str, by: User) -> CsvBatch:
    """Read a file and keep it with what it would change; nothing else is written. Raises Unusable."""
    text, encoding = decoded(data)
    rows, errors = read(text)
    planned = plan(rows)
    batch = CsvBatch.objects.create(
        name=name[:200],
        encoding=encoding,
        digest=hashlib.sha256(data).hexdigest(),
        rows=[asdict(row) for row in rows],
        errors=[[line, stored(words)] for line, words in sorted([*errors, *planned.errors])],
        changes=[
            [stored(one) if isinstance(one, str) else one for one in astuple(change)] for change in planned.changes
        ],
        at=clock.now(),
        by=by,
    )
    batch.refresh_from_db(fields=["errors", "changes"])  # as their readers get them
    return batch


def _kept(change: Change) -> list[object]:
    """As JSON keeps it: sentences with what is needed to say them again."""
    return [stored(one) if isinstance(one, str) else one for one in astuple(change)]


def start(batch_id: int, *, by: User) -> CsvBatch:
    """Apply now, or by a worker when the file is long. Starting twice applies once."""
    batch = CsvBatch.objects.get(pk=batch_id)
    if len(batch.changes) < IN_BACKGROUND_FROM:
        return apply(batch_id, by=by)
    with transaction.atomic():
        if CsvBatch.objects.filter(pk=batch_id, state=CsvBatch.State.READ).update(state=CsvBatch.State.RUNNING):
            later("channels.tasks.apply_csv", batch_id, by.pk)
    batch.refresh_from_db()
    return batch


@transaction.atomic
def apply(batch_id: int, *, by: User | None) -> CsvBatch:
    """Write every good line of a previewed file, compared anew with what is stored now; all in one transaction, once.

    Locks the file's row, listings by pk, orders by pk, then stock once, last.
    """
    batch = CsvBatch.objects.select_for_update(no_key=True).get(pk=batch_id)
    if batch.state not in {CsvBatch.State.READ, CsvBatch.State.RUNNING}:
        return batch
    planned, how = plan([Row(**row) for row in batch.rows]), f"csv:{batch.pk}"
    batch.state, batch.applied_at = CsvBatch.State.APPLIED, clock.now()
    batch.result = said(
        "対応付け%(mapped)d件、解除%(unmapped)d件、連携方法%(modes)d件、削除%(deleted)d件",
        mapped=len(planned.decisions),
        unmapped=len(planned.unmapped),
        modes=len(planned.modes),
        deleted=len(planned.deleted),
    )
    batch.save(update_fields=["state", "applied_at", "result"])
    mapping.delete(planned.deleted, by=by, how=how)
    mapping.unmap(planned.unmapped, by=by, how=how)
    _write_modes(planned.modes, by=by, how=how)
    mapping.map_codes(planned.decisions, actor=Actor(by=by, action=how), how=how)
    return batch


def _write_modes(modes: Sequence[tuple[Listing, str]], *, by: User | None, how: str) -> None:
    """As `listings.change` does for one: the publisher works it out anew; what was stopped is told again."""
    ids = [listing.pk for listing, _mode in modes]
    list(Listing.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    restarted = [one.pk for one, mode in modes if one.mode == Listing.Mode.STOPPED != mode]
    Listing.objects.filter(pk__in=restarted).update(sent=None, desired_at=None)
    update_rows("channels_listing", {"mode": "text"}, [(listing.pk, mode) for listing, mode in modes])
    Listing.objects.filter(pk__in=ids).update(failures=0, next_try_at=None)
    now, skus = clock.now(), sorted({listing.sku_id for listing, _mode in modes if listing.sku_id})
    PublisherMark.objects.bulk_create(PublisherMark(sku_id=sku_id, at=now) for sku_id in skus)
    labels = {code: str(label) for code, label in Listing.Mode.choices}
    said = [(listing, labels[listing.mode], labels[mode]) for listing, mode in modes]
    mapping.note(ListingEvent.Kind.CHANGED, said, by=by, how=how)
    versions = [
        setting_versions.Change(str(one.pk), one.code, listings.told(one), listings.told(one) | {"mode": mode})
        for one, mode in modes
    ]
    setting_versions.keep_many("listing", versions, by=by)


def unfinished() -> list[tuple[int, int]]:
    """(file, person) whose worker was lost."""
    rows = CsvBatch.objects.filter(state=CsvBatch.State.RUNNING, at__lt=clock.now() - STUCK_AFTER)
    return [(pk, by or 0) for pk, by in rows.order_by("pk").values_list("pk", "by")]
