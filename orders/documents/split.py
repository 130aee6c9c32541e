"""One payment's receipt as several, for other names or other amounts. Nothing is lost between them."""

from collections.abc import Sequence
from dataclasses import replace

from oms.kernel.money import TaxRate, distribute
from orders.documents.bill import Bill, Part
from orders.documents.figures import figures
from orders.documents.values import Deduction, Line


def split_receipt(receipt: Bill, amounts: Sequence[int]) -> list[Bill]:
    """A receipt for each amount. Together they have the sums per rate, points and coupons of the whole one; each has
    its own tax, rounded once per rate. Raises ValueError when the amounts are not what was paid, or one is none."""
    sums = figures(receipt)
    if sum(amounts) != sums.due or min(amounts, default=0) <= 0:
        raise ValueError("the amounts are not those of the payment")
    paid = [part for part in receipt.deductions if not part.lowers_price and part.amount]
    otherwise = [distribute(part.amount, amounts) for part in paid]
    left = {rate.rate: rate.amount for rate in sums.rates}
    found = []
    for place, amount in enumerate(amounts):
        own = [replace(part, amount=shares[place]) for part, shares in zip(paid, otherwise, strict=True)]
        own = [part for part in own if part.amount]
        shares = _per_rate(amount + sum(part.amount for part in own), left)
        left = {rate: left[rate] - shares[rate] for rate in left}
        found.append(_part(receipt, shares, own, Part(place=place + 1, of=len(amounts), whole=sums.due)))
    return found


def _per_rate(total: int, left: dict[TaxRate, int]) -> dict[TaxRate, int]:
    """In proportion to what is left of each rate: never more than that, and everything at the end."""
    return dict(zip(left, distribute(total, list(left.values())), strict=True))


def _part(receipt: Bill, shares: dict[TaxRate, int], paid: Sequence[Deduction], part: Part) -> Bill:
    lines = tuple(
        Line(
            code="",
            name=_goods(receipt, rate),
            quantity=1,
            unit_price=amount,
            amount=amount,
            rate=rate,
        )
        for rate, amount in shares.items()
        if amount
    )
    return replace(receipt, lines=lines, fees=(), deductions=tuple(paid), part=part)


def _goods(receipt: Bill, rate: TaxRate) -> str:
    """What was sold at a rate, in one line."""
    names = [line.name for line in receipt.lines if line.rate == rate]
    names += [fee.label for fee in receipt.fees if fee.rate == rate]
    names = list(dict.fromkeys(names))
    return f"{names[0]}　ほか{len(names) - 1}点" if len(names) > 1 else names[0]
