"""請求書 and 返還インボイス on A4, 領収書 on half a sheet (A5) where it fits on one, or on narrow paper."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from oms.kernel.money import yen
from oms.kernel.pdf.flow import Flow, wrap
from oms.kernel.pdf.fonts import Weight
from oms.kernel.pdf.page import A4, A5_WIDE, Document, Page, Style
from oms.kernel.pdf.picture import Picture
from orders.documents import look, narrow, parts
from orders.documents.bill import Bill, BillKind
from orders.documents.figures import Figures, figures
from orders.documents.sizes import NARROW, PaperSize

_AMOUNT = Style(21, Weight.BOLD, look.INK, tracking=0.04)
_SUBJECT = Style(10.5, color=look.INK)
_SENTENCES = {
    BillKind.INVOICE: "下記のとおりご請求申し上げます。",
    BillKind.QUOTE: "下記のとおりお見積り申し上げます。",
    BillKind.CREDIT_NOTE: "下記のとおり返品・値引（対価の返還等）がありましたので、ご通知いたします。",
}
_DUE = {
    BillKind.INVOICE: "ご請求金額",
    BillKind.CREDIT_NOTE: "ご返金額",
    BillKind.QUOTE: "お見積金額",
}


def bill_document(bill: Bill, pictures: Mapping[str, Picture]) -> Document:
    """The drawn bill. Raises ValueError as `figures` does."""
    if bill.kind == BillKind.RECEIPT and bill.paper in NARROW:
        roll = Document(pictures=pictures)
        content = narrow.receipt_content(bill, figures(bill), title=title_of(bill), correction=_said_of(bill))
        narrow.draw(roll, bill.paper, content, f"{title_of(bill)}　No. {bill.number}")
        return roll
    if bill.kind == BillKind.RECEIPT and bill.paper != PaperSize.A4:
        half = Document(size=A5_WIDE, pictures=pictures)
        draw_bill(half, bill)
        if len(half.pages) == 1:
            return half
    document = Document(pictures=pictures)
    draw_bill(document, bill)
    return document


def draw_bill(document: Document, bill: Bill) -> None:
    """Append the bill's pages. Raises ValueError as `figures` does."""
    bottom = look.BOTTOM if document.size == A4 else document.size[1] - 13.0
    flow = Flow(document, look.LEFT, look.RIGHT, look.TOP, bottom, partial(_page_head, bill))
    flow.turn()
    sums = figures(bill)
    if bill.kind == BillKind.RECEIPT:
        _receipt(flow, bill, sums)
    else:
        _letter(flow, bill, sums)
    parts.feet(flow, bill.shop.name, f"No. {bill.number}")


def title_of(bill: Bill) -> str:
    """A correction says so in its title; without a registration number no 適格 is claimed."""
    qualified = bool(bill.shop.registration_number)
    title = {
        BillKind.INVOICE: "請求書",
        BillKind.RECEIPT: "領収書",
        BillKind.QUOTE: "見積書",
        BillKind.CREDIT_NOTE: "適格返還請求書" if qualified else "返還明細書",
    }[bill.kind]
    if bill.kind == BillKind.QUOTE:
        return title  # a new quote takes the place of an old one; nothing is put right
    return f"修正{title}" if bill.corrects else title


def _page_head(bill: Bill, page: Page, place: int) -> None:
    if place == 1:
        day = look.day(bill.issued_on)
        parts.first_head(page, title_of(bill), bill.number, day, reprinted=bill.is_reissue)
    else:
        parts.next_head(page, title_of(bill), bill.to, bill.number)


def _letter(flow: Flow, bill: Bill, sums: Figures) -> None:
    parts.parties(flow, bill.to, bill.shop, priced=True, sentence=_SENTENCES[bill.kind])
    credit = bill.kind == BillKind.CREDIT_NOTE
    changed = "差し替え" if bill.kind == BillKind.QUOTE else "訂正"
    invoice = f"No. {bill.invoice.number}（{look.day(bill.invoice.day)}）" if credit and bill.invoice else ""
    wide = [("お振込先", bill.bank_account), (changed, _correction(bill)), ("元の請求書", invoice)]
    wide.append(("理由", bill.reason if credit else ""))
    parts.facts(flow, _facts(bill), wide)
    label = _DUE[bill.kind]
    parts.total_box(flow, f"{label}（税込）", sums.due)
    parts.line_table(flow, bill.lines, priced=True)
    parts.sums_block(flow, sums.rates, parts.sum_rows(bill.fees, bill.deductions, sums, label))
    parts.message(flow, bill.remarks)
    parts.closing(flow, bill.shop.closing)


