"""What papers with an addressee and an issuer share: both parties, facts, the total, lines, sums, the closing."""

from collections.abc import Sequence

from oms.kernel.money import RateTotal, yen
from oms.kernel.pdf.flow import Column, Flow, Table, wrap
from oms.kernel.pdf.fonts import Weight
from oms.kernel.pdf.page import Page, Style
from orders.documents import look
from orders.documents.figures import Figures
from orders.documents.values import Deduction, Fee, Letterhead, Line, Party

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
_LOGO = (44.0, 13.0)  # the largest a logo becomes

Pairs = Sequence[tuple[str, str]]


def first_head(page: Page, title: str, number: str, issued_on: str, *, reprinted: bool, day: str = "発行日") -> None:
    """Title, number and day over a double line."""
    if reprinted:
        look.badge(page, look.LEFT, 14.5, "再発行")
    page.text(105, 20.5, title, look.TITLE, "center")
    for y, label, text in ((16, "No.", number), (20.5, day, issued_on)):
        page.text(154, y, label, look.LABEL)
        page.text(look.RIGHT, y, text, look.BODY, "right")
    page.line(look.LEFT, 23.6, look.RIGHT, look.ACCENT, 0.9)
    page.line(look.LEFT, 24.3, look.RIGHT, look.ACCENT, 0.3)


def next_head(page: Page, title: str, to: Party | None, number: str) -> None:
    """The small head of every page but the first."""
    name = f"　{to.name} {look.titled(to.name, to.honorific)}" if to else ""
    page.text(look.LEFT, 12, f"{title}{name}", look.FOOT)
    page.text(look.RIGHT, 12, f"No. {number}", look.FOOT, "right")
    page.line(look.LEFT, 13.8, look.RIGHT, look.LINE)


def parties(flow: Flow, to: Party | None, shop: Letterhead, *, priced: bool, sentence: str, top: float = 29.0) -> None:
    """Addressee to the left, issuer to the right, the sentence under both."""
    left = draw_addressee(flow.page, to, top) if to else top
    right = draw_issuer(flow.page, shop, top, priced=priced)
    flow.y = max(left, right) + 4.5
    look.middle_line(flow.page, look.LEFT, flow.y, sentence, look.BODY)
    flow.y += look.BODY.line + 1.8


def draw_addressee(page: Page, to: Party, y: float) -> float:
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


def draw_issuer(page: Page, shop: Letterhead, y: float, *, priced: bool) -> float:
    width = look.RIGHT - _ISSUER_X
    y += page.picture(shop.logo, _ISSUER_X, y, *_LOGO)
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


def facts(flow: Flow, pairs: Pairs, wide: Pairs = ()) -> None:
    """Pairs of label and text in two columns, `wide` ones over the whole width; those without a text are left out."""
    said = [pair for pair in pairs if pair[1]]
    table = Table(flow, _FACTS, look.TABLE, has_head=False)
    look.line_under(flow, table)
    for at in range(0, len(said), 2):
        cells = [cell for label, text in said[at : at + 2] for cell in ([(label, look.LABEL)], [(text, look.BODY)])]
        table.row([*cells, *[[("", look.BODY)]] * (4 - len(cells))])
    whole = Table(flow, (_FACTS[0], Column("", flow.width - _FACTS[0].width)), look.TABLE, has_head=False)
    for label, text in wide:
        if text:
            whole.row([[(label, look.LABEL)], [(text, look.BODY)]])
    flow.y += 3


# ---- amounts and lines


def total_box(flow: Flow, label: str, amount: int) -> None:
    page, top, height = flow.page, flow.y, 11.5
    page.area(flow.left, top, flow.width, height, look.BAND)
    page.area(flow.left, top, 0.9, height, look.ACCENT)
    page.text(flow.left + 5, top + 7.0, label, _TOTAL_LABEL)
    page.text(flow.right - 4, top + 7.9, yen(amount), _TOTAL, "right")
    flow.y = top + height + 4


def line_table(flow: Flow, lines: Sequence[Line], *, priced: bool, show_components: bool = True) -> None:
    table = Table(flow, _PRICED if priced else _UNPRICED, look.TABLE)
    table.begin()
    for line in lines:
        cells = [
            [(line.code, look.CODE)],
            _product(line, priced=priced, show_components=show_components),
            [(f"{line.quantity:,}", look.BODY)],
        ]
        if priced:
            rate = f"{line.rate}{'※' if line.rate.reduced else ''}"
            cells += [[(text, look.BODY)] for text in (yen(line.unit_price), rate, yen(line.amount))]
        table.row(cells)
    flow.y += 4


def _product(line: Line, *, priced: bool, show_components: bool) -> list[tuple[str, Style]]:
    mark = " ※" if line.rate.reduced and priced else ""
    parts = [(f"{line.name}{mark}", look.BODY), (line.options, look.SMALL)]
    if show_components:
        parts += [(part.words, look.SMALL) for part in line.components]
    return look.paragraphs(*parts)


Rows = Sequence[tuple[str, str, bool]]


def sum_rows(fees: Sequence[Fee], deductions: Sequence[Deduction], sums: Figures, last: str) -> Rows:
    """The way from the goods to the total, and from there to what is left to pay (`last`)."""
    rows = [("商品合計", yen(sums.goods), False), *((fee.label, yen(fee.amount), False) for fee in fees)]
    rows += [(part.label, yen(-part.amount), False) for part in deductions if part.lowers_price]
    rows.append(("合計（税込）", yen(sums.total), True))
    payments = [(part.label, yen(-part.amount), False) for part in deductions if not part.lowers_price]
    return [*rows, *payments, (last, yen(sums.due), True)] if payments else rows


def sums_block(flow: Flow, rates: Sequence[RateTotal], rows: Rows) -> None:
    """Tax per rate to the left, the way to the total to the right; kept on one page."""
    row_height = look.BODY.line + 2 * 1.1
    height = row_height * max(len(rows), len(rates) + 2) + 3
    flow.needs(height)
    top = flow.y
    _rate_table(flow.page, rates, top, row_height)
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
    flow.y = top + height


def _rate_table(page: Page, rates: Sequence[RateTotal], y: float, row_height: float) -> None:
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


def message(flow: Flow, text: str) -> None:
    """The shop's message beside a quiet bar."""
    if not text:
        return
    flow.y += 1.5
    for line in wrap(text, look.BODY, flow.width - 6, max_lines=200):
        flow.needs(look.BODY.line)
        flow.page.area(flow.left, flow.y, 0.5, look.BODY.line, look.LINE)
        look.middle_line(flow.page, flow.left + 4, flow.y, line, look.BODY)
        flow.y += look.BODY.line
    flow.y += 3


def closing(flow: Flow, text: str, barcode: str = "") -> None:
    """Small print, and the barcode for the packing check."""
    small = wrap(text, look.SMALL, flow.width - 56, max_lines=12)
    flow.needs(max(len(small) * look.SMALL.line, 13 if barcode else 0) + 2)
    for place, line in enumerate(small):
        look.middle_line(flow.page, flow.left, flow.y + 1 + place * look.SMALL.line, line, look.SMALL)
    if barcode:
        look.barcode(flow.page, flow.right - 48, flow.y + 1, barcode, width=48)
        flow.page.text(flow.right - 24, flow.y + 12, barcode, look.SMALL, "center")


def feet(flow: Flow, left: str, right: str) -> None:
    """The small print under every page of the flow, with its number among them."""
    for place, page in enumerate(flow.pages, start=1):
        look.foot(page, left, f"{place} / {len(flow.pages)}", right, at=flow.bottom)
