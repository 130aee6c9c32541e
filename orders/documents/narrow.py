"""納品書 and 領収書 for narrow paper: a receipt printer's roll of 80 mm, cut where the text ends, or a label of
100 × 150 mm. One column; what stands on it is the same as on a sheet.
"""

from collections.abc import Callable

from oms.kernel.money import RateTotal, yen
from oms.kernel.pdf.flow import Flow, wrap
from oms.kernel.pdf.fonts import Weight
from oms.kernel.pdf.page import Document, Page, Sheet, Style
from orders.documents import look, parts
from orders.documents.bill import Bill
from orders.documents.figures import Figures
from orders.documents.sizes import LONGEST, SHEETS, PaperSize
from orders.documents.values import DeliveryNote, Letterhead, Line, Party

_BLACK = (0.0, 0.0, 0.0)  # thermal heads print no gray
_TITLE = Style(13, Weight.BOLD, _BLACK, tracking=0.25)
_SHOP = Style(10, Weight.BOLD, _BLACK)
_TEXT = Style(8, color=_BLACK)
_BOLD = Style(8, Weight.BOLD, _BLACK)
_SMALL = Style(7, color=_BLACK)
_NAME = Style(10.5, Weight.BOLD, _BLACK)
_DUE = Style(12, Weight.BOLD, _BLACK)
_MARGIN = 4.0
_LOGO = (40.0, 12.0)
_AMOUNT = Style(15, Weight.BOLD, _BLACK)

Draw = Callable[[Flow], None]


def draw(document: Document, paper: str, content: Draw, head: str) -> None:
    """Append the pages. A roll is laid out twice: the first time tells its length. `head` stands over a second page."""
    width, height = SHEETS[paper].size
    if paper == PaperSize.ROLL:
        measured = _flow(Document(pictures=document.pictures), (width, LONGEST), head)
        content(measured)
        height = measured.y + _MARGIN if len(measured.pages) == 1 else LONGEST
    flow = _flow(document, (width, height), head)
    if height != LONGEST and paper == PaperSize.ROLL:
        flow.bottom = LONGEST  # it was measured: nothing has to turn
    content(flow)
    if len(flow.pages) > 1:
        for place, page in enumerate(flow.pages, start=1):
            page.text(flow.right, page.sheet.height - 2.5, f"{place} / {len(flow.pages)}", _SMALL, "right")


def _flow(document: Document, size: tuple[float, float], head: str) -> Flow:
    def on_page(page: Page, place: int) -> None:
        if place > 1:
            page.text(_MARGIN, 4.2, head, _SMALL)

    flow = Flow(document, _MARGIN, size[0] - _MARGIN, 6.0, size[1] - 6.0, on_page, sheet=Sheet(size))
    flow.turn()
    return flow


# ---- the two papers


def note_content(note: DeliveryNote, sums: Figures | None, *, title: str, thanks: str, facts: parts.Pairs) -> Draw:
    """`sums` is None for a note without prices."""
    to = (note.recipient or note.buyer) if sums is None else note.buyer

    def content(flow: Flow) -> None:
        _title(flow, title, "再発行" if note.is_reprint else "")
        _addressee(flow, to)
        if not _is_label(flow):
            _paragraph(flow, thanks)
        _pairs(flow, [*_numbered(flow, note), *facts])
        if note.recipient and sums:
            _rule(flow)
            _paragraph(flow, "お届け先", _BOLD)
            _addressee(flow, note.recipient, named=note.recipient.name != to.name or not _is_label(flow))
        _pairs(flow, [("ギフト", note.gift)])
        _lines(flow, note.lines, priced=sums is not None, components=note.show_components)
        if sums:
            _sums(flow, parts.sum_rows(note.fees, note.deductions, sums, "ご請求金額"))
            _rates(flow, sums.rates)
        if note.message:
            _rule(flow)
            _paragraph(flow, note.message)
        top, place = _issuer(flow, note.shop, priced=sums is not None)
        if _is_label(flow) and place == len(flow.pages):
            _barcode_beside(flow, note.barcode, top)
        else:
            _barcode(flow, note.barcode)

    return content


