"""Invoices, receipts, credit notes: their sums, their words, and what stands on the paper."""

import io
import struct
import zlib
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from oms.kernel.money import REDUCED, STANDARD, Rounding, TaxRate, distribute, included_tax
from oms.kernel.pdf.picture import UnreadablePicture, read_picture
from orders.documents.bill import Bill, BillKind, Reference
from orders.documents.credit import TooMuch, Wish, credit_lines, net_amounts
from orders.documents.figures import figures
from orders.documents.render import render_bill
from orders.documents.rules import (
    Notice,
    Refusal,
    Sale,
    credit_note_is_required,
    invoice_refusal,
    issuer_of,
    needs_stamp,
    payment_words,
    receipt_day,
    receipt_refusal,
    receipt_warnings,
)
from orders.documents.split import split_receipt
from orders.documents.stored import digest, plain, restored
from orders.documents.values import Component, Deduction, Fee, Line
from tests.orders.documents.paper import BUYER, CUP, SHOP, TEA, make_note, pages_of

DAY = date(2026, 7, 3)


def make_bill(kind: BillKind = BillKind.INVOICE, **changes: object) -> Bill:
    values: dict[str, object] = {
        "kind": kind,
        "shop": SHOP,
        "number": "2026-aozora-000001",
        "issued_on": DAY,
        "supplied_on": date(2026, 7, 2),
        "to": BUYER,
        "order_numbers": ("310291-20260701-0012345678",),
        "lines": (replace(CUP, ref="1"), replace(TEA, ref="2")),
        "fees": (Fee(label="送料", amount=660),),
        "deductions": (Deduction(label="店舗クーポン", amount=500),),
        "payment": "クレジットカード利用",
    }
    return Bill(**(values | changes))  # type: ignore[arg-type]


RATES = st.sampled_from([STANDARD, REDUCED, TaxRate(0), TaxRate(8)])
AMOUNTS = st.integers(0, 300_000)
LINES = st.lists(st.tuples(RATES, AMOUNTS, st.integers(1, 9)), min_size=1, max_size=12)


