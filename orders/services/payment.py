"""Recording money that arrived outside the channels, and what follows from it."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.db.models import F

from oms.kernel import clock
from oms.kernel.money import yen
from oms.kernel.said import said, together
from orders.models import Order, PaymentEntry
from orders.models.order import PAYABLE, PaymentMethod, PaymentState
from orders.services import journal, ledger, payment_mail, payment_reports, review
from orders.services import stage as stages
from orders.services.journal import Actor, Entry
from orders.services.rules import run as rules


@transaction.atomic
def record_payments(
    order_ids: Sequence[int],
    *,
    actor: Actor,
    note: str = "",
    amount: int | None = None,
    on: date | None = None,
    key: str = "",
) -> list[int]:
    """Enter what is still owed (or this `amount`) for unpaid open orders; returns those that changed.

    The same `key` again enters nothing. Channels that can be told are told once everything is there.
    """
    rows = Order.objects.select_for_update(no_key=True).filter(
        pk__in=order_ids, cancelled_at__isnull=True, payment_state__in=PAYABLE
    )
    orders = list(rows.order_by("pk").only("total", "paid_amount", "version"))
    if key:
        names = {recorded_key(order.pk, key): order.pk for order in orders}
        known = {names[name] for name in PaymentEntry.objects.filter(key__in=names).values_list("key", flat=True)}
        orders = [order for order in orders if order.pk not in known]
    owed = {order.pk: amount if amount is not None else (order.total or 0) - order.paid_amount for order in orders}
    free = [order.pk for order in orders if owed[order.pk] <= 0]
    Order.objects.filter(pk__in=free).update(
        payment_state=PaymentState.PAID, paid_at=clock.now(), version=F("version") + 1
    )
    ledger.post(
        [
            ledger.New(
                order.pk,
                PaymentEntry.Kind.RECORDED,
                owed[order.pk],
                recorded_key(order.pk, key or order.version),
                on,
                note,
            )
            for order in orders
            if owed[order.pk] > 0
        ],
        actor=actor,
    )
    paid = [order.pk for order in orders]
    journal.write([Entry(pk, "paid", together([yen(owed[pk]), note], " ")) for pk in paid], actor=actor)
    follow(paid, actor=actor)
    return paid


def recorded_key(order_id: int, key: str | int) -> str:
    return f"recorded:{order_id}:{key}"


def is_recorded(order_id: int, key: str) -> bool:
    """Whether this entry was made, and stands."""
    name = recorded_key(order_id, key)
    found = set(PaymentEntry.objects.filter(key__in=[name, f"{name}:undone"]).values_list("key", flat=True))
    return found == {name}


@transaction.atomic
def waive_rest(order_id: int, *, actor: Actor, note: str) -> int:
    """The shop bears what is missing (a bank's fee the buyer took off, say); returns the yen, 0 when nothing is."""
    ledger.lock([order_id])
    order = Order.objects.get(pk=order_id)
    rest = (order.total or 0) - order.paid_amount
    if order.payment_state != PaymentState.PARTIALLY_PAID or rest <= 0:
        return 0
    key = f"waived:{order.pk}:{order.version}"
    ledger.post([ledger.New(order.pk, PaymentEntry.Kind.WAIVED, rest, key, note=note)], actor=actor)
    journal.write([Entry(order.pk, "payment_waived", together([yen(rest), note], " "))], actor=actor)
    follow([order.pk], actor=actor)
    return rest


class GivenBack(Exception):
    """Money of this entry went back, or is promised to; says in Japanese what to do first. Nothing was written."""

    def __init__(self) -> None:
        super().__init__(
            said(
                "この入金からの返金があるため取り消せません。返金待ちなら先に返金を取りやめ、返金済みなら返金の内容を確かめてください。"
            )
        )


@transaction.atomic
def undo_entry(order_id: int, entry_id: int, *, actor: Actor) -> bool:
    """Take back an entry made by hand; bank matches are undone where they were made. Twice changes nothing.

    Raises GivenBack when a refund stands on this money.
    """
    ledger.lock([order_id])
    by_hand = [PaymentEntry.Kind.RECORDED, PaymentEntry.Kind.WAIVED]
    entry = PaymentEntry.objects.filter(pk=entry_id, order=order_id, kind__in=by_hand, amount__gt=0).first()
    if entry is None:
        return False
    kind = PaymentEntry.Kind.WAIVED if entry.kind == PaymentEntry.Kind.WAIVED else PaymentEntry.Kind.UNDONE
    known = PaymentEntry.objects.filter(key=f"{entry.key}:undone").exists()
    if kind == PaymentEntry.Kind.UNDONE and not known and ledger.free_money([order_id])[order_id] < entry.amount:
        raise GivenBack
    if not ledger.post([ledger.New(order_id, kind, -entry.amount, f"{entry.key}:undone")], actor=actor):
        return False
    journal.write([Entry(order_id, "payment_undone", yen(entry.amount))], actor=actor)
    follow([order_id], actor=actor)
    return True


def follow(order_ids: Sequence[int], *, actor: Actor) -> None:
    """After the ledger changed: reasons, stages, the channel and the buyer. The caller holds the orders' locks."""
    rows = Order.objects.filter(pk__in=order_ids).values_list("pk", "payment_state", "payment_method")
    states = {pk: state for pk, state, _method in rows}
    by_month = {pk for pk, _state, method in rows if method == PaymentMethod.ACCOUNT}  # one transfer for many
    complete = [pk for pk, state in states.items() if state in {PaymentState.PAID, PaymentState.OVERPAID}]
    open_again = [pk for pk, state in states.items() if state in PAYABLE]
    review.sync(order_ids)
    payment_reports.tell(complete, actor=actor)
    payment_reports.take_back(open_again, actor=actor)
    rules.run_behind(complete, dict.fromkeys(complete, ("paid",)))
    stages.recompute(list(order_ids), actor=actor)
    payment_mail.thank([pk for pk in complete if pk not in by_month])
    payment_mail.ask_no_more(complete, why=payment_mail.PAID, actor=actor)
    payment_mail.take_thanks_back(open_again, actor=actor)
    payment_mail.ask_after_all(open_again, why=payment_mail.PAID)


def undone_keys(entries: Sequence[PaymentEntry]) -> set[str]:
    """Keys of the entries of an order that were taken back."""
    return {entry.key.removesuffix(":undone") for entry in entries if entry.key.endswith(":undone")}
