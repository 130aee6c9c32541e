"""What an order's page tells of a line beside what stands on it: its price after discounts, where its goods are
held, what came back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Sum
from django.urls import reverse

from inventory.models import Location, Sku
from inventory.models.product import Coming
from inventory.queries.pictures import digests
from inventory.services import stock
from oms.kernel import clock
from orders.decide import returns as returning
from orders.decide.refunds import shares_of
from orders.models import Order, OrderLine, ReturnLine
from orders.services import refunds
from orders.services.reservation import ref_of


@dataclass(frozen=True, slots=True)
class LineFacts:
    """`discount`: this line's share of what the shop takes off; `places`: where its goods are held, "東京倉庫 2"."""

    discount: int = 0
    net: int = 0
    places: Sequence[str] = field(default_factory=tuple)
    returned: int = 0
    coming: Coming | None = None  # of a line that has no goods yet
    picture: str = ""  # the address of what the goods look like


def line_facts(order: Order, lines: Sequence[OrderLine]) -> Mapping[int, LineFacts]:
    """By line. Four queries, four more for an order with discounts, two for sets that wait."""
    standing = [line for line in lines if line.quantity]
    nets = _nets(order, standing)
    places = _places(lines)
    coming = coming_of([line for line in standing if not line.reserved and line.shipped_quantity < line.quantity])
    shown = digests({line.sku_id for line in lines if line.sku_id})
    back = dict(
        ReturnLine.objects.filter(case__order=order.pk, case__state__in=returning.LIVE, component=None)
        .order_by()
        .values_list("line")
        .annotate(count=Sum("quantity"))
    )
    return {
        line.pk: LineFacts(
            discount=line.amount - nets[line.pk] if line.pk in nets else 0,
            net=nets.get(line.pk, line.amount),
            places=places.get(line.pk, ()),
            returned=back.get(line.pk, 0),
            coming=coming.get(line.pk),
            picture=_picture(line.sku_id, shown),
        )
        for line in lines
    }


def coming_of(waiting: Sequence[OrderLine]) -> Mapping[int, Coming]:
    """Line without a promise → when its goods are expected; of a set when the last of its components is."""
    sold = {line.pk: line.sku for line in waiting if line.sku}
    sets = {sku.pk for sku in sold.values() if sku.is_bundle}
    needs = stock.components(sets) if sets else {}
    parts = Sku.objects.only("release_date", "arrives_on").in_bulk({part for own in needs.values() for part in own})
    today = clock.today()
    found: dict[int, Coming] = {}
    for line, sku in sold.items():
        own = [parts[part] for part in needs[sku.pk]] if sku.pk in needs else [sku]
        if known := [coming for one in own if (coming := one.coming(today))]:
            found[line] = max(known)
    return found


def _picture(sku_id: int | None, shown: Mapping[int, str]) -> str:
    digest = shown.get(sku_id or 0, "")
    return reverse("inventory:picture", args=[sku_id, digest[:12]]) if digest else ""


def _nets(order: Order, standing: Sequence[OrderLine]) -> Mapping[int, int]:
    """Line → what all its pieces cost after the shop's discounts; nothing where there are none."""
    if not (order.discount or order.coupons_shop) or order.tax_excluded:
        return {}
    shares, _fees = shares_of(refunds.bill_of(order))
    known = [line.pk for line in order.lines.all() if line.quantity]
    return {pk: share.price for pk, share in zip(known, shares, strict=True)}


def _places(lines: Sequence[OrderLine]) -> Mapping[int, Sequence[str]]:
    """Where the goods of lines that have not left are held, the fullest place first; a set names each place once."""
    refs = {ref_of(line.pk): line.pk for line in lines if line.allocated_quantity > line.shipped_quantity}
    if not refs:
        return {}
    held: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for one in stock.held_by(set(refs)):
        if one.location_id is not None:
            held[refs[one.ref]][one.location_id] += one.quantity
    ids = {place for own in held.values() for place in own}
    names = dict(Location.objects.filter(pk__in=ids).values_list("pk", "name"))
    return {
        line: [f"{names[place]} {count}" for place, count in sorted(own.items(), key=lambda item: -item[1])]
        for line, own in held.items()
    }