def _numbered(flow: Flow, note: DeliveryNote) -> parts.Pairs:
    if _is_label(flow):
        return [("No.", f"{note.number}　{look.day(note.issued_on)}発行")]
    return [("No.", note.number), ("発行日", look.day(note.issued_on))]


def receipt_content(bill: Bill, sums: Figures, *, title: str, correction: str) -> Draw:
    def content(flow: Flow) -> None:
        _title(flow, title, "再発行" if bill.is_reissue else "")
        if bill.to:
            _addressee(flow, Party(name=bill.to.name, company=bill.to.company, honorific=bill.to.honorific))
        _due(flow, sums.due)
        _paragraph(flow, f"但し　{bill.subject}")
        _paragraph(flow, f"{look.day(bill.supplied_on)}　上記金額を正に領収いたしました。")
        _pairs(flow, _receipt_facts(bill))
        _paragraph(flow, correction)
        if bill.stamp_box:
            _stamp_box(flow)
        _lines(flow, bill.lines, priced=True, components=False)
        _sums(flow, parts.sum_rows(bill.fees, bill.deductions, sums, "領収金額"))
        _rates(flow, sums.rates)
        _issuer(flow, bill.shop, priced=True)

    return content


def _receipt_facts(bill: Bill) -> list[tuple[str, str]]:
    return [
        ("No.", bill.number),
        ("発行日", look.day(bill.issued_on)),
        ("お支払方法", bill.payment),
        ("ご注文番号", "、".join(bill.order_numbers)),
    ]


# ---- pieces


def _is_label(flow: Flow) -> bool:
    """Wider than a roll, but only so long: what a small order needs fits on one."""
    return flow.width > SHEETS[PaperSize.ROLL].size[0]


def _title(flow: Flow, title: str, mark: str) -> None:
    middle = (flow.left + flow.right) / 2
    flow.page.text(middle, flow.y + _TITLE.baseline, title, _TITLE, "center")
    flow.y += _TITLE.line + 1
    if mark:
        flow.page.text(middle, flow.y + _BOLD.baseline, f"【{mark}】", _BOLD, "center")
        flow.y += _BOLD.line + 1
    flow.page.line(flow.left, flow.y, flow.right, _BLACK, 1.2)
    flow.y += 2


def _addressee(flow: Flow, to: Party, *, named: bool = True) -> None:
    for text in (look.postal(to.postal_code), to.address, to.company):
        _paragraph(flow, text)
    if not named:
        return
    _paragraph(flow, f"{to.name} {look.titled(to.name, to.honorific)}", _NAME)
    flow.y += 1


def _paragraph(flow: Flow, text: str, style: Style = _TEXT) -> None:
    flow.write(text, style)


def _pairs(flow: Flow, pairs: parts.Pairs) -> None:
    """A label, and its text to the right; those without a text are left out."""
    column = 28.0 if _is_label(flow) else 24.0
    flow.y += 1
    for label, text in pairs:
        if not text:
            continue
        lines = wrap(text, _TEXT, flow.width - column, max_lines=8)
        flow.needs((len(lines) + 1) * _TEXT.line)
        look.middle_line(flow.page, flow.left, flow.y, label, _TEXT)
        if _TEXT.width(label) > column - 2:
            flow.y += _TEXT.line
        for line in lines:
            look.middle_line(flow.page, flow.left + column, flow.y, line, _TEXT)
            flow.y += _TEXT.line


def _lines(flow: Flow, lines: tuple[Line, ...], *, priced: bool, components: bool) -> None:
    _rule(flow)
    for line in lines:
        mark = " ※" if line.rate.reduced and priced else ""
        names = wrap(f"{line.name}{mark}", _BOLD, flow.width, max_lines=6)
        flow.needs((len(names) + 1) * _BOLD.line + _SMALL.line)
        for text in names:
            look.middle_line(flow.page, flow.left, flow.y, text, _BOLD)
            flow.y += _BOLD.line
        for text in filter(None, [line.options, line.code]):
            flow.write(text, _SMALL)
        for part in line.components if components else ():
            flow.write(part.words, _SMALL)
        price = f"{yen(line.unit_price)} × {line.quantity:,}　{line.rate}" if priced else f"× {line.quantity:,}"
        _spread(flow, price, yen(line.amount) if priced else "")
        flow.y += 1


