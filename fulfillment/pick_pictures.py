"""Pick lists with what the goods look like: the pictures of their SKUs, by the code that a list's row names."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from inventory.queries.pictures import by_code
from oms.kernel.pdf.picture import Picture
from orders.documents.values import PickList


def with_pictures(picks: Sequence[PickList]) -> tuple[list[PickList], Mapping[str, Picture]]:
    """The lists with the digests of their goods' pictures, and the pictures by digest. One query."""
    found = by_code({item.code for pick in picks for order in pick.orders for item in order.items})
    shown = [
        replace(
            pick,
            orders=tuple(
                replace(
                    order,
                    items=tuple(
                        replace(item, picture=found[item.code][0]) if item.code in found else item
                        for item in order.items
                    ),
                )
                for order in pick.orders
            ),
        )
        for pick in picks
    ]
    return shown, dict(found.values())
