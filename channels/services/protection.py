"""Sold-out by one click, when a shop's credentials died and nobody sees what it sells; and back again."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from channels.models import Connection, Listing, Protection
from channels.services import publish, shops
from oms.kernel import clock
from oms.kernel.later import later
from oms.kernel.models import User
from oms.kernel.said import said


def open_protection(connection: Connection) -> Protection | None:
    return Protection.objects.filter(connection=connection, lifted_at__isnull=True).first()


@transaction.atomic
def protect(connection_id: int, *, elsewhere: bool, by: User | None) -> Protection:
    """Every listing of the shop that is told its stock shows none from now on; `elsewhere`: so do the other shops'
    listings of the same SKUs. What can be sent is sent at once, the rest when the channel answers again.

    Journaled with each listing's mode before. Protected already stays as it is.
    """
    connection = _locked(connection_id)
    if found := open_protection(connection):
        return found
    listings = list(
        _listings(connection, elsewhere=elsewhere).select_for_update(no_key=True, of=("self",)).order_by("pk")
    )
    row = Protection.objects.create(
        connection=connection,
        elsewhere=elsewhere,
        modes={str(listing.pk): listing.mode for listing in listings},
        at=clock.now(),
        by=by,
    )
    Listing.objects.filter(pk__in=[listing.pk for listing in listings]).update(mode=Listing.Mode.SOLD_OUT)
    _tell(listings)
    shops.journal(connection, "protected", _count_words(len(listings), elsewhere=elsewhere), by=by)
    return row


@transaction.atomic
def lift(connection_id: int, *, by: User | None) -> int:
    """Give every listing the mode it had, unless somebody chose another one meanwhile. Returns how many."""
    connection = _locked(connection_id)
    row = open_protection(connection)
    if row is None:
        return 0
    rows = Listing.objects.select_for_update(no_key=True).filter(pk__in=list(row.modes), mode=Listing.Mode.SOLD_OUT)
    listings = list(rows.order_by("pk"))
    for mode in Listing.Mode.values:
        back = [listing.pk for listing in listings if row.modes[str(listing.pk)] == mode]
        Listing.objects.filter(pk__in=back).update(mode=mode)
    row.lifted_at = clock.now()
    row.save(update_fields=["lifted_at"])
    _tell(listings)
    shops.journal(connection, "unprotected", _count_words(len(listings), elsewhere=row.elsewhere), by=by)
    return len(listings)


def _locked(connection_id: int) -> Connection:
    rows = Connection.objects.select_for_update(no_key=True, of=("self",)).select_related("shop")
    return rows.get(pk=connection_id)


def _listings(connection: Connection, *, elsewhere: bool) -> "QuerySet[Listing]":
    """Listings whose stock we tell, that do not show none by choice already."""
    told = Listing.objects.filter(sku__isnull=False, mode__in=[Listing.Mode.NORMAL, Listing.Mode.FIXED])
    own = told.filter(shop=connection.shop_id)
    return told.filter(sku__in=own.values("sku"), shop__active=True) if elsewhere else own


def _tell(listings: Iterable[Listing]) -> None:
    """The new quantities are due; each shop's push starts after the commit, also of a shop that stands still: it is
    one try."""
    now = clock.now()
    of_shop: dict[int, set[int]] = {}
    for listing in listings:
        of_shop.setdefault(listing.shop_id, set()).add(listing.sku_id or 0)
    for shop_id, skus in sorted(of_shop.items()):
        publish.refresh_desired(dict.fromkeys(skus, now), shop_id=shop_id)
    for pk in (
        Connection.objects.filter(shop__in=of_shop, publish_paused=False).order_by("pk").values_list("pk", flat=True)
    ):
        later("channels.tasks.push", pk)


def _count_words(count: int, *, elsewhere: bool) -> str:
    if elsewhere:
        return said("%(n)s件の出品（ほかの店舗の同じ商品も含む）", n=count)
    return said("%(n)s件の出品", n=count)
