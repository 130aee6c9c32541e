"""Parcels that left together and do not come back together: nobody stays untold, and who was told stays told."""

import pytest

from fulfillment.models import Shipment
from fulfillment.services.audit import violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.reopen import reopen
from fulfillment.services.ship import Departure, confirm_shipments
from oms.kernel import clock
from oms.kernel.models import Effect
from orders.models import Mail, Order, OrderTask
from orders.services import billing
from orders.services.journal import Actor
from orders.services.returns import Refused
from tests.fulfillment.merge_builders import ready
from tests.fulfillment.test_parcel_actions import back, run
from tests.orders.builders import make_line, make_location, make_shop, make_sku
from tests.orders.test_billing import account_of, close

pytestmark = pytest.mark.django_db
ACTOR = Actor()
NUMBERS = ("471203984414", "471203984425")


@pytest.fixture
def order() -> Order:
    """Instructed in two parcels, from two places."""
    east, west = make_location("W1", priority=1), make_location("W2", name="大阪倉庫", priority=2)
    chair, desk = make_sku("CHAIR", stock_units=1, location=east), make_sku("DESK", stock_units=1, location=west)
    shop = make_shop(capabilities={"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True})
    made = ready(shop, make_line("CHAIR"), make_line("DESK"), skus=[chair, desk])
    assert len(instruct_orders([made.pk], actor=ACTOR).shipments) == 2
    return made


def parcels(order: Order) -> list[int]:
    return list(Shipment.objects.filter(recipient__order=order).order_by("pk").values_list("pk", flat=True))


def leave(order: Order) -> list[int]:
    both = parcels(order)
    pairs = zip(both, NUMBERS, strict=True)
    assert confirm_shipments([Departure(pk, "yamato", no) for pk, no in pairs], actor=ACTOR).shipments == both
    return both


def notices() -> list[str]:
    return list(Effect.objects.filter(kind="channel_ship").order_by("key").values_list("key", flat=True))


@pytest.mark.parametrize("which", [0, 1])
def test_the_parcel_that_stays_away_is_told_anew(order, which):
    both = leave(order)
    reopen(both[which], actor=ACTOR)
    stays = both[1 - which]
    assert notices() == [f"ship:{order.pk}:{stays}"]
    mail = Mail.objects.get(event="partially_shipped")
    assert NUMBERS[1 - which] in str(mail.extra) and NUMBERS[which] not in str(mail.extra)
    assert not Mail.objects.filter(event="shipped").exists() and violations() == []
    confirm_shipments([Departure(both[which], "yamato", NUMBERS[which])], actor=ACTOR)
    assert len(notices()) == 2 and Mail.objects.get(event="shipped") and violations() == []


@pytest.mark.parametrize("which", [0, 1])
def test_a_buyer_who_was_written_to_is_not_told_of_the_same_parcel_twice(order, which):
    both = leave(order)
    Mail.objects.update(state="sent")
    reopen(both[which], actor=ACTOR)
    assert Mail.objects.filter(event="partially_shipped").count() == (which == 0), "under the first one it stands"
    assert violations() == []


@pytest.mark.parametrize("which", [0, 1])
def test_a_parcel_that_the_channel_knows_of_by_anothers_notice_stays_away(order, which):
    both = leave(order)
    Effect.objects.filter(kind="channel_ship").update(state="done", attempts=1, claimed_at=clock.now())
    with pytest.raises(Refused, match="知らせたあと"):
        reopen(both[which], actor=ACTOR)


def test_a_notice_of_an_earlier_parcel_that_goes_out_late_tells_of_the_later_one_too(order):
    first, second = parcels(order)
    confirm_shipments([Departure(first, "yamato", NUMBERS[0])], actor=ACTOR)
    confirm_shipments([Departure(second, "yamato", NUMBERS[1])], actor=ACTOR)
    Effect.objects.filter(key=f"ship:{order.pk}:{first}").update(state="done", attempts=1, claimed_at=clock.now())
    with pytest.raises(Refused, match="知らせたあと"):
        reopen(second, actor=ACTOR)


def test_a_notice_that_went_out_before_the_parcel_left_does_not_keep_it_away(order):
    first, second = parcels(order)
    confirm_shipments([Departure(first, "yamato", NUMBERS[0])], actor=ACTOR)
    Effect.objects.filter(kind="channel_ship").update(state="done", attempts=1, claimed_at=clock.now())
    confirm_shipments([Departure(second, "yamato", NUMBERS[1])], actor=ACTOR)
    assert reopen(second, actor=ACTOR).state == "instructed"


def test_shipping_from_the_desk_can_be_taken_back_and_done_again(order, aoi):
    for pk, number in zip(parcels(order), NUMBERS, strict=True):
        Shipment.objects.filter(pk=pk).update(tracking_no=number)
    made = run("ship", [order], aoi)
    back(made, aoi)
    assert made.undone == [order.pk] and notices() == []
    leave(order)
    assert len(notices()) == 1 and Mail.objects.filter(event="shipped").count() == 1 and violations() == []


def test_held_money_is_not_taken_while_the_goods_are_here_again_and_is_once_they_leave(order):
    Order.objects.filter(pk=order.pk).update(payment_method="card", payment_state="authorized")
    both = leave(order)
    task = OrderTask.objects.get(kind="capture")
    reopen(both[0], actor=ACTOR)
    task.refresh_from_db()
    assert task.done_at
    confirm_shipments([Departure(both[0], "yamato", NUMBERS[0])], actor=ACTOR)
    task.refresh_from_db()
    assert task.done_at is None and OrderTask.objects.filter(kind="capture").count() == 1


def test_what_stands_on_a_monthly_bill_has_left(order):
    Order.objects.filter(pk=order.pk).update(payment_method="account", payment_state="unpaid", paid_at=None)
    both = leave(order)
    own = Order.objects.select_related("shop", "member").get(pk=order.pk)
    bill = close(account_of(own))
    with pytest.raises(Refused, match=bill.document.number):
        reopen(both[0], actor=ACTOR)
    billing.void(bill.document_id, reason="締め直し", actor=ACTOR)
    assert reopen(both[0], actor=ACTOR).state == "instructed"
