"""Values → PDF. Texts are drawn as glyphs, never read as instructions, so nothing that a buyer typed can act.

The same values give the same bytes: the time inside the file is the document's own, and the fonts come from packages.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time

from oms.kernel.pdf.page import Document
from oms.kernel.pdf.picture import Picture
from orders.documents.bill import Bill
from orders.documents.bill_paper import bill_document, title_of
from orders.documents.delivery_note import draw_delivery_note
from orders.documents.parcel_papers import draw_handover, draw_return_slip
from orders.documents.pick_list import draw_pick_list
from orders.documents.return_label import draw_return_label
from orders.documents.statement import Statement
from orders.documents.statement_paper import draw_statement
from orders.documents.statement_paper import title_of as statement_title
from orders.documents.values import DeliveryNote, HandoverList, PickList, ReturnLabel, ReturnSlip, WorkSlip
from orders.documents.work_slip import draw_work_slip

Logos = Mapping[str, Picture]


def render_delivery_notes(notes: Sequence[DeliveryNote], logos: Logos | None = None) -> bytes:
    """All notes as one PDF in the given order, each beginning on a page of its own, numbered by itself.

    `logos` by the digests that the letterheads name. Raises ValueError for no notes, and for a note whose discounts
    exceed its amounts (see `figures`).
    """
    if not notes:
        raise ValueError("no delivery note to print")
    document = Document(pictures=logos or {})
    for note in notes:
        draw_delivery_note(document, note)
    made_at = datetime.combine(max(note.issued_on for note in notes), time(0), UTC)
    return document.pdf(title="納品書", made_at=made_at)


def render_bill(bill: Bill, logos: Logos | None = None) -> bytes:
    """One invoice, receipt or credit note. Raises ValueError when its discounts exceed its amounts."""
    document = bill_document(bill, logos or {})
    made_at = datetime.combine(bill.issued_on, time(0), UTC)
    return document.pdf(title=f"{title_of(bill)} {bill.number}", made_at=made_at)


def render_statement(bill: Statement, logos: Logos | None = None) -> bytes:
    """合計請求書. Raises ValueError when a delivery's discounts exceed its amounts."""
    document = Document(pictures=logos or {})
    draw_statement(document, bill)
    made_at = datetime.combine(bill.issued_on, time(0), UTC)
    return document.pdf(title=f"{statement_title(bill)} {bill.number}", made_at=made_at)


def render_pick_list(pick: PickList) -> bytes:
    """The sums by shelf, then order by order. Raises ValueError for no orders."""
    return render_pick_lists([pick])


def render_pick_lists(picks: Sequence[PickList], pictures: Logos | None = None) -> bytes:
    """Lists of several places as one PDF, each numbered by itself. Raises ValueError where there is nothing to pick."""
    if not picks or not all(pick.orders for pick in picks):
        raise ValueError("no order to pick")
    document = Document(pictures=pictures or {})
    for pick in picks:
        draw_pick_list(document, pick)
    title = "ピッキングリスト " + "・".join(dict.fromkeys(pick.batch for pick in picks))
    return document.pdf(title=title, made_at=picks[0].made_at.astimezone(UTC))


def render_handover_lists(lists: Sequence[HandoverList]) -> bytes:
    """集荷リスト, one after the other. Raises ValueError where there is nothing to hand over."""
    if not lists or not all(one.parcels for one in lists):
        raise ValueError("no parcel to hand over")
    document = Document()
    for one in lists:
        draw_handover(document, one)
    return document.pdf(title="集荷リスト", made_at=lists[0].made_at.astimezone(UTC))


def render_return_slips(slips: Sequence[ReturnSlip], made_at: datetime, logos: Logos | None = None) -> bytes:
    """返品票, a page or more each. Raises ValueError for none."""
    if not slips:
        raise ValueError("no return slip to print")
    document = Document(pictures=logos or {})
    for slip in slips:
        draw_return_slip(document, slip)
    return document.pdf(title="返品票", made_at=made_at.astimezone(UTC))


def render_return_label(label: ReturnLabel, made_at: datetime) -> bytes:
    """返送ラベル, one page and more where many goods come back."""
    document = Document()
    draw_return_label(document, label)
    return document.pdf(title=f"返送ラベル {label.number}", made_at=made_at.astimezone(UTC))


def render_work_slips(slips: Sequence[WorkSlip]) -> bytes:
    """作業指示書, each beginning on a page of its own. Raises ValueError for none."""
    if not slips:
        raise ValueError("no work slip to print")
    document = Document()
    for slip in slips:
        draw_work_slip(document, slip)
    return document.pdf(title="作業指示書", made_at=slips[0].made_at.astimezone(UTC))
