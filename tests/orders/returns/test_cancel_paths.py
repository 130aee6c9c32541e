"""Cancelling by every way of paying and from every stage: money, stock, the channel, the mail and the tasks agree."""

import pytest

from fulfillment.models import Shipment
from fulfillment.services import stop
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.printing import record_printed
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import Balance
from oms.kernel.models import Effect
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.models import Cancellation, Mail, Order, OrderTask, Refund, ReturnCase
from orders.services import payment, refunds
from orders.services import stage as stages
from orders.services.cancel import Ask, cancel_orders, cancel_pieces
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped
from tests.orders.payments.builders import own_shop
from tests.orders.returns.test_returns import all_is_true

pytestmark = pytest.mark.django_db
M, S = PaymentMethod, PaymentState
TOTAL = 3500

# name: (our own shop?, method, state as told, the money came later, way of the refund, tasks)
WAYS = {
    "card, authorised": (True, M.CARD, S.AUTHORIZED, False, "void", {"void"}),
    "card, captured": (True, M.CARD, S.PAID, False, "provider", {"refund"}),
    "wallet, paid": (True, M.WALLET, S.PAID, False, "provider", {"refund"}),
    "transfer, unpaid": (True, M.BANK_TRANSFER, S.UNPAID, False, "", set()),
    "transfer, paid": (True, M.BANK_TRANSFER, S.UNPAID, True, "bank", {"refund"}),
    "convenience store, unpaid": (True, M.CONVENIENCE, S.UNPAID, False, "", {"void"}),
    "convenience store, paid": (True, M.CONVENIENCE, S.PAID, False, "provider", {"refund"}),
    "cash on delivery": (True, M.COD, S.UNPAID, False, "", set()),
    "deferred, in review": (True, M.DEFERRED, S.UNPAID, False, "", {"void"}),
    "deferred, granted": (True, M.DEFERRED, S.AUTHORIZED, False, "void", {"void"}),
    "on account": (True, M.ACCOUNT, S.UNPAID, False, "", set()),
    "mall, authorised": (False, M.MALL, S.AUTHORIZED, False, "channel", set()),
    "mall, paid": (False, M.MALL, S.PAID, False, "channel", set()),
    "mall, unpaid": (False, M.MALL, S.UNPAID, False, "", set()),
}


class Path:
    """One order of two chairs and one desk, paid in one of `WAYS`."""

    def __init__(self, way: str, by, **capabilities) -> None:
        own, method, state, later, self.way, self.kinds = WAYS[way]
        self.actor = Actor(by=by)
        self.warehouse = make_location()
        self.skus = [make_sku("CHAIR", stock_units=2), make_sku("DESK", stock_units=1)]
        told = make_channel_order(
            make_line("CHAIR", 2), make_line("DESK"), payment_method=method, payment_state=state,
            totals=Totals(goods=3000, shipping=500, total=TOTAL),
        )  # fmt: skip
        can = {"confirm": True, "cancel": True, "partial_cancel": True, "mail": "free"} | capabilities
        shop = own_shop() if own else make_shop(capabilities=can)
        take_in(shop, [told], sku_of=mapped(*self.skus))
        self.order = Order.objects.get()
        if later:
            payment.record_payments([self.order.pk], actor=self.actor)
        self.own = own

    def again(self) -> Order:
        self.order.refresh_from_db()
        return self.order

    def instruct(self) -> int:
        Order.objects.filter(pk=self.order.pk).update(ships_unpaid=True)
        stages.recompute([self.order.pk])
        allocate_waiting()
        parcel = instruct_orders([self.order.pk], actor=self.actor).shipments[0]
        record_printed([parcel], "pick_printed", by=None)
        return parcel

    def cancel(self, **ask):
        return cancel_orders([self.order.pk], ask=Ask(reason="customer", asked_by="customer", **ask), actor=self.actor)

    def is_cancelled(self) -> None:
        order = self.again()
        assert order.stage == "cancelled" and order.payment_state not in {"refunded"}
        for sku in self.skus:
            pool = Balance.objects.get(sku=sku, location=None)
            assert pool.reserved == 0
        self.check_money(TOTAL)
        assert Mail.objects.filter(order=order, event="cancelled").count() == 1
        assert order.events.filter(kind="cancelled").count() == 1
        told = Effect.objects.filter(kind="channel_cancel").count()
        tasks = set(OrderTask.objects.filter(done_at=None).values_list("kind", flat=True))
        assert (told, tasks) == ((0, {*self.kinds, "cancel"}) if self.own else (1, self.kinds))
        all_is_true()

    def check_money(self, amount: int) -> None:
        found = list(Refund.objects.values_list("amount", "way"))
        assert found == ([(amount, self.way)] if self.way else [])

    def pay_back(self) -> None:
        """Whoever pays it back says so."""
        refunds.complete([r.pk for r in Refund.objects.all()], actor=self.actor)
        held = self.way == "void" or (self.way == "channel" and not self.order.payments.exists())
        assert self.again().payment_state == ("refunded" if self.way else "unpaid") and (
            held or not self.order.paid_amount
        )
        all_is_true()


