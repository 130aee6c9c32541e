"""合計請求書 on A4: what was owed, what came, what the period cost, then every delivery with its goods."""

from collections.abc import Sequence
from functools import partial

from oms.kernel.money import yen
from oms.kernel.pdf.flow import Column, Flow, Table
from oms.kernel.pdf.fonts import Weight
from oms.kernel.pdf.page import Document, Page, Style
from orders.documents import look, parts
from orders.documents.statement import Delivery, Statement, StatementSums, statement_sums

_DUE = Style(12, Weight.BOLD, look.INK)
_COLUMNS = (
    Column("日付", 15),
    Column("注文・伝票番号", 41),
    Column("商品名・仕様", 60),
    Column("数量", 11, "right"),
    Column("単価（税込）", 20, "right"),
    Column("税率", 11, "center"),
    Column("金額（税込）", 18, "right"),
)


def draw_statement(document: Document, bill: Statement) -> None:
    """Append the bill's pages. Raises ValueError as `statement_sums` does."""
    flow = Flow(document, look.LEFT, look.RIGHT, look.TOP, look.BOTTOM, partial(_page_head, bill))
    flow.turn()
    sums = statement_sums(bill)
    parts.parties(flow, bill.to, bill.shop, priced=True, sentence="下記のとおりご請求申し上げます。")
    period = f"{look.day(bill.since)} 〜 {look.day(bill.until)}"
    facts = [("ご請求対象期間", period), ("お支払期限", look.day(bill.due_on))]
    parts.facts(flow, facts, [("お振込先", bill.bank_account)])
    _balance(flow, bill, sums)
    _deliveries(flow, bill.deliveries)
    parts.sums_block(flow, sums.rates, _sum_rows(bill, sums))
    if bill.by_note:
        parts.message(flow, "消費税は納品書ごとに計算しています。適格請求書（インボイス）は各納品書です。")
    parts.closing(flow, bill.shop.closing)
    parts.feet(flow, bill.shop.name, f"No. {bill.number}")


def title_of(bill: Statement) -> str:
    return "合計請求明細書" if bill.by_note else "合計請求書"


def _page_head(bill: Statement, page: Page, place: int) -> None:
    if place == 1:
        parts.first_head(page, title_of(bill), bill.number, look.day(bill.issued_on), reprinted=bill.is_reissue)
    else:
        parts.next_head(page, title_of(bill), bill.to, bill.number)


def _balance(flow: Flow, bill: Statement, sums: StatementSums) -> None:
    """What was owed → what came → what stays (→ what is put right) → this period → to be paid now."""
    wide = 26.0 if bill.adjustments else 33.0
    put_right = [("調整額", sums.adjusted, 24.0)] if bill.adjustments else []
    cells = [
        ("前回ご請求額", bill.before, wide),
        ("ご入金額", bill.received, wide),
        ("繰越額", sums.carried, wide),
        *put_right,
        (
            "今回お買上額（税込）" if not sums.paid_otherwise else "お買上額（利用後）",
            sums.total - sums.paid_otherwise,
            36.0 if bill.adjustments else 35.0,
        ),
        ("今回ご請求額", sums.due, 38.0 if bill.adjustments else 42.0),
    ]
    page, x, top, height = flow.page, flow.left, flow.y, 15.0
    page.area(x, top, flow.width, 6.0, look.BAND)
    page.line(x, top, flow.right, look.ACCENT, 0.6)
    for place, (label, amount, width) in enumerate(cells):
        last = place == len(cells) - 1
        page.text(x + width / 2, top + 4.2, label, look.COLUMN, "center")
        style = _DUE if last else look.BODY
        page.text(x + width - 2, top + 12.2, yen(amount), style, "right")
        x += width
    page.line(flow.left, top + height, flow.right, look.ACCENT, 0.6)
    flow.y = top + height + 5


def _deliveries(flow: Flow, deliveries: Sequence[Delivery]) -> None:
    table = Table(flow, _COLUMNS, look.TABLE)
    table.begin()
    for one in deliveries:
        day, number = f"{one.day.month}/{one.day.day}", "\n".join((one.order_number, *one.notes))
        sign = -1 if one.returned else 1
        for line in one.lines:
            what = f"返品・値引　{line.name}" if one.returned else line.name
            mark = " ※" if line.rate.reduced else ""
            words = look.paragraphs((f"{what}{mark}", look.BODY), (line.options, look.SMALL))
            money = (yen(line.unit_price), f"{line.rate}{mark.strip()}", yen(sign * line.amount))
            _row(table, day, number, words, f"{line.quantity:,}", *money)
            day = number = ""
        for fee in one.fees:
            mark = "※" if fee.rate.reduced else ""
            _row(table, day, number, [(fee.label, look.BODY)], "", "", f"{fee.rate}{mark}", yen(fee.amount))
        for part in one.deductions:
            _row(table, "", "", [(part.label, look.BODY)], "", "", "", yen(-part.amount))
    flow.y += 4


def _row(table: Table, day: str, number: str, words: list[tuple[str, Style]], *rest: str) -> None:
    numbers = [(text, look.CODE) for text in number.splitlines()] or [("", look.CODE)]
    table.row([[(day, look.BODY)], numbers, words, *[[(text, look.BODY)] for text in rest]])


def _sum_rows(bill: Statement, sums: StatementSums) -> parts.Rows:
    rows: list[tuple[str, str, bool]] = []
    if sums.returns:
        rows += [("お買上額", yen(sums.sales), False), ("返品・値引", yen(-sums.returns), False)]
    rows.append(("今回お買上額（税込）", yen(sums.total), True))
    if sums.paid_otherwise:
        rows.append(("ポイント・クーポン利用", yen(-sums.paid_otherwise), False))
    if sums.carried:
        rows.append(("繰越額", yen(sums.carried), False))
    rows += [(f"{one.label}（{one.day.month}/{one.day.day}）", yen(one.amount), False) for one in bill.adjustments]
    return [*rows, ("今回ご請求額", yen(sums.due), True)]
