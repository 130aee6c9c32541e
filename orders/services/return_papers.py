"""返還インボイス of a settled return, where the shop's settings ask for one."""

from collections.abc import Mapping, Sequence

from django.db.models import Sum
from django.urls import reverse

from oms.kernel import clock
from oms.kernel.said import said
from orders.documents import rules
from orders.documents.credit import TooMuch, Wish
from orders.models import BillingAccount, IssuedDocument, LineComponent, Order, Refund, RefundPart, ReturnCase
from orders.models.order import PaymentMethod
from orders.models.papers import CreditNotes, DocumentKind, Issuer
from orders.queries.billing import not_taken_off
from orders.queries.papers import billed_monthly, issuer_for, papers_of
from orders.services import account_balance, documents, tasks
from orders.services.journal import Actor

FEE_COLUMNS = {"shipping": "shipping_fee", "fees": "fees", "gift_fees": "gift_fees"}


def credit_note(case: ReturnCase, refund: Refund, *, actor: Actor) -> str:
    """Issue the credit note of what a refund takes back; the same case has one. Returns what the history says of it:
    the paper's number, "" where none was issued. What cannot be issued becomes a task for a person.

    What the buyer bears and goodwill change the money, not the price that is taken back. The caller holds the
    order's lock.
    """
    if not _is_due(case, refund):
        return ""
    pieces = {str(line): count for line, count in refund.lines.values_list("line", "quantity")}
    single = RefundPart.objects.filter(refund_line__refund=refund, alone__gt=0)
    units = {f"{line}/{part}": n for line, part, n in single.values_list("refund_line__line", "component", "alone")}
    wish = Wish(pieces, fees=refund.shipping + refund.fees + refund.gift_fees, units=units)
    try:
        pk = documents.issue_credit_note(
            case.order_id, wish, day=clock.today(), reason=said("返品 %(no)s", no=case.number),
            even_if_exempt=True, actor=actor, key=case.refund_key,
        )  # fmt: skip
    except (documents.Refused, TooMuch):
        return _ask(case, actor)
    return str(IssuedDocument.objects.values_list("number", flat=True).get(pk=pk))


def goes_off_the_bill(order: Order, amount: int) -> bool:
    """Whether that much is still owed of an order that is paid by the month: then no money goes back. Credit notes that
    wait for the next bill are owed no more."""
    if order.payment_method != PaymentMethod.ACCOUNT or not billed_monthly([order]):
        return False
    waiting = documents.standing().filter(not_taken_off(), kind=DocumentKind.CREDIT_NOTE, order=order)
    owed = (order.total or 0) - order.paid_amount - (waiting.aggregate(sum=Sum("amount"))["sum"] or 0)
    return owed >= amount


def credit_on_account(
    case: ReturnCase, pieces: Mapping[int, int], units: Mapping[int, int], fees: Sequence[str], reduction: int,
    *, deduction: int = 0, actor: Actor,
) -> str:  # fmt: skip
    """Goods of an order that is paid by the month came back before it was paid: no money goes back, the credit note is
    taken off the next bill, and what the buyer bears of the freight (`deduction`) is put on it. The same case has one.
    Returns its number, "" where this is no such order."""
    order = case.order
    if order.payment_method != PaymentMethod.ACCOUNT or not billed_monthly([order]):
        return ""
    if deduction:
        account = BillingAccount.objects.get(shop=order.shop_id, member=order.member_id)
        account_balance.charge_freight(
            case.refund_key, account.pk, deduction, note=f"{order.channel_order_no} {case.number}", actor=actor
        )
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


def _is_due(case: ReturnCase, refund: Refund) -> bool:
    shop = case.order.shop
    papers = papers_of([shop.pk])[shop.pk]
    price = sum(amount for _rate, amount, _tax in refund.tax_by_rate)
    if not price or issuer_for(shop, papers, case.order.payment_method) != Issuer.WE:
        return False
    if papers.credit_notes == CreditNotes.REQUIRED:
        return bool(shop.registration_no) and rules.credit_note_is_required(price)
    return papers.credit_notes == CreditNotes.ALWAYS


def credit_note_of(case: ReturnCase) -> IssuedDocument | None:
    """The paper that was issued when the case was settled."""
    return IssuedDocument.objects.filter(key=f"credit_note:{case.order_id}:{case.refund_key}").first()
