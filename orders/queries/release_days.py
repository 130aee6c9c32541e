"""What moving a pre-ordered SKU's release day would do, and what was moved before."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q, Sum

from inventory.models import Sku
from orders.models import Order, OrderLine, ReleaseMove, Shop
from orders.services import mail
from orders.services.release_days import EVENT, to_move, waiting_lines

MOVES = 20


@dataclass(frozen=True, slots=True)
class ShopPart:
    """One shop's share. `drafts`: its mails wait for a person because its template says so."""

    shop: Shop
    orders: int
    mails: int
    drafts: bool


@dataclass(frozen=True, slots=True)
class Preview:
    orders: int
    pieces: int
    placed: int  # orders that have goods already and stay as they are
    shops: list[ShopPart] = field(default_factory=list)

    @property
    def mails(self) -> int:
        return sum(part.mails for part in self.shops)

    @property
    def unmailed(self) -> int:
        return self.orders - self.mails

    @property
    def drafts(self) -> int:
        return sum(part.mails for part in self.shops if part.drafts)


def preview(sku: Sku, day: date) -> Preview:
    """A number of queries that grows with the shops concerned, never with the orders."""
    lines = to_move(sku.pk, day)
    orders = Order.objects.filter(pk__in=lines.values("order")).select_related("shop")
    by_shop: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for pk, shop_id, address in orders.values_list("pk", "shop", "buyer_email"):
        by_shop[shop_id].append((pk, address))
    shops: dict[int, Shop] = Shop.objects.in_bulk(by_shop)
    parts = [_part(shops[pk], by_shop[pk]) for pk in sorted(by_shop, key=lambda pk: shops[pk].code)]
    return Preview(
        orders=sum(part.orders for part in parts),
        pieces=lines.aggregate(n=Sum("quantity"))["n"] or 0,
        placed=_placed(sku),
        shops=parts,
    )


def _part(shop: Shop, rows: list[tuple[int, str]]) -> ShopPart:
    template = mail.template_for(shop, EVENT)
    count = sum(not reason for reason in mail.reasons_against(shop, EVENT, rows)) if template else 0
    return ShopPart(shop, len(rows), count, bool(template and template.review))


def _placed(sku: Sku) -> int:
    lines = OrderLine.objects.filter(Q(sku=sku) | Q(components__sku=sku), release_date__isnull=False)
    placed = lines.filter(allocated_quantity__gt=0)
    open_ = Order.objects.filter(pk__in=placed.values("order"), cancelled_at__isnull=True)
    return open_.exclude(fulfillment_state="shipped").count()


def waiting_count(sku: Sku) -> tuple[int, int]:
    """(orders, pieces) that wait for the SKU's release or for its goods."""
    lines = waiting_lines(sku.pk)
    return lines.values("order").distinct().count(), lines.aggregate(n=Sum("quantity"))["n"] or 0


def moves_of(sku: Sku) -> list[ReleaseMove]:
    """The latest moves, newest first."""
    return list(ReleaseMove.objects.filter(sku=sku).select_related("by", "undone_by").order_by("-pk")[:MOVES])


def undoable(sku: Sku, moves: list[ReleaseMove]) -> ReleaseMove | None:
    """The one move that can be taken back: the newest that stands, while the SKU still has its day."""
    standing = next((move for move in moves if move.undone_at is None), None)
    return standing if standing and standing.after == sku.release_date else None
