"""掛売: what each account owes, what is not billed yet, and the bills it got."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from oms.kernel import clock
from orders.decide import billing as days
from orders.documents.bill import BillKind
from orders.documents.figures import figures
from orders.documents.rules import Refusal
from orders.documents.statement import Adjustment, Delivery, Statement, StatementSums, statement_sums
from orders.documents.values import Party
from orders.models import (
    AccountEntry,
    BillingAccount,
    DocumentKind,
    IssuedDocument,
    MonthlyBill,
    MonthlyBillItem,
    Order,
    PaymentEntry,
    Refund,
)
from orders.models.order import PaymentMethod
from orders.queries import visible
from orders.queries.account_balance import OPENED, Balance, balances, billed_elsewhere, entries_to_bill
from orders.queries.papers import Billable, billable, letterhead, papers_of, party_named
from orders.services.documents import REFUSALS, bill_in, standing
from orders.services.refund_limits import LIVE

STANDING = Q(bill__voided_at=None)


def accounts() -> QuerySet[BillingAccount]:
    return visible.of_shops(BillingAccount.objects.select_related("shop", "member"), "shop")


def on_account() -> QuerySet[Order]:
    """Orders that are paid by the month, cancelled ones left out."""
    return Order.objects.filter(payment_method=PaymentMethod.ACCOUNT, cancelled_at=None)


def billed(account: BillingAccount) -> QuerySet[MonthlyBillItem]:
    return MonthlyBillItem.objects.filter(STANDING, bill__account=account)


def unbilled(account: BillingAccount, until: date | None = None) -> QuerySet[Order]:
    """Orders that have left, up to a day, and stand on no bill; the oldest first."""
    items = MonthlyBillItem.objects.filter(STANDING, order=OuterRef("pk"), credit=None)
    rows = on_account().filter(
        ~Exists(items), ~billed_elsewhere(), shop=account.shop_id, member=account.member_id, shipped_at__isnull=False
    )
    return (rows.filter(shipped_at__lt=_end_of(until)) if until else rows).order_by("shipped_at", "pk")


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(0), clock.TOKYO)


def owed(order_ids: Collection[int]) -> int:
    """What is still to be paid of these orders: their totals less what came and what was taken off. What was paid
    back in money was paid first, so it is owed no more."""
    rows = Order.objects.filter(pk__in=order_ids)
    total = rows.aggregate(sum=Sum("total"))["sum"] or 0
    entries = PaymentEntry.objects.filter(order__in=order_ids).exclude(kind=PaymentEntry.Kind.REFUND)
    return total - (entries.aggregate(sum=Sum("amount"))["sum"] or 0)


def last_bill(account: BillingAccount) -> MonthlyBill | None:
    return account.bills.filter(voided_at=None).select_related("document").first()


# ---- a closing


@dataclass(frozen=True, slots=True)
class Credit:
    """A 返還インボイス that is taken off: with the order it belongs to, and its amount."""

    document: IssuedDocument
    order_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class Closing:
    """What a bill of an account would say. `problems` name orders and credit notes that cannot be on it, and why."""

    account: BillingAccount
    statement: Statement
    sums: StatementSums
    orders: Sequence[tuple[int, int]]  # (order, what it asks for)
    credits: Sequence[Credit]
    entries: Sequence[AccountEntry] = ()
    problems: Sequence[tuple[str, str]] = field(default_factory=tuple)

    @property
    def is_closed(self) -> bool:
        """A standing bill reaches so far already."""
        last = last_bill(self.account)
        return last is not None and last.closed_on >= self.statement.until

    @property
    def is_empty(self) -> bool:
        """Nothing was sent, nothing is owed, nothing came: there is nothing to ask for."""
        said = self.statement
        return not (said.deliveries or said.adjustments or said.before or said.received)


def closing_of(account: BillingAccount, closed_on: date) -> Closing:
    """The bill of everything that left up to a day. A fixed number of queries, whatever stands on it."""
    papers = papers_of([account.shop_id])[account.shop_id]
    found = billable(list(unbilled(account, closed_on).values_list("pk", flat=True)))
    ready, problems = _sorted_out(found.values())
    notes = notes_of([one.order.pk for one in ready] if account.qualified == BillingAccount.Qualified.NOTE else [])
    taken, left = _credits(account, closed_on, [one.order.pk for one in ready])
    before = last_bill(account)
    earlier = list(billed(account).filter(credit=None).values_list("order", flat=True))
    entries = entries_to_bill(account, closed_on)
    asked, adjustments = _asked(before, entries)
    asks = [(one.order.pk, one.order.total or 0) for one in ready]
    by_note = account.qualified == BillingAccount.Qualified.NOTE
    head = letterhead(account.shop, papers, day=closed_on, issuer="mall" if by_note else "we")
    deliveries = [_delivery(one, notes.get(one.order.pk, ())) for one in ready] + [_returned(one) for one in taken]
    statement = Statement(
        shop=head,
        issued_on=clock.today(),
        since=days.begin_of(closed_on, account.closing_day, before.closed_on if before else account.opening_on),
        until=closed_on,
        to=addressee(account),
        deliveries=tuple(sorted(deliveries, key=lambda one: (one.day, one.order_number))),
        before=asked,
        adjustments=adjustments,
        received=asked
        + sum(one.amount for one in adjustments)
        + sum(amount for _pk, amount in asks)
        - owed([*earlier, *(pk for pk, _amount in asks)])
        - _owed_beside(account, entries),
        due_on=days.due_on(closed_on, account.pay_months, account.pay_day),
        bank_account=papers.bank_account,
        by_note=by_note,
    )
    return Closing(account, statement, statement_sums(statement), asks, taken, entries, (*problems, *left))


def _asked(before: MonthlyBill | None, entries: Sequence[AccountEntry]) -> tuple[int, tuple[Adjustment, ...]]:
    """What was asked for last time, and what is put right since: an account's first bill asks for what it owed when
    it moved in."""
    opened = [one for one in entries if before is None and one.kind in OPENED]
    rest = [one for one in entries if one not in opened]
    adjustments = tuple(
        Adjustment(day=one.on, label=str(one.get_kind_display()), amount=one.amount) for one in rest
    )  # fmt: skip
    return before.due if before else sum(one.amount for one in opened), adjustments


def _owed_beside(account: BillingAccount, entries: Sequence[AccountEntry]) -> int:
    """What is owed beside the orders once these entries are billed."""
    balance = balances([account.pk])[account.pk]
    return balance.counted + balance.came + sum(one.amount for one in entries)


def addressee(account: BillingAccount) -> Party:
    place = Party(name=account.name, postal_code=account.postal_code.replace("-", ""), address=account.address)
    if account.attention:
        return replace(party_named(place, account.attention), company=account.name)
    return party_named(place, account.name)


def _sorted_out(found: Iterable[Billable]) -> tuple[list[Billable], list[tuple[str, str]]]:
    """Those that can be billed, and (number, why not) of the others."""
    ready, problems = [], []
    for one in sorted(found, key=lambda one: (one.order.shipped_at or clock.now(), one.order.pk)):
        refusal = one.refusal(BillKind.INVOICE)
        if refusal in {None, Refusal.ON_ACCOUNT}:
            ready.append(one)
        else:
            problems.append((one.order.channel_order_no, str(REFUSALS[refusal])))
    return ready, problems


def _delivery(one: Billable, notes: Sequence[str]) -> Delivery:
    return Delivery(
        day=one.sale.shipped_on or clock.today(),
        order_number=one.order.channel_order_no,
        notes=tuple(notes),
        lines=one.lines,
        fees=one.fees,
        deductions=one.deductions,
    )


def _returned(credit: Credit) -> Delivery:
    bill = bill_in(credit.document)
    return Delivery(
        day=bill.supplied_on,
        order_number="、".join(bill.order_numbers),
        notes=(bill.number,),
        lines=bill.lines,
        returned=True,
    )


def notes_of(order_ids: Sequence[int]) -> dict[int, list[str]]:
    """Numbers of the delivery notes that are invoices, by order; orders without have an empty list."""
    found: dict[int, list[str]] = {pk: [] for pk in order_ids}
    rows = IssuedDocument.objects.filter(kind=DocumentKind.DELIVERY_NOTE, order__in=order_ids).order_by("pk")
    for order_id, number in rows.values_list("order", "number").distinct():
        if order_id is not None and number not in found[order_id]:
            found[order_id].append(number)
    return found


def touched(account: BillingAccount, closed_on: date) -> list[int]:
    """The orders that a closing changes: those it bills, and those of which it takes something off."""
    earlier = billed(account).filter(credit=None).values("order")
    credited = standing().filter(not_taken_off(), kind=DocumentKind.CREDIT_NOTE, order__in=earlier)
    fresh = unbilled(account, closed_on).values_list("pk", flat=True)
    return sorted({*fresh, *(pk for pk in credited.values_list("order", flat=True) if pk)})


def not_taken_off() -> Q:
    return Q(~Exists(MonthlyBillItem.objects.filter(STANDING, credit=OuterRef("pk"))))


def _credits(
    account: BillingAccount, closed_on: date, ready: Sequence[int]
) -> tuple[list[Credit], list[tuple[str, str]]]:
    """Credit notes that a bill takes off, and those that it cannot, with why: what was paid already goes back as
    money, and where a refund says so nothing needs to be said."""
    earlier = billed(account).filter(credit=None).values_list("order", flat=True)
    orders = [*earlier, *ready]
    rows = standing().filter(
        not_taken_off(), kind=DocumentKind.CREDIT_NOTE, order__in=orders, transacted_on__lte=closed_on
    )
    documents = list(rows.order_by("transacted_on", "pk"))
    rest = rests([document.order_id or 0 for document in documents])
    refunded = set(Refund.objects.filter(order__in=rest, state__in=LIVE, amount__gt=0).values_list("order", flat=True))
    taken, left = [], []
    for document in documents:
        order_id, amount = document.order_id or 0, figures(bill_in(document)).total
        if order_id in refunded:
            continue
        if rest[order_id] >= amount:
            taken.append(Credit(document, order_id, amount))
            rest[order_id] -= amount
        else:
            left.append((document.number, str(REFUSALS[Refusal.PAID_ALREADY])))
    return taken, left


def rests(order_ids: Sequence[int]) -> dict[int, int]:
    """Order → what is still to be paid of it. Two queries."""
    totals = dict(Order.objects.filter(pk__in=order_ids).values_list("pk", "total"))
    came: dict[int, int] = defaultdict(int)
    entries = PaymentEntry.objects.filter(order__in=order_ids).exclude(kind=PaymentEntry.Kind.REFUND)
    for order_id, amount in entries.values_list("order").annotate(sum=Sum("amount")):
        came[order_id] = amount
    return {pk: (total or 0) - came[pk] for pk, total in totals.items()}


# ---- screens


def entries_of(account: BillingAccount) -> list[tuple[AccountEntry, bool]]:
    """The account's entries, the newest first, with whether somebody may take them back."""
    rows = list(account.entries.select_related("by").order_by("-pk"))
    undone = {row.key.removesuffix(":undone") for row in rows if row.kind == AccountEntry.Kind.UNDONE}
    return [(row, row.kind == AccountEntry.Kind.RECORDED and row.key not in undone) for row in rows]


