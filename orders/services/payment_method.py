"""Another way to pay, agreed with the buyer: the fee follows the shop's table, the gate follows the new way.

Money in our ledger stays with the order, whatever way it came: a dearer order waits for the rest, a cheaper one gives
the difference back. An authorisation belongs to its provider: a person ends it there, by a task.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import override

from oms.kernel.clock import TOKYO, in_tokyo
from oms.kernel.money import yen
from oms.kernel.said import said
from orders.decide.payment_fees import Charges
from orders.decide.payments import pay_by
from orders.decide.schedule import END_OF_DAY
from orders.models import Mail, Order, Refund, ReviewReason, TaskKind
from orders.models.mail import MailEvent
from orders.models.order import FulfillmentState, PaymentMethod, PaymentState
from orders.models.payment import Collector
from orders.services import (
    journal,
    ledger,
    mail,
    mail_stages,
    payment_fees,
    payment_mail,
    provider_tasks,
    refunds,
    review,
    tasks,
)
from orders.services import stage as stages
from orders.services.channel_words import page_of
from orders.services.internal import is_internal
from orders.services.journal import Actor, Entry
from orders.services.payment_fees import FeesOfShops
from orders.services.payment_terms import TermsOfShops

# Money that came, or is promised, belongs to the way it came.
CHANGEABLE = frozenset({PaymentState.UNPAID, PaymentState.FAILED})
MONEY_HERE = frozenset({PaymentState.PARTIALLY_PAID, PaymentState.PAID, PaymentState.OVERPAID})
COLUMNS = ("payment_method", "payment_name", "payment_state", "pay_by", "authorized_until", *payment_fees.COLUMNS)
NEEDED = ("shop", "channel_order_no", "ordered_at", "version", "flags", "paid_amount", "paid_at", "cancelled_at",
          "shipped_at", "fulfillment_state", *COLUMNS)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quote:
    """What the change does to one order. `after` holds its charges; `bound`: the mall's total binds."""

    order: Order
    method: str
    before: Charges
    after: Charges
    no_table: bool
    bound: bool

    @property
    def more(self) -> int:
        return self.after.total - self.before.total

    @property
    def taken(self) -> int:
        """What was authorised or has come."""
        authorised = self.order.payment_state == PaymentState.AUTHORIZED
        return self.before.total if authorised else self.order.paid_amount

    @property
    def asks_consent(self) -> bool:
        return self.more > 0

    @property
    def refund(self) -> int:
        """Yen that go back because the total fell below what has come."""
        over = max(0, self.order.paid_amount - self.after.total)
        return min(over, -self.more) if self.more < 0 else 0


def why_not(order: Order, method: str, terms: TermsOfShops) -> str:
    """Why an order keeps its way to pay, and what to do; empty when it may change. The order comes with its shop."""
    if order.cancelled_at:
        return said("キャンセル済みです。")
    if order.shipped_at:
        return said("出荷済みです。")
    if order.payment_method == method:
        return said("すでにその支払方法です。")
    cash = PaymentMethod.COD in {order.payment_method, method}
    if cash and order.fulfillment_state == FulfillmentState.PARTIALLY_SHIPPED:
        return said(
            "一部を出荷したため、代金引換との間では変えられません。残りをやめ、「複写」で新しい受注にしてください。"
        )
    if cash and order.fulfillment_state != FulfillmentState.NONE:
        return said("出荷指示のあとは代金引換の送り状が変わるため変更できません。先に出荷停止を依頼してください。")
    return _why_money_stays(order, method, terms)


def _why_money_stays(order: Order, method: str, terms: TermsOfShops) -> str:
    if order.payment_state == PaymentState.AUTHORIZED:
        ours = terms.of_order(order).collector == Collector.PROVIDER
        return "" if ours else said("与信済みです。与信を取り消してから変更してください。")
    if order.payment_state in CHANGEABLE and not order.paid_amount:
        return ""
    if order.payment_state in MONEY_HERE and order.paid_amount > 0 and method != PaymentMethod.COD:
        return ""
    return said("入金のあとのため変更できません。返金してから変更してください。")


