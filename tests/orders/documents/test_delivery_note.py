"""What stands on a delivery note: everything the law asks, nothing a gift must not tell."""

import io
import re
from dataclasses import replace

import pytest
from pypdf import PdfReader

from orders.documents.figures import figures
from orders.documents.render import render_delivery_notes
from orders.documents.values import Component, Deduction, Fee, Letterhead
from tests.orders.documents.paper import BUYER, CUP, RECIPIENT, SHOP, TEA, make_note, pages_of, read_notes


def test_the_items_of_a_qualified_invoice_are_printed():
    [page] = read_notes(make_note())
    for item in ("あおぞら食器店", "T7000012050002", "2026年7月3日", "髙橋 﨑子", "様", "マグカップ", "宇治煎茶 ※"):
        assert item in page
    assert "※は軽減税率（8%）対象です。" in page
    # goods 8,288 − coupon 500 (265 on the cup, 235 on the tea) + shipping 660
    for figure in ("¥4,795", "¥4,360", "¥435", "¥3,653", "¥3,383", "¥270", "¥8,448", "-¥500", "-¥1,200", "¥7,248"):
        assert figure in page


def test_a_shop_discount_lowers_the_taxed_amount_and_mall_points_do_not():
    sums = figures(make_note())
    assert (sums.goods, sums.fees, sums.price_cut, sums.total, sums.due) == (8288, 660, 500, 8448, 7248)
    assert sum(rate.amount for rate in sums.rates) == sums.total
    assert figures(make_note(deductions=())).rates[0].amount == 4400 + 660


def test_tax_is_rounded_once_for_each_rate():
    lines = tuple(replace(CUP, quantity=1, unit_price=105, amount=105) for _ in range(3))
    note = make_note(lines=lines, fees=(), deductions=())
    assert figures(note).rates[0].tax == 28  # line by line it would be 27
    [page] = read_notes(note)
    assert "¥28" in page and "¥287" in page and "¥27\n" not in page


def test_a_discount_larger_than_the_amounts_is_refused():
    with pytest.raises(ValueError):
        render_delivery_notes([make_note(deductions=(Deduction(label="値引", amount=99_999),))])


def test_without_a_registration_number_none_is_claimed():
    [page] = read_notes(make_note(shop=replace(SHOP, registration_number="")))
    assert "登録番号" not in page


def test_without_reduced_goods_there_is_no_legend():
    [page] = read_notes(make_note(lines=(CUP,)))
    assert "※" not in page


def test_a_gift_tells_no_price():
    note = make_note(
        hide_prices=True, recipient=RECIPIENT, sender_name="山田 太郎", fees=(Fee(label="ギフト包装", amount=330),)
    )
    [page] = read_notes(note)
    assert not re.search(r"[¥￥円]|税|クーポン|ポイント|ギフト包装|請求|合計|T7000012050002|4,?400|2,?200", page)
    assert "𠮷野 太郎" in page and "山田 太郎" in page and "マグカップ" in page
    assert "髙橋" not in page and "クレジット" not in page


def test_the_recipient_is_named_when_it_is_another_person():
    [page] = read_notes(make_note(recipient=RECIPIENT))
    assert "お届け先" in page and "𠮷野 太郎 様" in page and "〒604-0862" in page


def test_rare_letters_are_printed_and_missing_ones_leave_a_mark():
    pdf = render_delivery_notes([make_note(buyer=replace(BUYER, name="髙﨑𠮷濵①㈱ 😀\ud800"))])
    assert "髙﨑𠮷濵①㈱" in pages_of(pdf)[0]


@pytest.mark.parametrize(
    "typed",
    [
        '#import "x": *',
        '$ x $ #eval("1") *太字* _斜体_ \\ { } [ ]',
        ") Tj ET (改ざん) BT",
        "<script>alert(1)</script>",
        "%s %(a)s {0} {a}",
    ],
)
def test_what_a_buyer_typed_is_only_ever_text(typed):
    plain, [page] = read_notes(make_note()), read_notes(make_note(buyer=replace(BUYER, name=typed), message=typed))
    squeezed = re.sub(r"\s", "", page)
    assert squeezed.count(re.sub(r"\s", "", typed)) == 2
    assert len(plain) == 1 and "¥7,248" in page


def test_empty_and_enormous_texts_are_printed_somehow():
    long = "とても長い商品名、" * 80
    lines = (replace(CUP, name=long, options="X" * 300, code="C" * 80), replace(TEA, name="", code=""))
    pages = read_notes(make_note(lines=lines, buyer=replace(BUYER, name="", address=""), message=long * 4))
    assert pages and "¥7,248" in "".join(pages)


def test_forty_lines_go_over_pages_with_the_head_on_each():
    lines = tuple(replace(CUP, code=f"CUP-{place:03d}") for place in range(40))
    pages = read_notes(make_note(lines=lines, message="またのご利用を。"), make_note(number="2026-000002"))
    assert len(pages) > 2
    *first, second = pages
    assert all("商品コード" in page for page in first[:-1])
    assert [re.findall(r"\d+ / \d+", page)[-1] for page in first] == [
        f"{n} / {len(first)}" for n in range(1, len(first) + 1)
    ]
    assert "1 / 1" in second
    assert all(sum(f"CUP-{place:03d}" in page for page in first) == 1 for place in range(40))


def test_components_are_listed_under_their_set():
    gift = replace(TEA, name="詰め合わせ", components=(Component(code="SW-9", name="最中", quantity=2),))
    assert "最中" in read_notes(make_note(lines=(gift,), deductions=()))[0]
    assert "最中" not in read_notes(make_note(lines=(gift,), deductions=(), show_components=False))[0]


def test_a_reprint_says_so_and_the_same_note_gives_the_same_file():
    assert "再発行" in read_notes(make_note(is_reprint=True))[0]
    assert "再発行" not in read_notes(make_note())[0]
    assert render_delivery_notes([make_note()]) == render_delivery_notes([make_note()])


def test_a_bare_shop_and_a_bare_note_are_enough():
    note = make_note(
        shop=Letterhead(name="店"), channel="", channel_order_numbers=(), payment_method="", ordered_on=None
    )
    assert "店" in read_notes(note)[0]


def test_a_title_is_not_doubled():
    [page] = read_notes(make_note(buyer=replace(BUYER, name="株式会社山田 御中")))
    assert "株式会社山田 御中" in page and " 様" not in page and "\n様" not in page


def test_a_thousand_notes_are_one_file():
    notes = [make_note(number=f"2026-{number:06d}", barcode=f"S{number:09d}") for number in range(1000)]
    pages = PdfReader(io.BytesIO(render_delivery_notes(notes))).pages
    assert len(pages) == 1000
    last = pages[999].extract_text()
    assert "2026-000999" in last and "1 / 1" in last


def test_no_note_is_no_file():
    with pytest.raises(ValueError):
        render_delivery_notes([])
