"""One value as a cell: no formula, no digit lost, what Shift_JIS lacks made visible."""

import csv
import io
import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oms.kernel.csv_text import DANGEROUS
from orders.decide.export_cells import cp932_cell, cp932_text, csv_cell, written
from orders.decide.export_columns import Kind

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
AROUND = re.compile(r'="[0-9A-Za-z_./:+ ,-]*"')


def read_back(cell: object, encoding: str = "utf-8") -> str:
    """The cell as a spreadsheet's CSV reader finds it."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerow([cell, "end"])
    text = file.getvalue().encode(encoding).decode(encoding)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 1 and rows[0][1:] == ["end"]
    return rows[0][0]


def is_harmless(cell: str) -> bool:
    """Not the beginning of a formula, or nothing but a quoted code."""
    return not cell.lstrip().startswith(DANGEROUS) or bool(AROUND.fullmatch(cell))


@given(TEXTS, st.sampled_from([Kind.TEXT, Kind.CODE]), st.booleans())
@example("=1+1", Kind.CODE, True)
@example('0"&cmd|"', Kind.CODE, True)
@example(" \u3000＝HYPERLINK(1)", Kind.TEXT, True)
@example("\n-2", Kind.TEXT, False)
def test_no_text_is_ever_a_formula(text, kind, keep_zeros):
    shown = read_back(csv_cell(text, kind, keep_zeros=keep_zeros))
    assert is_harmless(shown)
    assert text in {shown, shown.removeprefix("'"), shown[2:-1]}, "and nothing of it is lost"


@given(TEXTS, st.sampled_from([Kind.TEXT, Kind.CODE]))
@example("\u200b=1+1", Kind.TEXT)
@example("−1", Kind.TEXT)
def test_in_shift_jis_every_text_can_be_written_and_is_no_formula(text, kind):
    cell, lost = cp932_cell(text, kind, keep_zeros=True)
    assert is_harmless(read_back(cell, "cp932"))
    assert str(cell).count("〓") == len(lost) + text.count("〓")


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("0600001", '="0600001"'),
        ("090-1234-5678", '="090-1234-5678"'),
        ("+81 90 1234 5678", '="+81 90 1234 5678"'),
        ("123456789012345678", '="123456789012345678"'),
        ("1-2", '="1-2"'),
        ("12E5", '="12E5"'),
        ("CHAIR-1", "CHAIR-1"),
        ("", ""),
    ],
)
def test_codes_keep_their_zeros_and_digits(code, shown):
    assert csv_cell(code, Kind.CODE, keep_zeros=True) == shown


def test_other_programs_get_codes_bare():
    assert csv_cell("0600001", Kind.CODE, keep_zeros=False) == "0600001"


def test_amounts_stay_numbers_and_times_are_tokyos():
    assert csv_cell(-500, Kind.NUMBER, keep_zeros=True) == -500
    assert csv_cell(None, Kind.NUMBER, keep_zeros=True) == ""
    assert written(datetime(2026, 11, 20, 15, 30, tzinfo=UTC), Kind.MOMENT) == "2026/11/21 00:30:00"
    assert written(date(2026, 11, 20), Kind.DAY) == "2026/11/20"


def test_what_shift_jis_lacks_becomes_a_geta_and_what_it_knows_otherwise_does_not():
    assert cp932_text("𠮷野家 髙﨑①〜") == ("〓野家 髙﨑①～", "𠮷")