def quotes(order_ids: Sequence[int], method: str) -> dict[int, Quote | str]:
    """By order: what the change would do, or why it would not. Four queries; changes nothing."""
    return _quotes(_rows(order_ids), method)


def _quotes(rows: QuerySet[Order], method: str) -> dict[int, Quote | str]:
    orders = list(rows)
    shops = {order.shop for order in orders}
    terms, fees = TermsOfShops(shops), FeesOfShops(shops)
    own = payment_fees.put_on_by_rules([order.pk for order in orders])
    return {
        order.pk: why_not(order, method, terms) or _quote(order, method, fees, own.get(order.pk, 0)) for order in orders
    }


def _quote(order: Order, method: str, fees: FeesOfShops, beside: int) -> Quote:
    table, bound = fees.table(order.shop_id, method), not payment_fees.sets_own_price(order)
    before, after = payment_fees.charges_of(order), payment_fees.charged(order, table, beside=beside)
    return Quote(order, method, before, after, table is None, bound)


@transaction.atomic
def change(order_ids: Sequence[int], method: str, *, actor: Actor) -> list[int]:
    """Let these orders be paid by `method`; returns those that changed.

    The fee follows the shop's table, and total and tax with it; the day to pay by follows the shop's terms, counted
    from the order's day; a failed payment counts as not made. A higher total leaves a draft that asks the buyer, and
    stops an order whose money came or was authorised; a lower one opens the refund of what was paid too much. Reasons
    and stages follow. Takes the orders' locks by pk.
    """
    found = _quotes(_locked(order_ids), method)
    told = [quote for quote in found.values() if isinstance(quote, Quote)]
    terms = TermsOfShops({quote.order.shop for quote in told})
    events = [_entry(quote.order, method, quote.after) for quote in told]
    voids = [_void(quote.order, terms, actor) for quote in told]
    stops = [(q.order.pk, review.amount_increased(q.before.total, q.after.total)) for q in told
             if q.more > 0 and q.taken and q.after.total > q.taken]  # fmt: skip
    for quote in told:
        _move(quote, terms)
    orders = [quote.order for quote in told]
    payment_mail.ask_no_more([order.pk for order in orders], why=payment_mail.OTHERWISE, actor=actor)
    _write(orders, events, actor)
    provider_tasks.take_no_more([order.pk for order in orders], actor=actor)
    _ask_people(told, [task for task in voids if task], actor)
    for quote in told:
        if quote.refund:
            wish = refunds.Wish(quantities={}, surplus=quote.refund)
            reason = said("支払方法の変更で合計が下がったため")
            refunds.open_refund(quote.order.pk, key=_key(quote.order, actor), wish=wish, reason=reason, actor=actor)
    _ask_consent(told, actor)
    asked = {quote.order.pk for quote in told if quote.asks_consent}  # the request waits for their answer
    mail_stages.way_changed([order.pk for order in orders], suffix=_suffix(actor), draft=asked)
    if stops:
        review.open_from_above(stops, actor=actor)
    return [order.pk for order in orders]


def _move(quote: Quote, terms: TermsOfShops) -> None:
    order, method = quote.order, quote.method
    own = terms.of(order.shop_id, method, "")
    last = pay_by(own, in_tokyo(order.ordered_at).date()) if own.collector == Collector.US else None
    order.payment_method, order.payment_name, order.authorized_until = method, "", None
    if not order.paid_amount:
        order.payment_state = PaymentState.UNPAID
    order.pay_by = _end_of(last)
    payment_fees.put(order, quote.after)
    order.version += 1


