"""Money under any sequence of verbs: sums stay true to the yen, never fall below nothing, and undoing restores them."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db.models import QuerySet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulfillment.models import Merge
from fulfillment.services import merge
from fulfillment.services.allocate import allocate_waiting
from inventory.models import Sku
from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.decide.bank_formats import Incoming
from orders.decide.cut import CutLine, Sums, cut
from orders.decide.refunds import FEES, Bill, BillLine, plan_refund, shares_of
from orders.models import BankLine, BankMatch, Order, OrderLine, PaymentEntry, ReasonSetting, Refund, Shop
from orders.services import audit, bank_files, cancel, matching, payment, refunds
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import ORDERED_AT, make_channel_order, make_line, make_sku, mapped, numbers
from tests.orders.payments.builders import own_shop

ACTOR = Actor()
REFUSALS = (matching.CannotMatch, payment.GivenBack, refunds.NothingToRefund, merge.CannotMerge)


@st.composite
def orders(draw) -> tuple[list[CutLine], Sums, dict[str, int]]:
    """(lines, sums, fees) of an order whose figures are right."""
    lines = [
        CutLine(at, quantity, 0, amount, tax_rate=rate)
        for at, (quantity, amount, rate) in enumerate(
            draw(
                st.lists(
                    st.tuples(st.integers(1, 5), st.integers(0, 9000), st.sampled_from([8, 10])), min_size=1, max_size=4
                )
            ),
            start=1,
        )
    ]
    goods = sum(line.amount for line in lines)
    fees = {name: draw(st.integers(0, 900)) for name in FEES}
    tax_excluded = draw(st.sampled_from([0, goods // 11]))
    left = goods + tax_excluded + sum(fees.values())
    taken = {}
    for name in ("discount", "coupons_shop", "coupons_channel", "points"):
        taken[name] = draw(st.integers(0, left)) if draw(st.booleans()) else 0
        left -= taken[name]
    told = draw(st.booleans())
    off = taken["discount"] + taken["coupons_shop"]
    if told and goods and off <= goods:
        each = [off * line.amount // goods for line in lines]
        lines = [replace(line, discount=share) for line, share in zip(lines, each, strict=True)]
    return lines, Sums(goods=goods, tax_excluded=tax_excluded, tax=goods // 11, total=left, **taken), fees


def bill(lines: list[CutLine], sums: Sums, fees: dict[str, int]) -> Bill:
    return Bill(
        lines=[
            BillLine(one.id, one.quantity, one.amount, one.tax_rate or 10, one.discount)
            for one in lines
            if one.quantity
        ],
        fees=fees,
        shop_discount=sums.discount + sums.coupons_shop,
        coupons_channel=sums.coupons_channel,
        points=sums.points,
        tax_excluded=sums.tax_excluded,
    )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(orders(), st.data())
def test_taking_pieces_off_in_any_steps_keeps_the_order_and_what_is_given_back_together(order, data):
    lines, sums, fees = order
    assert sums.total is not None
    paid, first = sums.total, sums
    while standing := {line.id: line.quantity for line in lines if line.quantity}:
        some = data.draw(st.lists(st.sampled_from(sorted(standing)), min_size=1, max_size=3, unique=True))
        pieces = {id_: data.draw(st.integers(1, standing[id_])) for id_ in some}
        before = bill(lines, sums, fees)
        plan = plan_refund(before, pieces, at_most=paid)
        taken = cut([line for line in lines if line.quantity], sums, before, pieces)
        changed = {line.id: line for line in taken.lines}
        lines, sums = [changed.get(line.id, line) for line in lines], taken.sums
        for name in ("goods", "tax_excluded", "discount", "coupons_shop", "coupons_channel", "points", "tax", "total"):
            assert 0 <= getattr(sums, name) <= getattr(first, name), name
        assert plan.amount == taken.value
        paid -= plan.amount
        assert paid == sums.total
        assert sums.goods == sum(line.amount for line in lines)
        parts, fee_parts = shares_of(bill(lines, sums, fees))
        assert sum(part.money for part in [*parts, *fee_parts.values()]) == sums.total
    assert sums.goods == sums.tax_excluded == 0


# ---- the services


class Till:
    """Two orders of one buyer by bank transfer, and people who do anything with their money that the screens offer."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        ReasonSetting.objects.get_or_create(code="duplicate_suspect", defaults={"active": False, "level": "block"})
        cash = self.dice.random() < 0.5
        shop = own_shop(merge_policy="ask", merge_refunds_shipping=True)
        chair = make_sku("CHAIR", stock_units=40)
        method = PaymentMethod.COD if cash else PaymentMethod.BANK_TRANSFER
        self.ids = [self.order(shop, chair, method) for _two in range(2)]
        self.keys = count(1)
        if not cash and self.dice.random() < 0.7:
            payment.record_payments(self.ids, actor=ACTOR)
        allocate_waiting()
        self.merged = 0
        self.verbs = [
            self.pay, self.pay, self.transfer, self.match, self.unmatch, self.take_back, self.waive, self.give_back,
            self.give_back, self.pay_out, self.pay_out, self.withdraw, self.cut, self.merge,
            self.merge, self.part, self.cancel,
        ]  # fmt: skip

    def order(self, shop: Shop, chair: Sku, method: str) -> int:
        lines = (make_line("CHAIR", 3, price=1001), make_line("CHAIR", 2, price=777, tax_rate=8))
        goods = 3 * 1001 + 2 * 777
        off = {name: self.dice.choice([0, 0, 1, 333, 900]) for name in ("discount", "coupons_shop", "points")}
        fees = self.dice.choice([0, 330])
        totals = Totals(goods=goods, shipping=500, fees=fees, total=goods + 500 + fees - sum(off.values()), **off)
        minute = timedelta(minutes=next(numbers))
        told = make_channel_order(
            *lines, totals=totals, payment_method=method, payment_state=PaymentState.UNPAID,
            ordered_at=ORDERED_AT + minute,
        )  # fmt: skip
        take_in(shop, [told], sku_of=mapped(chair))
        return Order.objects.get(channel_order_no=told.channel_order_no).pk

    def step(self) -> str:
        verb = self.dice.choice(self.verbs)
        try:
            verb(self.dice.choice(self.ids))
        except REFUSALS as refusal:
            assert str(refusal) or getattr(refusal, "cause", "")
        return verb.__name__

    def pay(self, pk: int) -> None:
        amount = self.dice.choice([None, 1, 700, 9000])
        payment.record_payments([pk], actor=ACTOR, amount=amount, key=str(next(self.keys)))

    def transfer(self, _pk: int) -> None:
        amount = self.dice.choice([500, 4000, 5057])
        incoming = Incoming(clock.today(), amount, "ヤマダ ハナコ", str(next(self.keys)))
        bank_files.load([incoming], name="bank", layout="paste", account=str(next(self.keys)), actor=ACTOR)

    def match(self, pk: int) -> None:
        line = self.one(BankLine.objects.filter(state="open"))
        matching.accept(line.pk, {pk: self.dice.choice([1, matching.rest_of(line)])}, actor=ACTOR)

    def unmatch(self, _pk: int) -> None:
        matching.undo([self.one(BankMatch.objects.all()).pk], actor=ACTOR)

    def take_back(self, pk: int) -> None:
        entry = self.one(PaymentEntry.objects.filter(order=pk))
        payment.undo_entry(pk, entry.pk, actor=ACTOR)

    def waive(self, pk: int) -> None:
        payment.waive_rest(pk, actor=ACTOR, note="手数料")

    def give_back(self, pk: int) -> None:
        lines = list(OrderLine.objects.filter(order=pk, quantity__gt=0))
        pieces = {line.pk: self.dice.randint(0, 2) for line in lines}
        wishes = [
            refunds.Wish(pieces),
            refunds.Wish(None),
            refunds.Wish({}, ["shipping"]),
            refunds.Wish(pieces, ["fees"], deduction=200, goodwill=50),
        ]
        refunds.open_refund(
            pk, key=f"walk:{next(self.keys)}", wish=self.dice.choice(wishes), reason="不良", actor=ACTOR
        )

    def pay_out(self, _pk: int) -> None:
        refunds.complete([self.one(Refund.objects.all()).pk], actor=ACTOR)

    def withdraw(self, _pk: int) -> None:
        refunds.withdraw([self.one(Refund.objects.all()).pk], actor=ACTOR)

    def cut(self, pk: int) -> None:
        lines = list(OrderLine.objects.filter(order=pk))
        pieces = {line.pk: self.dice.randint(0, 1) for line in lines}
        ask = cancel.Ask(refund=self.dice.random() < 0.7)
        cancel.cancel_pieces(pk, pieces, ask=ask, actor=ACTOR)

    def merge(self, _pk: int) -> None:
        merge.merge_orders(self.ids, actor=ACTOR)
        self.merged += 1

    def part(self, _pk: int) -> None:
        merge.undo(self.one(Merge.objects.all()).pk, actor=ACTOR)

    def cancel(self, pk: int) -> None:
        if self.dice.random() < 0.1:
            cancel.cancel_orders([pk], ask=cancel.Ask(), actor=ACTOR)

    def one(self, rows: QuerySet[Any]) -> Any:
        found = list(rows.order_by("pk"))
        if not found:
            raise matching.CannotMatch("nothing there")
        return self.dice.choice(found)

    def check(self, done: str) -> None:
        assert audit.violations() == [], done
        for order in Order.objects.filter(pk__in=self.ids):
            lines = order.lines.all()
            assert order.goods == sum(line.amount for line in lines), done
            off = order.discount + order.coupons_shop + order.coupons_channel + order.points
            assert order.total == order.goods + order.shipping_fee + order.fees - off, done
            assert min(order.total, order.paid_amount, order.discount, order.coupons_shop, order.points) >= 0, done
            parts, fees = shares_of(refunds.bill_of(order))
            assert sum(part.money for part in [*parts, *fees.values()]) == order.total, done


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(8))
def test_any_walk_through_the_money_of_two_orders_keeps_the_books(seed):
    till, done = Till(seed), []
    for _step in range(25):
        done.append(till.step())
        till.check(" ".join(done))


def test_a_piece_whose_money_went_back_is_taken_off_without_another_refund():
    lines, sums = [CutLine(1, 2, 0, 1001)], Sums(1001, 0, 0, 0, 0, 0, 91, 1501)
    refunded = Bill([BillLine(1, 2, 1001, refunded=2, refunded_price=1001)], {"shipping": 500})
    taken = cut(lines, sums, refunded, {1: 1})
    assert (taken.value, taken.sums.total, taken.lines[0].quantity) == (500, 1001, 1)
