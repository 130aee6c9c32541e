"""What the components of sets have given back, and give back now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Sum

from orders.decide.refunds import LineShare
from orders.decide.set_shares import NOTHING, SetPart, Share, prices_of, shares_of
from orders.models import OrderLine, Refund, RefundLine, RefundPart
from orders.services import set_parts

LIVE = (Refund.State.DUE, Refund.State.DONE)


def parts_of(lines: Sequence[OrderLine], back: Mapping[int, Mapping[str, Any]]) -> dict[int, list[SetPart]]:
    """Line → its components with what live refunds have given back of them. Two queries.

    `back`: what each line has given back in all (pieces, prices, points_, coupons). Units that were refunded and then
    taken off with their sets are no part of what stands.
    """
    components = set_parts.parts_of(line.pk for line in lines)
    if not components:
        return {}
    given = {
        row["component"]: (row["count"], row["single"], Share(row["prices"], row["points_"], row["coupons"]))
        for row in RefundPart.objects.filter(
            component__line__in=components, refund_line__refund__state__in=LIVE
        ).values("component").annotate(
            count=Sum("units"), single=Sum("alone"), prices=Sum("price"), points_=Sum("points"), coupons=Sum("coupon")
        )
    }  # fmt: skip
    found = {}
    for line in lines:
        if own := set_parts.set_parts(components.get(line.pk, ())):
            told = [given.get(part.id, (0, 0, NOTHING)) for part in own]
            sums = [(units, share) for units, _alone, share in told]
            if row := back.get(line.pk):
                whole = min(
                    (units - alone) // part.units for part, (units, alone, _share) in zip(own, told, strict=True)
                )
                sums = _with_unparted(own, sums, row, row["pieces"] - whole)
            found[line.pk] = [
                _standing(part, units, share, line) for part, (units, share) in zip(own, sums, strict=True)
            ]
    return found


def _with_unparted(
    parts: Sequence[SetPart], sums: Sequence[tuple[int, Share]], row: Mapping[str, Any], pieces: int
) -> list[tuple[int, Share]]:
    """With refunds of so many whole sets from before components were written down, shared like new ones."""
    told = NOTHING
    for _units, share in sums:
        told += share
    rest = Share(row["prices"] - told.price, row["points_"] - told.points, row["coupons"] - told.coupon)
    if rest.price <= 0 or pieces <= 0:
        return list(sums)
    shares = shares_of(parts, sum(prices_of(parts, rest.price)), rest)
    return [
        (units + pieces * part.units, share + more)
        for part, (units, share), more in zip(parts, sums, shares, strict=True)
    ]


def _standing(part: SetPart, units: int, given: Share, line: OrderLine) -> SetPart:
    standing = min(max(0, units - line.cancelled_quantity * part.units), part.units * line.quantity)
    if not units:
        return part
    price, points, coupon = (value * standing // units for value in (given.price, given.points, given.coupon))
    return replace(part, refunded=standing, refunded_price=price, refunded_points=points, refunded_coupon=coupon)


def write(rows: Iterable[tuple[RefundLine, LineShare]]) -> None:
    """Write what each component gives back, beside the lines just written."""
    RefundPart.objects.bulk_create(
        RefundPart(
            refund_line=line,
            component_id=part.part_id,
            units=part.units,
            alone=part.alone,
            price=part.share.price,
            points=part.share.points,
            coupon=part.share.coupon,
            money=part.share.money,
            tax_rate=part.tax_rate,
        )
        for line, share in rows
        for part in share.parts
    )
