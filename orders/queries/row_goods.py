"""All goods of one row of 受注一覧, each with where its promise stands."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from orders.models import Order, OrderLine


@dataclass(frozen=True, slots=True)
class RowGoods:
    """`state` in words, with its tone."""

    name: str
    options: str
    code: str
    quantity: int
    cancelled: int
    state: str
    tone: str


def goods_of(order: Order) -> list[RowGoods]:
    """One query, cancelled lines last."""
    lines = OrderLine.objects.filter(order=order).select_related("sku").defer("sku__search_text")
    found = sorted(lines, key=lambda line: (line.quantity == 0, line.position, line.pk))
    return [
        RowGoods(
            line.name,
            " ".join(line.options.split()),
            line.sku.code if line.sku else line.channel_sku,
            line.quantity,
            line.cancelled_quantity,
            *_state(line, order),
        )
        for line in found
    ]


def _state(line: OrderLine, order: Order) -> tuple[str, str]:
    """The first that fits."""
    whole, sent, placed = line.quantity, line.shipped_quantity, line.allocated_quantity
    part = {"of": whole}
    states = (
        (not whole or order.cancelled_at is not None, _("キャンセル"), "neutral"),
        (order.fulfilled_by_channel, _("モール出荷"), "neutral"),
        (sent >= whole, _("出荷済"), "done"),
        (sent > 0, _("出荷済 %(n)s/%(of)s") % {"n": sent, **part}, "attention"),
        (placed >= whole, _("引当済"), "ready"),
        (placed > 0, _("引当 %(n)s/%(of)s") % {"n": placed, **part}, "attention"),
        (line.sku_id is None, _("商品が未登録"), "danger"),
        (line.reserved, _("在庫を確保済み"), "info"),
        (True, _("引当待ち"), "waiting"),
    )
    return next((word, tone) for fits, word, tone in states if fits)
