"""Components of sets that were taken apart, as channels know them: a channel sold a set, and hears of sets alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from channels.connectors.contract import Parcel
from channels.models import Connection
from orders.models import Order, OrderLine
from orders.services.take_apart import APART, ApartLine, sets_standing, sets_told


def told_as_sets(left: Mapping[int, list[Parcel]], orders: Sequence[Order]) -> dict[int, list[Parcel]]:
    """The parcels with sets instead of components: a set belongs to the parcel that took its first component or its
    last, as the shop wants. A parcel that then stands for nothing is left out. No query where no set was taken apart.
    """
    concerned = [
        order for order in orders if any(line.startswith(APART) for parcel in left[order.pk] for line in parcel.lines)
    ]
    if not concerned:
        return dict(left)
    rows = Connection.objects.filter(shop__in={order.shop_id for order in concerned})
    told = dict(rows.values_list("shop", "told_number"))
    sets = _sets([order.pk for order in concerned])
    found = dict(left)
    for order in concerned:
        last = told.get(order.shop_id) == Connection.ToldNumber.LAST
        found[order.pk] = _of_one_order(left[order.pk], sets[order.pk], last=last)
    return found


Known = Mapping[str, Sequence[tuple[str, ApartLine]]]  # the set's line id → its components' line ids and lines


def _sets(order_ids: Sequence[int]) -> dict[int, dict[str, list[tuple[str, ApartLine]]]]:
    found: dict[int, dict[str, list[tuple[str, ApartLine]]]] = defaultdict(lambda: defaultdict(list))
    rows = OrderLine.objects.filter(order__in=order_ids, set_line__isnull=False).order_by("pk")
    for order, whole, own, pk, units, quantity in rows.values_list(
        "order", "set_line__channel_line_id", "channel_line_id", "pk", "set_units", "quantity"
    ):
        found[order][whole].append((own, ApartLine(pk, units, quantity)))
    return found


def _of_one_order(parcels: Sequence[Parcel], sets: Known, *, last: bool) -> list[Parcel]:
    ordered = sorted(parcels, key=lambda parcel: (parcel.shipped_at, parcel.reference))
    lines = [{id_: n for id_, n in parcel.lines.items() if not id_.startswith(APART)} for parcel in ordered]
    for whole, own in sets.items():
        carried = [{line.id: parcel.lines[id_] for id_, line in own if id_ in parcel.lines} for parcel in ordered]
        for place, count in enumerate(sets_told([line for _id, line in own], carried, last=last)):
            if count:
                lines[place][whole] = lines[place].get(whole, 0) + count
    by_reference = {id(parcel): replace(parcel, lines=own) for parcel, own in zip(ordered, lines, strict=True)}
    return [told for parcel in parcels if (told := by_reference[id(parcel)]).lines]


def standing_as_sets(pieces: Mapping[int, Mapping[str, int]]) -> dict[int, dict[str, int]]:
    """Order → the channel's line id → pieces that stand, with sets for their components."""
    concerned = [order for order, lines in pieces.items() if any(line.startswith(APART) for line in lines)]
    sets = _sets(concerned) if concerned else {}
    found = {}
    for order, lines in pieces.items():
        found[order] = {line: n for line, n in lines.items() if not line.startswith(APART)}
        for whole, own in sets.get(order, {}).items():
            found[order][whole] = found[order].get(whole, 0) + sets_standing([line for _id, line in own])
    return found
