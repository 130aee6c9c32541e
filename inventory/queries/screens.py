"""What the stock screens show."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet

from inventory.models import Balance, BundleComponent, Entry, Location, Sku
from inventory.queries.availability import available
from inventory.queries.bundles import bundles_of, components
from inventory.queries.pictures import digests
from inventory.queries.whole_sets import places_of

LATEST = 20
COUNTED_TO = 1_001


@dataclass(frozen=True)
class StockRow:
    """A SKU of the list with its pool's numbers. A bundle has only `available`."""

    sku: Sku
    on_hand: int | None
    reserved: int | None
    available: int

    @property
    def is_short(self) -> bool:
        return self.sku.active and self.available <= 0

    @property
    def is_backordered(self) -> bool:
        return self.on_hand is not None and self.reserved is not None and self.reserved > self.on_hand


def listed_skus() -> QuerySet[Sku]:
    return Sku.objects.defer("search_text")


def stock_rows(skus: Sequence[Sku]) -> list[StockRow]:
    """The numbers of one page of SKUs, in a fixed number of queries."""
    ids = [sku.pk for sku in skus]
    on_hand: dict[int, int] = defaultdict(int)
    reserved: dict[int, int] = defaultdict(int)
    pools = Balance.objects.filter(sku_id__in=ids, location=None).values_list("sku_id", "on_hand", "reserved")
    for sku_id, there, promised in pools:
        on_hand[sku_id] += there
        reserved[sku_id] += promised
    free = available(ids)
    return [
        StockRow(
            sku,
            on_hand=None if sku.is_bundle else on_hand[sku.pk],
            reserved=None if sku.is_bundle else reserved[sku.pk],
            available=free[sku.pk],
        )
        for sku in skus
    ]


def sku_page(sku: Sku) -> dict[str, Any]:
    """Everything the page of one SKU shows."""
    balances = list(Balance.objects.filter(sku=sku).select_related("location"))
    balances.sort(key=_pools_first)
    return {
        "sku": sku,
        "picture": digests([sku.pk]).get(sku.pk, "")[:12],
        "pools": [balance for balance in balances if balance.location is None],
        "places": [balance for balance in balances if balance.location is not None],
        "available": available([sku.pk])[sku.pk],
        "components": _contents(sku),
        "set_places": places_of_set(sku) if sku.is_bundle else [],
        "bundles": Sku.objects.filter(pk__in=bundles_of([sku.pk]).get(sku.pk, set())).order_by("code"),
        "entries": entries().filter(balance_id__in=[balance.pk for balance in balances]).order_by("-id")[:LATEST],
    }


@dataclass(frozen=True, slots=True)
class PlaceSets:
    """How many whole sets lie unpromised at one place, and the component that allows no more."""

    place: str
    sets: int
    scarcest: str


def places_of_set(sku: Sku) -> list[PlaceSets]:
    """The places that sell online and have any of a set's components, in their order. At most six queries."""
    needs = components([sku.pk])[sku.pk]
    free = places_of(needs).free
    codes = dict(Sku.objects.filter(pk__in=needs).values_list("pk", "code"))
    names = dict(Location.objects.filter(pk__in=free).values_list("pk", "name"))
    found = []
    for place, there in free.items():
        sets, scarcest = min((there.get(part, 0) // each, codes[part]) for part, each in needs.items())
        found.append(PlaceSets(names[place], sets, scarcest))
    return found


def _pools_first(balance: Balance) -> tuple[bool, int, str, int]:
    priority = balance.location.priority if balance.location else 0
    return balance.location is not None, priority, balance.release, balance.pk


def _contents(sku: Sku) -> Iterable[BundleComponent]:
    if not sku.is_bundle:
        return []
    return BundleComponent.objects.filter(bundle=sku).select_related("component").order_by("component__code")


def entries() -> QuerySet[Entry]:
    """Ledger lines with what a row shows of them."""
    return Entry.objects.select_related("balance__sku", "balance__location", "by").defer("balance__sku__search_text")


def stock_counts() -> dict[str, int]:
    """Active SKUs with nothing to promise, and SKUs promised beyond stock; counted up to 1,001."""
    pools = Balance.objects.filter(location=None)
    short = pools.filter(sku__active=True, reserved__gte=F("on_hand") + F("overcommit"))
    beyond = pools.filter(reserved__gt=F("on_hand"))
    return {
        "short": short.order_by()[:COUNTED_TO].count(),
        "backordered": beyond.order_by()[:COUNTED_TO].count(),
    }