@pytest.mark.parametrize("way", WAYS)
def test_before_anything_is_placed(way, aoi):
    path = Path(way, aoi)
    assert path.cancel().orders == [path.order.pk]
    path.is_cancelled()
    path.pay_back()


@pytest.mark.parametrize("way", WAYS)
def test_after_the_warehouse_has_stopped_it(way, aoi):
    path = Path(way, aoi)
    parcel = path.instruct()
    assert path.cancel().waiting == [path.order.pk]
    assert not Refund.objects.exists() and not Mail.objects.filter(event="cancelled").exists()
    stop.stopped(parcel, actor=path.actor)
    path.is_cancelled()
    path.pay_back()


@pytest.mark.parametrize("way", WAYS)
def test_too_late(way, aoi):
    path = Path(way, aoi)
    parcel = path.instruct()
    path.cancel()
    stop.too_late(parcel, carrier="yamato", tracking_no="471203984414", actor=path.actor)
    assert path.again().stage == "shipped" and not Refund.objects.exists()
    assert Cancellation.objects.get().state == "too_late" and ReturnCase.objects.get().reason == "too_late"
    assert not Mail.objects.filter(event="cancelled").exists()
    assert not Effect.objects.filter(kind="channel_cancel").exists()
    all_is_true()


@pytest.mark.parametrize("way", WAYS)
def test_pieces_before_and_what_is_left_after_a_part_has_left(way, aoi):
    path = Path(way, aoi)
    lines = {line.sku.code: line for line in path.order.lines.select_related("sku")}
    cancel_pieces(path.order.pk, {lines["CHAIR"].pk: 1}, ask=Ask(reason="customer"), actor=path.actor)
    assert path.again().total == TOTAL - 1000 and path.order.quantity == 2
    given = [1000] if path.way not in {"", "void"} and path.order.payment_state != "authorized" else []
    assert list(Refund.objects.values_list("amount", flat=True)) == given
    all_is_true()
    parcel = path.instruct()
    confirm_shipments([Departure(parcel, "yamato", "471203984414")], actor=path.actor)
    refused = path.cancel().refused
    assert "返品" in refused[path.order.pk] and Shipment.objects.get().state == "shipped"
    all_is_true()


@pytest.mark.parametrize("way", ["card, authorised", "transfer, paid", "mall, paid"])
def test_what_is_not_sold_again_lies_in_inspection(way, aoi):
    path = Path(way, aoi)
    allocate_waiting()
    path.cancel(keep_off_sale=True)
    path.is_cancelled()
    for sku, units in zip(path.skus, (2, 1), strict=True):
        assert Balance.objects.get(sku=sku, location=None).on_hand == 0
        assert Balance.objects.get(sku=sku, location__kind="inspection").on_hand == units


@pytest.mark.parametrize("way", ["mall, authorised", "mall, paid"])
def test_a_mall_that_takes_no_word_is_told_by_a_person(way, aoi):
    path = Path(way, aoi, cancel=False, partial_cancel=False)
    assert path.cancel().by_hand == [path.order.pk]
    assert not Effect.objects.filter(kind="channel_cancel").exists()
    assert OrderTask.objects.filter(kind="cancel", done_at=None).count() == 1
    refund = Refund.objects.get()
    assert refund.amount == TOTAL and refund.way == "mall_page"
    all_is_true()


@pytest.mark.parametrize("way", WAYS)
def test_without_refund_and_mail_nothing_is_opened_and_nobody_is_written_to(way, aoi):
    path = Path(way, aoi)
    path.cancel(refund=False, send_mail=False)
    assert path.again().stage == "cancelled"
    assert not Refund.objects.exists() and not Mail.objects.filter(event="cancelled").exists()
    all_is_true()
