"""The state of mappings: proposals, what is wrong with mapped listings, the journal, counts for the tabs."""

from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels.decide.matching import SURE
from channels.models import Listing, ListingEvent, Proposal
from channels.queries.mapping import unmapped_count

GONE_AFTER = timedelta(hours=12)
NO_STOCK = (Listing.Mode.STOPPED, Listing.Mode.SOLD_OUT)

# Another listing of the same shop with the same SKU that is told its stock in another way.
_TWIN = (
    Listing.objects.filter(shop=OuterRef("shop"), sku=OuterRef("sku"))
    .exclude(pk=OuterRef("pk"))
    .exclude(mode=OuterRef("mode"))
)

WARNINGS: dict[str, tuple[str | Promise, str | Promise]] = {
    "twins": (
        _("同じSKUで連携方法が違う"),
        _("同じ店舗に、同じSKUで連携方法の違う出品があります。どちらかに揃えてください。"),
    ),
    "no_sync": (
        _("在庫連携なし"),
        _("SKUはありますが、在庫を送っていません。売り越しに注意してください。"),
    ),
    "discontinued": (
        _("廃番の商品を出品中"),
        _("SKUは無効ですが、出品は続いています。「常に売切」にするか、モールで取り下げてください。"),
    ),
    "vanished": (
        _("モールで見つからない"),
        _("前回の出品の取込で見つかりませんでした。モールで終わった出品なら、削除してください。"),
    ),
}


def warned(kind: str) -> "QuerySet[Listing]":
    """The listings behind one kind of warning (a key of `WARNINGS`)."""
    return Listing.objects.select_related("shop", "sku").defer("sku__search_text").filter(_condition(kind))


def warning_counts() -> dict[str, int]:
    """How many listings each kind of warning has; two queries."""
    counted = Listing.objects.aggregate(**{kind: Count("pk", filter=_condition(kind)) for kind in WARNINGS})
    return {kind: counted[kind] for kind in WARNINGS}


def _condition(kind: str) -> Q:
    if kind == "twins":
        return Q(Exists(_TWIN), sku__isnull=False)
    if kind == "no_sync":
        return Q(sku__isnull=False, mode=Listing.Mode.STOPPED)
    if kind == "discontinued":
        return Q(sku__active=False) & ~Q(mode__in=NO_STOCK)
    return _vanished()


def _vanished() -> Q:
    """Not seen by its shop's last import of listings, although seen before."""
    newest = Listing.objects.order_by().values("shop").annotate(at=Max("seen_at")).filter(at__isnull=False)
    missed = [Q(shop=row["shop"], seen_at__lt=row["at"] - GONE_AFTER) for row in newest]
    return reduce(or_, missed, Q(pk__in=[]))


@dataclass(frozen=True, slots=True)
class Counts:
    """What the tabs of the mapping screens say; each has its list."""

    unmapped: int
    proposed: int
    warnings: int


def counts() -> Counts:
    return Counts(
        unmapped=unmapped_count(),
        proposed=proposals().count(),
        warnings=sum(warning_counts().values()),
    )


def proposals(*, shop_id: int | None = None, reason: str = "", sure: bool = False) -> "QuerySet[Proposal]":
    """Open proposals of listings that still have no SKU."""
    rows = Proposal.objects.filter(rejected_at__isnull=True, listing__sku__isnull=True)
    rows = rows.select_related("listing__shop", "sku").defer("sku__search_text")
    if shop_id is not None:
        rows = rows.filter(listing__shop=shop_id)
    if reason:
        rows = rows.filter(reason=reason)
    return rows.filter(score__gte=SURE) if sure else rows


def history(*, shop_id: int | None = None, typed: str = "") -> "QuerySet[ListingEvent]":
    """The journal of mappings, by shop and a part of a code or a SKU."""
    rows = ListingEvent.objects.select_related("shop", "by")
    if shop_id is not None:
        rows = rows.filter(shop=shop_id)
    if word := typed.strip():
        rows = rows.filter(
            Q(channel_sku__icontains=word)
            | Q(code__icontains=word)
            | Q(before__icontains=word)
            | Q(after__icontains=word)
        )
    return rows
