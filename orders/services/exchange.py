"""交換・再送: the goods that are sent instead, as an order of its own, taken in like every other one.

Its number is the first order's with `-X` and the case; no channel knows it, so none is told. It is made provisional,
which promises its stock and ships nothing, and opened together with the case's approval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from customers.services import labels
from inventory.models import Sku
from inventory.queries.release_day import release_day
from oms.kernel import clock
from oms.kernel.money import yen
from oms.kernel.said import said
from oms.kernel.said_field import choice
from orders.channel_order import (
    ChannelLine,
    ChannelOrder,
    ChannelState,
    Party,
    PaymentMethod,
    PaymentState,
    Totals,
)
from orders.decide import returns as decide
from orders.decide.goods_names import with_variant
from orders.decide.set_shares import prices_of
from orders.models import ExchangeItem, Order, Recipient, ReturnCase, ReturnLine
from orders.models.mail import MailEvent
from orders.models.order import Phase
from orders.models.shop import ExchangeShips
from orders.services import cancel, hold, journal, ledger, mail, return_money, returns, set_parts
from orders.services import stage as stages
from orders.services.cancel import Cancelled
from orders.services.intake import take_in
from orders.services.intake_rows import Mapped
from orders.services.internal import INTERNAL
from orders.services.journal import Actor, Entry
from orders.services.returns import Refused

HELD = "交換: 返品の到着待ち"
CHARGED = "戻らない交換品の代金"


@dataclass(frozen=True, slots=True)
class Item:
    """What is sent instead, at this price (yen, tax-inclusive)."""

    sku_id: int
    quantity: int
    unit_price: int


def ships_first(case: ReturnCase) -> bool:
    """Whether the shop sends the goods before the others are back, as its settings say: of this member. The case comes
    with its order's shop."""
    shop = case.order.shop
    if shop.exchange_ships != ExchangeShips.TAGGED:
        return bool(shop.exchange_ships == ExchangeShips.FIRST)
    member = case.order.member_id
    return bool(shop.exchange_tag) and member is not None and shop.exchange_tag in labels.tags_of(member)


def same_goods(case: ReturnCase) -> list[Item]:
    """The goods that come back, once more."""
    items: dict[int, Item] = {}
    for line in case.lines.select_related("line", "component"):
        sku = line.component.sku_id if line.component else line.line.sku_id
        if sku is None:
            continue
        before = items.get(sku)
        count = line.quantity * (1 if line.component else line.line.units) + (before.quantity if before else 0)
        price = _unit_price(line)
        items[sku] = Item(sku, count, before.unit_price if before else price)
    return list(items.values())


def _unit_price(own: ReturnLine) -> int:
    """What a unit of the SKU cost; of a component, its part of the set's price."""
    if own.component is None:
        return own.line.unit_price // max(1, own.line.units)
    parts = set_parts.set_parts(set_parts.parts_of([own.line_id])[own.line_id])
    prices = dict(zip([part.id for part in parts], prices_of(parts, own.line.unit_price), strict=True))
    return prices[own.component.pk] // own.component.units


def price_of(case: ReturnCase, items: Sequence[Item]) -> decide.Exchange:
    """What the exchange costs: the value of the goods sent against what the buyer had paid for those that come back.
    The very same goods cost nothing, whatever discounts there were."""
    new = sum(item.unit_price * item.quantity for item in items)
    if sorted((i.sku_id, i.quantity) for i in items) == sorted((i.sku_id, i.quantity) for i in same_goods(case)):
        return decide.exchange_price(new=new, returned=new)
    return decide.exchange_price(new=new, returned=sum(return_money.value_by_rate(case).values()))


def difference(case: ReturnCase) -> int:
    """Yen that are due back because what is sent costs less than what has come back."""
    items = [Item(i.sku_id, i.quantity, i.unit_price) for i in case.exchange_items.all()]
    if not items or return_money.exchange_of(case) is None:
        return 0
    if all(line.received == line.quantity for line in case.lines.all()):
        return price_of(case, items).refund
    new = sum(item.unit_price * item.quantity for item in items)
    back = sum(return_money.value_by_rate(case, received=True).values())
    return decide.exchange_price(new=new, returned=back).refund


