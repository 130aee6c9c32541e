"""納品書 on A4: head, addressee and issuer, facts, total, lines, tax per rate, closing.

What must not be printed is not drawn: a gift's note never sees an amount.
"""

import re
from functools import partial

from oms.kernel.money import RateTotal, yen
from oms.kernel.pdf.flow import Column, Flow, Table, wrap
from oms.kernel.pdf.fonts import Weight
from oms.kernel.pdf.page import Document, Page, Style
from orders.documents import look
from orders.documents.figures import Figures, figures
from orders.documents.values import DeliveryNote, Letterhead, Line, Party

_NAME = Style(13.5, Weight.BOLD, look.INK)
_HONORIFIC = Style(11, color=look.INK)
_COMPANY = Style(10.5, color=look.INK)
_SHOP = Style(11.5, Weight.BOLD, look.INK)
_ISSUER = Style(8.2, color=look.INK, leading=1.5)
_REGISTRATION = Style(8.4, Weight.BOLD, look.INK, leading=1.6)
_TOTAL_LABEL = Style(9.5, Weight.BOLD, look.ACCENT)
_TOTAL = Style(16, Weight.BOLD, look.INK)

_PRICED = (
    Column("商品コード", 29),
    Column("商品名・仕様", 77),
    Column("数量", 12, "right"),
    Column("単価（税込）", 21, "right"),
    Column("税率", 13, "center"),
    Column("金額（税込）", 24, "right"),
)
_UNPRICED = (Column("商品コード", 40), Column("商品名・仕様", 116), Column("数量", 20, "right"))
_FACTS = (Column("", 26), Column("", 62), Column("", 28), Column("", 60))
_ADDRESS_WIDTH, _ISSUER_X = 92.0, 122.0


def draw_delivery_note(document: Document, note: DeliveryNote) -> None:
    """Append the note's pages. Raises ValueError as `figures` does."""
    sums = None if note.hide_prices else figures(note)
    flow = Flow(document, look.LEFT, look.RIGHT, look.TOP, look.BOTTOM, partial(_page_head, note))
    flow.turn()
    _parties(flow, note)
    _facts(flow, note)
    if sums:
        _total_box(flow, sums)
    _lines(flow, note)
    if sums:
        _sums(flow, note, sums)
    _closing(flow, note)
    for place, page in enumerate(flow.pages, start=1):
        look.foot(page, note.shop.name, f"{place} / {len(flow.pages)}", f"No. {note.number}")


def _title(note: DeliveryNote) -> str:
    return "お届け明細書" if note.hide_prices else "納品書"


# ---- heads


def _page_head(note: DeliveryNote, page: Page, place: int) -> None:
    if place == 1:
        _first_head(note, page)
        return
    to = _addressee(note)
    page.text(look.LEFT, 12, f"{_title(note)}　{to.name} {look.titled(to.name, to.honorific)}", look.FOOT)
    page.text(look.RIGHT, 12, f"No. {note.number}", look.FOOT, "right")
    page.line(look.LEFT, 13.8, look.RIGHT, look.LINE)


def _first_head(note: DeliveryNote, page: Page) -> None:
    if note.is_reprint:
        look.badge(page, look.LEFT, 14.5, "再発行")
    page.text(105, 20.5, _title(note), look.TITLE, "center")
    for y, label, text in ((16, "No.", note.number), (20.5, "発行日", look.day(note.issued_on))):
        page.text(154, y, label, look.LABEL)
        page.text(look.RIGHT, y, text, look.BODY, "right")
    page.line(look.LEFT, 23.6, look.RIGHT, look.ACCENT, 0.9)
    page.line(look.LEFT, 24.3, look.RIGHT, look.ACCENT, 0.3)


def _addressee(note: DeliveryNote) -> Party:
    return note.recipient or note.buyer if note.hide_prices else note.buyer


def _parties(flow: Flow, note: DeliveryNote) -> None:
    """Addressee to the left, issuer to the right."""
    top = 29.0
    left = _draw_addressee(flow.page, _addressee(note), top)
    right = _draw_issuer(flow.page, note.shop, top, priced=not note.hide_prices)
    flow.y = max(left, right) + 4.5
    thanks = "このたびはご注文いただき、誠にありがとうございます。下記のとおり納品いたします。"
    if note.hide_prices:  # read by the recipient, who has ordered nothing
        thanks = "下記のとおりお品物をお届けいたします。"
    look.middle_line(flow.page, look.LEFT, flow.y, thanks, look.BODY)
    flow.y += look.BODY.line + 1.8


