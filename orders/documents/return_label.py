"""返送ラベル: where goods that come back go, who pays the freight, and the number they are known by at the door."""

from functools import partial

from oms.kernel.pdf.flow import Column, Flow, Table, wrap
from oms.kernel.pdf.fonts import Weight
from oms.kernel.pdf.page import Document, Page, Style
from orders.documents import look, parts
from orders.documents.values import Party, ReturnLabel

_TO = Style(15, Weight.BOLD, look.INK)
_ADDRESS = Style(11, color=look.INK, leading=1.5)
_FREIGHT = Style(22, Weight.BOLD, look.INK)
_GOODS = (Column("商品コード", 40), Column("商品名", 112), Column("返品数", 24, "right"))
_PASTE = 132.0  # the part above is pasted onto the parcel
_STEPS = (
    "1. 商品を、付属品や箱とともに元のとおり包んでください。",
    "2. この用紙を切り取り線で切り、上を荷物の外側に貼り、下を商品に添えてください。",
)


def draw_return_label(document: Document, label: ReturnLabel) -> None:
    """Append the label's page: the upper part for the outside of the parcel, the lower one to lie inside."""
    head = partial(_next_head, label)
    flow = Flow(document, look.LEFT, look.RIGHT, look.TOP, look.BOTTOM, head)
    flow.turn()
    page = flow.page
    parts.first_head(page, "返送ラベル", label.number, look.day(label.issued_on), reprinted=False)
    page.frame(look.LEFT, 30, flow.width, 94, color=look.INK, points=0.9)
    _address(page, "お届け先", label.to, look.LEFT + 4, 36, big=True)
    page.line(look.LEFT, 75, look.RIGHT, look.LINE)
    _address(page, "ご依頼主", label.sender, look.LEFT + 4, 81, big=False)
    page.text(look.RIGHT - 6, 98, label.freight, _FREIGHT, "right")
    look.barcode(page, look.RIGHT - 62, 106, label.number, width=56, height=10)
    page.line(look.LEFT, _PASTE, look.RIGHT, look.SOFT, 0.3)
    page.text(look.LEFT, _PASTE + 4, "切り取り線", look.FOOT)
    flow.y = _PASTE + 10
    for text in (*_STEPS, *label.notes):
        for row in wrap(text, look.BODY, flow.width):
            flow.needs(look.BODY.line)
            look.middle_line(flow.page, look.LEFT, flow.y, row, look.BODY)
            flow.y += look.BODY.line
    flow.y += 4
    pairs = [("返品番号", label.number), ("ご注文番号", label.order_number), ("お名前", f"{label.sender.name} 様")]
    parts.facts(flow, pairs)
    table = Table(flow, _GOODS, look.TABLE)
    table.begin()
    for line in label.lines:
        table.row([[(line.code, look.CODE)], [(line.name, look.BODY)], [(f"{line.quantity:,}", look.BODY)]])
    parts.feet(flow, label.shop.name, f"No. {label.number}")


def _next_head(label: ReturnLabel, page: Page, place: int) -> None:
    if place > 1:
        page.text(look.LEFT, 12, "返送ラベル", look.FOOT)
        page.text(look.RIGHT, 12, f"No. {label.number}", look.FOOT, "right")


def _address(page: Page, title: str, party: Party, x: float, y: float, *, big: bool) -> None:
    page.text(x, y, title, look.LABEL)
    y += 6
    for text in (look.postal(party.postal_code), *wrap(party.address, _ADDRESS, 150 if big else 100), party.company):
        if text:
            page.text(x, y, text, _ADDRESS)
            y += 5.6
    page.text(
        x,
        y + (1.5 if big else 0),
        f"{party.name} {look.titled(party.name, party.honorific)}".strip(),
        _TO if big else _ADDRESS,
    )
    if party.phone:
        page.text(x, y + (7.5 if big else 5.6), f"TEL {party.phone}", _ADDRESS)
