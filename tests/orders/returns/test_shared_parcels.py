"""Cancelling and returning where an order and a parcel are not the same: merged, split, several recipients, refunds."""

from dataclasses import replace

import pytest
from django.core.management import call_command

from fulfillment.models import Shipment
from fulfillment.services import merge, split, stop
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.printing import record_printed
from fulfillment.services.reopen import parcel_returned
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import Balance, BundleComponent
from oms.kernel.models import Effect
from orders.decide.channel_words import readable
from orders.models import MailTemplate, Order, Refund, ReturnCase
from orders.services import refunds, returns, review
from orders.services.cancel import Ask, cancel_orders, cancel_pieces
from orders.services.intake import take_in
from orders.services.mail_send import holes_of
from orders.services.mail_texts import STANDARD_TEMPLATES
from orders.services.returns import Settlement
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped
from tests.orders.returns.test_money_of_returns import came_back
from tests.orders.returns.test_returns import ACTOR, again, all_is_true, shipped

pytestmark = pytest.mark.django_db
CAN = {"confirm": True, "cancel": True, "partial_cancel": True, "mail": "free", "partial_shipment": True}
NUMBER = "471203984414"


@pytest.fixture
def shop():
    return make_shop(capabilities=CAN)


def merged_and_begun(shop) -> tuple[Order, Order, int]:
    chair = make_sku(stock_units=5)
    one, two = ready(shop, skus=[chair]), ready(shop, skus=[chair])
    merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    parcel = instruct_orders([one.pk], actor=ACTOR).shipments[0]
    record_printed([parcel], "pick_printed", by=None)
    return one, two, parcel


def test_a_shared_parcel_that_was_stopped_lets_the_other_order_go_on(shop):
    one, two, parcel = merged_and_begun(shop)
    assert cancel_orders([one.pk], ask=Ask(), actor=ACTOR).waiting == [one.pk]
    stop.stopped(parcel, actor=ACTOR)
    assert again(one).stage == "cancelled" and again(two).cancelled_at is None
    allocate_waiting()
    assert again(two).stage == "ready" and instruct_orders([two.pk], actor=ACTOR).orders == [two.pk]
    assert Refund.objects.get().order_id == one.pk
    all_is_true()


def test_a_shared_parcel_that_left_too_late_is_a_return_of_the_cancelled_order_alone(shop):
    one, two, parcel = merged_and_begun(shop)
    cancel_orders([one.pk], ask=Ask(), actor=ACTOR)
    stop.too_late(parcel, carrier="yamato", tracking_no=NUMBER, actor=ACTOR)
    assert [again(order).stage for order in (one, two)] == ["shipped", "shipped"]
    assert ReturnCase.objects.get().order_id == one.pk and not Refund.objects.exists()
    all_is_true()


def test_a_shared_parcel_that_comes_back_is_a_return_of_each_order(shop, client_of, aoi):
    one, two, parcel = merged_and_begun(shop)
    confirm_shipments([Departure(parcel, "yamato", NUMBER)], actor=ACTOR)
    said = client_of(aoi).post(f"/fulfillment/shipments/{parcel}/returned/", follow=True).content.decode()
    cases = ReturnCase.objects.order_by("pk")
    assert {case.order_id for case in cases} == {one.pk, two.pk} and all(case.number in said for case in cases)
    all_is_true()
    for case, state in zip(cases, ("returned", "shipped"), strict=True):
        returns.withdraw(case.pk, actor=ACTOR)
        assert Shipment.objects.get(pk=parcel).state == state, "it stays away once nothing of it comes back"


