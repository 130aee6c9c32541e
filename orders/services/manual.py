"""受注の手入力: an order that reaches the company by telephone, fax or at the counter, and copies of known orders.

It is taken in like every other one, so the same gates, rules and mails see it; no channel knows it and none is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, transaction
from django.utils.translation import override

from inventory.models import Sku
from inventory.queries.release_day import release_day
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said, together
from oms.kernel.said_field import choice
from oms.kernel.services import setting_versions
from oms.kernel.sql import was_in_the_way
from orders.decide.manual import MANUAL, Draft, channel_order
from orders.models import ManualOrder, Order, Shop
from orders.models.order import PaymentMethod
from orders.services import journal, quotes
from orders.services.intake import take_in
from orders.services.intake_rows import Mapped
from orders.services.internal import INTERNAL
from orders.services.journal import Actor, Entry

CHANNEL, CODE, PREFIX = "manual", "phone", "TEL"
FROM_OTHERS = ("mail_from", "letterhead_name", "letterhead_address", "letterhead_phone", "registration_no")
TRIES = 3


class Refused(Exception):
    """The order was not stored; the message says why."""


@dataclass(frozen=True, slots=True)
class Origin:
    """How the order came. `key` belongs to one form: the same key again is the same order."""

    key: str
    source: str = ManualOrder.Source.PHONE
    copied_from: Order | None = None
    copy_reason: str = ""
    quote: int | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    order: Order
    is_new: bool


NEW_SHOP: Mapping[str, Any] = {
    "name": "電話・店頭受付",
    "channel": CHANNEL,
    "channel_label": "電話・FAX・店頭",
    "capabilities": {"own_payments": True, "mail": "free"},
}


def unsaved_phone_shop() -> Shop:
    """The shop as the first typed order will find it; not stored."""
    return Shop(code=CODE, **NEW_SHOP)


def known_phone_shop() -> Shop | None:
    return Shop.objects.filter(channel=CHANNEL).order_by("pk").first()


@transaction.atomic
def phone_shop() -> Shop:
    """The shop that typed orders belong to, made at the first one; sender and letterhead begin as another shop's."""
    known = known_phone_shop()
    if known is not None:
        return known
    model = Shop.objects.exclude(letterhead_name="").order_by("pk").first()
    values = {name: getattr(model, name) for name in FROM_OTHERS} if model else {}
    shop, _made = Shop.objects.get_or_create(code=CODE, defaults={**NEW_SHOP, **values})
    return shop


@transaction.atomic
def change_phone_shop(values: Mapping[str, Any], *, by: User | None) -> Shop:
    """Write what the company says of the telephone shop; makes the shop when there is none."""
    shop = phone_shop()
    with setting_versions.kept("phone_shop", "-", by=by):
        for name, value in values.items():
            setattr(shop, name, value)
        shop.save(update_fields=list(values))
        return shop


def enter(shop: Shop, draft: Draft, origin: Origin, *, actor: Actor) -> Entered:
    """Store a typed order. Raises Refused, and then nothing is stored.

    One transaction: the form's key, members, the order, stock last; again when another worker was in the way.
    """
    for _attempt in range(TRIES - 1):
        try:
            return _enter(shop, draft, origin, actor)
        except OperationalError as error:
            if not was_in_the_way(error):
                raise
    return _enter(shop, draft, origin, actor)


@transaction.atomic
def _enter(shop: Shop, draft: Draft, origin: Origin, actor: Actor) -> Entered:
    row, is_new = ManualOrder.objects.get_or_create(
        key=origin.key,
        defaults={
            "shop": shop,
            "source": origin.source,
            "copied_from": origin.copied_from,
            "copy_reason": origin.copy_reason,
            "by": actor.by,
            "at": clock.now(),
        },
    )
    if row.order_id:
        return Entered(Order.objects.select_related("shop").get(pk=row.order_id), is_new=False)
    order = _take_in(shop, draft, row)
    ManualOrder.objects.filter(pk=row.pk).update(order=order)
    Order.objects.filter(pk=order.pk).update(packing_note=draft.packing_note, internal_note=draft.internal_note)
    quoted = quotes.ordered(origin.quote, order) if origin.quote else ""
    journal.write(_entries(row, order, origin, quoted), actor=actor)
    return Entered(order, is_new)


def _take_in(shop: Shop, draft: Draft, row: ManualOrder) -> Order:
    number = number_of(row, row.copied_from)
    with override("ja"):  # stored words, which customers read too
        state = str(row.get_source_display())
        payment_name = str(PaymentMethod(draft.method.value).label)
    told = channel_order(
        draft,
        number=number,
        state=state,
        payment_name=payment_name,
        flags=(INTERNAL, MANUAL),
        now=clock.now(),
    )
    outcome = take_in(shop, [told], sku_of=_mapped(draft))
    if outcome.failed:
        raise Refused(said("%(cause)sもう一度登録してください。", cause=outcome.failed[0][1]))
    return Order.objects.select_related("shop").get(shop=shop, channel_order_no=number)


def number_of(row: ManualOrder, copied_from: Order | None) -> str:
    """TEL-000012; a copy within its own shop bears the first order's number: 401122-…-C12."""
    if copied_from is not None and copied_from.shop_id == row.shop_id and row.shop.channel != CHANNEL:
        return f"{copied_from.channel_order_no[:50]}-C{row.pk}"
    return f"{PREFIX}-{row.pk:06d}"


def _mapped(draft: Draft) -> dict[str, Mapped]:
    skus = Sku.objects.annotate(released_on=release_day()).in_bulk([item.sku_id for item in draft.items])
    return {sku.code: Mapped(sku.pk, sku.code, 1, sku.released_on, sku.jan) for sku in skus.values()}


def _entries(row: ManualOrder, order: Order, origin: Origin, quoted: str) -> Sequence[Entry]:
    first = origin.copied_from
    if first is None:
        source = choice(row, "source")
        return [Entry(order.pk, "entered", together([source, quoted], " ") if quoted else source)]
    reason = choice(row, "copy_reason")
    return [
        Entry(order.pk, "entered", together([choice(row, "source"), first.channel_order_no, reason], " ")),
        Entry(first.pk, "copied", together([order.channel_order_no, reason], " ")),
    ]