def _void(order: Order, terms: TermsOfShops, actor: Actor) -> tasks.NewTask | None:
    """What the old way left open at its provider, before the order is moved."""
    if order.payment_state == PaymentState.AUTHORIZED:
        text = said("%(no)s: 決済会社の画面で与信を取り消す（支払方法を変えたため）", no=order.channel_order_no)
    else:
        text = provider_tasks.still_open(order, terms)
    return tasks.NewTask(f"{_key(order, actor)}:void", order.pk, text, TaskKind.VOID, page_of(order)) if text else None


def _ask_people(told: Sequence[Quote], voids: Sequence[tasks.NewTask], actor: Actor) -> None:
    """What has to be done on other pages: ending what the old way left open, and the same fee where a channel knows the
    order."""
    names = dict(PaymentMethod.choices)
    new = list(voids)
    text = said("%(no)s: 受注画面でも支払方法を「%(method)s」に、合計を %(total)s に変える")
    new += [
        tasks.NewTask(
            f"{_key(quote.order, actor)}:page",
            quote.order.pk,
            text
            % {
                "no": quote.order.channel_order_no,
                "method": names[quote.method],
                "total": yen(quote.after.total),
            },
            TaskKind.CHANGE,
            page_of(quote.order),
        )
        for quote in told
        if quote.more and not is_internal(quote.order)
    ]
    tasks.ask(new, actor=actor)


def _ask_consent(told: Sequence[Quote], actor: Actor) -> None:
    """A draft per order whose total rises; orders whose fees move alike share the words."""
    alike: dict[tuple[int, int], list[int]] = defaultdict(list)
    for quote in told:
        if quote.asks_consent:
            alike[quote.before.fees, quote.after.fees].append(quote.order.pk)
    for (before, after), ids in alike.items():
        with override(settings.LANGUAGE_CODE):  # the customer's language
            name = str(dict(PaymentMethod.choices)[told[0].method])
        words = (
            f"お支払方法を「{name}」に変更すると、手数料が {yen(before)} から {yen(after)} になり、"
            f"合計金額が {yen(after - before)} 増えます。変更してよろしいでしょうか。"
        )
        mail.schedule_for(
            ids, MailEvent.INQUIRY, suffix=_suffix(actor), draft=True, extra={"mail.message": words}, actor=actor
        )


# ---- and back


@transaction.atomic
def put_back(before: Mapping[int, Mapping[str, Any]], *, actor: Actor, action: str) -> tuple[list[int], dict[int, str]]:
    """Undo the `change` that was made as `action`: order → its `COLUMNS` as they were, moments as ISO text. Returns
    the orders that went back, and why the others stay. Refunds that wait, drafts and tasks of the change go with it.
    """
    made = Actor(by=actor.by, action=action)
    orders = list(_locked(list(before)))
    refunds_of = {r.key: r for r in Refund.objects.filter(key__in=[_key(order, made) for order in orders])}
    voided = _voided(orders, made)
    back, stay, events = [], {}, []
    for order in orders:
        refund = refunds_of.get(_key(order, made))
        if why := _why_stays(order, refund, voided=order.pk in voided):
            stay[order.pk] = why
            continue
        back.append(order)
    refunds.withdraw(
        [refunds_of[key].pk for order in back if (key := _key(order, made)) in refunds_of],
        actor=actor,
        note=said("支払方法を元に戻したため"),
    )
    for order in back:
        was = before[order.pk]
        events.append(_entry(order, was["payment_method"], None, total=was["total"]))
        _restore(order, was)
    _write(back, events, actor)
    _take_back_words(back, made, actor)
    return [order.pk for order in back], stay


def _why_stays(order: Order, refund: Refund | None, *, voided: bool) -> str:
    if order.cancelled_at or order.shipped_at or order.fulfillment_state != FulfillmentState.NONE:
        return said("出荷指示や出荷、キャンセルのあとのため、そのままにしました。")
    if refund is not None and refund.state == Refund.State.DONE:
        return said("差額を返金したあとのため戻せません。あらためて支払方法を変え、差額をお客様に案内してください。")
    if voided:
        return said(
            "与信や支払番号を取り消したあとのため戻せません。もう一度決済をお願いし、支払方法を変えてください。"
        )
    return ""


