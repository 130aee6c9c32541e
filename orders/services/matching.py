"""Bringing transfers and orders together, and apart again."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Q, Sum

from oms.kernel import clock
from oms.kernel.money import yen
from oms.kernel.said import said
from orders.models import (
    AccountEntry,
    BankLine,
    BankMatch,
    BillingAccount,
    Order,
    PayerAlias,
    PaymentEntry,
    Refund,
)
from orders.queries.account_balance import balances
from orders.services import account_balance, journal, ledger, payer_names, payment, refunds
from orders.services.journal import Actor, Entry

Line = BankLine.State


class CannotMatch(Exception):
    """Says in Japanese why; nothing was written."""


@transaction.atomic
def accept(line_id: int, amounts: Mapping[int, int], *, actor: Actor) -> list[int]:
    """Let (parts of) an open or parked transfer pay orders, by order id; the orders' states and stages follow. An id
    below zero is an account's, negated: that part pays what it owes beside its orders.

    Locks the line, then accounts and orders by pk. A line that is matched already, by whomever, raises CannotMatch: so
    pressing twice, or two people pressing, books once. Accepting teaches under which name a member pays.
    """
    line = _lock_line(line_id)
    if line is None or line.state not in {Line.OPEN, Line.PARKED}:
        raise CannotMatch(said("この入金はすでに消し込まれています。画面を新しくして確かめてください。"))
    if not amounts or min(amounts.values()) <= 0:
        raise CannotMatch(said("消し込む受注と金額を選んでください。"))
    if sum(amounts.values()) > rest_of(line):
        raise CannotMatch(said("金額の合計が入金額 %(amount)s を超えています。", amount=yen(rest_of(line))))
    accounts = _accounts_of(amounts)
    amounts = {pk: amount for pk, amount in amounts.items() if pk > 0}
    ledger.lock(sorted(amounts))
    orders = Order.objects.filter(pk__in=amounts).only("channel_order_no", "member_id", "total", "cancelled_at")
    found = {order.pk: order for order in orders}
    if len(found) < len(amounts):
        raise CannotMatch(said("受注が見つかりません。"))
    taken = Q(order__in=amounts) | Q(account__in=accounts)
    if line.matches.filter(taken, undone_at=None).exists():
        raise CannotMatch(said("この受注には、すでにこの入金が消し込まれています。"))
    matches = {
        pk: BankMatch.objects.create(line=line, order_id=pk, amount=amounts[pk], at=clock.now(), by=actor.by)
        for pk in sorted(amounts)
    }
    ledger.post(
        [
            ledger.New(pk, PaymentEntry.Kind.TRANSFER, m.amount, f"bank:{m.pk}", line.on, line.payer)
            for pk, m in matches.items()
        ],
        actor=actor,
    )
    learned = [(m, found[pk].member_id) for pk, m in matches.items()]
    learned += _pay_accounts(line, accounts, actor)
    line.state = Line.OPEN if rest_of(line) else Line.MATCHED
    line.save(update_fields=["state"])
    _learn(line, learned)
    journal.write(
        [
            Entry(pk, "paid", said("%(amount)s（振込 %(on)s）", amount=yen(m.amount), on=f"{line.on:%m/%d}"))
            for pk, m in matches.items()
        ],
        actor=actor,
    )
    payment.follow(sorted(amounts), actor=actor)
    payer_names.soon()
    _give_back([(m, found[pk]) for pk, m in matches.items() if found[pk].cancelled_at], actor)
    return sorted(amounts)


def _accounts_of(amounts: Mapping[int, int]) -> dict[int, tuple[BillingAccount, int]]:
    """Account → it, locked, and its part of the transfer. Raises CannotMatch for more than it owes beside orders."""
    wanted = {-pk: amount for pk, amount in amounts.items() if pk < 0}
    account_balance.lock(sorted(wanted))
    found = {one.pk: one for one in BillingAccount.objects.filter(pk__in=wanted)}
    owed = balances(sorted(found))
    if len(found) < len(wanted):
        raise CannotMatch(said("取引先が見つかりません。"))
    for pk, amount in wanted.items():
        if amount > owed[pk].rest:
            raise CannotMatch(
                said("%(name)s の受注のほかの残高は %(owed)s です。", name=found[pk].name, owed=yen(owed[pk].rest))
            )
    return {pk: (found[pk], amount) for pk, amount in wanted.items()}


def _pay_accounts(
    line: BankLine, accounts: Mapping[int, tuple[BillingAccount, int]], actor: Actor
) -> list[tuple[BankMatch, int | None]]:
    """Each match with the member whose account it is."""
    made: list[tuple[BankMatch, int | None]] = []
    for pk, (account, amount) in accounts.items():
        match = BankMatch.objects.create(line=line, account=account, amount=amount, at=clock.now(), by=actor.by)
        entry = account_balance.NewEntry(
            pk, AccountEntry.Kind.TRANSFER, -amount, f"bank:{match.pk}", line.on, line.payer
        )
        account_balance.post([entry], actor=actor)
        made.append((match, account.member_id))
    return made


@transaction.atomic
def undo(match_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """Take matches back: the money is open again, what they taught is forgotten, the orders' stages follow.

    Returns the orders; a match undone before changes nothing. What was to go back because it came too late need not go
    back any more; where another refund stands on the money, CannotMatch is raised.
    """
    lines = BankMatch.objects.filter(pk__in=match_ids).values_list("line", flat=True)
    locked = BankLine.objects.select_for_update(no_key=True).filter(pk__in=list(lines)).order_by("pk")
    by_id = {line.pk: line for line in locked}
    matches = list(BankMatch.objects.filter(pk__in=match_ids, undone_at=None).order_by("pk"))
    account_balance.lock([m.account_id for m in matches if m.account_id])
    orders = ledger.lock(sorted({m.order_id for m in matches if m.order_id}))
    late = Refund.objects.filter(key__in=[_late_key(m) for m in matches], state=Refund.State.DUE)
    refunds.withdraw(list(late.values_list("pk", flat=True)), actor=actor, note=said("消込を取り消したため"))
    free = ledger.free_money(orders)
    if any(sum(m.amount for m in matches if m.order_id == pk) > free[pk] for pk in orders):
        raise CannotMatch(str(payment.GivenBack()))
    BankMatch.objects.filter(pk__in=[m.pk for m in matches]).update(undone_at=clock.now(), undone_by=actor.by)
    PayerAlias.objects.filter(match__in=matches).delete()
    freed = {m.line_id for m in matches}  # not those whose match was undone before: another may pay with them by now
    BankLine.objects.filter(pk__in=freed, state=Line.MATCHED).update(state=Line.OPEN)
    ledger.post(
        [
            ledger.New(m.order_id, PaymentEntry.Kind.UNDONE, -m.amount, f"bank:{m.pk}:undone", by_id[m.line_id].on)
            for m in matches
            if m.order_id
        ],
        actor=actor,
    )
    account_balance.post(
        [
            account_balance.NewEntry(
                m.account_id, AccountEntry.Kind.UNDONE, m.amount, f"bank:{m.pk}:undone", by_id[m.line_id].on
            )
            for m in matches
            if m.account_id
        ],
        actor=actor,
    )
    journal.write([Entry(m.order_id, "payment_undone", yen(m.amount)) for m in matches if m.order_id], actor=actor)
    payment.follow(orders, actor=actor)
    payer_names.soon()
    return orders


@transaction.atomic
def set_aside(line_ids: Sequence[int], state: str, *, actor: Actor, note: str = "") -> int:
    """Park lines, mark them as no order's money, or take them back to the open ones. Locks the lines."""
    if state not in {Line.PARKED, Line.OTHER, Line.OPEN}:
        raise ValueError(state)
    locked = BankLine.objects.select_for_update(no_key=True).filter(pk__in=line_ids).order_by("pk")
    rows = BankLine.objects.filter(pk__in=[line.pk for line in locked]).exclude(state__in=[Line.MATCHED, state])
    if state == Line.OTHER:  # a part of it pays an order already
        rows = rows.exclude(pk__in=BankMatch.objects.filter(undone_at=None).values("line"))
    payer_names.soon()
    return rows.update(state=state, note=(note or (str(actor.by) if actor.by else ""))[:200])


def rest_of(line: BankLine) -> int:
    """What of a transfer pays nothing yet."""
    return line.amount - (line.matches.filter(undone_at=None).aggregate(sum=Sum("amount"))["sum"] or 0)


def _lock_line(line_id: int) -> BankLine | None:
    return BankLine.objects.select_for_update(no_key=True).filter(pk=line_id).order_by("pk").first()


def _give_back(late: Sequence[tuple[BankMatch, Order]], actor: Actor) -> None:
    """Money that came for an order that is cancelled goes back."""
    for match, order in late:
        reason = said("キャンセルのあとに入金がありました")
        refunds.open_refund(
            order.pk,
            key=_late_key(match),
            wish=refunds.Wish(quantities={}, surplus=match.amount),
            reason=reason,
            actor=actor,
        )


def _late_key(match: BankMatch) -> str:
    return f"late:{match.pk}"


def _learn(line: BankLine, matches: Sequence[tuple[BankMatch, int | None]]) -> None:
    """A name that pays for one member alone stands for that member."""
    members = {member for _match, member in matches}
    member = next(iter(members))
    if line.payer_key and member is not None and len(members) == 1:
        PayerAlias.objects.get_or_create(payer_key=line.payer_key, member_id=member, defaults={"match": matches[0][0]})