@pytest.mark.parametrize("cancelled", [2, 1])
def test_a_parcel_that_could_not_be_stopped_and_comes_back_is_the_return_that_waits_for_it(shop, cancelled):
    order = ready(shop, make_line("CHAIR", 2), skus=[make_sku(stock_units=2)])
    parcel = instruct_orders([order.pk], actor=ACTOR).shipments[0]
    record_printed([parcel], "pick_printed", by=None)
    cancel_pieces(order.pk, {order.lines.get().pk: cancelled}, ask=Ask(), actor=ACTOR)
    stop.too_late(parcel, carrier="yamato", tracking_no=NUMBER, actor=ACTOR)
    late = ReturnCase.objects.get()
    parcel_returned(parcel, actor=ACTOR)
    parcel_returned(parcel, actor=ACTOR)
    assert (again(late).kind, late.state, late.tracking_no) == ("undelivered", "in_transit", NUMBER)
    assert sum(line.quantity for case in ReturnCase.objects.all() for line in case.lines.all()) == 2
    assert ReturnCase.objects.count() == 3 - cancelled
    all_is_true()
    for case in ReturnCase.objects.all():
        assert Shipment.objects.get(pk=parcel).state == "returned"
        returns.withdraw(case.pk, actor=ACTOR)
    assert Shipment.objects.get(pk=parcel).state == "shipped"


def test_goods_of_one_order_of_a_shared_parcel_come_back_at_its_own_price(shop):
    one, two, parcel = merged_and_begun(shop)
    confirm_shipments([Departure(parcel, "yamato", NUMBER)], actor=ACTOR)
    case = came_back(two, reason="defective")
    returns.settle(case.pk, Settlement(dict(case.lines.values_list("line", "received"))), actor=ACTOR)
    own = Refund.objects.get(key=case.refund_key)
    assert (own.order_id, own.goods) == (two.pk, 1000) and not ReturnCase.objects.filter(order=one.pk).exists()
    all_is_true()


def test_what_is_left_of_a_split_order_is_cancelled_and_the_rest_stays_sold(shop):
    chair, desk = make_sku("CHAIR", stock_units=1), make_sku("DESK", stock_units=1)
    order = ready(shop, make_line("CHAIR"), make_line("DESK", price=2000), skus=[chair, desk])
    split.split_by_line([order.pk], actor=ACTOR)
    instruct_orders([order.pk], actor=ACTOR)
    first, second = Shipment.objects.order_by("pk").values_list("pk", flat=True)
    confirm_shipments([Departure(first, "yamato", NUMBER)], actor=ACTOR)
    assert "返品" in cancel_orders([order.pk], ask=Ask(), actor=ACTOR).refused[order.pk]
    left = {line.pk: line.quantity - line.shipped_quantity for line in order.lines.all()}
    record_printed([second], "pick_printed", by=None)
    assert cancel_pieces(order.pk, left, ask=Ask(), actor=ACTOR).waiting == [order.pk]
    stop.stopped(second, actor=ACTOR)
    gone = order.lines.get(quantity__gt=0)
    assert again(order).stage == "shipped" and gone.shipped_quantity == 1
    assert Refund.objects.get().amount == 3000 - gone.amount and order.total == gone.amount + 500
    assert Effect.objects.filter(kind="channel_cancel_lines").count() == 1
    all_is_true()


def test_goods_of_one_recipient_are_cancelled_and_the_others_parcel_goes_on(shop):
    other = replace(TOKYO_PARTY, name="鈴木 一", address="梅田1-1-1", city="大阪市北区", prefecture="大阪府")
    chair, desk = make_sku("CHAIR", stock_units=1), make_sku("DESK", stock_units=1)
    told = make_channel_order(
        make_line("CHAIR"), make_line("DESK", recipient=1), recipients=(TOKYO_PARTY, other)
    )  # fmt: skip
    take_in(shop, [told], sku_of=mapped(chair, desk))
    allocate_waiting()
    order = Order.objects.get()
    line = order.lines.get(sku=desk)
    cancel_pieces(order.pk, {line.pk: 1}, ask=Ask(reason="customer"), actor=ACTOR)
    assert Balance.objects.get(sku=desk, location=None).reserved == 0
    review.accept([order.pk], codes=list(order.reasons.values_list("code", flat=True)), actor=ACTOR)
    allocate_waiting()
    parcels = instruct_orders([order.pk], actor=ACTOR).shipments
    shipment = Shipment.objects.get(pk=parcels[0])
    assert len(parcels) == 1 and shipment.recipient.city != "大阪市北区"
    confirm_shipments([Departure(shipment.pk, "yamato", NUMBER)], actor=ACTOR)
    assert again(order).stage == "shipped" and Refund.objects.get().amount == 1000
    all_is_true()