def _voided(orders: Sequence[Order], made: Actor) -> set[int]:
    """Orders whose authorisation a person has ended already."""
    keys = {f"{_key(order, made)}:void": order.pk for order in orders}
    return {keys[key] for key in tasks.finished(list(keys))}


def _restore(order: Order, was: Mapping[str, Any]) -> None:
    order.payment_method, order.payment_name = was["payment_method"], was["payment_name"]
    if was["payment_state"] != BY_LEDGER:
        order.payment_state = was["payment_state"]
    for name in ("pay_by", "authorized_until"):
        setattr(order, name, datetime.fromisoformat(was[name]) if was[name] else None)
    for name in payment_fees.COLUMNS:
        setattr(order, name, was[name])
    order.version += 1


def _take_back_words(orders: Sequence[Order], made: Actor, actor: Actor) -> None:
    kinds = (MailEvent.INQUIRY, MailEvent.PAYMENT_REQUEST)
    keys = [f"{kind}:{order.pk}{_suffix(made)}" for order in orders for kind in kinds]
    mail.withdraw(Mail.objects.filter(key__in=keys), reason=said("支払方法を元に戻したため送りません。"), actor=actor)
    payment_mail.ask_after_all([order.pk for order in orders], why=payment_mail.OTHERWISE)
    tasks.withdraw([f"{_key(order, made)}:{what}" for order in orders for what in ("void", "page")], actor=actor)
    raised = ReviewReason.objects.filter(order__in=[order.pk for order in orders], code="amount_increased")
    ids = sorted(raised.filter(state=ReviewReason.State.OPEN).values_list("order", flat=True))
    review.close_from_above(ids, "amount_increased", actor=actor)


BY_LEDGER = "ledger"  # stands for the payment state of an order whose money our ledger holds: it follows from that


def remembered(order_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What `put_back` needs of these orders, as JSON has it."""
    found = {}
    for row in Order.objects.filter(pk__in=order_ids).values("pk", "paid_amount", *COLUMNS):
        values = {name: _plain(row[name]) for name in COLUMNS}
        if row["paid_amount"]:
            values["payment_state"] = BY_LEDGER
        found[row["pk"]] = values
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _rows(order_ids: Sequence[int]) -> QuerySet[Order]:
    needed = (*NEEDED, "shop__capabilities", "shop__channel_label")
    return Order.objects.filter(pk__in=order_ids).select_related("shop").only(*needed).order_by("pk")


def _locked(order_ids: Sequence[int]) -> QuerySet[Order]:
    return _rows(order_ids).select_for_update(no_key=True, of=("self",))


def _write(orders: Sequence[Order], events: Sequence[Entry], actor: Actor) -> None:
    """The orders are locked; what follows from the way to pay follows here."""
    Order.objects.bulk_update(orders, [*COLUMNS, "version"])
    ids = [order.pk for order in orders]
    ledger.settle([order.pk for order in orders if order.paid_amount], actor=actor)
    journal.write(events, actor=actor)
    review.reevaluate(ids, actor=actor)
    stages.recompute(ids, actor=actor)


def _entry(order: Order, method: str, after: Charges | None, *, total: int | None = None) -> Entry:
    names = dict(PaymentMethod.choices)
    changes = {"payment_method": (said(names[order.payment_method]), said(names[method]))}
    new = after.total if after else total
    if new is not None and order.total is not None and new != order.total:
        changes["total"] = (str(order.total), str(new))
    return Entry(order.pk, "edited", changes=changes)


def _key(order: Order, actor: Actor) -> str:
    return f"method:{order.pk}{_suffix(actor)}"


def _suffix(actor: Actor) -> str:
    return f":{actor.action or 'alone'}"


def _end_of(day: date | None) -> datetime | None:
    return datetime.combine(day, END_OF_DAY, TOKYO) if day else None
