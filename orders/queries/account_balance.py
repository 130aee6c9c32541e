"""What accounts owe beside their orders, and which orders are no account's matter here. Models only, so that services
may ask too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import DateTimeField, Exists, ExpressionWrapper, OuterRef, QuerySet
from django.db.models.functions import TruncDate

from oms.kernel import clock
from orders.models import AccountEntry, BillingAccount, MonthlyBill

OPENED = (AccountEntry.Kind.OPENING, AccountEntry.Kind.CORRECTED)


@dataclass(frozen=True, slots=True)
class Balance:
    """`rest` is what an account still owes beside its orders; `counted` what standing bills have asked for of that,
    `fresh` what none has yet, `came` the money (below zero)."""

    counted: int = 0
    fresh: int = 0
    came: int = 0

    @property
    def rest(self) -> int:
        return self.counted + self.fresh + self.came

    @property
    def billed(self) -> int:
        """What of the rest stands on bills: money pays that first."""
        return max(0, self.counted + self.came)


def balances(account_ids: Sequence[int]) -> dict[int, Balance]:
    """One query, however many."""
    rows = AccountEntry.objects.filter(account__in=account_ids).annotate(stands=Exists(_bills_of_entry()))
    sums: dict[int, dict[str, int]] = {pk: {"counted": 0, "fresh": 0, "came": 0} for pk in account_ids}
    for account, kind, amount, stands in rows.values_list("account", "kind", "amount", "stands"):
        part = "came" if kind in AccountEntry.MONEY else "counted" if stands else "fresh"
        sums[account][part] += amount
    return {pk: Balance(**parts) for pk, parts in sums.items()}


def _bills_of_entry() -> QuerySet[MonthlyBill]:
    return MonthlyBill.objects.filter(voided_at=None, entries=OuterRef("pk"))


def entries_to_bill(account: BillingAccount, until: date) -> list[AccountEntry]:
    """What no standing bill has asked for, up to a day; money is no part of it."""
    rows = account.entries.filter(~Exists(_bills_of_entry()), on__lte=until)
    return list(rows.exclude(kind__in=AccountEntry.MONEY).order_by("on", "pk"))


def billed_elsewhere() -> Exists:
    """Of orders: they left up to the day of their account's opening balance, which holds what they cost."""
    left = TruncDate(ExpressionWrapper(OuterRef("shipped_at"), DateTimeField()), tzinfo=clock.TOKYO)
    return Exists(BillingAccount.objects.filter(shop=OuterRef("shop"), member=OuterRef("member"), opening_on__gte=left))
