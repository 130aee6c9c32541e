"""Answers to stop requests that differ, or never come: nothing is forgotten and nothing goes out as it was."""

from datetime import datetime, timedelta

import pytest

from fulfillment.models import Shipment
from fulfillment.services import release, stop
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as shipment_violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.printing import record_printed
from inventory.services import stock
from inventory.services.audit import violations as stock_violations
from oms.kernel import clock
from oms.kernel.models import Effect
from orders.models import Cancellation, Order, OrderEvent, OrderTask, Refund, ReturnCase, ShippingPlan, Shop
from orders.queries.labels import due_reminders
from orders.services.audit import violations as order_violations
from orders.services.cancel import Ask, cancel_at_channel, cancel_orders, cancel_pieces
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_line, make_location, make_shop, make_sku

pytestmark = pytest.mark.django_db
ACTOR = Actor()
NUMBER = "471203984414"
CAN = {"confirm": True, "cancel": True, "partial_cancel": True, "mail": "free", "partial_shipment": True}


@pytest.fixture
def order() -> Order:
    """Instructed in two parcels, from two places that have begun with them: a chair in the east, a desk in the west."""
    east, west = make_location("W1", priority=1), make_location("W2", name="大阪倉庫", priority=2)
    chair, desk = make_sku("CHAIR", stock_units=1, location=east), make_sku("DESK", stock_units=1, location=west)
    made = ready(make_shop(capabilities=CAN), make_line("CHAIR"), make_line("DESK", price=2000), skus=[chair, desk])
    record_printed(instruct_orders([made.pk], actor=ACTOR).shipments, "pick_printed", by=None)
    return made


def parcels(order: Order) -> list[int]:
    return list(Shipment.objects.filter(recipient__order=order).order_by("pk").values_list("pk", flat=True))


def too_late(parcel: int, actor: Actor = ACTOR) -> stop.Answered:
    return stop.too_late(parcel, carrier="yamato", tracking_no=NUMBER, actor=actor)


def all_is_true() -> None:
    assert [*stock_violations(), *shipment_violations(), *order_violations()] == []


