"""The fee of an order's payment method follows its goods: reckoned anew from the shop's table when they change."""

from dataclasses import replace

from django.conf import settings
from django.utils.translation import override

from oms.kernel.money import STANDARD, yen
from oms.kernel.said import said
from orders.decide.cut import Cut, Sums
from orders.decide.payment_fees import Charges, FeeTable, with_fee
from orders.decide.refunds import prices_by_rate
from orders.models import Order, TaskKind
from orders.models.mail import MailEvent
from orders.models.order import PaymentMethod, PaymentState
from orders.services import mail, payment_fees, provider_tasks, refunds, review, tasks
from orders.services.channel_words import page_of
from orders.services.internal import is_internal
from orders.services.journal import Actor
from orders.signals import fee_shared

TAKEN = {PaymentState.PAID, PaymentState.AUTHORIZED}


def table_for(order: Order) -> FeeTable | None:
    """The table that this order's fee follows; None where it stays: nothing is set, the mall's total binds, the
    amounts are withheld, or another order of the same parcel pays the fee. The order comes with its shop."""
    if order.total is None or not payment_fees.sets_own_price(order):
        return None
    table = payment_fees.table_of_method(order.shop_id, order.payment_method)
    if table is None or any(shared for _receiver, shared in fee_shared.send(sender=Order, order_id=order.pk)):
        return None
    return table


def follow(order: Order, cut: Cut, *, keep: bool = False) -> Sums:
    """What the order comes to after this change with the fee for it; fees that rules put on stay beside it. `keep`: a
    person leaves the fee as it is. Changes nothing."""
    sums = cut.sums
    table = None if keep else table_for(order)
    if table is None or sums.total is None:
        return sums
    own = payment_fees.put_on_by_rules([order.pk]).get(order.pk, 0)
    charges = Charges(sums.fees, sums.total, sums.tax)
    fee = own + table.fee(sums.total - sums.fees + own)
    after = with_fee(charges, fee, standard=cut.rates.get(STANDARD, 0))
    return replace(sums, fees=after.fees, total=after.total, tax=after.tax)


def at_standard_rate(order: Order) -> int:
    """What of the order is taxed at the standard rate, after the shop's discounts."""
    return prices_by_rate(refunds.bill_of(order)).get(STANDARD, 0)


def words(before: Sums, after: Sums) -> str:
    """How the fee moved; "" when it did not."""
    if before.fees == after.fees:
        return ""
    return said("手数料 %(before)s → %(after)s", before=yen(before.fees), after=yen(after.fees))


def figures(before: Sums, after: Sums) -> dict[str, tuple[str, str]]:
    """The same for the journal."""
    return {"fees": (yen(before.fees), yen(after.fees))} if before.fees != after.fees else {}


def after_cut(order: Order, before: Sums, after: Sums, *, key: str, actor: Actor) -> None:
    """What follows for people from sums that moved because pieces went; they are written. The caller holds the lock."""
    ask_people(order, before, after, key=key, actor=actor)
    ask_for_page(order, before, after, key=key, actor=actor)
    provider_tasks.total_moved(order, before, after, key=key, actor=actor)
    stop_dearer(order, before, after, actor=actor)


def ask_people(order: Order, before: Sums, after: Sums, *, key: str, actor: Actor) -> None:
    """A dearer fee leaves a draft that asks the buyer. The caller holds the order's lock."""
    if after.fees <= before.fees:
        return
    with override(settings.LANGUAGE_CODE):  # the customer's language
        name = str(dict(PaymentMethod.choices)[order.payment_method])
    text = (
        f"ご注文内容の変更により、お支払方法「{name}」の手数料が {yen(before.fees)} から {yen(after.fees)} になり、"
        f"合計金額は {yen(after.total or 0)} です。この内容でよろしいでしょうか。"
    )
    mail.schedule_for(
        [order.pk], MailEvent.INQUIRY, suffix=f":fee:{key}", draft=True, extra={"mail.message": text}, actor=actor
    )


def ask_for_page(order: Order, before: Sums, after: Sums, *, key: str, actor: Actor) -> None:
    """A shop's own cart knows the order too: a person writes the fee there."""
    if before.fees == after.fees or is_internal(order):
        return
    text = said(
        "%(no)s: 受注画面でも手数料を %(fee)s に、合計を %(total)s に変える",
        no=order.channel_order_no,
        fee=yen(after.fees),
        total=yen(after.total or 0),
    )
    tasks.ask([tasks.NewTask(f"fee:{order.pk}:{key}", order.pk, text, TaskKind.CHANGE, page_of(order))], actor=actor)


def stop_dearer(order: Order, before: Sums, after: Sums, *, actor: Actor) -> None:
    """Money that others took, or hold, for us does not reach any more: a person asks for the rest. Money of our ledger
    says so by itself."""
    was, now = before.total or 0, after.total or 0
    if now > was and order.payment_state in TAKEN and not order.payments.exists():
        review.open_from_above([(order.pk, review.amount_increased(was, now))], actor=actor)
