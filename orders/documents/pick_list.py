"""ピッキングリスト on A4: the sums by shelf, then order by order, gifts in letters that no one overlooks."""

from collections.abc import Mapping
from functools import partial

from oms.kernel.clock import TOKYO
from oms.kernel.pdf.flow import Column, Flow, Table, wrap
from oms.kernel.pdf.fonts import Weight
from oms.kernel.pdf.page import Document, Page, Style, rgb
from orders.documents import look
from orders.documents.figures import PickTotal, pick_totals
from orders.documents.values import PickItem, PickList, PickOrder

_SHELF = Style(10, Weight.BOLD, look.INK)
_BATCH = Style(13, Weight.BOLD, look.INK)
_PLACE = Style(10, Weight.BOLD, look.INK)
_COUNT = Style(11, Weight.BOLD, look.INK)
_OPTION = Style(7.8, Weight.BOLD, look.INK)
_SLOT = Style(17, Weight.BOLD, look.ACCENT)
_GIFT = Style(12.5, Weight.BOLD, look.WHITE)
_REMARK = Style(8.8, Weight.BOLD, look.WARM)
_METHOD = Style(8, color=look.INK)
_STRIPE = rgb("#fafbfc")

_TOTALS = (
    Column("棚", 25),
    Column("商品コード", 30),
    Column("商品名・仕様", 61),
    Column("JAN", 25, "center"),
    Column("件数", 12, "right"),
    Column("数量", 14, "right"),
    Column("済", 9, "center"),
)
PICTURE_SIDE = 13.0  # millimetres
_SHELF_WIDTH = 22.0
_ITEMS = (
    Column("", 25),
    Column("", 30),
    Column("", 73),
    Column("", 25, "center"),
    Column("", 14, "right"),
    Column("", 9, "center"),
)


def draw_pick_list(document: Document, pick: PickList) -> None:
    """Append the list's pages."""
    flow = Flow(document, look.LEFT, look.RIGHT, look.TOP, look.BOTTOM, partial(_page_head, pick))
    flow.turn()
    totals = pick_totals(pick)
    _head(flow, pick, totals)
    if pick.show_totals:
        pictures = {item.code: item.picture for order in pick.orders for item in order.items if item.picture}
        _totals(flow, totals, "カートピッキング（棚順）" if pick.cart else "トータルピッキング（棚順）", pictures)
    if pick.show_totals and pick.show_orders:
        flow.turn()
    if pick.show_orders:
        _heading(flow, "カートの仕分け" if pick.cart else "注文別ピッキング")
        for place, order in enumerate(pick.orders, start=1):
            _order(flow, order, order.slot or str(place))
    for place, page in enumerate(flow.pages, start=1):
        look.foot(page, pick.location, f"{place} / {len(flow.pages)}", f"バッチ {pick.batch}")


def _page_head(pick: PickList, page: Page, place: int) -> None:
    if place > 1:
        page.text(look.LEFT, 12, f"ピッキングリスト　{pick.location}", look.FOOT)
        page.text(look.RIGHT, 12, f"バッチ {pick.batch}", look.FOOT, "right")
        page.line(look.LEFT, 13.8, look.RIGHT, look.LINE)


def _head(flow: Flow, pick: PickList, totals: list[PickTotal]) -> None:
    page, title = flow.page, look.TITLE
    page.text(look.LEFT, 21, "ピッキングリスト", title)
    if pick.is_reprint:
        look.badge(page, look.LEFT + title.width("ピッキングリスト") + 7, 16, "再発行")
    page.text(look.RIGHT, 21, pick.batch, _BATCH, "right")
    if pick.batch.isascii():
        look.barcode(page, look.RIGHT - _BATCH.width(pick.batch) - 48, 15, pick.batch, width=44, height=7.5)
    page.line(look.LEFT, 25, look.RIGHT, look.ACCENT, 0.9)
    made = pick.made_at.astimezone(TOKYO)
    x = look.LEFT
    cart = f"カート {pick.cart}" if pick.cart else ""
    said = (
        (pick.location, _PLACE),
        (cart, _PLACE),
        (f"{look.day(made)} {made:%H:%M}", look.BODY),
        (pick.by, look.BODY),
    )
    for text, style in said:
        if not text:
            continue
        page.text(x, 31, text, style)
        x += style.width(text) + 6
    gifts = sum(bool(order.gifts) for order in pick.orders)
    quantity = sum(row.quantity for row in totals)
    x = look.RIGHT
    for label, count in (
        ("ギフト", gifts),
        ("総数量", quantity),
        ("商品種類", len(totals)),
        ("出荷件数", len(pick.orders)),
    ):
        page.text(x, 31, f"{count:,}", _COUNT, "right")
        x -= _COUNT.width(f"{count:,}") + 1.5
        page.text(x, 31, label, look.LABEL, "right")
        x -= look.LABEL.width(label) + 5
    flow.y = 36


def _heading(flow: Flow, text: str) -> None:
    look.middle_line(flow.page, look.LEFT, flow.y, text, look.HEADING)
    flow.y += look.HEADING.line + 2