def test_whole_sets_are_cancelled_with_what_is_in_them(shop):
    chair, desk = make_sku("CHAIR", stock_units=4), make_sku("DESK", stock_units=2)
    bundle = make_sku("SET", is_bundle=True)
    BundleComponent.objects.create(bundle=bundle, component=chair, quantity=2)
    BundleComponent.objects.create(bundle=bundle, component=desk, quantity=1)
    order = ready(shop, make_line("SET", 2, price=3000), skus=[bundle])
    cancel_pieces(order.pk, {order.lines.get().pk: 1}, ask=Ask(), actor=ACTOR)
    held = dict(Balance.objects.filter(location=None).values_list("sku__code", "reserved"))
    assert held == {"CHAIR": 2, "DESK": 1} and Refund.objects.get().amount == 3000
    cancel_orders([order.pk], ask=Ask(), actor=ACTOR)
    assert not Balance.objects.filter(reserved__gt=0).exists()
    assert sum(Refund.objects.values_list("amount", flat=True)) == 6500
    all_is_true()


def test_pieces_that_were_refunded_before_are_not_proposed_again(shop, client_of, aoi):
    order = shipped(shop, make_line("CHAIR", 2), skus=[make_sku(stock_units=2)])
    line = order.lines.get().pk
    refunds.open_refund(order.pk, key="by hand", wish=refunds.Wish({line: 1}), reason="お詫び", actor=ACTOR)
    case = came_back(order, reason="defective")
    client = client_of(aoi)
    page = client.get(f"/orders/returns/{case.pk}/").content.decode()
    assert "返金済み 1" in page and "返金 ¥1,500" in page
    typed = {f"piece-{line}": "1", "deduction": "200", "note": ""}
    shown = client.post(f"/orders/returns/{case.pk}/settle/", typed | {"preview": "1"}).content.decode()
    assert "返金の内訳" in shown and "¥800" in shown and again(case).state == "inspected"
    too_much = client.post(f"/orders/returns/{case.pk}/settle/", typed | {f"piece-{line}": "2"}).content.decode()
    assert "すでに返金した数" in too_much and again(case).state == "inspected"
    client.post(f"/orders/returns/{case.pk}/settle/", typed)
    assert again(case).state == "settled"
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [800, 1000]
    all_is_true()


def test_every_company_starts_with_the_standard_texts_of_its_mails():
    call_command("standard_texts")
    call_command("standard_texts")
    assert MailTemplate.objects.count() == len(STANDARD_TEMPLATES)


def test_a_buyer_whose_address_the_mall_keeps_to_itself_is_thanked_all_the_same(shop):
    call_command("standard_texts")
    nobody = replace(TOKYO_PARTY, postal_code="", prefecture="", city="", address="")
    told = make_channel_order(buyer=nobody)
    take_in(shop, [told], sku_of=mapped(make_sku(stock_units=1)))
    mail = Order.objects.get().mails.get(event="order_received")
    assert holes_of(mail, MailTemplate.objects.get(event="order_received")) == []


def test_what_a_mall_tells_in_brackets_is_shown_in_words():
    told = '[{"carrier": "YAMATO", "lines": {"400": 1}, "service": ""}]'
    assert (
        readable(told) == "carrier: YAMATO、lines: 400: 1" and readable("[x") == "[x" and readable("元払い") == "元払い"
    )
