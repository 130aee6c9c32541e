"""Goods that come back: from the wish to the last yen, with stock and money true at every step."""

import pytest
from django.http import QueryDict

from channels.queries.budgets import budgets as shop_budgets
from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as shipment_violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.reopen import parcel_returned, reopen, why_not_reopened
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import Balance, BundleComponent, Entry
from inventory.services.audit import violations as stock_violations
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.pages.services import figures
from orders.documents.credit import Wish
from orders.filters import OrderFilter
from orders.models import (
    DayFigure,
    IssuedDocument,
    Mail,
    Order,
    OrderFigure,
    OrderTask,
    PaperSettings,
    Refund,
    ReturnCase,
    ReturnEvent,
    UnknownParcel,
)
from orders.services import documents, exchange, returns, unknown_parcels
from orders.services.audit import violations as order_violations
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.return_papers import credit_note_of
from orders.services.returns import Refused, Settlement
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
ACTOR = Actor()
NUMBER = "471203984414"


@pytest.fixture
def shop():
    return make_shop(capabilities={"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True})


def shipped(shop, *lines, skus, **fields) -> Order:
    told = make_channel_order(*lines, **fields)
    take_in(shop, [told], sku_of=mapped(*skus))
    allocate_waiting()
    order = Order.objects.get(channel_order_no=told.channel_order_no)
    parcels = instruct_orders([order.pk], actor=ACTOR).shipments
    confirm_shipments([Departure(parcel, "yamato", NUMBER) for parcel in parcels], actor=ACTOR)
    return again(order)


def again(row):
    row.refresh_from_db()
    return row


def all_is_true():
    assert [*stock_violations(), *shipment_violations(), *order_violations()] == []


def on_hand(sku, kind) -> int:
    return sum(Balance.objects.filter(sku=sku, location__kind=kind).values_list("on_hand", flat=True))


def received(case) -> ReturnCase:
    returns.approve(case.pk, actor=ACTOR)
    returns.on_its_way(case.pk, carrier="yamato", tracking_no="1", actor=ACTOR)
    return returns.receive(case.pk, {line.pk: line.quantity for line in case.lines.all()}, actor=ACTOR)


def test_a_return_goes_from_the_wish_to_the_last_yen(shop):
    warehouse, chair = make_location(), make_sku(stock_units=5)
    order = shipped(shop, make_line("CHAIR", 3), skus=[chair])
    line = order.lines.get()
    case = returns.open_case(order.pk, {line.pk: 2}, reason="defective", key="k", actor=ACTOR)
    assert returns.open_case(order.pk, {line.pk: 2}, reason="defective", key="k", actor=ACTOR) == case
    with pytest.raises(Refused, match="返品できる数"):
        returns.open_case(order.pk, {line.pk: 2}, reason="customer", key="other", actor=ACTOR)
    received(case)
    assert on_hand(chair, "inspection") == 2 and on_hand(chair, "warehouse") == 2
    with pytest.raises(Refused, match="合いません"):
        returns.inspect(case.pk, {(chair.pk, "good"): 1}, location_id=warehouse.pk, actor=ACTOR)
    grades = {(chair.pk, "good"): 1, (chair.pk, "defective"): 1}
    returns.inspect(case.pk, grades, location_id=warehouse.pk, actor=ACTOR)
    assert (on_hand(chair, "inspection"), on_hand(chair, "warehouse"), on_hand(chair, "damaged")) == (0, 3, 1)
    assert Balance.objects.get(sku=chair, location=None).on_hand == 3
    returns.settle(case.pk, Settlement({line.pk: 2}, fees=("shipping",)), actor=ACTOR)
    refund = Refund.objects.get()
    assert refund.amount == 2500 and refund.key == case.refund_key
    returns.close(case.pk, actor=ACTOR)
    assert again(case).state == "closed" and ReturnEvent.objects.filter(case=case).count() == 7
    all_is_true()


def test_a_state_is_never_skipped_or_repeated(shop):
    chair = make_sku(stock_units=1)
    order = shipped(shop, skus=[chair])
    line = order.lines.get()
    case = returns.open_case(order.pk, {line.pk: 1}, reason="customer", key="k", actor=ACTOR)
    for verb in (
        lambda: returns.settle(case.pk, Settlement({line.pk: 1}), actor=ACTOR),
        lambda: returns.close(case.pk, actor=ACTOR),
        lambda: returns.receive(case.pk, {case.lines.get().pk: 1}, actor=ACTOR),
    ):
        with pytest.raises(Refused, match="画面を開き直して"):
            verb()
    returns.approve(case.pk, actor=ACTOR)
    with pytest.raises(Refused):
        returns.approve(case.pk, actor=ACTOR)
    returns.receive(case.pk, {case.lines.get().pk: 1}, actor=ACTOR)
    with pytest.raises(Refused):
        returns.receive(case.pk, {case.lines.get().pk: 1}, actor=ACTOR)
    assert on_hand(chair, "inspection") == 1
    all_is_true()


def test_a_rejected_return_frees_its_pieces_for_another_one(shop):
    order = shipped(shop, skus=[make_sku(stock_units=1)])
    line = order.lines.get()
    case = returns.open_case(order.pk, {line.pk: 1}, reason="customer", key="k", actor=ACTOR)
    with pytest.raises(Refused, match="理由"):
        returns.reject(case.pk, answer=" ", actor=ACTOR)
    returns.reject(case.pk, answer="期限を過ぎています", actor=ACTOR)
    assert returns.open_case(order.pk, {line.pk: 1}, reason="defective", key="k2", actor=ACTOR).pk != case.pk


def test_what_did_not_arrive_is_not_refunded(shop):
    chair = make_sku(stock_units=3)
    order = shipped(shop, make_line("CHAIR", 3), skus=[chair])
    line = order.lines.get()
    case = returns.open_case(order.pk, {line.pk: 3}, reason="customer", key="k", actor=ACTOR)
    returns.approve(case.pk, actor=ACTOR)
    returns.receive(case.pk, {case.lines.get().pk: 1}, actor=ACTOR)
    returns.inspect(case.pk, {(chair.pk, "second"): 1}, location_id=make_location().pk, actor=ACTOR)
    with pytest.raises(Refused, match="到着した数"):
        returns.settle(case.pk, Settlement({line.pk: 3}), actor=ACTOR)
    returns.settle(case.pk, Settlement({line.pk: 1}, deduction=600), actor=ACTOR)
    assert Refund.objects.get().amount == 400 and on_hand(chair, "second") == 1
    all_is_true()


def test_a_set_comes_back_as_its_components(shop):
    chair, desk = make_sku("CHAIR", stock_units=4), make_sku("DESK", stock_units=1)
    bundle = make_sku("SET", is_bundle=True)
    BundleComponent.objects.create(bundle=bundle, component=chair, quantity=2)
    BundleComponent.objects.create(bundle=bundle, component=desk, quantity=1)
    order = shipped(shop, make_line("SET"), skus=[bundle])
    case = received(returns.open_case(order.pk, {order.lines.get().pk: 1}, reason="customer", key="k", actor=ACTOR))
    assert returns.received_units(case) == {chair.pk: 2, desk.pk: 1}
    grades = {(chair.pk, "good"): 2, (desk.pk, "to_maker"): 1}
    returns.inspect(case.pk, grades, location_id=make_location().pk, actor=ACTOR)
    assert on_hand(chair, "warehouse") == 4 and on_hand(desk, "to_maker") == 1
    all_is_true()


def test_an_exchange_ships_when_the_goods_are_back(shop):
    chair = make_sku(stock_units=2)
    order = shipped(shop, skus=[chair])
    case = returns.open_case(order.pk, {order.lines.get().pk: 1}, reason="wrong_size", key="k", actor=ACTOR)
    case = exchange.approve(case.pk, exchange.same_goods(case), ship_first=False, actor=ACTOR)
    new = case.exchange_order
    assert (case.kind, new.total, new.payment_state, new.stage) == ("exchange", 0, "paid", "on_hold")
    assert new.lines.get().reserved, "its stock is promised from the approval on"
    with pytest.raises(Refused):
        exchange.approve(case.pk, exchange.same_goods(case), ship_first=False, actor=ACTOR)
    returns.receive(case.pk, {case.lines.get().pk: 1}, actor=ACTOR)
    allocate_waiting()
    assert again(new).stage == "ready"
    parcel = instruct_orders([new.pk], actor=ACTOR).shipments[0]
    confirm_shipments([Departure(parcel, "yamato", "2")], actor=ACTOR)
    assert again(new).stage == "shipped"
    assert not Effect.objects.filter(subject=f"order:{new.pk}:channel").exists(), "no channel knows this order"
    all_is_true()


def test_an_advance_exchange_ships_at_once_and_a_dearer_one_costs_the_difference(shop):
    chair, desk = make_sku("CHAIR", stock_units=2), make_sku("DESK", stock_units=2)
    order = shipped(shop, make_line("CHAIR", price=1000), skus=[chair])
    case = returns.open_case(order.pk, {order.lines.get().pk: 1}, reason="not_as_expected", key="k", actor=ACTOR)
    case = exchange.approve(case.pk, [exchange.Item(desk.pk, 1, 1500)], ship_first=True, actor=ACTOR)
    assert case.exchange_order.total == 500 and case.exchange_order.stage == "awaiting_payment"
    all_is_true()


def test_a_cheaper_exchange_gives_back_the_difference(shop):
    chair, desk = make_sku("CHAIR", stock_units=2), make_sku("DESK", stock_units=2)
    order = shipped(shop, make_line("CHAIR", price=1000), skus=[chair])
    case = returns.open_case(order.pk, {order.lines.get().pk: 1}, reason="not_as_expected", key="k", actor=ACTOR)
    items = [exchange.Item(desk.pk, 1, 700)]
    assert exchange.price_of(case, items).refund == 300
    assert exchange.approve(case.pk, items, ship_first=True, actor=ACTOR).exchange_order.total == 0


def test_an_unknown_parcel_finds_its_order_by_phone_name_and_number(shop):
    order = shipped(shop, skus=[make_sku(stock_units=1)])
    with pytest.raises(Refused):
        unknown_parcels.note(contents="椅子", actor=ACTOR)
    for words in ({"phone": "090-1234-5678"}, {"sender": "佐藤 恵"}, {"tracking_no": NUMBER}):
        parcel = unknown_parcels.note(**words, actor=ACTOR)
        assert list(unknown_parcels.candidates(parcel)) == [order], words
    pieces = {order.lines.get().pk: 1}
    case = unknown_parcels.match(parcel.pk, order.pk, pieces, reason="customer", actor=ACTOR)
    assert case.state == "received"
    assert unknown_parcels.match(parcel.pk, order.pk, pieces, reason="customer", actor=ACTOR) == case
    assert UnknownParcel.objects.filter(case__isnull=True).count() == 2
    all_is_true()


def test_a_parcel_brought_back_is_a_case_that_can_be_sent_again_or_refunded(shop):
    chair = make_sku(stock_units=2)
    order = shipped(shop, skus=[chair])
    case = parcel_returned(Shipment.objects.get().pk, actor=ACTOR)
    assert parcel_returned(Shipment.objects.get().pk, actor=ACTOR) == case
    assert (case.kind, case.state, Shipment.objects.get().state) == ("undelivered", "in_transit", "returned")
    all_is_true()
    new = exchange.resend(case.pk, actor=ACTOR).exchange_order
    assert new.total == 0 and new.stage == "on_hold"
    returns.receive(case.pk, {case.lines.get().pk: 1}, actor=ACTOR)
    returns.inspect(case.pk, {(chair.pk, "good"): 1}, location_id=make_location().pk, actor=ACTOR)
    returns.settle(case.pk, Settlement({}, note="再送のため返金なし"), actor=ACTOR)
    assert again(new).stage != "on_hold" and not Refund.objects.exists() and order.pk != new.pk
    all_is_true()


def test_a_parcel_said_to_come_back_by_mistake_has_left_as_before_and_may_come_back_later(shop):
    shipped(shop, skus=[make_sku(stock_units=2)])
    parcel = Shipment.objects.get()
    case = parcel_returned(parcel.pk, actor=ACTOR)
    exchange.withdraw(case.pk, note="別の荷物でした", actor=ACTOR)
    assert again(parcel).state == "shipped"
    assert parcel.events.order_by("pk").last().kind == "not_returned"
    assert why_not_reopened(parcel, [case.order_id]) == "", "nothing of it comes back"
    all_is_true()
    later = parcel_returned(parcel.pk, actor=ACTOR)
    assert "返品の受付" in why_not_reopened(
        Shipment(pk=parcel.pk, state="shipped", shipped_at=clock.now()), [case.order_id]
    )
    assert (later != case, later.state, again(parcel).state) == (True, "in_transit", "returned")
    assert parcel_returned(parcel.pk, actor=ACTOR) == later
    all_is_true()


def test_todays_confirmation_is_taken_back_while_nobody_was_told(shop):
    warehouse, chair = make_location(), make_sku(stock_units=2)
    order = shipped(shop, make_line("CHAIR", 2), skus=[chair])
    shipment = Shipment.objects.get()
    reopen(shipment.pk, actor=ACTOR)
    assert again(order).stage == "in_fulfillment" and again(shipment).state == "instructed"
    assert Balance.objects.get(sku=chair, location=warehouse).reserved == 2
    assert not Effect.objects.filter(kind="channel_ship").exists() and not Mail.objects.filter(event="shipped").exists()
    all_is_true()
    confirm_shipments([Departure(shipment.pk, "yamato", NUMBER)], actor=ACTOR)
    assert Effect.objects.filter(kind="channel_ship").count() == 1 and Mail.objects.filter(event="shipped").count() == 1
    all_is_true()


def test_a_confirmation_the_channel_knows_stands_and_a_sent_mail_is_said(shop):
    order = shipped(shop, skus=[make_sku(stock_units=1)])
    Mail.objects.filter(event="shipped").update(state="sent")
    shipment = Shipment.objects.get()
    reopen(shipment.pk, actor=ACTOR)
    assert "送信済み" in order.events.get(kind="reopened").text
    confirm_shipments([Departure(shipment.pk, "yamato", NUMBER)], actor=ACTOR)
    Effect.objects.filter(kind="channel_ship").update(state="done", done_at="2026-11-28T00:00:00Z")
    with pytest.raises(Refused, match="知らせたあと"):
        reopen(shipment.pk, actor=ACTOR)
    assert Entry.objects.filter(kind="ship").count() == 6


# ---- papers and mails


def settled(shop, *, price: int, pieces: int = 2) -> ReturnCase:
    chair = make_sku(stock_units=5)
    order = shipped(shop, make_line("CHAIR", 2, price=price), skus=[chair])
    line = order.lines.get()
    case = received(returns.open_case(order.pk, {line.pk: pieces}, reason="defective", key="k", actor=ACTOR))
    returns.inspect(case.pk, {(chair.pk, "good"): pieces}, location_id=make_location().pk, actor=ACTOR)
    fees = ("shipping",) if pieces == 2 else ()
    return returns.settle(case.pk, Settlement({line.pk: pieces}, fees=fees, deduction=300), actor=ACTOR)


@pytest.fixture
def own():
    """A registered shop that issues its papers itself."""
    registered = make_shop("own-1", channel="own", registration_no="T1234567890123", capabilities={"mail": "free"})
    PaperSettings.objects.create(shop=registered, issuers={"": "we"})
    return registered


def test_a_settled_return_has_its_credit_note_once_it_is_due(own):
    case = settled(own, price=6000)
    paper = credit_note_of(case)
    assert (paper.kind, paper.amount, Refund.objects.get().amount) == ("credit_note", 12_500, 12_200)
    assert case.events.get(kind="credit_note").text == paper.number
    all_is_true()


@pytest.mark.parametrize(
    ("price", "asked", "papers"),
    [(4000, "required", 0), (4000, "always", 1), (6000, "never", 0)],
    ids=["below what the law asks", "asked for always", "asked for never"],
)
def test_the_shops_settings_say_when_a_credit_note_is_issued(own, price, asked, papers):
    PaperSettings.objects.update(credit_notes=asked)
    settled(own, price=price, pieces=1)
    assert IssuedDocument.objects.filter(kind="credit_note").count() == papers


def test_a_mall_that_issues_the_papers_gets_none_of_ours(own):
    PaperSettings.objects.update(issuers={"": "mall"}, credit_notes="always")
    settled(own, price=6000)
    assert not IssuedDocument.objects.exists() and not OrderTask.objects.filter(kind="other").exists()


def test_a_credit_note_that_cannot_be_issued_is_a_persons_task(own):
    chair = make_sku(stock_units=5)
    order = shipped(own, make_line("CHAIR", 2, price=6000), skus=[chair])
    line = order.lines.get()
    wish = Wish({str(line.pk): 2})
    documents.issue_credit_note(order.pk, wish, day=clock.today(), reason="手作業", actor=ACTOR)
    case = received(returns.open_case(order.pk, {line.pk: 2}, reason="defective", key="k", actor=ACTOR))
    returns.inspect(case.pk, {(chair.pk, "good"): 2}, location_id=make_location().pk, actor=ACTOR)
    returns.settle(case.pk, Settlement({line.pk: 2}), actor=ACTOR)
    assert again(case).state == "settled" and credit_note_of(case) is None
    task = OrderTask.objects.get(key=f"credit_note:{case.pk}")
    assert "返還インボイス" in task.text and f"/{order.pk}/" in task.link


def test_the_customer_is_thanked_for_a_return_they_asked_for_alone(shop):
    order = shipped(shop, make_line("CHAIR", 2), skus=[make_sku(stock_units=2)])
    line = order.lines.get()
    returns.open_case(order.pk, {line.pk: 1}, reason="too_late", key="a", actor=ACTOR)
    assert not Mail.objects.filter(event="return_received").exists()
    case = returns.open_case(order.pk, {line.pk: 1}, reason="customer", key="b", actor=ACTOR)
    returns.open_case(order.pk, {line.pk: 1}, reason="customer", key="b", actor=ACTOR)
    assert Mail.objects.get(event="return_received").key.endswith(f":{case.pk}")


def test_the_numbers_count_an_order_whose_goods_come_back(shop):
    order = shipped(shop, skus=[make_sku(stock_units=1)])
    figures.refresh()
    assert not OrderFigure.objects.get(pk=order.pk).returned
    case = returns.open_case(order.pk, {order.lines.get().pk: 1}, reason="customer", key="k", actor=ACTOR)
    figures.refresh()
    day = DayFigure.objects.get(name="returned")
    assert OrderFigure.objects.get(pk=order.pk).returned and (day.basis, day.n) == ("shipped", 1)
    returns.reject(case.pk, answer="期限を過ぎています", actor=ACTOR)
    figures.refresh()
    assert not OrderFigure.objects.get(pk=order.pk).returned and not DayFigure.objects.filter(name="returned").exists()


def test_what_is_sent_again_counts_as_no_order_of_its_own(shop):
    order = shipped(shop, skus=[make_sku(stock_units=2)])
    case = parcel_returned(Shipment.objects.get().pk, actor=ACTOR)
    new = exchange.resend(case.pk, actor=ACTOR).exchange_order
    figures.refresh()
    assert list(OrderFigure.objects.values_list("pk", flat=True)) == [order.pk]
    assert DayFigure.objects.get(name="orders").n == DayFigure.objects.get(name="own").n == 1
    assert shop_budgets([shop])[shop.pk][1].total == 1
    assert not OrderFilter(QueryDict("own=1"), queryset=Order.objects.filter(pk=new.pk)).qs.exists()


def test_a_figure_from_before_goes_when_its_order_turns_out_to_be_of_our_own_making(shop):
    order = shipped(shop, skus=[make_sku(stock_units=2)])
    figures.refresh()
    assert DayFigure.objects.filter(name="orders", n=1).exists()
    Order.objects.filter(pk=order.pk).update(flags=["internal"])
    figures.rebuild([order.pk])
    assert not OrderFigure.objects.exists() and not DayFigure.objects.exists()