def _draw_addressee(page: Page, to: Party, y: float) -> float:
    parts = [(look.postal(to.postal_code), look.BODY), (to.address, look.BODY), (to.company, _COMPANY)]
    for text, style in look.paragraphs(*parts):
        if style is _COMPANY:
            y += 1.0
        for line in wrap(text, style, _ADDRESS_WIDTH, max_lines=5):
            look.middle_line(page, look.LEFT, y, line, style)
            y += style.line
    y += 1.0
    names = wrap(to.name, _NAME, _ADDRESS_WIDTH - 14, max_lines=3)
    for line in names:
        look.middle_line(page, look.LEFT, y, line, _NAME)
        y += _NAME.line
    page.text(
        look.LEFT + _ADDRESS_WIDTH,
        y - _NAME.line + _NAME.baseline,
        look.titled(to.name, to.honorific),
        _HONORIFIC,
        "right",
    )
    page.line(look.LEFT, y + 0.8, look.LEFT + _ADDRESS_WIDTH, look.INK, 0.6)
    return y + 0.8


def _draw_issuer(page: Page, shop: Letterhead, y: float, *, priced: bool) -> float:
    width = look.RIGHT - _ISSUER_X
    contact = f"TEL {shop.phone}" if shop.phone else ""
    registration = f"登録番号 {shop.registration_number}" if priced and shop.registration_number else ""
    parts = [(shop.name, _SHOP), (shop.company, _ISSUER), (look.postal(shop.postal_code), _ISSUER)]
    parts += [(shop.address, _ISSUER), (contact, _ISSUER), (shop.mail, _ISSUER), (registration, _REGISTRATION)]
    for text, style in look.paragraphs(*parts):
        for line in wrap(text, style, width, max_lines=4):
            look.middle_line(page, _ISSUER_X, y, line, style)
            y += style.line
    return y


# ---- facts


def _facts(flow: Flow, note: DeliveryNote) -> None:
    """Pairs of label and text in two columns, the delivery address over the whole width."""
    pairs = [pair for pair in _fact_pairs(note) if pair[1]]
    table = Table(flow, _FACTS, look.TABLE, has_head=False)
    look.line_under(flow, table)
    for at in range(0, len(pairs), 2):
        cells = [cell for label, text in pairs[at : at + 2] for cell in ([(label, look.LABEL)], [(text, look.BODY)])]
        table.row([*cells, *[[("", look.BODY)]] * (4 - len(cells))])
    if note.recipient and not note.hide_prices:
        wide = Table(flow, (_FACTS[0], Column("", flow.width - _FACTS[0].width)), look.TABLE, has_head=False)
        wide.row([[("お届け先", look.LABEL)], [(_one_line(note.recipient), look.BODY)]])
    flow.y += 4


def _fact_pairs(note: DeliveryNote) -> list[tuple[str, str]]:
    own = ("ご注文番号", "、".join(note.order_numbers))
    mall = (f"{note.channel}注文番号" if note.channel else "モール注文番号", "、".join(note.channel_order_numbers))
    shipping = [
        ("出荷日", look.day(note.shipped_on)),
        ("配送方法", note.delivery),
        ("お問い合わせ番号", _four_by_four(note.tracking_number)),
        ("お届け希望", note.delivery_wish),
    ]
    if note.hide_prices:
        return [own, ("ご依頼主", note.sender_name), *shipping]
    return [own, mall, ("ご注文日", look.day(note.ordered_on)), ("お支払方法", note.payment_method), *shipping]


def _four_by_four(number: str) -> str:
    return "-".join((number[:4], number[4:8], number[8:])) if re.fullmatch(r"\d{12}", number) else number


def _one_line(party: Party) -> str:
    name = f"{party.name} {look.titled(party.name, party.honorific)}"
    return "　".join(filter(None, [look.postal(party.postal_code), party.address, party.company, name]))


# ---- amounts and lines


def _total_box(flow: Flow, sums: Figures) -> None:
    page, top, height = flow.page, flow.y, 11.5
    page.area(flow.left, top, flow.width, height, look.BAND)
    page.area(flow.left, top, 0.9, height, look.ACCENT)
    label = "ご請求金額（税込）" if sums.paid_otherwise else "合計金額（税込）"
    page.text(flow.left + 5, top + 7.0, label, _TOTAL_LABEL)
    page.text(flow.right - 4, top + 7.9, yen(sums.due), _TOTAL, "right")
    flow.y = top + height + 4


def _lines(flow: Flow, note: DeliveryNote) -> None:
    table = Table(flow, _UNPRICED if note.hide_prices else _PRICED, look.TABLE)
    table.begin()
    for line in note.lines:
        cells = [[(line.code, look.CODE)], _product(line, note), [(f"{line.quantity:,}", look.BODY)]]
        if not note.hide_prices:
            rate = f"{line.rate}{'※' if line.rate.reduced else ''}"
            cells += [[(text, look.BODY)] for text in (yen(line.unit_price), rate, yen(line.amount))]
        table.row(cells)
    flow.y += 4


