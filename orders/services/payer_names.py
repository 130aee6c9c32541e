"""The reason `payer_mismatch`: the very amount of an order has come, under a name that is not the buyer's.

Read from what the matcher proposes now, so it closes itself as soon as the transfer is somebody's or the order is paid.
"""

from collections.abc import Sequence

from django.db import transaction

from oms.kernel.later import later
from oms.kernel.money import yen
from oms.kernel.said import said
from orders.decide.found import Found
from orders.decide.matching import Group, Proposal, Why
from orders.models import BankLine, Order, ReviewReason
from orders.queries import matching as reading
from orders.services import review

CODE = "payer_mismatch"
KNOWN_BY = {Why.NAME, Why.ALIAS, Why.NUMBER, Why.PHONE}


def soon() -> None:
    """Have the reasons follow what has just changed among the transfers."""
    later("orders.tasks.compare_payers")


@transaction.atomic
def compare() -> int:
    """Open the reason where a transfer fits by its amount alone, close it everywhere else; returns how many are open.

    Takes the orders' locks by pk.
    """
    lines = reading.open_lines()[::-1]
    wanted = _strangers(lines, reading.proposals(lines, reading.open_orders()) if lines else [])
    marked = ReviewReason.objects.filter(code=CODE, state=ReviewReason.State.OPEN)
    over = sorted(set(marked.values_list("order", flat=True)) - wanted.keys())
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=[*wanted, *over]).order_by("pk")
    list(rows.values_list("pk", flat=True))
    if over:
        review.close_from_above(over, CODE)
    if wanted:
        review.open_from_above(sorted(wanted.items(), key=lambda pair: pair[0]))
    return len(wanted)


def _strangers(lines: Sequence[BankLine], proposals: Sequence[Proposal]) -> dict[int, Found]:
    """Order → what to say of the transfer that fits it by amount only."""
    by_id = {line.pk: line for line in lines}
    found = {}
    for proposal in proposals:
        if proposal.group == Group.LIKELY and Why.AMOUNT in proposal.why and KNOWN_BY.isdisjoint(proposal.why):
            line = by_id[proposal.transfer_id]
            text = said(
                "%(on)s に「%(payer)s」から %(amount)s の振込があります。名義が注文者と違います。",
                on=f"{line.on:%m/%d}",
                payer=line.payer,
                amount=yen(line.amount),
            )
            found[proposal.orders[0]] = Found(CODE, text, "buyer")
    return found
