"""In which order parcels are printed, picked and packed, and how they are spread over carts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.documents.figures import shelf_order
from orders.documents.values import PickList

SORTS: dict[str, str | Promise] = {
    "due": _("出荷期限順"),
    "shelf": _("棚順"),
    "single": _("1点の注文を商品順に先"),
    "method": _("配送方法順"),
    "gift": _("ギフトを分ける"),
}
MODES: dict[str, str | Promise] = {
    "both": _("トータル＋注文別"),
    "total": _("トータル"),
    "single": _("注文別（シングル）"),
    "cart": _("カート（複数注文）"),
}
CART_SIZES = (4, 6, 8, 12, 16, 20)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What decides a parcel's place. `place` ranks the location; `goods` are (shelf, SKU code, pieces)."""

    pk: int
    place: tuple[int, int]
    ship_by: datetime | None
    carrier: str
    is_gift: bool
    goods: Sequence[tuple[str, str, int]]


def in_order(parcels: Sequence[Parcel], sort: str = "due") -> list[Parcel]:
    """Always place by place; an unknown sort is by deadline. Equal parcels stay in the order of the deadline."""
    by_due = sorted(parcels, key=lambda parcel: (parcel.place, _due(parcel), parcel.pk))
    keys = {"shelf": _shelf, "single": _single, "method": _method, "gift": _gift}
    key = keys.get(sort)
    return sorted(by_due, key=lambda parcel: (parcel.place, key(parcel))) if key else by_due


Key = tuple[object, ...]


def _due(parcel: Parcel) -> Key:
    return (parcel.ship_by is None, parcel.ship_by.timestamp() if parcel.ship_by else 0.0)


def _shelf(parcel: Parcel) -> Key:
    """The first shelf on the way."""
    return (min((shelf_order(shelf) for shelf, _code, _n in parcel.goods), default=[]),)


def _single(parcel: Parcel) -> Key:
    """Parcels of one piece first, those of the same product together: they are packed in a row without looking."""
    pieces = sum(n for _shelf, _code, n in parcel.goods)
    if pieces != 1:
        return (1, "")
    return (0, parcel.goods[0][1])


def _method(parcel: Parcel) -> Key:
    return (parcel.carrier,)


def _gift(parcel: Parcel) -> Key:
    return (parcel.is_gift,)


def carts(pick: PickList, size: int) -> list[PickList]:
    """The list cut into rounds of at most `size` orders, each order with its slot on the cart."""
    rounds = [pick.orders[at : at + size] for at in range(0, len(pick.orders), size)]
    return [
        replace(
            pick,
            cart=f"{number} / {len(rounds)}",
            orders=tuple(replace(order, slot=str(slot)) for slot, order in enumerate(orders, start=1)),
        )
        for number, orders in enumerate(rounds, start=1)
    ]


def picked(pick: PickList, mode: str, size: int) -> list[PickList]:
    """The list as the way of picking wants it; an unknown mode is both parts."""
    if mode == "cart":
        return carts(pick, size)
    return [replace(pick, show_totals=mode != "single", show_orders=mode != "total")]
