"""作業指示書 on A4: what is to be done to a parcel's goods, in letters that are read from a workbench."""

from functools import partial

from oms.kernel.clock import TOKYO
from oms.kernel.pdf.flow import Column, Flow, Table, wrap
from oms.kernel.pdf.fonts import Weight
from oms.kernel.pdf.page import Document, Page, Style
from orders.documents import look, parts
from orders.documents.noshi import Noshi
from orders.documents.sizes import SHEETS, bottom_of
from orders.documents.values import Work, WorkLine, WorkSlip

_KIND = Style(11, Weight.BOLD, look.WHITE)
_LARGE = Style(15, Weight.BOLD, look.INK, leading=1.45)
_CARD = Style(11.5, color=look.INK, leading=1.6)
_ORDER = Style(10, Weight.BOLD, look.INK)
_LABELS_WIDTH = 38.0
_NOSHI = (Column("", 30), Column("", 146))
_GOODS = (
    Column("商品コード", 36),
    Column("商品名・仕様", 112),
    Column("数量", 16, "right"),
    Column("済", 12, "center"),
)


def draw_work_slip(document: Document, slip: WorkSlip) -> None:
    """Append the slip's pages."""
    head = partial(_next_head, slip)
    sheet, bottom = SHEETS[slip.paper], bottom_of(slip.paper)
    flow = Flow(document, look.LEFT, look.RIGHT, look.TOP, bottom, head, sheet=sheet)
    flow.turn()
    made = slip.made_at.astimezone(TOKYO)
    day = f"{look.day(made)} {made:%H:%M}"
    parts.first_head(flow.page, "作業指示書", slip.number, day, reprinted=False, day="作成")
    if slip.is_reprint:
        look.badge(flow.page, look.LEFT, 14.5, "再印刷")
    look.barcode(flow.page, look.RIGHT - 52, 28, slip.barcode, width=52)
    flow.y = 40
    parts.facts(
        flow,
        [
            ("出荷元", slip.location),
            ("出荷バッチ", slip.batch),
            ("出荷期限", look.day(slip.ship_by)),
            ("配送方法", slip.method),
            ("お届け先", f"{slip.recipient} {look.titled(slip.recipient, '様')}" if slip.recipient else ""),
            ("送り主", slip.sender),
            ("担当", slip.by),
        ],
        [("備考", slip.remarks)],
    )
    for work in slip.works:
        _work(flow, work)
    _done(flow)
    parts.feet(flow, slip.location, f"No. {slip.number}")


def _next_head(slip: WorkSlip, page: Page, place: int) -> None:
    if place > 1:
        page.text(look.LEFT, 12, "作業指示書", look.FOOT)
        page.text(look.RIGHT, 12, f"No. {slip.number}", look.FOOT, "right")
        page.line(look.LEFT, 13.8, look.RIGHT, look.LINE)


def _work(flow: Flow, work: Work) -> None:
    flow.needs(40)
    flow.y += 2
    look.middle_line(flow.page, flow.left, flow.y, f"受注番号　{work.order_number}", _ORDER)
    flow.y += _ORDER.line + 2
    if work.wrapping:
        _kind(flow, "ラッピング")
        _paragraph(flow, work.wrapping, _LARGE)
    if work.noshi:
        _kind(flow, "のし")
        _noshi(flow, work.noshi)
    if work.card:
        _kind(flow, "メッセージカード")
        _paragraph(flow, work.card, _CARD)
    _goods(flow, work.lines)


def _kind(flow: Flow, label: str) -> None:
    """A dark tab with a box to tick, kept with what follows."""
    flow.needs(24)
    page, height = flow.page, 7.0
    page.area(flow.left, flow.y, flow.width, height, look.BAND)
    page.area(flow.left, flow.y, _LABELS_WIDTH, height, look.INK)
    page.text(flow.left + _LABELS_WIDTH / 2, flow.y + 4.9, label, _KIND, "center")
    page.frame(flow.right - 6.4, flow.y + 1.5, 4, 4, color=look.INK, points=0.8)
    flow.y += height + 2


def _paragraph(flow: Flow, text: str, style: Style) -> None:
    for line in wrap(text, style, flow.width - 6, max_lines=200):
        flow.needs(style.line)
        look.middle_line(flow.page, flow.left + 3, flow.y, line, style)
        flow.y += style.line
    flow.y += 3


def _noshi(flow: Flow, noshi: Noshi) -> None:
    """The parts that were understood in large letters; always also the words as they came."""
    table = Table(flow, _NOSHI, look.TABLE, has_head=False)
    pairs = (("水引", noshi.cord), ("表書き", noshi.purpose), ("名入れ", noshi.name), ("内のし・外のし", noshi.place))
    for label, text in (*pairs, ("ほかの指定", noshi.rest)):
        if text:
            table.row([[(label, look.LABEL)], [(text, _LARGE)]])
    table.row([[("原文", look.LABEL)], [(noshi.text, look.BODY)]])
    flow.y += 4


def _goods(flow: Flow, lines: tuple[WorkLine, ...]) -> None:
    table = Table(flow, _GOODS, look.TABLE)
    table.begin()
    for line in lines:
        said = look.paragraphs((line.name, look.BODY), (line.options, look.SMALL), (line.wish, look.MARK))
        top = table.row([[(line.code, look.CODE)], said, [(f"{line.quantity:,}", look.BIG)], [("", look.BODY)]])
        flow.page.frame(flow.right - 8, top + (flow.y - top - 3.8) / 2, 3.8, 3.8, color=look.INK, points=0.7)
    flow.y += 5


def _done(flow: Flow) -> None:
    flow.needs(22)
    page = flow.page
    for x, width, label in ((look.RIGHT - 92, 44.0, "作業者"), (look.RIGHT - 46, 46.0, "確認者")):
        page.frame(x, flow.y, width, 16, color=look.SOFT)
        page.text(x + 2, flow.y + 4.2, label, look.LABEL)
    flow.y += 18
