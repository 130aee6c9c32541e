"""Choosing the SKU that a buyer's option text stands for: decided once for a listing and text, remembered for orders
to come, given to those that wait.

A decision without SKU says that the text changes nothing about the goods.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

from django.db import transaction
from django.db.models import F

from inventory.models import Sku
from inventory.queries.release_day import release_day
from oms.kernel import clock
from oms.kernel.said import said, together
from oms.kernel.text import search_text
from orders.channel_order import ChannelOrder
from orders.models import OptionChoice, Order, OrderLine, Shop
from orders.models.order import FulfillmentState
from orders.services import facts, journal, order_release, review, set_parts
from orders.services import stage as stages
from orders.services.intake_rows import Mapped, SkuOf
from orders.services.journal import Actor, Entry
from orders.services.regrant import regrant
from orders.services.reservation import NO_RESERVE, line_ids_of, want_of
from orders.signals import lines_released


def learned(shop: Shop, orders: Sequence[ChannelOrder], sku_of: SkuOf) -> SkuOf:
    """`sku_of` with what was decided about option texts: (code, text) → SKU. One query, none without such texts."""
    codes = {line.channel_sku for order in orders for line in order.lines if line.options}
    if not codes:
        return sku_of
    rows = OptionChoice.objects.filter(shop=shop, channel_sku__in=codes).select_related("sku")
    rows = rows.annotate(released_on=release_day("sku__"))
    found: dict[str | tuple[str, str], Mapped] = {}
    for row in rows:
        usual = sku_of.get(row.channel_sku)
        if usual is None:
            continue
        mapped = usual if row.sku is None else Mapped(
            row.sku.pk, row.sku.code, usual.units, row.released_on, row.sku.jan
        )  # fmt: skip
        found[row.channel_sku, row.options] = replace(mapped, settled=True)
    return {**sku_of, **found} if found else sku_of


def same_text(line: OrderLine) -> list[OrderLine]:
    """This line and those of other orders, not yet instructed, that were sold by the same listing and text."""
    rows = OrderLine.objects.filter(
        channel_sku=line.channel_sku,
        options=line.options,
        sku__isnull=False,
        quantity__gt=0,
        order__shop=line.order.shop_id,
        order__cancelled_at=None,
        order__fulfilled_by_channel=False,
        order__fulfillment_state=FulfillmentState.NONE,
    )
    return list(rows.select_related("order", "sku").order_by("order", "pk"))


@transaction.atomic
def choose(line_id: int, sku_id: int | None, *, actor: Actor) -> list[int]:
    """Remember what the text of this line stands for and give it to the lines that wait; returns their orders.

    Only a SKU of the same product may be chosen (raises Sku.DoesNotExist). The same choice again changes nothing.
    Locks the decision, then the orders by pk, then the stock once.
    """
    line = OrderLine.objects.select_related("order", "sku__product").get(pk=line_id, sku__isnull=False)
    assert line.sku is not None
    of_product = Sku.objects.annotate(released_on=release_day()).filter(product=line.sku.product_id, active=True)
    chosen = None if sku_id is None else of_product.get(pk=sku_id)
    OptionChoice.objects.update_or_create(
        shop_id=line.order.shop_id,
        channel_sku=line.channel_sku,
        options=line.options,
        defaults={"sku": chosen, "at": clock.now(), "by": actor.by},
    )
    orders = sorted({one.order_id for one in same_text(line)})
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=orders).order_by("pk").values_list("pk"))
    waiting = same_text(line)
    changed = [one for one in waiting if chosen is not None and one.sku_id != chosen.pk]
    if chosen is not None and changed:
        _give(changed, chosen, chosen.released_on)
        _follow_goods({one.order_id for one in changed}, chosen)
    shown = chosen.code if chosen else said("SKUは変えない")
    text = " ".join(line.options.split())
    journal.write([Entry(order, "mapped", together([text, "→", shown], " ")) for order in orders], actor=actor)
    Order.objects.filter(pk__in=orders).update(version=F("version") + 1)
    review.sync(orders)
    stages.recompute(orders, actor=actor)
    return orders


def _give(lines: Sequence[OrderLine], sku: Sku, released_on: date | None) -> None:
    """These lines stand for another SKU: what they held goes back, what they ask now is asked, in one call."""
    ids = [line.pk for line in lines]
    OrderLine.objects.filter(pk__in=ids).update(sku=sku, release_date=released_on, reserved=False, allocated_quantity=0)
    set_parts.keep_anew([(line.pk, sku.pk, line.units, line.tax_rate) for line in lines])
    lines_released.send(sender=OrderLine, line_ids=ids)
    wants = [
        want_of(line.pk, sku.pk, line.quantity * line.units, line.order.ship_by, line.order.ordered_at)
        for line in lines
        if NO_RESERVE not in line.order.flags
    ]
    facts.mark_reserved(line_ids_of(regrant(wants, ids)))


def _follow_goods(order_ids: Collection[int], sku: Sku) -> None:
    """The orders wait for the last of their pre-orders, and are found by the new SKU's words."""
    order_release.follow_lines(order_ids)
    facts.add_search_words(dict.fromkeys(order_ids, search_text(sku.code, sku.jan)))


def choices_of(order: Order) -> Mapping[OrderLine, Sequence[Sku]]:
    """The order's lines with an option text, each with the SKUs of its product that may be chosen."""
    lines = [line for line in order.lines.select_related("sku").order_by("position") if line.options and line.sku_id]
    products = {line.sku.product_id for line in lines if line.sku}
    skus = list(Sku.objects.filter(product__in=products, active=True).defer("search_text").order_by("code"))
    return {line: [sku for sku in skus if line.sku and sku.product_id == line.sku.product_id] for line in lines}
