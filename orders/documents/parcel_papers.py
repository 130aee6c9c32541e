"""集荷リスト for the driver's signature, and 返品票 for the buyer who sends something back."""

from functools import partial

from oms.kernel.clock import TOKYO
from oms.kernel.pdf.flow import Column, Flow, Table, wrap
from oms.kernel.pdf.fonts import Weight
from oms.kernel.pdf.page import Document, Page, Style
from orders.documents import look, parts
from orders.documents.sizes import SHEETS, bottom_of
from orders.documents.values import HandoverList, ReturnSlip

_PLACE = Style(10, Weight.BOLD, look.INK)
_HANDOVER = (
    Column("No.", 12, "right"),
    Column("出荷番号", 28),
    Column("お問い合わせ番号", 44),
    Column("お届け先", 66),
    Column("個口", 14, "right"),
    Column("済", 12, "center"),
)
_RETURN = (Column("商品コード", 36), Column("商品名・仕様", 96), Column("お届け数", 18, "right"), Column("返品数", 26))
_REASONS = ("サイズが合わない", "イメージと違う", "不良・破損", "注文と違う商品が届いた", "不要になった", "その他")
_WISHES = ("返金", "交換", "その他")


def draw_handover(document: Document, one: HandoverList) -> None:
    """Append the list's pages. The place for the signature stands under the last row, never alone on a page."""
    made = one.made_at.astimezone(TOKYO)
    head = partial(_list_head, f"集荷リスト　{one.carrier}", f"{look.day(made)} {made:%H:%M}")
    flow = Flow(document, look.LEFT, look.RIGHT, look.TOP, look.BOTTOM, head)
    flow.turn()
    page = flow.page
    page.text(look.LEFT, 21, "集荷リスト", look.TITLE)
    page.text(look.RIGHT, 21, one.carrier, look.BIG, "right")
    page.line(look.LEFT, 25, look.RIGHT, look.ACCENT, 0.9)
    packages = sum(parcel.packages for parcel in one.parcels)
    for x, text in ((look.LEFT, one.location), (look.LEFT + 60, f"{look.day(made)} {made:%H:%M}"), (130.0, one.by)):
        page.text(x, 31, text, _PLACE)
    page.text(look.RIGHT, 31, f"{len(one.parcels):,}件　{packages:,}個口", _PLACE, "right")
    flow.y = 36
    table = Table(flow, _HANDOVER, look.TABLE)
    table.begin()
    for place, parcel in enumerate(one.parcels, start=1):
        cells = (
            str(place),
            parcel.number,
            parcel.tracking_number or "—",
            f"{parcel.prefecture}　{parcel.recipient} 様",
        )
        top = table.row(
            [[(text, look.BODY)] for text in (*cells, f"{parcel.packages:,}", "")],
        )
        page = flow.page
        page.frame(look.RIGHT - 11 + 3.1, top + (flow.y - top - 3.8) / 2, 3.8, 3.8, color=look.INK, points=0.7)
    _signature(flow, packages)
    parts.feet(flow, one.location, one.carrier)


def _signature(flow: Flow, packages: int) -> None:
    flow.needs(30)
    flow.y += 6
    page, y = flow.page, flow.y
    for x, width, label in (
        (look.LEFT, 40.0, "引渡し個口"),
        (60.0, 60.0, "集荷日時"),
        (123.0, 70.0, "集荷担当者　署名"),
    ):
        page.frame(x, y, width, 18, color=look.SOFT)
        page.text(x + 2, y + 4.2, label, look.LABEL)
    page.text(look.LEFT + 20, y + 13, f"{packages:,}", look.BIG, "center")
    flow.y += 20


def _list_head(title: str, right: str, page: Page, place: int) -> None:
    if place > 1:
        page.text(look.LEFT, 12, title, look.FOOT)
        page.text(look.RIGHT, 12, right, look.FOOT, "right")
        page.line(look.LEFT, 13.8, look.RIGHT, look.LINE)


def draw_return_slip(document: Document, slip: ReturnSlip) -> None:
    """Append the slip's pages."""
    head = partial(_list_head, "返品票", f"No. {slip.number}")
    sheet, bottom = SHEETS[slip.paper], bottom_of(slip.paper)
    flow = Flow(document, look.LEFT, look.RIGHT, look.TOP, bottom, head, sheet=sheet)
    flow.turn()
    parts.first_head(flow.page, "返品票", slip.number, look.day(slip.shipped_on), reprinted=False, day="出荷日")
    right = parts.draw_issuer(flow.page, slip.shop, 29.0, priced=False)
    words = "返品・交換をご希望の場合は、この用紙に記入し、商品に添えて右記の住所へお送りください。"
    y = 30.0
    for text in wrap(words, look.BODY, 92):
        look.middle_line(flow.page, look.LEFT, y, text, look.BODY)
        y += look.BODY.line
    look.barcode(flow.page, look.LEFT, y + 3, slip.barcode, width=52)
    flow.y = max(right, y + 14) + 4
    pairs = [("ご注文番号", "、".join(slip.order_numbers)), ("お名前", f"{slip.recipient} 様")]
    parts.facts(flow, pairs)
    table = Table(flow, _RETURN, look.TABLE)
    table.begin()
    for line in slip.lines:
        name = look.paragraphs((line.name, look.BODY), (line.options, look.SMALL))
        table.row([[(line.code, look.CODE)], name, [(f"{line.quantity:,}", look.BODY)], [("", look.BODY)]])
    flow.y += 5
    _choices(flow, "理由", _REASONS)
    _choices(flow, "ご希望", _WISHES)
    flow.needs(30)
    flow.page.frame(look.LEFT, flow.y, flow.width, 26, color=look.SOFT)
    flow.page.text(look.LEFT + 2, flow.y + 4.2, "ご連絡事項（返金先の口座・交換の色やサイズなど）", look.LABEL)
    flow.y += 30
    parts.closing(flow, slip.shop.closing)
    parts.feet(flow, slip.shop.name, f"No. {slip.number}")


def _choices(flow: Flow, label: str, choices: tuple[str, ...]) -> None:
    flow.needs(2 * look.BODY.line + 4)
    flow.page.text(look.LEFT, flow.y + look.BODY.baseline, label, look.BODY_BOLD)
    x = look.LEFT + 20
    for choice in choices:
        width = look.BODY.width(choice) + 10
        if x + width > look.RIGHT:
            x, flow.y = look.LEFT + 20, flow.y + look.BODY.line + 2
        flow.page.frame(x, flow.y + 0.4, 3.6, 3.6, color=look.INK, points=0.7)
        flow.page.text(x + 5, flow.y + look.BODY.baseline, choice, look.BODY)
        x += width
    flow.y += look.BODY.line + 4