def missing_value(case: ReturnCase) -> int:
    """Yen for which goods that pay for an exchange did not arrive."""
    if return_money.exchange_of(case) is None:
        return 0
    values = return_money.value_by_rate(case), return_money.value_by_rate(case, received=True)
    return sum(values[0].values()) - sum(values[1].values())


def resend(case_id: int, *, actor: Actor) -> ReturnCase:
    """A parcel that came back undelivered is sent once more, when it is here: the same goods, at no cost.

    Raises Refused. Doing it again gives the known order.
    """
    case = ReturnCase.objects.select_related("order__shop").get(pk=case_id)
    if case.exchange_order_id:
        return case
    if case.kind != ReturnCase.Kind.UNDELIVERED or case.state not in {"approved", "in_transit", "received"}:
        raise Refused(said("持戻りの荷物だけを再送できます。"))
    exchange = _take_in(case, same_goods(case))
    with transaction.atomic():
        _lock_both(case, exchange)
        here = ReturnCase.objects.get(pk=case_id).state == ReturnCase.State.RECEIVED
        _open(case, exchange, same_goods(case), held=not here, actor=actor)
    return ReturnCase.objects.get(pk=case_id)


def approve(case_id: int, items: Sequence[Item], *, ship_first: bool, answer: str = "", actor: Actor) -> ReturnCase:
    """Approve an exchange (or a resend): its order is taken in, its stock promised; it ships at once with
    `ship_first`, else when the goods have come back. Approving again goes on where it was broken off.

    Raises Refused. Not one transaction: the intake takes its own locks first, and its order ships nothing yet.
    """
    case = ReturnCase.objects.select_related("order__shop").get(pk=case_id)
    if case.state not in decide.allowed_from("approved"):
        raise Refused(said("この返品は「%(state)s」のため、承認できません。", state=choice(case, "state")))
    if not items or any(item.quantity <= 0 for item in items):
        raise Refused(said("送る商品と数量を入れてください。"))
    exchange = _take_in(case, items)
    with transaction.atomic():
        _lock_both(case, exchange)
        returns.approve(case_id, answer=answer, actor=actor)
        ReturnCase.objects.filter(pk=case_id).update(ship_first=ship_first, kind=ReturnCase.Kind.EXCHANGE)
        _open(case, exchange, items, held=not ship_first, actor=actor)
    return ReturnCase.objects.get(pk=case_id)


@transaction.atomic
def withdraw(case_id: int, *, note: str = "", charge: bool = False, actor: Actor) -> Cancelled:
    """The goods will not come: the customer keeps them, or they are lost. What was to be sent instead is cancelled, its
    parcel stopped where one is under way. If it has left, `charge` asks the buyer for its price; else a note says why
    they need not pay.

    Raises Refused. Locks both orders by pk, then what cancelling locks.
    """
    case = ReturnCase.objects.select_related("order__shop", "exchange_order__shop").get(pk=case_id)
    sent = return_money.exchange_of(case)
    if sent is not None:
        _lock_both(case, sent)
    gone = sent is not None and sent.fulfillment_state not in cancel.STOPPABLE
    if gone and not charge and not note.strip():
        raise Refused(
            said(
                "交換・再送の受注 %(no)s はすでに出荷しています。代金を請求するか、請求しない理由を入れてください。",
                no=sent.channel_order_no if sent else "",
            )
        )
    returns.withdraw(case_id, note=note, actor=actor)
    if sent is None:
        return Cancelled()
    if not gone:
        return _cancel(case, sent, actor)
    if charge:
        _charge(case, sent, actor)
    return Cancelled()


def _cancel(case: ReturnCase, sent: Order, actor: Actor) -> Cancelled:
    words = said("返品 %(no)s の取り下げ", no=case.number)
    result = cancel.cancel_orders([sent.pk], ask=cancel.Ask(note=words, send_mail=False), actor=actor)
    if result.refused:
        raise Refused(result.refused[sent.pk])
    return result


