"""Any sequence of cancelling, stopping, shipping in parts and returning keeps stock and money true."""

import random

import pytest
from django.db.models import F, Sum

from fulfillment.models import Shipment
from fulfillment.services import stop
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as shipment_violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.printing import record_printed
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import Balance
from inventory.services import stock
from inventory.services.audit import violations as stock_violations
from orders.channel_order import PaymentMethod, Totals
from orders.models import Order, OrderLine, Refund, ReturnCase, ReturnLine
from orders.services import returns
from orders.services.audit import violations as order_violations
from orders.services.cancel import Ask, cancel_orders, cancel_pieces
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.returns import Refused, Settlement
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
ACTOR = Actor()


class Walk:
    """One order of two goods, one of them short, and a person who does anything that the screens offer."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.warehouse = make_location()
        self.skus = [make_sku("CHAIR", stock_units=4), make_sku("DESK", stock_units=self.dice.choice([1, 2, 3]))]
        self.units = sum(Balance.objects.exclude(location=None).values_list("on_hand", flat=True))
        discount = self.dice.choice([0, 333])
        lines = (make_line("CHAIR", 4, price=1001), make_line("DESK", 3, price=777, tax_rate=8))
        goods = 4 * 1001 + 3 * 777
        told = make_channel_order(
            *lines,
            payment_method=PaymentMethod.CARD,
            totals=Totals(goods=goods, shipping=500, discount=discount, total=goods + 500 - discount),
        )
        shop = make_shop(
            capabilities={"cancel": True, "partial_cancel": True, "mail": "free", "partial_shipment": True}
        )
        take_in(shop, [told], sku_of=mapped(*self.skus))
        self.pk = Order.objects.get().pk
        self.paid = goods + 500 - discount
        self.goods_left = goods - discount
        self.verbs = [
            self.allocate, self.instruct, self.ship, self.cancel_some, self.ask_for_return, self.go_on_with_a_return,
            self.receive_goods, self.print_papers, self.answer, self.go_on_with_a_return,
        ]  # fmt: skip

    def step(self) -> str:
        verb = self.dice.choice(self.verbs)
        verb()
        return verb.__name__

    def allocate(self) -> None:
        allocate_waiting()

    def instruct(self) -> None:
        allocate_waiting()
        instruct_orders([self.pk], actor=ACTOR)

    def print_papers(self) -> None:
        record_printed(list(self.parcels("instructed")), "pick_printed", by=None)

    def ship(self) -> None:
        self.instruct()
        confirm_shipments([Departure(pk, "yamato", f"{pk}") for pk in self.parcels("instructed")], actor=ACTOR)

    def receive_goods(self) -> None:
        sku = self.dice.choice(self.skus)
        stock.receive([stock.Fact(sku.pk, self.warehouse.pk, 1, "test")])
        self.units += 1

    def cancel_some(self) -> None:
        pieces = {line.pk: self.dice.randint(0, 2) for line in OrderLine.objects.filter(order=self.pk)}
        cancel_pieces(self.pk, pieces, ask=Ask(keep_off_sale=self.dice.random() < 0.3), actor=ACTOR)

    def answer(self) -> None:
        for pk in self.parcels("stop_requested"):
            if self.dice.random() < 0.5:
                stop.stopped(pk, actor=ACTOR)
            else:
                stop.too_late(pk, carrier="yamato", tracking_no="1", actor=ACTOR)

    def ask_for_return(self) -> None:
        free = returns.returnable(self.pk)
        pieces = {line: self.dice.randint(0, 2) for line in free}
        try:
            key = f"walk:{ReturnCase.objects.count()}"
            returns.open_case(self.pk, pieces, reason=self.dice.choice(["customer", "defective"]), key=key)
        except Refused:
            assert not any(pieces.values()) or any(pieces[line] > free[line] for line in free)

    def go_on_with_a_return(self) -> None:
        case = self.dice.choice([*ReturnCase.objects.order_by("pk"), None])
        if case is not None:
            self.go_on(case)

    def go_on(self, case: ReturnCase) -> None:
        if case.state == "requested":
            returns.approve(case.pk, actor=ACTOR)
        elif case.state == "approved":
            most = {line.pk: line.quantity for line in case.lines.all()}
            counts = {pk: self.dice.randint(1, n) for pk, n in most.items()}
            returns.receive(case.pk, counts, actor=ACTOR)
        elif case.state == "received":
            self.grade(case)
        elif case.state == "inspected":
            pieces = dict(case.lines.filter(received__gt=0).values_list("line", "received"))
            returns.settle(case.pk, Settlement(pieces, note="精算"), actor=ACTOR)
        elif case.state == "settled":
            returns.close(case.pk, actor=ACTOR)

    def grade(self, case: ReturnCase) -> None:
        grades = {}
        for sku, count in returns.received_units(case).items():
            good = self.dice.randint(0, count)
            grades |= {(sku, "good"): good, (sku, "defective"): count - good}
        returns.inspect(case.pk, grades, location_id=self.warehouse.pk, actor=ACTOR)

    def finish(self) -> None:
        """Answer every stop, cancel all that has not left, take back all that has."""
        self.answer()
        cancel_orders([self.pk], ask=Ask(), actor=ACTOR)
        left = {line.pk: line.quantity - line.shipped_quantity for line in OrderLine.objects.filter(order=self.pk)}
        cancel_pieces(self.pk, left, ask=Ask(), actor=ACTOR)
        self.answer()
        if any((free := returns.returnable(self.pk)).values()):
            returns.open_case(self.pk, free, reason="defective", key="walk:last")
        for _round in range(6):
            for case in ReturnCase.objects.order_by("pk"):
                self.go_on(case)

    def parcels(self, state: str) -> list[int]:
        return list(Shipment.objects.filter(state=state).order_by("pk").values_list("pk", flat=True))

    def check(self) -> None:
        assert [*stock_violations(), *shipment_violations(), *order_violations()] == []
        here = Balance.objects.exclude(location=None).aggregate(n=Sum("on_hand"))["n"] or 0
        gone = OrderLine.objects.filter(order=self.pk).aggregate(n=Sum("shipped_quantity"))["n"] or 0
        back = ReturnLine.objects.filter(case__order=self.pk).aggregate(n=Sum("received"))["n"] or 0
        assert here + gone - back == self.units, "every unit is here, or with the buyer"
        assert self.refunded() <= self.paid, "nobody gets back more than was paid"
        for line in OrderLine.objects.filter(order=self.pk):
            assert 0 <= line.shipped_quantity <= line.quantity

    def refunded(self) -> int:
        return Refund.objects.exclude(state="withdrawn").aggregate(n=Sum("amount"))["n"] or 0


@pytest.mark.parametrize("seed", range(10))
def test_any_sequence_keeps_stock_and_money_true(seed):
    walk = Walk(seed)
    walk.check()
    done: list[str] = []
    if seed % 2:
        walk.ship()  # so that half of the walks begin with goods that may come back
    for _step in range(12):
        done.append(walk.step())
        walk.check()
    walk.finish()
    walk.check()
    if ReturnLine.objects.exclude(received=F("quantity")).exists():
        return  # pieces that a case waited for in vain stay with the buyer, and so does their price
    assert not any(returns.returnable(walk.pk).values()) and not ReturnCase.objects.exclude(state="closed").exists()
    with_shipping = 500 if Refund.objects.filter(shipping__gt=0).exists() else 0
    assert walk.refunded() == walk.goods_left + with_shipping, done
