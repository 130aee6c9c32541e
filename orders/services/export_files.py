"""Files of rows, written line by line: CSV and workbooks. Neither holds more than a line in memory."""

import csv
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import xlsxwriter
from django.utils.translation import gettext as _

from oms.kernel.clock import in_tokyo
from orders.decide.export_cells import cp932_cell, cp932_text, csv_cell
from orders.decide.export_columns import ExportColumn, Kind
from orders.models import ExportFormat

SHEET_ROWS = 1_048_575  # what a sheet holds below its heads
SHEET_TEXT = 32_767
WIDTHS = {Kind.TEXT: 24, Kind.CODE: 20, Kind.NUMBER: 11, Kind.MOMENT: 18, Kind.DAY: 12}
FIRST_DAY = date(1900, 3, 1)  # days before it are counted wrongly in workbooks


class TooLong(Exception):
    """The file cannot hold so many lines; the text says what to do."""


class File(Protocol):
    def write(self, values: Sequence[Any]) -> str:
        """Append a line; returns the characters that the file's encoding cannot hold."""

    def close(self) -> None: ...

    def abandon(self) -> None:
        """Let go of what was begun; the file is worth nothing."""


def opened(path: Path, columns: Sequence[ExportColumn], kind: str, *, keep_zeros: bool) -> File:
    """A new file with its heads written."""
    if kind == ExportFormat.XLSX:
        return _Workbook(path, columns)
    return _Csv(path, columns, cp932=kind == ExportFormat.CP932, keep_zeros=keep_zeros)


class _Csv:
    def __init__(self, path: Path, columns: Sequence[ExportColumn], *, cp932: bool, keep_zeros: bool) -> None:
        self._kinds, self._cp932, self._keep_zeros = [column.kind for column in columns], cp932, keep_zeros
        # utf-8-sig: without the mark Excel takes the file for another encoding
        self._file = path.open("w", encoding="cp932" if cp932 else "utf-8-sig", newline="")
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        names = [str(column.label) for column in columns]
        self._writer.writerow([cp932_text(name)[0] for name in names] if cp932 else names)

    def write(self, values: Sequence[Any]) -> str:
        if not self._cp932:
            self._writer.writerow(
                [csv_cell(v, kind, keep_zeros=self._keep_zeros) for v, kind in zip(values, self._kinds, strict=True)]
            )
            return ""
        cells = [cp932_cell(v, kind, keep_zeros=self._keep_zeros) for v, kind in zip(values, self._kinds, strict=True)]
        self._writer.writerow([cell for cell, _lost in cells])
        return "".join(lost for _cell, lost in cells)

    def close(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        with suppress(OSError):  # a full disk refuses the last lines as well
            self._file.close()


class _Workbook:
    """Every text cell is a text cell: nothing in it is read as a formula, a number or a link."""

    def __init__(self, path: Path, columns: Sequence[ExportColumn]) -> None:
        self._columns, self._at = columns, 0
        # Lines wait in a file of their own until the workbook is packed; it lies where there is room for both.
        self._room = TemporaryDirectory(dir=path.parent, prefix="sheet-")
        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": self._room.name})
        self._book.use_zip64()
        self._sheet = self._book.add_worksheet(_("受注"))
        bold = self._book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EBEF"})
        text = self._book.add_format({"num_format": "@"})
        self._formats = {
            Kind.NUMBER: self._book.add_format({"num_format": "#,##0"}),
            Kind.MOMENT: self._book.add_format({"num_format": "yyyy/mm/dd hh:mm"}),
            Kind.DAY: self._book.add_format({"num_format": "yyyy/mm/dd"}),
            Kind.CODE: text,
            Kind.TEXT: text,
        }
        for place, column in enumerate(columns):
            self._sheet.set_column(place, place, WIDTHS[column.kind])
            self._sheet.write_string(0, place, str(column.label), bold)
        self._sheet.freeze_panes(1, 1)

    def write(self, values: Sequence[Any]) -> str:
        self._at += 1
        if self._at > SHEET_ROWS:
            raise TooLong(
                _("Excelのファイルに入るのは%(most)s行までです。CSVを選ぶか、期間を分けて書き出してください。")
                % {"most": f"{SHEET_ROWS:,}"}
            )
        for place, (value, column) in enumerate(zip(values, self._columns, strict=True)):
            if value is not None and value != "":
                self._cell(place, value, column.kind)
        return ""

    def _cell(self, place: int, value: Any, kind: Kind) -> None:
        layout = self._formats[kind]
        if kind is Kind.NUMBER:
            self._sheet.write_number(self._at, place, int(value), layout)
            return
        if isinstance(value, datetime):
            value = in_tokyo(value).replace(tzinfo=None)
        if isinstance(value, date) and (value.date() if isinstance(value, datetime) else value) >= FIRST_DAY:
            self._sheet.write_datetime(self._at, place, value, layout)
        else:
            self._sheet.write_string(self._at, place, str(value)[:SHEET_TEXT], layout)

    def close(self) -> None:
        self._sheet.autofilter(0, 0, self._at, len(self._columns) - 1)
        self._book.close()
        self._room.cleanup()

    def abandon(self) -> None:
        self._room.cleanup()


class Replaced:
    """Which orders lost which characters; the first `NAMED` of them by number."""

    NAMED = 200

    def __init__(self) -> None:
        self._chars, self._orders = 0, 0
        self._named: list[dict[str, Any]] = []

    def note(self, order_id: int, number: str, lost: str) -> None:
        if not lost:
            return
        self._chars += len(lost)
        self._orders += 1
        if len(self._named) < self.NAMED:
            kinds = "".join(Counter(lost))[:40]
            self._named.append({"id": order_id, "no": number, "count": len(lost), "chars": kinds})

    @property
    def told(self) -> dict[str, Any]:
        return {"chars": self._chars, "orders": self._orders, "named": self._named} if self._orders else {}
