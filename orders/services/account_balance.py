"""What an account owes beside its orders: entries that are only added, and what was owed when it moved in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Sum

from oms.kernel import clock
from oms.kernel.money import yen
from oms.kernel.said import said
from orders.models import AccountEntry, BillingAccount
from orders.queries.account_balance import OPENED, balances
from orders.services.journal import Actor

Kind = AccountEntry.Kind


class Refused(Exception):
    """Says in Japanese why; nothing was written."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """`amount` above zero is owed, below zero came; `key` is unique for ever."""

    account_id: int
    kind: str
    amount: int
    key: str
    on: date | None = None
    note: str = ""


@transaction.atomic
def post(new: Sequence[NewEntry], *, actor: Actor) -> list[AccountEntry]:
    """Append the entries whose keys are not known yet; returns those. Takes the accounts' locks by pk."""
    lock([one.account_id for one in new])
    return _append(new, actor)


def _append(new: Sequence[NewEntry], actor: Actor) -> list[AccountEntry]:
    known = set(AccountEntry.objects.filter(key__in=[one.key for one in new]).values_list("key", flat=True))
    fresh = {one.key: one for one in new if one.key not in known and one.amount}
    now, today = clock.now(), clock.today()
    return AccountEntry.objects.bulk_create(
        AccountEntry(
            account_id=one.account_id, kind=one.kind, amount=one.amount, key=one.key, on=one.on or today, at=now,
            by=actor.by, note=one.note[:200],
        )
        for one in fresh.values()
    )  # fmt: skip


@transaction.atomic
def set_opening(account_id: int, amount: int, on: date, *, note: str, actor: Actor) -> bool:
    """What the account owed at the end of a day, as another system said. The first time it is entered; later the
    difference is, with a reason. The day can move as long as no bill stands. False when it says so already.

    Raises Refused for a day to come, for one after a bill, and for a correction without a reason.
    """
    lock([account_id])
    account = BillingAccount.objects.get(pk=account_id)
    before, closed = opening_of(account_id), account.bills.filter(voided_at=None).exists()
    if before == amount and account.opening_on in {on, None} and (amount == 0 or account.opening_on):
        return False
    if on > clock.today():
        raise Refused(said("基準日は今日までの日にしてください。"))
    if closed and account.opening_on != on:
        raise Refused(said("合計請求書を発行したあとは、基準日を変えられません。"))
    if account.opening_on and not note.strip():
        raise Refused(said("訂正の理由を入れてください。"))
    place = AccountEntry.objects.filter(account=account_id).count()
    if account.opening_on is None:
        new = [NewEntry(account_id, Kind.OPENING, amount, f"opening:{account_id}:{place}", on, note)]
    elif account.opening_on != on:
        new = [
            NewEntry(account_id, Kind.CORRECTED, -before, f"opening:{account_id}:{place}", account.opening_on, note),
            NewEntry(account_id, Kind.OPENING, amount, f"opening:{account_id}:{place + 1}", on, note),
        ]
    else:
        day = clock.today() if closed else on
        new = [NewEntry(account_id, Kind.CORRECTED, amount - before, f"opening:{account_id}:{place}", day, note)]
    post(new, actor=actor)
    BillingAccount.objects.filter(pk=account_id).update(opening_on=on)
    return True


def opening_of(account_id: int) -> int:
    """What was owed when the account moved in, with what was corrected since."""
    rows = AccountEntry.objects.filter(account=account_id, kind__in=OPENED)
    return rows.aggregate(sum=Sum("amount"))["sum"] or 0


@transaction.atomic
def record(account_id: int, amount: int, on: date, *, note: str, key: str, actor: Actor) -> bool:
    """Money that came for what the account owes beside its orders. The same `key` again enters nothing.

    Raises Refused for more than that is.
    """
    lock([account_id])
    name = f"recorded:{account_id}:{key}"
    if AccountEntry.objects.filter(key=name).exists():
        return False
    owed = balances([account_id])[account_id].rest
    if not 0 < amount <= owed:
        raise Refused(said("受注のほかの残高は %(owed)s です。それまでの額にしてください。", owed=yen(owed)))
    if on > clock.today():
        raise Refused(said("入金日は今日までの日にしてください。"))
    return bool(post([NewEntry(account_id, Kind.RECORDED, -amount, name, on, note)], actor=actor))


@transaction.atomic
def undo_recorded(account_id: int, entry_id: int, *, actor: Actor) -> bool:
    """Take back money that was entered by hand; False when it was taken back before, or is no such entry."""
    entry = AccountEntry.objects.filter(pk=entry_id, account=account_id, kind=Kind.RECORDED).first()
    if entry is None:
        return False
    undone = NewEntry(account_id, Kind.UNDONE, -entry.amount, f"{entry.key}:undone", entry.on)
    return bool(post([undone], actor=actor))


def charge_freight(order_key: str, account_id: int, amount: int, *, note: str, actor: Actor) -> None:
    """What the buyer bears of a return's freight, put on the next bill; once for each key. The caller holds the order's
    lock, which whoever closes or pays takes after the account's: the account is not locked here, and needs not be,
    since a debt more breaks no sum that is just made."""
    _append([NewEntry(account_id, Kind.FREIGHT, amount, f"freight:{order_key}", None, note)], actor)


def lock(account_ids: Sequence[int]) -> list[int]:
    rows = BillingAccount.objects.select_for_update(no_key=True).filter(pk__in=account_ids).order_by("pk")
    return list(rows.values_list("pk", flat=True))