def _totals(flow: Flow, totals: list[PickTotal], heading: str, pictures: Mapping[str, str]) -> None:
    _heading(flow, heading)
    table = Table(flow, _with_pictures(_TOTALS) if pictures else _TOTALS, look.TABLE)
    table.begin()
    for place, row in enumerate(totals):
        picture = pictures.get(row.code, "")
        sets = f"セット：{'、'.join(row.set_names)}" if row.set_names else ""
        top = table.row(
            [
                [(row.shelf or "—", _SHELF)],
                *([[("", look.BODY)]] if pictures else []),
                [(row.code, look.CODE)],
                look.paragraphs(
                    (row.name, look.BODY), (row.options, _OPTION), (sets, look.SMALL), (_slots(row), _REMARK)
                ),
                [(row.jan, look.CODE)],
                [(f"{row.orders:,}", look.BODY)],
                [(f"{row.quantity:,}", look.BIG)],
                [("", look.BODY)],
            ],
            fill=_STRIPE if place % 2 else None,
            least=PICTURE_SIDE + 2 if picture else 0.0,
        )
        _tick(flow, top)
        _shown(flow, top, picture)


def _shown(flow: Flow, top: float, picture: str) -> None:
    """What it looks like, beside its shelf."""
    if picture:
        flow.page.picture(picture, flow.left + _SHELF_WIDTH + 1, top + 1, PICTURE_SIDE, PICTURE_SIDE)


def _with_pictures(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """A narrow column more, of which shelf, code and name give way."""
    shelf, code, name, *rest = columns
    return (
        Column(shelf.title, _SHELF_WIDTH),
        Column("写真" if shelf.title else "", PICTURE_SIDE + 2, "center"),
        Column(code.title, code.width - 2),
        Column(name.title, name.width + shelf.width - _SHELF_WIDTH - PICTURE_SIDE),
        *rest,
    )


def _slots(row: PickTotal) -> str:
    """Which slot of the cart gets how many."""
    return "　".join(f"[{slot}] × {pieces:,}" for slot, pieces in row.slots)


def _tick(flow: Flow, top: float) -> None:
    flow.page.frame(flow.right - 6.4, top + (flow.y - top - 3.8) / 2, 3.8, 3.8, color=look.INK, points=0.7)


def _order(flow: Flow, order: PickOrder, slot: str) -> None:
    """One order, kept on one page where it fits on one."""
    gifts = wrap("ギフト　" + "　／　".join(order.gifts), _GIFT, flow.width - 6) if order.gifts else []
    remarks = wrap(f"備考：{order.remarks}", _REMARK, flow.width - 6) if order.remarks else []
    head = 12.0 + len(gifts) * (_GIFT.line + 1.2) + len(remarks) * (_REMARK.line + 0.6)
    items = sum(PICTURE_SIDE + 2 if item.picture else 9.0 for item in order.items)
    flow.needs(head + items if head + items < 120 else head + 12)
    _order_head(flow, order, slot)
    for line in gifts:
        flow.page.area(flow.left, flow.y, flow.width, _GIFT.line + 1.2, look.INK)
        look.middle_line(flow.page, flow.left + 3, flow.y + 0.6, line, _GIFT)
        flow.y += _GIFT.line + 1.2
    for line in remarks:
        flow.y += 0.6
        look.middle_line(flow.page, flow.left + 3, flow.y, line, _REMARK)
        flow.y += _REMARK.line
    shown = any(item.picture for item in order.items)
    table = Table(flow, _with_pictures(_ITEMS) if shown else _ITEMS, look.TABLE, has_head=False)
    for item in order.items:
        shelf, *cells = _item_cells(item)
        blank = [[("", look.BODY)]] if shown else []
        top = table.row([shelf, *blank, *cells], least=PICTURE_SIDE + 2 if item.picture else 0.0)
        _tick(flow, top)
        _shown(flow, top, item.picture)
    flow.y += 4.5


def _order_head(flow: Flow, order: PickOrder, slot: str) -> None:
    page, top, height = flow.page, flow.y, 12.0
    page.area(flow.left, top, flow.width, height, look.BAND)
    page.line(flow.left, top, flow.right, look.ACCENT, 0.9)
    page.text(flow.left + 9, top + 8.2, slot, _SLOT, "center")
    recipient = f"　{order.recipient} {look.titled(order.recipient, '様')}" if order.recipient else ""
    page.text(flow.left + 19, top + 5.2, order.order_number, _SHELF)
    x = flow.left + 19 + _SHELF.width(order.order_number)
    recipient = _fitting(recipient, look.BODY, flow.right - 50 - x)
    page.text(x, top + 5.2, recipient, look.BODY)
    x += look.BODY.width(recipient)
    references = f"　　受注 {'、'.join(order.references)}" if order.references else ""
    page.text(x, top + 5.2, _fitting(references, _METHOD, flow.right - 50 - x), _METHOD)
    deadline = f"出荷期限 {look.day(order.ship_by)}" if order.ship_by else ""
    count = f"数量計 {sum(item.quantity for item in order.items):,}"
    facts = "　　".join(filter(None, [order.method, deadline, count]))
    page.text(flow.left + 19, top + 9.8, _fitting(facts, _METHOD, flow.width - 70), _METHOD)
    look.barcode(page, flow.right - 47, top + 2, order.barcode, width=44)
    flow.y = top + height


def _fitting(text: str, style: Style, width: float) -> str:
    lines = wrap(text, style, width, max_lines=1)
    return lines[0] if lines else ""


def _item_cells(item: PickItem) -> list[list[tuple[str, Style]]]:
    of_set = f"セット：{item.set_name}" if item.set_name else ""
    return [
        [(item.shelf or "—", _SHELF)],
        [(item.code, look.CODE)],
        look.paragraphs((of_set, look.SMALL), (item.name, look.BODY), (item.options, _OPTION)),
        [(item.jan, look.CODE)],
        [(f"{item.quantity:,}", look.BIG)],
        [("", look.BODY)],
    ]