def _charge(case: ReturnCase, sent: Order, actor: Actor) -> None:
    """What was sent costs its price after all: by bank transfer, with a draft that asks for it. Of what was paid for a
    difference already only the rest is asked."""
    Order.objects.filter(pk=sent.pk).update(
        discount=0,
        total=F("total") + F("discount"),
        tax_by_rate=[],
        payment_method=PaymentMethod.BANK_TRANSFER,
        payment_name=CHARGED,
        payment_state=PaymentState.UNPAID,
        version=F("version") + 1,
    )
    ledger.settle([sent.pk], actor=actor)
    total = (sent.total or 0) + sent.discount
    journal.write([Entry(sent.pk, "exchange_charged", f"{yen(total)} {case.number}")], actor=actor)
    mail.schedule_for([sent.pk], MailEvent.PAYMENT_REQUEST, suffix=f":{case.pk}", draft=True, actor=actor)
    stages.recompute([sent.pk], actor=actor)


def _lock_both(case: ReturnCase, exchange: Order) -> None:
    both = [case.order_id, exchange.pk]
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=both).order_by("pk").values_list("pk"))


def _open(case: ReturnCase, exchange: Order, items: Sequence[Item], *, held: bool, actor: Actor) -> None:
    """The new order may ship from now on, or when it is no longer held."""
    ReturnCase.objects.filter(pk=case.pk).update(exchange_order=exchange)
    ExchangeItem.objects.bulk_create(
        ExchangeItem(case=case, sku_id=i.sku_id, quantity=i.quantity, unit_price=i.unit_price) for i in items
    )
    Order.objects.filter(pk=exchange.pk).update(phase=Phase.OPEN, version=F("version") + 1)
    journal.write(
        [
            Entry(case.order_id, "exchange_made", exchange.channel_order_no),
            Entry(exchange.pk, "exchange_for", f"{case.order.channel_order_no} {case.number}"),
        ],
        actor=actor,
    )
    stages.recompute([exchange.pk], actor=actor)
    if held:
        hold.hold_orders([exchange.pk], reason=HELD, actor=actor)


def _take_in(case: ReturnCase, items: Sequence[Item]) -> Order:
    number = f"{case.order.channel_order_no}-X{case.pk}"
    skus = Sku.objects.annotate(released_on=release_day()).in_bulk([item.sku_id for item in items])
    if missing := [item.sku_id for item in items if item.sku_id not in skus]:
        raise Refused(said("SKUが見つかりません: %(skus)s", skus=missing))
    outcome = take_in(
        case.order.shop,
        [_channel_order(case, items, skus, number)],
        sku_of={sku.code: Mapped(sku.pk, sku.code, 1, sku.released_on) for sku in skus.values()},
    )
    if outcome.failed:
        raise Refused(outcome.failed[0][1])
    return Order.objects.get(shop=case.order.shop, channel_order_no=number)


def _channel_order(case: ReturnCase, items: Sequence[Item], skus: Mapping[int, Sku], number: str) -> ChannelOrder:
    order, price = case.order, price_of(case, items)
    lines = tuple(
        ChannelLine(
            line_id=f"X{index}",
            channel_sku=skus[item.sku_id].code,
            name=with_variant(skus[item.sku_id].name, skus[item.sku_id].variant),
            quantity=item.quantity,
            unit_price=item.unit_price,
            amount=item.unit_price * item.quantity,
            tax_rate=skus[item.sku_id].tax_rate,
        )
        for index, item in enumerate(items, 1)
    )
    goods = sum(line.amount for line in lines)
    recipient = Recipient.objects.filter(order=order).order_by("position").first()
    buyer = _party(order, "buyer_")
    return ChannelOrder(
        channel_order_no=number,
        ordered_at=case.asked_at,
        channel_state="交換",
        state=ChannelState.PROVISIONAL,
        buyer=buyer,
        recipients=(_party(recipient, "") if recipient else buyer,),
        lines=lines,
        totals=Totals(goods=goods, discount=price.discount, total=price.total),
        payment_method=PaymentMethod.BANK_TRANSFER if price.total else PaymentMethod.OTHER,
        payment_state=PaymentState.UNPAID if price.total else PaymentState.PAID,
        payment_name="交換の差額" if price.total else "交換",
        delivery_method=order.delivery_method,
        updated_at=clock.now(),
        flags=(INTERNAL,),
    )


def _party(row: Order | Recipient, prefix: str) -> Party:
    def value(name: str) -> str:
        return str(getattr(row, prefix + name, "") or "")

    names = ("name", "kana", "phone", "email", "postal_code", "prefecture", "city", "address", "company")
    return Party(**{name: value(name) for name in names})
