"""掛売: accounts of customers who pay by the month, closed into one bill each (合計請求書)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.services import setting_versions
from orders.models import (
    BillingAccount,
    IssuedDocument,
    MonthlyBill,
    MonthlyBillItem,
    Order,
    PaymentEntry,
)
from orders.queries import billing as reading
from orders.queries.billing import Closing
from orders.services import documents, journal, ledger, review
from orders.services import stage as stages
from orders.services.documents import Fresh, Refused
from orders.services.journal import Actor, Entry

KIND = "billing_account"


@dataclass(frozen=True, slots=True)
class Closed:
    """What became of a round: the bills made, and account → why there is none."""

    bills: Sequence[MonthlyBill]
    refused: Mapping[int, str]


@transaction.atomic
def save_account(account: BillingAccount, values: Mapping[str, Any], *, by: User | None) -> BillingAccount:
    """A new account, or an old one changed; what was billed stays as it is. Raises Refused for a second account of one
    member with one shop."""
    if account.pk:
        setting_versions.begin(KIND, account.pk)
    for name, value in values.items():
        setattr(account, name, value)
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError as error:
        raise Refused(said("この会員は、この店舗の掛売の取引先として登録済みです。")) from error
    setting_versions.keep(KIND, account.pk, by=by)
    return account


def close(account_ids: Sequence[int], closed_on: date, *, actor: Actor) -> Closed:
    """Bill everything that left up to that day, one transaction for each account."""
    bills, refused = [], {}
    for pk in account_ids:
        try:
            bills.append(_close(pk, closed_on, actor))
        except Refused as no:
            refused[pk] = str(no)
    return Closed(bills, refused)


@transaction.atomic
def _close(account_id: int, closed_on: date, actor: Actor) -> MonthlyBill:
    """Locks the account, then its orders, then the series of papers."""
    rows = BillingAccount.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").order_by("pk")
    account = rows.get(pk=account_id)
    before = reading.last_bill(account)
    if before is not None and before.closed_on >= closed_on:
        raise Refused(said("%(on)s まで締めてあります。", on=f"{before.closed_on:%Y/%m/%d}"))
    if closed_on > clock.today():
        raise Refused(said("今日より後の日では締められません。"))
    ledger.lock(reading.touched(account, closed_on))
    closing = reading.closing_of(account, closed_on)
    if closing.is_empty:
        raise Refused(said("請求するものがありません。"))
    [document] = documents.put([Fresh(account.shop, closing.statement)], actor=actor)
    bill = _written(closing, document)
    _post(bill, closing, actor)
    _tell(bill, closing, actor)
    return bill


def _written(closing: Closing, document: IssuedDocument) -> MonthlyBill:
    statement, sums = closing.statement, closing.sums
    bill = MonthlyBill.objects.create(
        account=closing.account,
        document=document,
        closed_on=statement.until,
        due_on=statement.due_on,
        before=statement.before,
        received=statement.received,
        adjusted=sums.adjusted,
        sales=sums.total,
        due=sums.due,
    )
    items = [MonthlyBillItem(bill=bill, order_id=pk, amount=amount) for pk, amount in closing.orders]
    items += [
        MonthlyBillItem(bill=bill, order_id=one.order_id, credit=one.document, amount=-one.amount)
        for one in closing.credits
    ]
    MonthlyBillItem.objects.bulk_create(items)
    bill.entries.set(closing.entries)
    return bill


def _post(bill: MonthlyBill, closing: Closing, actor: Actor) -> None:
    """What a credit note takes off is owed no more."""
    entries = [
        ledger.New(
            one.order_id, PaymentEntry.Kind.CREDITED, one.amount, _credit_key(bill, one.document.pk), bill.closed_on,
            one.document.number,
        )
        for one in closing.credits
    ]  # fmt: skip
    changed = ledger.post(entries, actor=actor)
    _follow(changed, actor)


def _follow(order_ids: Sequence[int], actor: Actor) -> None:
    """No money came, so nobody is thanked for any."""
    if order_ids:
        review.sync(order_ids)
        stages.recompute(order_ids, actor=actor)


def _credit_key(bill: MonthlyBill, document_id: int) -> str:
    return f"credited:{bill.pk}:{document_id}"


def _tell(bill: MonthlyBill, closing: Closing, actor: Actor) -> None:
    """The orders know their day of payment."""
    ids = [pk for pk, _amount in closing.orders]
    Order.objects.filter(pk__in=ids, pay_by=None).update(pay_by=_last_moment(bill))
    journal.write([Entry(pk, "document_issued", bill.document.number) for pk in ids], actor=actor)


def _last_moment(bill: MonthlyBill) -> datetime:
    return datetime.combine(bill.due_on + timedelta(days=1), time(0), clock.TOKYO) - timedelta(seconds=1)


@transaction.atomic
def void(document_id: int, *, reason: str, actor: Actor) -> None:
    """The bill holds no more; its orders can be billed again, and forget the day of payment that they had by it. Raises
    Refused for any but an account's last one. Locks the account, then the orders."""
    bill = MonthlyBill.objects.select_related("account", "document").get(document=document_id)
    BillingAccount.objects.select_for_update(no_key=True).order_by("pk").get(pk=bill.account_id)
    last = reading.last_bill(bill.account)
    if last is not None and last.pk != bill.pk:
        raise Refused(said("後の締めがあるため取り消せません。新しい合計請求書から順に取り消してください。"))
    ledger.lock(list(bill.items.values_list("order", flat=True)))
    documents.void(document_id, reason=reason, actor=actor)
    entries = [
        ledger.New(
            item.order_id, PaymentEntry.Kind.CREDITED, item.amount, f"{_credit_key(bill, item.credit_id)}:undone"
        )
        for item in bill.items.exclude(credit=None)
        if item.credit_id
    ]
    changed = ledger.post(entries, actor=actor)
    _follow(changed, actor)
    MonthlyBill.objects.filter(pk=bill.pk).update(voided_at=clock.now(), voided_by=actor.by)
    ids = list(bill.items.filter(credit=None).values_list("order", flat=True))
    Order.objects.filter(pk__in=ids, pay_by=_last_moment(bill)).update(pay_by=None)
    journal.write([Entry(pk, "document_voided", bill.document.number) for pk in ids], actor=actor)
