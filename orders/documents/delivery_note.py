"""納品書 on A4 or A5 (narrow paper: `narrow`): head, addressee and issuer, facts, total, lines, tax per rate, closing.

What must not be printed is not drawn: a gift's note never sees an amount.
"""

import re
from functools import partial

from oms.kernel.pdf.flow import Flow
from oms.kernel.pdf.page import Document, Page
from orders.documents import look, narrow, parts
from orders.documents.figures import figures
from orders.documents.sizes import NARROW, SHEETS, bottom_of
from orders.documents.values import DeliveryNote, Party


def draw_delivery_note(document: Document, note: DeliveryNote) -> None:
    """Append the note's pages. Raises ValueError as `figures` does."""
    sums = None if note.hide_prices else figures(note)
    thanks = "このたびはご注文いただき、誠にありがとうございます。下記のとおり納品いたします。"
    if note.hide_prices:  # read by the recipient, who has ordered nothing
        thanks = "下記のとおりお品物をお届けいたします。"
    if note.paper in NARROW:
        content = narrow.note_content(note, sums, title=_title(note), thanks=thanks, facts=_fact_pairs(note))
        narrow.draw(document, note.paper, content, f"{_title(note)}　No. {note.number}")
        return
    head = partial(_page_head, note)
    flow = Flow(document, look.LEFT, look.RIGHT, look.TOP, bottom_of(note.paper), head, sheet=SHEETS[note.paper])
    flow.turn()
    parts.parties(flow, _addressee(note), note.shop, priced=not note.hide_prices, sentence=thanks)
    wide = [("お届け先", _one_line(note.recipient))] if note.recipient and not note.hide_prices else []
    parts.facts(flow, _fact_pairs(note), [*wide, ("ギフト", note.gift)])
    if sums:
        label = "ご請求金額（税込）" if sums.paid_otherwise else "合計金額（税込）"
        parts.total_box(flow, label, sums.due)
    parts.line_table(flow, note.lines, priced=not note.hide_prices, show_components=note.show_components)
    if sums:
        parts.sums_block(flow, sums.rates, parts.sum_rows(note.fees, note.deductions, sums, "ご請求金額"))
    parts.message(flow, note.message)
    parts.closing(flow, note.shop.closing, note.barcode)
    parts.feet(flow, note.shop.name, f"No. {note.number}")


def _title(note: DeliveryNote) -> str:
    """What serves as 適格請求書 says so."""
    if note.hide_prices:
        return "お届け明細書"
    return "納品書 兼 請求書" if note.is_invoice else "納品書"


def _page_head(note: DeliveryNote, page: Page, place: int) -> None:
    if place == 1:
        day = look.day(note.issued_on)
        parts.first_head(page, _title(note), note.number, day, reprinted=note.is_reprint)
    else:
        parts.next_head(page, _title(note), _addressee(note), note.number)


def _addressee(note: DeliveryNote) -> Party:
    return note.recipient or note.buyer if note.hide_prices else note.buyer


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
