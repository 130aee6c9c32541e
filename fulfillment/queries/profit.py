"""粗利 of orders, from their lines, their goods' costs and their freight (`orders.decide.profit`)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from fulfillment.queries.freight import Freight, freights
from inventory.services.sku_facts import unit_costs
from oms.kernel.money import yen
from orders.decide.profit import STANDARD_RATE, Profit, Sold, gross_profit
from orders.models import OrderLine
from orders.queries.desk_columns import Column, Noted

READS = ("discount", "coupons_shop", "tax_excluded", "cancelled_at")
NAMED = 3


def profits(orders: Sequence[Mapping[str, Any]]) -> dict[int, tuple[Profit, Freight]]:
    """Of orders given with `id` and `READS`; three queries. Cancelled orders are left out."""
    by_id = {order["id"]: order for order in orders if order["cancelled_at"] is None}
    found = OrderLine.objects.filter(order__in=by_id, quantity__gt=0).order_by("order", "position")
    rows = list(
        found.values_list("order", "sku", "quantity", "units", "amount", "tax_rate", "sku__tax_rate", "channel_sku")
    )
    costs = unit_costs({row[1] for row in rows} - {None})
    lines: dict[int, list[Sold]] = defaultdict(list)
    for order, sku, quantity, units, amount, told, usual, code in rows:
        unit, lacking = costs[sku] if sku is not None else (None, [code])
        rate = next((rate for rate in (told, usual) if rate is not None), STANDARD_RATE)
        lines[order].append(Sold(amount, rate, None if unit is None else unit * quantity * units, lacking))
    sent = freights(list(by_id))
    none = Freight()
    return {
        id_: (
            gross_profit(
                lines[id_],
                discount=order["discount"] + order["coupons_shop"],
                freight=sent.get(id_, none).yen,
                tax_outside=order["tax_excluded"] > 0,
            ),
            sent.get(id_, none),
        )
        for id_, order in by_id.items()
    }


def profit_words(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    return {order: _word(profit, freight) for order, (profit, freight) in profits(rows).items()}


def _word(profit: Profit, freight: Freight) -> Noted:
    if profit.yen is None:
        if not profit.lacking:
            return Noted("–", _("商品がありません。"))
        names = _("、").join(profit.lacking[:NAMED])
        if len(profit.lacking) > NAMED:
            names = _("%(names)sほか%(n)s件") % {"names": names, "n": len(profit.lacking) - NAMED}
        return Noted("–", _("仕入価格がありません: %(names)s") % {"names": names})
    return Noted(yen(profit.yen), "" if freight.known else _("送料を含みません（出荷前か、送料が未設定です）。"))


COLUMN = Column(
    "profit", lazy("粗利"), READS, number=True, short=True, look_up=profit_words, permission="inventory.view_cost"
)
