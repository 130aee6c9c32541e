"""返還インボイス of a settled return, where the shop's settings ask for one."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from oms.kernel import clock
from oms.kernel.said import said
from orders.documents import rules
from orders.documents.credit import TooMuch, Wish
from orders.models import IssuedDocument, LineComponent, Refund, RefundPart, ReturnCase
from orders.models.papers import CreditNotes, Issuer
from orders.queries.papers import issuer_for, papers_of
from orders.services import documents, tasks
from orders.services.journal import Actor

FEE_COLUMNS = {"shipping": "shipping_fee", "fees": "fees", "gift_fees": "gift_fees"}


def credit_note(case: ReturnCase, refund: Refund, *, actor: Actor) -> str:
    """Issue the credit note of what a refund takes back; the same case has one. Returns what the history says of it:
    the paper's number, "" where none was issued. What cannot be issued becomes a task for a person.

    What the buyer bears and goodwill change the money, not the price that is taken back. The caller holds the
    order's lock.
    """
    if not is_due(case, sum(amount for _rate, amount, _tax in refund.tax_by_rate)):
        return ""
    pieces = {str(line): count for line, count in refund.lines.values_list("line", "quantity")}
    single = RefundPart.objects.filter(refund_line__refund=refund, alone__gt=0)
    units = {f"{line}/{part}": n for line, part, n in single.values_list("refund_line__line", "component", "alone")}
    fees = refund.shipping + refund.fees + refund.gift_fees
    wish = Wish(pieces, fees=fees, reduction=refund.difference, units=units)
    try:
        pk = documents.issue_credit_note(
            case.order_id, wish, day=clock.today(), reason=said("返品 %(no)s", no=case.number),
            even_if_exempt=True, actor=actor, key=case.refund_key,
        )  # fmt: skip
    except (documents.Refused, TooMuch):
        return _ask(case, actor)
    return str(IssuedDocument.objects.values_list("number", flat=True).get(pk=pk))


def credit_unpaid(
    case: ReturnCase, pieces: Mapping[int, int], units: Mapping[int, int], fees: Sequence[str], reduction: int,
    *, actor: Actor,
) -> str:  # fmt: skip
    """Goods came back before they were paid: no money goes back, the credit note lowers what is owed (by the month, it
    is taken off the next bill). The same case has one. Returns its number."""
    order = case.order
    parts = dict(LineComponent.objects.filter(pk__in=units).values_list("pk", "line"))
    wish = Wish(
        {str(line): count for line, count in pieces.items()},
        fees=sum(getattr(order, FEE_COLUMNS[name]) for name in fees),
        reduction=reduction,
        units={f"{parts[part]}/{part}": count for part, count in units.items() if part in parts},
    )
    try:
        pk = documents.issue_credit_note(
            case.order_id, wish, day=clock.today(), reason=said("返品 %(no)s", no=case.number),
            even_if_exempt=True, actor=actor, key=case.refund_key,
        )  # fmt: skip
    except (documents.Refused, TooMuch):
        return _ask(case, actor)
    return str(IssuedDocument.objects.values_list("number", flat=True).get(pk=pk))


def _ask(case: ReturnCase, actor: Actor) -> str:
    text = said("返品 %(no)s の返還インボイスを発行する（自動では発行できませんでした）", no=case.number)
    link = reverse("orders:order-credit", args=[case.order_id])
    tasks.ask([tasks.NewTask(f"credit_note:{case.pk}", case.order_id, text[:200], link=link)], actor=actor)
    return ""


def is_due(case: ReturnCase, price: int) -> bool:
    """Whether the shop issues a credit note when so many yen of a price are taken back."""
    shop = case.order.shop
    papers = papers_of([shop.pk])[shop.pk]
    if not price or issuer_for(shop, papers, case.order.payment_method) != Issuer.WE:
        return False
    if papers.credit_notes == CreditNotes.REQUIRED:
        return bool(shop.registration_no) and rules.credit_note_is_required(price)
    return papers.credit_notes == CreditNotes.ALWAYS


def credit_note_of(case: ReturnCase) -> IssuedDocument | None:
    """The paper that was issued when the case was settled."""
    return IssuedDocument.objects.filter(key=f"credit_note:{case.order_id}:{case.refund_key}").first()