def states(order: Order) -> list[str]:
    return list(Shipment.objects.filter(recipient__order=order).order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize("late_first", [True, False])
def test_of_an_order_to_be_cancelled_only_what_has_left_stays_sold(order, late_first):
    east, west = parcels(order)
    assert cancel_orders([order.pk], ask=Ask(reason="customer"), actor=ACTOR).waiting == [order.pk]
    answers = [lambda: too_late(east), lambda: stop.stopped(west, actor=ACTOR)]
    first, last = answers if late_first else answers[::-1]
    assert first().cancelled == []
    assert Cancellation.objects.get().state == "waiting", "the other place has still to answer"
    all_is_true()
    assert last().cancelled == [order.pk]
    order.refresh_from_db()
    assert (order.stage, order.cancelled_at, order.total) == ("shipped", None, 1500)
    done = Cancellation.objects.get()
    assert (done.state, done.whole, done.lines.get().line.channel_sku) == ("done", False, "DESK")
    assert ReturnCase.objects.get().lines.get().line.channel_sku == "CHAIR"
    assert Refund.objects.get().amount == 2000 and Effect.objects.filter(kind="channel_cancel_lines").count() == 1
    allocate_waiting()
    assert release.release_ready() == 0 and states(order) == ["shipped", "stopped"]
    all_is_true()


def test_of_an_order_that_the_mall_cancelled_the_mall_pays_back_also_what_could_be_stopped(order):
    Shop.objects.update(capabilities=CAN | {"partial_cancel": False})
    cancel_at_channel([order.pk])
    east, west = parcels(order)
    stop.stopped(east, actor=ACTOR)
    too_late(west)
    one = Cancellation.objects.get()
    assert (one.state, one.lines.get().line.channel_sku, one.asked_by) == ("done", "CHAIR", "channel")
    refund = Refund.objects.get()
    assert (refund.way, refund.amount) == ("channel", 1000)
    assert not Effect.objects.filter(kind__startswith="channel_cancel").exists(), "it knows"
    all_is_true()


def test_an_order_whose_parcels_all_left_is_not_cancelled_and_comes_back_by_two_returns(order):
    cancel_orders([order.pk], ask=Ask(reason="customer"), actor=ACTOR)
    for parcel in parcels(order):
        too_late(parcel)
    order.refresh_from_db()
    assert order.stage == "shipped" and Cancellation.objects.get().state == "too_late"
    assert ReturnCase.objects.count() == 2 and not Refund.objects.exists()
    all_is_true()


def test_pieces_that_shall_go_are_taken_from_what_is_still_here():
    """Three chairs in two parcels, one of which shall be cancelled: the parcel that left keeps its own."""
    east, west = make_location("W1", priority=1), make_location("W2", name="大阪倉庫", priority=2)
    chair = make_sku("CHAIR", stock_units=2, location=east)
    stock.receive([stock.Fact(chair.pk, west.pk, 1, "test")])
    made = ready(make_shop(capabilities=CAN), make_line("CHAIR", 3), skus=[chair])
    record_printed(instruct_orders([made.pk], actor=ACTOR).shipments, "pick_printed", by=None)
    assert len(parcels(made)) == 2
    line = made.lines.get()
    cancel_pieces(made.pk, {line.pk: 1}, ask=Ask(reason="customer"), actor=ACTOR)
    carried = dict(Shipment.objects.filter(recipient__order=made).values_list("pk", "lines__line_quantity"))
    two, one = sorted(carried, key=lambda pk: -carried[pk])
    assert too_late(two).cases == [], "one chair is still here, and that is the one to go"
    assert stop.stopped(one, actor=ACTOR).cancelled == [made.pk]
    line.refresh_from_db()
    assert (line.quantity, line.shipped_quantity, line.cancelled_quantity) == (2, 2, 1)
    all_is_true()


def test_what_stopped_does_not_leave_again_while_another_place_has_still_to_answer(order):
    east, west = parcels(order)
    stop.ask_for_change([order.pk], note="住所変更", what=["recipient"], actor=ACTOR)
    stop.stopped(east, actor=ACTOR)
    allocate_waiting()
    assert states(order) == ["stopped", "stop_requested", "planned"]
    assert release.release_ready() == 0
    assert "返事を待って" in instruct_orders([order.pk], actor=ACTOR).skipped[order.pk]
    assert too_late(west).to_change == [order.pk]
    order.refresh_from_db()
    assert order.stage == "on_hold" and "届け先" in order.hold_reason, "the rest shall still be changed"
    assert release.release_ready() == 0 and states(order) == ["stopped", "shipped", "planned"]
    all_is_true()


@pytest.mark.parametrize("sign", ["waybill_exported", "numbered", "handover_printed", "work_printed"])
def test_a_parcel_whose_label_or_slips_are_out_does_not_stop_by_itself(sign, aoi):
    made = ready(make_shop(capabilities=CAN), skus=[make_sku(stock_units=1)])
    record_printed(instruct_orders([made.pk], actor=ACTOR).shipments, sign, by=aoi)
    assert cancel_orders([made.pk], reason="顧客都合", actor=ACTOR).waiting == [made.pk]


def test_whoever_asked_is_reminded_until_there_is_an_answer_and_told_when_it_was_too_late(order, aoi, monkeypatch):
    asking = Actor(by=aoi)
    stop.ask_for_change([order.pk], note="土曜に", what=["delivery"], actor=asking)
    assert due_reminders(aoi) == []
    assert not OrderEvent.objects.filter(kind="task_asked").exists(), "nobody has been reminded yet"
    later = clock.now() + timedelta(minutes=31)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert len(due_reminders(aoi)) == 2 and "大阪倉庫" in due_reminders(aoi)[1].text
    east, _west = parcels(order)
    too_late(east)
    assert [task.text for task in due_reminders(aoi)] == [
        task.text for task in due_reminders(aoi) if "大阪" in task.text
    ]
    told = OrderTask.objects.get(key__startswith="stop_too_late")
    assert NUMBER in told.text and "配達の希望日時" in told.text and told.assignee == aoi and told.done_at is None
    stop.withdraw(order.pk, actor=asking)
    assert due_reminders(aoi) == [] and states(order)[1] == "instructed"


def test_a_stop_that_the_channel_brought_about_reminds_the_team_of_the_desk(order, monkeypatch, person_with):
    cancel_at_channel([order.pk])
    later = clock.now() + timedelta(minutes=31)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert len(due_reminders(person_with("operator"))) == 2
    too_late(parcels(order)[0])
    assert OrderTask.objects.get(key__startswith="stop_too_late").team.name == "operator"


def test_whoever_stops_a_parcel_says_what_shall_be_another_and_the_place_reads_it(order, client_of, aoi):
    client = client_of(aoi)
    ask = client.get(f"/fulfillment/orders/{order.pk}/stop/").content.decode()
    assert 'name="what" value="payment"' in ask
    client.post(f"/fulfillment/orders/{order.pk}/stop/", {"what": ["recipient", "goods"], "note": "実家へ、椅子は2脚"})
    assert "(届け先、商品・数量)" in client.get("/fulfillment/stops/").content.decode()
    assert "(届け先、商品・数量)" in client.get(f"/fulfillment/orders/{order.pk}/").content.decode()
    nonsense = client.post(f"/fulfillment/orders/{order.pk}/stop/", {"what": ["colour"], "note": "x"})
    assert "field-error" in nonsense.content.decode()


def test_before_asking_one_sees_how_far_the_parcel_is_and_afterwards_what_to_do(order, client_of, aoi, monkeypatch):
    client, morning = client_of(aoi), datetime(2026, 6, 1, 10, 0, tzinfo=clock.TOKYO)
    east, west = parcels(order)
    Shipment.objects.update(instructed_at=morning)
    ShippingPlan.objects.create(location=None, cutoffs={"yamato": "15:00"})
    url = f"/fulfillment/orders/{order.pk}/stop/"
    for at, words in ((morning.replace(hour=14, minute=18), "あと 42分"), (morning.replace(hour=16), "を過ぎています")):
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        page = client.get(url).content.decode()
        assert page.count(words) == 2 and "ピッキングリストを印刷しました" in page and "止まったとき" in page
    client.post(url, {"what": ["recipient"], "note": "実家へ"})
    too_late(east)
    stop.stopped(west, actor=ACTOR)
    panel = client.get(f"/fulfillment/orders/{order.pk}/").content.decode()
    assert NUMBER in panel and "転送（届け先の変更）" in panel and "捨ててください" in panel