def _facts(bill: Bill) -> list[tuple[str, str]]:
    if bill.kind == BillKind.QUOTE:
        until = look.day(bill.valid_until)
        return [("有効期限", until), ("お支払方法", bill.payment), ("お届け", bill.delivery)]
    credit = bill.kind == BillKind.CREDIT_NOTE
    numbers = ("ご注文番号", "、".join(bill.order_numbers))
    if credit:
        days = [("返品・値引の日", look.day(bill.supplied_on)), ("元の取引年月日", look.day(bill.sold_on))]
        return [numbers, *days]
    return [
        numbers,
        ("取引年月日", look.day(bill.supplied_on)),
        ("納品書番号", "、".join(bill.shipments)),
        ("お支払方法", bill.payment),
        ("お支払期限", look.day(bill.due_on)),
    ]


def _correction(bill: Bill) -> str:
    if not bill.corrects:
        return ""
    if bill.kind == BillKind.QUOTE:
        return f"{look.day(bill.corrects.day)}の見積書 No. {bill.corrects.number} に代わるものです。"
    because = f"　理由：{bill.reason}" if bill.reason else ""
    return f"{look.day(bill.corrects.day)}発行 No. {bill.corrects.number} を訂正し、本書に差し替えます。{because}"


def _said_of(bill: Bill) -> str:
    """What a receipt says of other papers and of money that went back."""
    return "　".join(filter(None, [_correction(bill) or part_words(bill), refund_words(bill)]))


def refund_words(bill: Bill) -> str:
    back = bill.refunded
    return f"【返金】このご注文について {yen(back.amount)} を{look.day(back.day)}までに返金しました。" if back else ""


def part_words(bill: Bill) -> str:
    """A receipt for a part of a payment says so, and how much the payment was."""
    part = bill.part
    if part is None:
        return ""
    return f"お支払い {yen(part.whole)} を {part.of} 枚に分けて発行した領収書の {part.place} 枚目です。"


# ---- receipt


def _receipt(flow: Flow, bill: Bill, sums: Figures) -> None:
    """The amount and what it was for, then what the law wants to see of taxes; the goods where they fit."""
    page, top = flow.page, 29.0
    to = replace(bill.to, postal_code="", address="") if bill.to else None  # a receipt names, it is not sent
    left = parts.draw_addressee(page, to, top) if to else top
    right = parts.draw_issuer(page, bill.shop, top, priced=True)
    y = left + 3
    page.area(look.LEFT, y, 92, 13, look.BAND)
    page.text(look.LEFT + 46, y + 9.2, f"{yen(sums.due)} −", _AMOUNT, "center")
    y += 15
    for line in wrap(f"但し　{bill.subject}", _SUBJECT, 92, max_lines=2):
        look.middle_line(page, look.LEFT, y, line, _SUBJECT)
        y += _SUBJECT.line
    words = f"{look.day(bill.supplied_on)}　上記金額を正に領収いたしました。"
    look.middle_line(page, look.LEFT, y + 0.5, words, look.BODY)
    y += look.BODY.line + 1
    for label, text in (("お支払方法", bill.payment), ("ご注文番号", "、".join(bill.order_numbers))):
        for line in wrap(f"{label}　{text}" if text else "", look.SMALL, 92, max_lines=2):
            look.middle_line(page, look.LEFT, y, line, look.SMALL)
            y += look.SMALL.line
    if bill.stamp_box:
        _stamp_box(page, right + 1)
        right += 20
    flow.y = max(y, right) + 2
    for line in wrap(_said_of(bill), look.BODY, flow.width, max_lines=3):
        look.middle_line(page, look.LEFT, flow.y, line, look.BODY)
        flow.y += look.BODY.line + 1
    parts.line_table(flow, bill.lines, priced=True)
    parts.sums_block(flow, sums.rates, parts.sum_rows(bill.fees, bill.deductions, sums, "領収金額"))


def _stamp_box(page: Page, y: float) -> None:
    page.frame(look.RIGHT - 24, y, 24, 19, color=look.SOFT)
    page.text(look.RIGHT - 12, y + 9, "収入印紙", look.SMALL, "center")
    page.text(look.RIGHT - 12, y + 12.6, "（消印）", look.SMALL, "center")
