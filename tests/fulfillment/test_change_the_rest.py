"""An order that left in part: what is still here may be changed, and what has left stays as it left."""

from datetime import timedelta

import pytest

from fulfillment.models import Shipment
from fulfillment.services import release, stop
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as shipment_violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.printing import record_printed
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.services.audit import violations as stock_violations
from oms.kernel import clock
from orders.models import Order, Recipient, Refund, ReviewReason
from orders.services import change_lines, edit, hold, payment_method, privacy
from orders.services.audit import violations as order_violations
from orders.services.cancel import Ask
from orders.services.change_lines import Wanted
from orders.services.edit import Seen, TooLate
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_line, make_location, make_shop, make_sku

pytestmark = pytest.mark.django_db
ACTOR = Actor()
NUMBER = "471203984414"
CAN = {"confirm": True, "cancel": True, "partial_cancel": True, "mail": "free", "partial_shipment": True}
HOME = {
    "name": "佐藤 恵", "kana": "", "company": "", "phone": "0312345678", "postal_code": "150-0002",
    "prefecture": "東京都", "city": "渋谷区", "address": "渋谷2-21-1",
}  # fmt: skip


@pytest.fixture
def order() -> Order:
    """A chair has left the east, two desks in the west are being picked."""
    east, west = make_location("W1", priority=1), make_location("W2", name="大阪倉庫", priority=2)
    chair, desk = make_sku("CHAIR", stock_units=1, location=east), make_sku("DESK", stock_units=2, location=west)
    made = ready(make_shop(capabilities=CAN), make_line("CHAIR"), make_line("DESK", 2, price=2000), skus=[chair, desk])
    first, _second = sorted(instruct_orders([made.pk], actor=ACTOR).shipments)
    record_printed([_second], "pick_printed", by=None)
    confirm_shipments([Departure(first, "yamato", NUMBER)], actor=ACTOR)
    made.refresh_from_db()
    assert made.stage == "partially_shipped"
    return made


def parcels(order: Order) -> list[Shipment]:
    return list(Shipment.objects.filter(lines__order_line__order=order).distinct().order_by("pk"))


def moves_to(order: Order, **values: str) -> edit.Edited:
    order.refresh_from_db()
    held = Recipient.objects.get(order=order, position=0)
    seen = Seen(order.version, edit.fingerprint({name: getattr(held, name) for name in edit.RECIPIENT_FIELDS}))
    return edit.edit_recipient(order.pk, 0, HOME | values, seen=seen, actor=ACTOR)


def stopped(order: Order) -> None:
    stop.ask_for_change([order.pk], note="転居", what=["recipient"], actor=ACTOR)
    assert stop.stopped(parcels(order)[1].pk, actor=ACTOR).to_change == [order.pk]
    order.refresh_from_db()
    assert order.stage == "on_hold"


def all_is_true() -> None:
    assert [*stock_violations(), *shipment_violations(), *order_violations()] == []


def test_the_rest_goes_to_the_new_address_and_what_left_keeps_its_own(order, client_of, aoi):
    before = parcels(order)[0].recipient.address
    with pytest.raises(TooLate, match="出荷を止めて変更する"):
        moves_to(order)
    stopped(order)
    form = client_of(aoi).get(f"/orders/{order.pk}/recipients/0/edit/").content.decode()
    assert "出荷したあとのため" not in form and 'name="postal_code"' in form
    assert "address" in moves_to(order).fields
    hold.lift_holds([order.pk], actor=ACTOR)
    allocate_waiting()
    assert release.release_ready() == 1
    left, old, anew = parcels(order)
    assert (left.state, old.state, anew.state) == ("shipped", "stopped", "instructed")
    assert (left.recipient.address, anew.recipient.address) == (before, "渋谷2-21-1")
    assert [one.position for one in order.recipients.all()] == [0], "nobody takes it for an order to two places"
    panel = client_of(aoi).get(f"/fulfillment/orders/{order.pk}/").content.decode()
    assert panel.count("変更前の届け先へ出荷") == 1
    with pytest.raises(TooLate):
        moves_to(order, address="渋谷3-1-1")
    privacy._erase_rows([order.pk])
    left.recipient.refresh_from_db()
    assert left.recipient.address != before, "what is erased is erased there too"
    all_is_true()


def test_an_address_that_no_parcel_reaches_keeps_the_rest_here(order):
    stopped(order)
    assert "postal_mismatch" in moves_to(order, prefecture="北海道", city="札幌市中央区").opened
    hold.lift_holds([order.pk], actor=ACTOR)
    allocate_waiting()
    assert release.release_ready() == 0
    moves_to(order)
    assert not ReviewReason.objects.filter(order=order, state="open", code="postal_mismatch").exists()
    assert release.release_ready() == 1
    all_is_true()


def test_fewer_of_what_is_here_but_never_fewer_than_left_and_no_more(order):
    stopped(order)
    chair, desk = order.lines.order_by("position")

    def changed(**wanted: object) -> change_lines.Changed:
        order.refresh_from_db()
        given = Wanted(order.version, ask=Ask(reason="customer"), **wanted)
        return change_lines.change(order.pk, given, actor=ACTOR)

    with pytest.raises(TooLate, match="出荷した数より"):
        changed(quantities={chair.pk: 0})
    with pytest.raises(TooLate, match="複写"):
        changed(quantities={desk.pk: 3})
    changed(quantities={desk.pk: 1})
    desk.refresh_from_db()
    assert (desk.quantity, desk.cancelled_quantity, Refund.objects.get().amount) == (1, 1, 2000)
    hold.lift_holds([order.pk], actor=ACTOR)
    allocate_waiting()
    assert release.release_ready() == 1
    last = parcels(order)[-1]
    assert [line.line_quantity for line in last.lines.all()] == [1]
    confirm_shipments([Departure(last.pk, "yamato", NUMBER)], actor=ACTOR)
    order.refresh_from_db()
    assert order.stage == "shipped"
    all_is_true()


def test_another_wish_holds_for_the_rest_and_cash_on_delivery_says_what_to_do_instead(order):
    stopped(order)
    seen = Seen(order.version, edit.fingerprint({name: getattr(order, name) for name in edit.DELIVERY_FIELDS}))
    day = clock.today() + timedelta(days=9)
    held = {name: getattr(order, name) for name in edit.DELIVERY_FIELDS}
    edit.edit_delivery(order.pk, held | {"wish_date": day}, seen=seen, actor=ACTOR)
    order.refresh_from_db()
    assert order.wish_date == day
    words = payment_method.quotes([order.pk], "cod")[order.pk]
    assert "複写" in str(words) and "停止を依頼" not in str(words)