def _spread(flow: Flow, left: str, right: str, style: Style = _TEXT) -> None:
    flow.needs(style.line)
    look.middle_line(flow.page, flow.left, flow.y, left, style)
    flow.page.text(flow.right, flow.y + style.baseline, right, style, "right")
    flow.y += style.line


def _sums(flow: Flow, rows: parts.Rows) -> None:
    flow.needs(len(rows) * _DUE.line)
    _rule(flow)
    for place, (label, amount, is_sum) in enumerate(rows, start=1):
        _spread(flow, label, amount, _DUE if place == len(rows) else _BOLD if is_sum else _TEXT)


def _rates(flow: Flow, rates: list[RateTotal]) -> None:
    flow.needs(len(rates) * 2 * _TEXT.line + 4)
    _rule(flow)
    for total in rates:
        name = f"{total.rate}対象{' ※' if total.rate.reduced else ''}（税込）"
        if _is_label(flow):
            _spread(flow, f"{name} {yen(total.amount)}", f"税抜 {yen(total.base)}　消費税 {yen(total.tax)}")
            continue
        _spread(flow, name, yen(total.amount))
        _spread(flow, f"　税抜 {yen(total.base)}", f"消費税 {yen(total.tax)}")
    if reduced := [total.rate for total in rates if total.rate.reduced]:
        flow.write(f"※は軽減税率（{reduced[0]}）対象です。", _SMALL)


def _due(flow: Flow, amount: int) -> None:
    flow.page.frame(flow.left, flow.y, flow.width, 11, color=_BLACK, points=1)
    middle = (flow.left + flow.right) / 2
    flow.page.text(middle, flow.y + 7.4, f"{yen(amount)} −", _AMOUNT, "center")
    flow.y += 13


def _stamp_box(flow: Flow) -> None:
    flow.needs(22)
    flow.page.frame(flow.right - 24, flow.y + 1, 24, 19, color=_BLACK)
    flow.page.text(flow.right - 12, flow.y + 10, "収入印紙", _SMALL, "center")
    flow.page.text(flow.right - 12, flow.y + 13.6, "（消印）", _SMALL, "center")
    flow.y += 21


def _issuer(flow: Flow, shop: Letterhead, *, priced: bool) -> tuple[float, int]:
    """Returns where it begins: the height, and on which page."""
    flow.needs(19 if _is_label(flow) else 30)
    _rule(flow)
    top, place = flow.y, len(flow.pages)
    flow.y += flow.page.picture(shop.logo, flow.left, flow.y, *_LOGO)
    _paragraph(flow, shop.name, _SHOP)
    phone = f"TEL {shop.phone}" if shop.phone else ""
    for text in (shop.company, look.postal(shop.postal_code), shop.address, phone, shop.mail):
        flow.write(text, _SMALL)
    if priced and shop.registration_number:
        flow.write(f"登録番号 {shop.registration_number}", _BOLD)
    if shop.closing:
        flow.y += 1.5
        flow.write(shop.closing, _SMALL)
    return top, place


def _barcode_beside(flow: Flow, text: str, top: float) -> None:
    """To the right of the shop, in its first lines."""
    if text:
        look.barcode(flow.page, flow.right - 40, top + 1, text, width=40)
        flow.page.text(flow.right - 20, top + 12.5, text, _SMALL, "center")
        flow.y = max(flow.y, top + 14)


def _barcode(flow: Flow, text: str) -> None:
    if not text:
        return
    flow.needs(16)
    width = min(flow.width, 52.0)
    middle = (flow.left + flow.right) / 2
    look.barcode(flow.page, middle - width / 2, flow.y + 2, text, width=width)
    flow.page.text(middle, flow.y + 13.5, text, _SMALL, "center")
    flow.y += 15


def _rule(flow: Flow) -> None:
    flow.y += 1.5
    flow.page.line(flow.left, flow.y, flow.right, _BLACK, 0.5)
    flow.y += 1.5
