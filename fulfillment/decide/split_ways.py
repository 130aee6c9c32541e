"""分け方: the ways to part an order before its instruction, and what comes of one. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as lazy

Pieces = Mapping[int, int]  # order line → pieces


class Way(TextChoices):
    STOCK = "stock", lazy("在庫で分ける（引当済みの商品を先に出荷）")
    RELEASE = "release", lazy("発売日で分ける（発売前の商品を後から出荷）")
    ARRIVAL = "arrival", lazy("入荷予定日で分ける（その日までに入らない商品を後から出荷）")
    TEMPERATURE = "temperature", lazy("温度帯で分ける（常温・冷蔵・冷凍を別の荷物に）")
    LOCATION = "location", lazy("出荷元で分ける（選んだ拠点にある商品をその拠点から出荷）")


class Payer(TextChoices):
    """Who bears the freight of the parcels more."""

    SHOP = "shop", lazy("店舗が負担する")
    BUYER = "buyer", lazy("お客様に請求する（承諾をいただいている）")
    ASK = "ask", lazy("お客様にたずねてから分ける")


PLANNED = frozenset({Way.TEMPERATURE, Way.LOCATION})  # these part planned parcels
FOLLOWS = frozenset(Way) - PLANNED  # these say what follows later


@dataclass(frozen=True, slots=True)
class Group:
    """What stays, and what comes off it as further parcels. `shipment` is the planned parcel; 0: what follows later."""

    shipment: int
    stay: Pieces
    off: Sequence[Pieces]


@dataclass(frozen=True, slots=True)
class Look:
    """What a way would make of one order."""

    groups: Sequence[Group]

    @property
    def further(self) -> int:
        return sum(len(group.off) for group in self.groups)


def extra_cost(look: Look, size_of: Callable[[int], int], price: Callable[[int], int | None]) -> int | None:
    """What the further parcels cost us beyond what the undivided ones would; None where a rate is not known. `size_of`:
    order line → size of one piece."""
    total = 0
    for group in look.groups:
        parts = [sum(size_of(line) * n for line, n in part.items()) for part in (group.stay, *group.off)]
        prices = [price(sum(parts)), *(price(part) for part in parts)]
        if any(yen is None for yen in prices):
            return None
        whole, *each = (yen or 0 for yen in prices)
        total += max(0, sum(each) - whole)
    return total


def fits_at(bonds: Sequence[Sequence[int]], needs: Mapping[int, Mapping[int, int]], free: dict[int, int]) -> set[int]:
    """The lines of one parcel that another place has wholly, those with one bond together; taken off `free` (SKU →
    units). `needs`: line → SKU → units. Nothing where it has them all: then the parcel need not be parted."""
    taken: list[Sequence[int]] = []
    left = dict(free)
    for bond in bonds:
        own: dict[int, int] = {}
        for line in bond:
            for sku, units in needs[line].items():
                own[sku] = own.get(sku, 0) + units
        if all(left.get(sku, 0) >= units for sku, units in own.items()):
            taken.append(bond)
            for sku, units in own.items():
                left[sku] -= units
    if not taken or len(taken) == len(bonds):
        return set()
    free.update(left)
    return {line for bond in taken for line in bond}
