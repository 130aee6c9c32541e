"""The same paper on A4, on A5, on a roll and on a label: whole everywhere, and as large as its sheet."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from pypdf import PdfReader

from orders.documents.bill import Bill, BillKind
from orders.documents.render import render_bill, render_delivery_notes, render_return_slips, render_work_slips
from orders.documents.sizes import PaperSize
from orders.documents.stored import plain, restored
from orders.documents.values import DeliveryNote, ReturnSlip, Work, WorkLine, WorkSlip
from tests.orders.documents.paper import CUP, RECIPIENT, SHOP, TEA, make_note, pages_of, read_notes

DAY = date(2026, 7, 3)
MILLIMETRES = {"a4": (210, 297), "a5": (148, 210), "label": (100, 150)}


def sizes_of(pdf: bytes) -> list[tuple[int, int]]:
    boxes = [page.mediabox for page in PdfReader(io.BytesIO(pdf)).pages]
    return [(round(float(box.width) * 25.4 / 72), round(float(box.height) * 25.4 / 72)) for box in boxes]


def make_receipt(paper: str) -> Bill:
    note = make_note()
    return Bill(
        kind=BillKind.RECEIPT, shop=SHOP, number="2026-main-000012", issued_on=DAY, supplied_on=DAY, to=note.buyer,
        lines=note.lines, fees=note.fees, deductions=note.deductions, subject="お品代として", payment="銀行振込",
        stamp_box=True, paper=paper,
    )  # fmt: skip


@pytest.mark.parametrize("paper", list(PaperSize))
def test_every_size_prints_all_that_the_law_asks(paper):
    text = "".join(read_notes(make_note(paper=paper.value, recipient=RECIPIENT, gift="のし 内祝")))
    for item in (
        "あおぞら食器店", "T7000012050002", "2026年7月3日", "髙橋 﨑子", "マグカップ", "宇治煎茶 ※", "軽減税率（8%）",
        "¥4,795", "¥4,360", "¥435", "¥3,653", "¥3,383", "¥270", "¥8,448", "-¥500", "¥7,248", "𠮷野 太郎", "のし 内祝",
    ):  # fmt: skip
        assert item in text, item


@pytest.mark.parametrize("paper", list(PaperSize))
def test_no_size_tells_a_price_of_a_gift(paper):
    text = "".join(
        read_notes(make_note(paper=paper.value, hide_prices=True, recipient=RECIPIENT, sender_name="鈴木商店"))
    )
    assert "¥" not in text and "T7000012050002" not in text and "髙橋" not in text
    assert "鈴木商店" in text and "𠮷野 太郎" in text


@pytest.mark.parametrize("paper", ["a4", "a5", "label"])
def test_pages_have_the_size_of_their_sheet(paper):
    assert set(sizes_of(render_delivery_notes([make_note(paper=paper)]))) == {MILLIMETRES[paper]}


def test_one_file_holds_sheets_of_several_sizes():
    notes = [make_note(paper=paper) for paper in ("a5", "a4", "a5")]
    assert sizes_of(render_delivery_notes(notes)) == [(148, 210), (210, 297), (148, 210)]


def test_a_roll_is_one_page_as_long_as_its_text():
    short, long = (make_note(paper="roll", lines=(TEA,) * count, deductions=()) for count in (1, 40))
    [(wide, low)], [(also_wide, high)] = (sizes_of(render_delivery_notes([note])) for note in (short, long))
    assert wide == also_wide == 80 and low < 260 and high > 500


def test_a_label_that_is_full_goes_on_on_the_next_with_its_number():
    pages = read_notes(make_note(paper="label", lines=(TEA,) * 12, deductions=()))
    assert len(pages) > 2 and all("2026-000001" in page for page in pages)
    assert f"1 / {len(pages)}" in pages[0] and f"{len(pages)} / {len(pages)}" in pages[-1]


def test_a_receipt_is_printed_on_half_a_sheet_a_whole_one_or_a_roll():
    assert sizes_of(render_bill(replace(make_receipt(""), lines=(CUP,), fees=(), deductions=()))) == [(210, 148)]
    assert sizes_of(render_bill(make_receipt("a4"))) == [(210, 297)]
    [(width, _height)] = sizes_of(render_bill(make_receipt("roll")))
    [text] = pages_of(render_bill(make_receipt("roll")))
    assert width == 80 and all(
        word in text for word in ("領収書", "髙橋 﨑子 様", "¥7,248", "お品代", "収入印紙", "T7000012050002")
    )


def test_work_slips_and_return_slips_fit_on_a5():
    works = (Work(order_number="401", wrapping="赤い包装紙", lines=(WorkLine(code="C", name="カップ", quantity=1),)),)
    at = datetime(2026, 7, 3, tzinfo=UTC)
    slip = WorkSlip(number="S1", location="東京倉庫", made_at=at, works=works, paper="a5")
    back = ReturnSlip(
        shop=SHOP, number="S1", order_numbers=("401",), shipped_on=DAY, recipient="山田", lines=(TEA,), paper="a5"
    )
    assert sizes_of(render_work_slips([slip])) == sizes_of(render_return_slips([back], at)) == [(148, 210)]


def test_a_kept_note_is_printed_again_on_the_paper_it_had_and_older_ones_on_a4():
    note = make_note(paper="roll")
    assert restored(DeliveryNote, plain(note)) == note
    assert "paper" not in plain(replace(note, paper="a4")) and restored(DeliveryNote, plain(make_note())).paper == "a4"
