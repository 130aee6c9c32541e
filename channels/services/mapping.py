"""What a channel's product code stands for (商品対応表)."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import OuterRef, Subquery

from channels.models import Listing
from inventory.models import PublisherMark, Sku
from inventory.services import stock
from oms.kernel import clock
from orders.models import Order, OrderLine, Shop
from orders.services import review
from orders.services.intake_rows import Mapped
from orders.services.journal import SYSTEM, Actor
from orders.services.reservation import line_ids_of, want_of
from orders.services.waiting import promisable


def sku_map(shop: Shop, channel_skus: Sequence[str]) -> dict[str, Mapped]:
    """Known codes → SKU. A code without listing that equals a SKU's own code is taken as that SKU."""
    wanted = list(set(channel_skus))
    rows = Listing.objects.filter(shop=shop, channel_sku__in=wanted, sku__isnull=False).values_list(
        "channel_sku", "sku", "sku__code", "units", "sku__release_date", "sku__jan"
    )
    found = {channel_sku: Mapped(sku, code, units, day, jan) for channel_sku, sku, code, units, day, jan in rows}
    known = set(Listing.objects.filter(shop=shop, channel_sku__in=wanted).values_list("channel_sku", flat=True))
    rest = [code for code in wanted if code not in known]
    alike = Sku.objects.filter(code__in=rest, active=True).values_list("pk", "code", "release_date", "jan")
    same = alike if rest else []
    return found | {code: Mapped(pk, code, 1, release, jan) for pk, code, release, jan in same}


@transaction.atomic
def map_code(shop: Shop, channel_sku: str, sku: Sku, *, units: int = 1, actor: Actor = SYSTEM) -> list[int]:
    """Map a code from now on, and give it to the lines that wait for it; returns the orders that moved on.

    Leaves the publisher's mark, so that the listing is told its stock. Locks the orders by pk, then stock once, last.
    """
    changed = Listing.objects.filter(shop=shop, channel_sku=channel_sku).update(sku=sku, units=units)
    if not changed:
        Listing.objects.create(shop=shop, code=channel_sku, channel_sku=channel_sku, sku=sku, units=units)
    PublisherMark.objects.create(sku_id=sku.pk, at=clock.now())
    lines = OrderLine.objects.filter(
        order__shop=shop, channel_sku=channel_sku, sku__isnull=True, order__cancelled_at__isnull=True
    )
    orders = sorted(set(lines.values_list("order", flat=True)))
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=orders).order_by("pk").values_list("pk"))
    waiting = list(lines.values_list("pk", "quantity", "order__ship_by", "order__ordered_at"))
    ids = [pk for pk, *_rest in waiting]
    OrderLine.objects.filter(pk__in=ids).update(sku=sku, units=units, release_date=sku.release_date)
    _write_release_dates(orders)
    ours = set(promisable().filter(pk__in=ids).values_list("pk", flat=True))
    wants = [want_of(pk, sku.pk, quantity * units, ship_by, at) for pk, quantity, ship_by, at in waiting if pk in ours]
    granted = stock.grant(stock.requests_for(wants), kind="reserve")
    OrderLine.objects.filter(pk__in=line_ids_of(granted)).update(reserved=True)
    review.reevaluate(orders, actor=actor)
    return orders


def _write_release_dates(order_ids: Sequence[int]) -> None:
    """An order waits for the last of its pre-orders."""
    last = OrderLine.objects.filter(order=OuterRef("pk"), quantity__gt=0, release_date__isnull=False)
    Order.objects.filter(pk__in=order_ids).update(
        release_date=Subquery(last.order_by("-release_date").values("release_date")[:1])
    )


def name_of(shop: Shop, channel_sku: str) -> str:
    """What the channel calls this code, as far as we know."""
    name = Listing.objects.filter(shop=shop, channel_sku=channel_sku).values_list("name", flat=True).first()
    return name or ""