def count_elsewhere(account: BillingAccount) -> int:
    """Orders on account that left up to the day of the opening balance and stand on no bill here."""
    if account.opening_on is None:
        return 0
    rows = on_account().filter(shop=account.shop_id, member=account.member_id, shipped_at__isnull=False)
    items = MonthlyBillItem.objects.filter(STANDING, order=OuterRef("pk"), credit=None)
    return rows.filter(~Exists(items), shipped_at__lt=_end_of(account.opening_on)).count()


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account in the list: `sales` of orders that stand on no bill, `asked` what those on bills still wait for,
    `beside` what is owed beside both."""

    account: BillingAccount
    unbilled_orders: int
    sales: int
    asked: int
    last: MonthlyBill | None
    closes_on: date
    beside: Balance

    @property
    def unbilled(self) -> int:
        """What stands on no bill."""
        return self.sales + self.beside.rest - self.beside.billed

    @property
    def open(self) -> int:
        """What its bills still wait for."""
        return self.asked + self.beside.billed

    @property
    def used(self) -> int:
        return self.unbilled + self.open

    @property
    def room(self) -> int:
        """What may still be owed; below zero when it is more by now."""
        return (self.account.credit_limit or 0) - self.used

    @property
    def is_late(self) -> bool:
        return self.last is not None and self.open > 0 and self.last.due_on < clock.today()

    @property
    def may_close(self) -> bool:
        return self.last is None or self.last.closed_on < self.closes_on


def account_rows() -> list[AccountRow]:
    """Every account with its sums. A fixed number of queries."""
    own = list(accounts())
    items = MonthlyBillItem.objects.filter(STANDING, bill__account__in=own, credit=None)
    of_bill = dict(items.values_list("order", "bill__account"))
    rest = rests(list(of_bill))
    open_: dict[int, int] = defaultdict(int)
    for order_id, account_id in of_bill.items():
        open_[account_id] += rest[order_id]
    fresh, beside = _unbilled_sums(), balances([one.pk for one in own])
    last: dict[int, MonthlyBill] = {}
    for bill in MonthlyBill.objects.filter(voided_at=None, account__in=own).order_by("closed_on", "pk"):
        last[bill.account_id] = bill
    yesterday = clock.today() - timedelta(days=1)  # a day that is not over may still bring something
    return [
        AccountRow(
            one,
            *fresh.get((one.shop_id, one.member_id), (0, 0)),
            open_[one.pk],
            last.get(one.pk),
            days.closing_before(one.closing_day, yesterday),
            beside[one.pk],
        )
        for one in own
    ]


def _unbilled_sums() -> dict[tuple[int, int], tuple[int, int]]:
    """(shop, member) → orders on no bill that have not been paid, whether they have left or not, and their yen."""
    items = MonthlyBillItem.objects.filter(STANDING, order=OuterRef("pk"), credit=None)
    rows = visible.orders().filter(
        ~Exists(items), ~billed_elsewhere(), payment_method=PaymentMethod.ACCOUNT, cancelled_at=None
    )
    found: dict[tuple[int, int], tuple[int, int]] = {}
    unpaid = rows.filter(total__gt=F("paid_amount"), member__isnull=False)
    for shop, member, total, paid in unpaid.values_list("shop", "member", "total", "paid_amount"):
        count, sum_ = found.get((shop, member or 0), (0, 0))
        found[shop, member or 0] = (count + 1, sum_ + (total or 0) - paid)
    return found


def strangers() -> list[Order]:
    """The newest order on account of each (shop, member) that is no account yet: at most 50."""
    known = BillingAccount.objects.filter(shop=OuterRef("shop"), member=OuterRef("member"))
    rows = visible.orders().filter(
        ~Exists(known), payment_method=PaymentMethod.ACCOUNT, cancelled_at=None, member__isnull=False
    )
    newest = rows.order_by("shop_id", "member_id", "-pk").distinct("shop_id", "member_id")
    return list(newest.select_related("shop").defer("search")[:50])


def bills_of(account: BillingAccount) -> list[tuple[MonthlyBill, int]]:
    """Each bill with what is still to be paid of its own orders and entries; nothing for one that was voided. Money
    that came beside the orders pays the oldest entries first."""
    bills = list(account.bills.select_related("document", "voided_by").prefetch_related("entries"))
    items = MonthlyBillItem.objects.filter(bill__in=bills, credit=None)
    of_bill: dict[int, list[int]] = defaultdict(list)
    for bill_id, order_id in items.values_list("bill", "order"):
        of_bill[bill_id].append(order_id)
    rest = rests([pk for bill in bills if not bill.voided_at for pk in of_bill[bill.pk]])
    beside = _entries_left(bills, -balances([account.pk])[account.pk].came)
    return [
        (bill, 0 if bill.voided_at else sum(rest[pk] for pk in of_bill[bill.pk]) + beside.get(bill.pk, 0))
        for bill in bills
    ]


def _entries_left(bills: Sequence[MonthlyBill], came: int) -> Mapping[int, int]:
    """Bill → what is still to be paid of its entries."""
    left: dict[int, int] = {}
    for bill in reversed(bills):
        if bill.voided_at:
            continue
        asked = sum(one.amount for one in bill.entries.all())
        paid = min(came, asked) if asked > 0 else asked
        left[bill.pk], came = asked - paid, came - paid
    return left


def standing_on(order_ids: Collection[int]) -> str:
    """The number of a bill on which one of these orders stands; "" when there is none."""
    items = MonthlyBillItem.objects.filter(STANDING, order__in=order_ids, credit=None)
    return items.values_list("bill__document__number", flat=True).first() or ""


def bill_of_order(order_id: int) -> MonthlyBill | None:
    """The bill on which an order stands."""
    item = MonthlyBillItem.objects.filter(STANDING, order=order_id, credit=None).select_related("bill__document")
    found = item.first()
    return found.bill if found else None