def drawn(rows: list[tuple[TaxRate, int, int]]) -> tuple[Line, ...]:
    return tuple(
        Line(code="", name="品", quantity=n, unit_price=amount // n, amount=amount, rate=rate, ref=str(place))
        for place, (rate, amount, n) in enumerate(rows)
    )


# ---- money


@given(LINES, st.lists(AMOUNTS, max_size=3), st.integers(0, 100), st.sampled_from(Rounding))
def test_sums_per_rate_add_up_to_the_total_and_tax_is_rounded_once_per_rate(rows, fees, percent, rounding):
    goods = sum(amount for _rate, amount, _n in rows)
    cut = (goods + sum(fees)) * percent // 100
    bill = make_bill(
        shop=replace(SHOP, rounding=rounding),
        lines=drawn(rows),
        fees=tuple(Fee(label="送料", amount=fee) for fee in fees),
        deductions=(Deduction(label="値引", amount=cut), Deduction(label="ポイント", amount=7, lowers_price=False)),
    )
    sums = figures(bill)
    assert sum(rate.amount for rate in sums.rates) == sums.total == goods + sum(fees) - cut
    assert sums.due == sums.total - 7
    for rate in sums.rates:
        assert rate.amount >= 0 and rate.base + rate.tax == rate.amount
        assert rate.tax == included_tax(rate.amount, rate.rate, rounding)


@given(LINES, st.integers(0, 100), st.lists(st.integers(1, 4), min_size=1, max_size=6), st.randoms())
def test_giving_back_everything_in_any_steps_gives_back_exactly_what_was_paid(rows, percent, steps, chance):
    goods = sum(amount for _rate, amount, _n in rows)
    sold = make_bill(lines=drawn(rows), deductions=(Deduction(label="値引", amount=(goods + 660) * percent // 100),))
    left, earlier = {line.ref: line.quantity for line in sold.lines}, []
    while any(left.values()):
        wish = {ref: min(n, chance.choice(steps)) for ref, n in left.items() if n}
        lines = credit_lines(sold, earlier, Wish(wish))
        earlier.append(replace(sold, kind=BillKind.CREDIT_NOTE, lines=lines, fees=(), deductions=()))
        left = {ref: n - wish.get(ref, 0) for ref, n in left.items()}
    net, _fees = net_amounts(sold)
    given_back = [line for bill in earlier for line in bill.lines]
    assert {ref: sum(line.amount for line in given_back if line.ref == ref) for ref in net} == net
    with pytest.raises(TooMuch):
        credit_lines(sold, earlier, Wish({sold.lines[0].ref: 1}))


@given(LINES, st.integers(1, 2_000_000))
def test_a_later_discount_is_shared_over_the_rates_and_never_exceeds_one(rows, amount):
    sold = make_bill(lines=drawn(rows), deductions=())
    total = figures(sold).total
    if amount > total:
        with pytest.raises(TooMuch):
            credit_lines(sold, [], Wish({}, reduction=amount))
        return
    lines = credit_lines(sold, [], Wish({}, reduction=amount))
    assert sum(line.amount for line in lines) == amount
    sold_in = {rate.rate: rate.amount for rate in figures(sold).rates}
    assert all(line.amount <= sold_in[line.rate] for line in lines)


def test_fees_are_given_back_at_most_once():
    sold = make_bill(deductions=())
    first = credit_lines(sold, [], Wish({}, fees=600))
    assert [(line.name, line.amount, line.rate) for line in first] == [("送料・手数料（10%対象）", 600, STANDARD)]
    earlier = replace(sold, lines=first, fees=())
    with pytest.raises(TooMuch) as error:
        credit_lines(sold, [earlier], Wish({}, fees=61))
    assert error.value.left == 60


def test_ten_thousand_yen_is_judged_on_the_whole_refund():
    assert not credit_note_is_required(9_999) and credit_note_is_required(10_000)


# ---- rules


def sale(**changes: object) -> Sale:
    values: dict[str, object] = {"method": "bank_transfer", "issuer": "we", "due": 5000, "sum": 5000, "paid_on": DAY}
    return Sale(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "invoice", "receipt"),
    [
        ({}, None, None),
        ({"issuer": "mall"}, Refusal.MALL_ISSUES, Refusal.MALL_ISSUES),
        ({"method": "cod"}, None, Refusal.CARRIER_RECEIPT),
        ({"paid_on": None}, None, Refusal.NOT_PAID),
        ({"paid_on": None, "shipped_on": DAY}, None, Refusal.NOT_PAID),
        ({"method": "card", "paid_on": None, "shipped_on": DAY}, None, None),
        ({"is_cancelled": True}, Refusal.CANCELLED, Refusal.CANCELLED),
        ({"is_refunded": True}, None, Refusal.REFUNDED),
        ({"due": 0, "sum": 0}, None, Refusal.NOTHING_PAID),
        ({"due": None}, Refusal.NO_AMOUNT, Refusal.NO_AMOUNT),
        ({"sum": 4999}, Refusal.AMOUNT_MISMATCH, Refusal.AMOUNT_MISMATCH),
    ],
)
def test_who_may_have_an_invoice_and_a_receipt(changes, invoice, receipt):
    assert (invoice_refusal(sale(**changes)), receipt_refusal(sale(**changes))) == (invoice, receipt)


def test_a_receipt_is_dated_by_the_payment_else_by_the_shipment():
    assert receipt_day(sale(method="card", shipped_on=date(2026, 7, 9))) == DAY
    assert receipt_day(sale(method="card", paid_on=None, shipped_on=date(2026, 7, 9))) == date(2026, 7, 9)


def test_what_whoever_issues_should_know():
    assert receipt_warnings(sale(method="convenience")) == [Notice.SLIP_IS_RECEIPT]
    assert receipt_warnings(sale(method="card", is_registered=False)) == [Notice.CARD_PROOF, Notice.NO_REGISTRATION]
    assert payment_words("card", "カード") == "クレジットカード利用" and payment_words("cod", "代引") == "代引"


@pytest.mark.parametrize(
    ("own", "declared", "registered", "issuer"),
    [
        ({}, {}, True, "we"),
        ({}, {"": "mall", "cod": "we"}, True, "mall"),
        ({"bank_transfer": "we"}, {"": "mall"}, True, "we"),
        ({"": "we"}, {"": "mall"}, True, "we"),
        ({}, {"": "mall_if_registered"}, True, "mall"),
        ({}, {"": "mall_if_registered"}, False, "we"),
    ],
)
def test_the_shops_own_word_on_the_issuer_goes_first(own, declared, registered, issuer):
    assert issuer_of("bank_transfer", own, declared, is_registered=registered) == issuer


@pytest.mark.parametrize(
    ("method", "amount", "on_paper", "stamp"),
    [
        ("bank_transfer", 55_000, True, True),
        ("bank_transfer", 54_998, True, False),  # 49,999 without the tax, which is printed apart
        ("bank_transfer", 99_000, False, False),
        ("card", 99_000, True, False),
    ],
)
def test_only_paper_for_money_received_needs_a_stamp(method, amount, on_paper, stamp):
    lines = (replace(CUP, quantity=1, unit_price=amount, amount=amount),)
    sums = figures(make_bill(lines=lines, fees=(), deductions=()))
    assert needs_stamp(method, sums.rates, sums.due, on_paper=on_paper, methods=("bank_transfer",)) is stamp


# ---- paper


def text_of(bill: Bill) -> str:
    return "\n".join(pages_of(render_bill(bill)))


def test_an_invoice_carries_the_six_items_of_the_law():
    page = text_of(make_bill())
    for item in (
        "請求書",
        "あおぞら食器店",
        "登録番号 T7000012050002",
        "取引年月日",
        "2026年7月2日",
        "髙橋 﨑子",
        "様",
    ):
        assert item in page
    for item in (
        "宇治煎茶 ※",
        "※は軽減税率（8%）対象です。",
        "10%対象",
        "8%対象 ※",
        "¥4,795",
        "¥435",
        "¥3,653",
        "¥270",
    ):
        assert item in page
    assert "再発行" not in page and "修正" not in page


def test_the_simplified_form_has_no_recipient():
    page = text_of(make_bill(to=None))
    assert "髙橋" not in page and "T7000012050002" in page and "¥435" in page


def test_a_receipt_is_half_a_sheet_with_amount_purpose_and_day():
    bill = make_bill(BillKind.RECEIPT, subject="食器代として", deductions=())
    [first] = PdfReader(io.BytesIO(render_bill(bill))).pages
    assert round(float(first.mediabox.height) / 72 * 25.4) == 148
    page = first.extract_text()
    for item in (
        "領収書",
        "¥8,948 −",
        "但し　食器代として",
        "2026年7月2日　上記金額を正に領収いたしました。",
        "クレジットカード利用",
    ):
        assert item in page
    assert "収入印紙" not in page and "神宮前" not in page
    assert "収入印紙" in text_of(replace(bill, stamp_box=True))
    long = replace(bill, lines=bill.lines * 5)
    assert round(float(PdfReader(io.BytesIO(render_bill(long))).pages[0].mediabox.height) / 72 * 25.4) == 297


def test_a_correction_names_the_paper_it_replaces():
    told = Reference(number="2026-aozora-000001", day=DAY)
    page = text_of(make_bill(number="2026-aozora-000002", corrects=told, reason="宛名の変更"))
    for item in ("修正請求書", "2026年7月3日発行 No. 2026-aozora-000001 を訂正", "理由：宛名の変更"):
        assert item in page


def test_a_credit_note_names_both_days_and_the_invoice():
    sold = make_bill()
    lines = credit_lines(sold, [], Wish({"1": 1}))
    bill = make_bill(
        BillKind.CREDIT_NOTE, lines=lines, fees=(), deductions=(), sold_on=date(2026, 6, 30),
        invoice=Reference(number="2026-aozora-000001", day=date(2026, 6, 30)), reason="色違い",
    )  # fmt: skip
    page = text_of(bill)
    for item in (
        "適格返還請求書",
        "2026年6月30日",
        "2026年7月2日",
        "No. 2026-aozora-000001",
        "色違い",
        "ご返金額",
        "¥2,067",
    ):
        assert item in page
    assert "返還明細書" in text_of(replace(bill, shop=replace(SHOP, registration_number="")))


def test_thirty_lines_and_long_names_lose_nothing():
    lines = tuple(replace(CUP, code=f"CUP-{n:03d}", name="とても長い商品名 " * 9) for n in range(30))
    for kind in set(BillKind) - {BillKind.MONTHLY}:
        pages = pages_of(render_bill(make_bill(kind, lines=lines, subject="とても長い但し書き" * 5)))
        assert len(pages) > 1 and all(sum(f"CUP-{n:03d}" in page for page in pages) == 1 for n in range(30))
        assert all("2026-aozora-000001" in page for page in pages)


# ---- what is stored


def test_stored_values_come_back_as_they_were_and_print_the_same():
    told = Reference(number="1", day=DAY)
    for one in (
        make_bill(corrects=told, invoice=told, due_on=DAY),
        make_bill(to=None, shop=replace(SHOP, rounding=Rounding.CEIL)),
    ):
        again = restored(Bill, plain(one))
        assert again == one and render_bill(again) == render_bill(one)
    note = make_note(lines=(replace(CUP, components=(Component(code="A", name="部品", quantity=2),)),))
    assert restored(type(note), plain(note)) == note


def test_a_changed_value_changes_the_digest():
    assert digest(plain(make_bill())) == digest(plain(make_bill()))
    assert digest(plain(make_bill())) != digest(plain(make_bill(reason="変更")))


# ---- logos


def png(width: int, height: int, kind: int, rows: bytes, *extra: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + body


def test_a_png_is_unfiltered_and_laid_on_white():
    rows = bytes([1, 200, 0, 0, 255, 10, 0, 0, 0]) + bytes([2, 0, 0, 0, 1, 0, 0, 0, 0])
    picture = read_picture(png(2, 2, 6, rows))
    assert zlib.decompress(picture.stream) == bytes([200, 0, 0, 210, 0, 0, 255, 255, 255, 210, 0, 0][:6]) + bytes(
        [_on(200, 0), _on(0, 0), _on(0, 0), 210, 0, 0]
    )


def _on(value: int, alpha: int) -> int:
    return (value * alpha + 255 * (255 - alpha)) // 255


def test_a_logo_is_drawn_on_the_paper():
    picture = read_picture(png(2, 1, 2, bytes([0, 255, 0, 0, 0, 0, 255])))
    with_logo = make_bill(shop=replace(SHOP, logo="abc"))
    [page] = PdfReader(io.BytesIO(render_bill(with_logo, {"abc": picture}))).pages
    assert [(image["/Width"], image["/Height"]) for image in page["/Resources"]["/XObject"].values()] == [(2, 1)]
    assert b"/XObject" not in render_bill(with_logo)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8\xff", png(1, 1, 2, b"\0"), png(9999, 1, 0, b"\0" * 10000)])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(UnreadablePicture):
        read_picture(data)


@given(LINES, st.integers(0, 100), st.integers(0, 999), st.lists(st.integers(1, 10**6), min_size=1, max_size=6))
def test_split_receipts_have_the_sums_of_the_whole_one(rows, percent, points, weights):
    goods = sum(amount for _rate, amount, _n in rows)
    cut, paid = goods * percent // 200, Deduction(label="ポイント", amount=points, lowers_price=False)
    whole = make_bill(BillKind.RECEIPT, lines=drawn(rows), deductions=(Deduction(label="値引", amount=cut), paid))
    due = figures(whole).due
    amounts = [amount for amount in distribute(max(due, 0), weights) if amount]
    if not amounts:
        return
    parts = split_receipt(whole, amounts)
    sums = [figures(part) for part in parts]
    assert [one.due for one in sums] == amounts
    for total in figures(whole).rates:
        assert sum(rate.amount for one in sums for rate in one.rates if rate.rate == total.rate) == total.amount
    assert all(rate.amount >= 0 for one in sums for rate in one.rates)