def _product(line: Line, note: DeliveryNote) -> list[tuple[str, Style]]:
    mark = " ※" if line.rate.reduced and not note.hide_prices else ""
    parts = [(f"{line.name}{mark}", look.BODY), (line.options, look.SMALL)]
    if note.show_components:
        parts += [(f"└ {part.name}　{part.code}　× {part.quantity:,}", look.SMALL) for part in line.components]
    return look.paragraphs(*parts)


def _sums(flow: Flow, note: DeliveryNote, sums: Figures) -> None:
    """Tax per rate to the left, the way to the total to the right; kept on one page."""
    rows = _sum_rows(note, sums)
    row_height = look.BODY.line + 2 * 1.1
    flow.needs(row_height * max(len(rows), len(sums.rates) + 2) + 3)
    top = flow.y
    _rate_table(flow.page, sums.rates, top, row_height)
    x = 118.0
    flow.page.line(x, top, flow.right, look.LINE)
    for place, (label, amount, is_sum) in enumerate(rows):
        y = top + place * row_height
        if is_sum:
            flow.page.area(x, y, flow.right - x, row_height, look.BAND)
        style = look.BODY_BOLD if is_sum else look.BODY
        flow.page.text(x + 1.6, y + 1.1 + style.baseline, label, style)
        flow.page.text(flow.right - 1.6, y + 1.1 + style.baseline, amount, style, "right")
        flow.page.line(x, y + row_height, flow.right, look.LINE)
    flow.y = top + row_height * max(len(rows), len(sums.rates) + 2) + 3


def _sum_rows(note: DeliveryNote, sums: Figures) -> list[tuple[str, str, bool]]:
    rows = [("商品合計", yen(sums.goods), False), *((fee.label, yen(fee.amount), False) for fee in note.fees)]
    rows += [(part.label, yen(-part.amount), False) for part in note.deductions if part.lowers_price]
    rows.append(("合計（税込）", yen(sums.total), True))
    payments = [(part.label, yen(-part.amount), False) for part in note.deductions if not part.lowers_price]
    return [*rows, *payments, ("ご請求金額", yen(sums.due), True)] if payments else rows


def _rate_table(page: Page, rates: list[RateTotal], y: float, row_height: float) -> None:
    places = ((look.LEFT + 1.6, "left"), (60.0, "right"), (82.0, "right"), (105.4, "right"))
    left, right = look.LEFT, 107.0
    heads = ("税率ごとの内訳", "税込金額", "税抜金額", "消費税額")
    page.area(left, y, right - left, row_height, look.BAND)
    page.line(left, y, right, look.LINE)
    rows = [(heads, look.COLUMN)]
    for total in rates:
        label = f"{total.rate}対象{' ※' if total.rate.reduced else ''}"
        rows.append(((label, yen(total.amount), yen(total.base), yen(total.tax)), look.BODY))
    for texts, style in rows:
        for (x, align), text in zip(places, texts, strict=True):
            page.text(x, y + (row_height - style.line) / 2 + style.baseline, text, style, align)  # type: ignore[arg-type]
        y += row_height
        page.line(left, y, right, look.LINE)
    reduced = [total.rate for total in rates if total.rate.reduced]
    if reduced:
        page.text(left, y + 4, f"※は軽減税率（{reduced[0]}）対象です。", look.SMALL)


# ---- closing


def _closing(flow: Flow, note: DeliveryNote) -> None:
    """The shop's message beside a quiet bar, small print, and the barcode for the packing check."""
    if note.message:
        flow.y += 1.5
        for line in wrap(note.message, look.BODY, flow.width - 6, max_lines=200):
            flow.needs(look.BODY.line)
            flow.page.area(flow.left, flow.y, 0.5, look.BODY.line, look.LINE)
            look.middle_line(flow.page, flow.left + 4, flow.y, line, look.BODY)
            flow.y += look.BODY.line
        flow.y += 3
    small = wrap(note.shop.closing, look.SMALL, flow.width - 56, max_lines=12)
    flow.needs(max(len(small) * look.SMALL.line, 13 if note.barcode else 0) + 2)
    for place, line in enumerate(small):
        look.middle_line(flow.page, flow.left, flow.y + 1 + place * look.SMALL.line, line, look.SMALL)
    if note.barcode:
        look.barcode(flow.page, flow.right - 48, flow.y + 1, note.barcode, width=48)
        flow.page.text(flow.right - 24, flow.y + 12, note.barcode, look.SMALL, "center")
