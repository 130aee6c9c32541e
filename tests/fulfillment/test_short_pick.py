"""ピッキング欠品: what a picker does not find leaves the parcel, a set with all its parts, and is served elsewhere."""

import pytest
from django.urls import reverse

from fulfillment.models import Shipment, ShipmentEvent
from fulfillment.services import allocate, short_pick, split
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as parcel_violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import Balance, BundleComponent, Entry, Sku
from inventory.services import stock
from inventory.services.audit import violations as stock_violations
from oms.kernel.services.outbox import deliver_due
from orders.channel_order import PaymentMethod, PaymentState
from orders.models import Order, OrderEvent, ReviewReason
from orders.services import review
from orders.services.audit import violations as order_violations
from orders.services.cancel import Ask, cancel_pieces
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
ACTOR = Actor()
CAN = {"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True, "cancel_lines": True}


def osaka():
    return make_location("W2", name="大阪倉庫", priority=200)


def make_set(*, cups=2, pots=1, ships_apart=False) -> Sku:
    """Two cups and a pot, in Tokyo; a cloth beside it."""
    make_location()
    cup, pot = make_sku("CUP", stock_units=cups), make_sku("POT", stock_units=pots)
    make_sku("CLOTH", stock_units=9)
    tea = make_sku("TEASET", is_bundle=True, ships_apart=ships_apart)
    BundleComponent.objects.create(bundle=tea, component=cup, quantity=2)
    BundleComponent.objects.create(bundle=tea, component=pot, quantity=1)
    return tea


def instructed(*codes, pieces=1, **fields) -> tuple[Order, Shipment]:
    """An order of these SKUs in one parcel that Tokyo works on."""
    order = ordered(*codes, pieces=pieces, **fields)
    [pk] = instruct_orders([order.pk], actor=ACTOR).shipments
    return order, Shipment.objects.get(pk=pk)


def ordered(*codes, pieces=1, **fields) -> Order:
    skus = Sku.objects.filter(code__in=codes)
    told = make_channel_order(*(make_line(code, pieces) for code in codes), **fields)
    take_in(make_shop(capabilities=CAN), [told], sku_of=mapped(*skus))
    allocate_waiting()
    return Order.objects.get(channel_order_no=told.channel_order_no)


def report(parcel, missing, *, shelf_empty=True, key="") -> short_pick.Short:
    """As the page does it: booked, then placed anew."""
    by_id = {Sku.objects.get(code=code).pk: units for code, units in missing.items()}
    short = short_pick.report(parcel.pk, short_pick.Report(by_id, shelf_empty, "", key), actor=ACTOR)
    allocate.place_again(short.lines)
    deliver_due()
    return short


def numbers(code, place) -> tuple[int, int]:
    return Balance.objects.filter(sku__code=code, location=place).values_list("on_hand", "reserved").get()


def arrives(code, units, place=None) -> None:
    stock.receive([stock.Fact(Sku.objects.get(code=code).pk, (place or make_location()).pk, units, "arrival")])
    allocate_waiting()


def contents(order) -> dict[str, dict[str, int]]:
    """Place and state of each parcel → SKU → units."""
    found: dict[str, dict[str, int]] = {}
    for parcel in Shipment.objects.filter(lines__order_line__order=order).distinct():
        rows = parcel.lines.filter(order_line__order=order)
        found[f"{parcel.location.name} {parcel.state}"] = dict(rows.values_list("sku__code", "quantity"))
    return found


def all_is_well() -> bool:
    return [*parcel_violations(), *stock_violations(), *order_violations()] == []


def test_the_whole_set_leaves_the_parcel_and_goes_from_where_all_of_it_lies():
    make_set()
    make_sku("CUP", stock_units=2, location=osaka())
    make_sku("POT", stock_units=1, location=osaka())
    order, parcel = instructed("TEASET", "CLOTH")
    report(parcel, {"CUP": 1})
    assert contents(order) == {
        "東京倉庫 instructed": {"CLOTH": 1},
        "大阪倉庫 planned": {"CUP": 2, "POT": 1},
    }, "the pot does not leave without its cups"
    assert numbers("CUP", make_location()) == (1, 0) and numbers("POT", make_location()) == (1, 0)
    assert not ReviewReason.objects.filter(code="pick_short").exists() and all_is_well()
    assert Entry.objects.filter(kind="short_pick", ref=f"shipment:{parcel.pk}").exists()
    assert ShipmentEvent.objects.filter(shipment=parcel, kind="short_pick", text="CUP × 1").exists()
    assert OrderEvent.objects.filter(order=order, kind="short_pick").exists()


def test_without_another_place_the_order_waits_with_a_reason_until_goods_come():
    make_set()
    order, parcel = instructed("TEASET", "CLOTH")
    report(parcel, {"CUP": 1})
    order.refresh_from_db()
    reason = order.reasons.get(code="pick_short")
    assert (reason.state, reason.level) == ("open", "block") and "TEASET の品" in reason.evidence
    assert contents(order) == {"東京倉庫 instructed": {"CLOTH": 1}}
    assert not order.lines.get(sku__code="TEASET").reserved and all_is_well()
    refused = confirm_shipments([Departure(parcel.pk, "yamato", "1")], actor=ACTOR).refused
    assert "未確認の理由" in refused[parcel.pk], "somebody decides whether the cloth goes ahead"
    arrives("CUP", 1)
    order.refresh_from_db()
    assert order.reasons.get(code="pick_short").state == "auto_resolved"
    assert contents(order)["東京倉庫 planned"] == {"CUP": 2, "POT": 1} and all_is_well()


def test_an_order_whose_only_parcel_was_short_is_served_again_although_it_is_asked_about():
    make_set()
    order, parcel = instructed("TEASET")
    report(parcel, {"POT": 1})
    order.refresh_from_db()
    parcel.refresh_from_db()
    assert (order.stage, parcel.state) == ("review", "cancelled") and all_is_well()
    arrives("POT", 1)
    order.refresh_from_db()
    assert order.stage == "ready" and order.reasons.get(code="pick_short").state == "auto_resolved"
    assert all_is_well()


def test_goods_that_move_together_end_the_question_too():
    make_set()
    make_sku("CUP", stock_units=9, location=osaka())
    order, parcel = instructed("TEASET")
    report(parcel, {"CUP": 2})
    order.refresh_from_db()
    assert order.stage == "review" and order.lines.get().reserved, "the cups are promised in Osaka, the pot is here"
    cup = Sku.objects.get(code="CUP")
    stock.transfer({cup.pk: 2}, source=osaka().pk, target=make_location().pk, ref="t:1")
    allocate_waiting()
    order.refresh_from_db()
    assert order.stage == "ready" and all_is_well()


def test_only_a_set_that_may_part_leaves_in_parts():
    make_set(ships_apart=True)
    make_sku("CUP", stock_units=9, location=osaka())
    order, parcel = instructed("TEASET")
    report(parcel, {"CUP": 1})
    order.refresh_from_db()
    assert contents(order) == {"東京倉庫 planned": {"CUP": 1, "POT": 1}, "大阪倉庫 planned": {"CUP": 1}}
    assert order.stage == "ready" and all_is_well()


def test_what_is_there_of_a_set_that_may_part_is_sent_ahead_by_a_person_alone():
    make_set(ships_apart=True)
    order, parcel = instructed("TEASET")
    report(parcel, {"POT": 1})
    order.refresh_from_db()
    assert order.stage == "review" and contents(order) == {}
    split.send_rest_later(order.pk, actor=ACTOR)
    allocate_waiting()
    order.refresh_from_db()
    assert contents(order) == {"東京倉庫 planned": {"CUP": 2}} and all_is_well()


def test_cancelling_what_was_not_found_ends_the_question():
    make_set()
    order, parcel = instructed("TEASET", "CLOTH")
    report(parcel, {"CUP": 2})
    line = order.lines.get(sku__code="TEASET")
    cancel_pieces(order.pk, {line.pk: 1}, ask=Ask(reason="out_of_stock", key="k"), actor=ACTOR)
    order.refresh_from_db()
    assert order.reasons.get(code="pick_short").state == "auto_resolved" and all_is_well()
    assert confirm_shipments([Departure(parcel.pk, "yamato", "1")], actor=ACTOR).shipments == [parcel.pk]


def test_the_shelf_is_believed_and_nobody_is_sent_to_it_again():
    make_set(cups=7)
    order, parcel = instructed("TEASET")
    report(parcel, {"CUP": 1})
    assert numbers("CUP", make_location()) == (1, 0), "one was found; five more stood in the books alone"
    order.refresh_from_db()
    assert order.stage == "review" and all_is_well()


def test_what_is_broken_is_replaced_from_the_same_shelf():
    make_set(cups=7)
    order, parcel = instructed("TEASET")
    short = report(parcel, {"CUP": 1}, shelf_empty=False)
    assert short.lines == [] and contents(order) == {"東京倉庫 instructed": {"CUP": 2, "POT": 1}}
    assert numbers("CUP", make_location()) == (6, 2) and all_is_well()


def test_what_was_found_serves_the_lines_it_fills_and_other_parcels_keep_theirs():
    make_set(cups=8, pots=4)
    order, parcel = instructed("TEASET", "CUP")
    other, _parcel = instructed("TEASET")
    report(parcel, {"CUP": 1})
    first, second = order.lines.order_by("pk")
    assert (first.allocated_quantity, second.allocated_quantity) == (1, 0), "two of the three cups are the set's"
    assert contents(other) == {"東京倉庫 instructed": {"CUP": 2, "POT": 1}}
    assert numbers("CUP", make_location()) == (4, 4) and all_is_well()


def test_an_order_nobody_packs_yet_gives_way_to_the_one_that_was_short():
    make_set(cups=2, pots=9)
    make_sku("CUP", stock_units=2, location=osaka())
    make_sku("POT", stock_units=9, location=osaka())
    order, parcel = instructed("TEASET")
    unpaid = ordered("TEASET", payment_state=PaymentState.UNPAID, payment_method=PaymentMethod.BANK_TRANSFER)
    assert unpaid.lines.get().reserved and not unpaid.lines.get().allocated_quantity
    report(parcel, {"CUP": 2})
    assert contents(order) == {"大阪倉庫 planned": {"CUP": 2, "POT": 1}}
    assert not unpaid.lines.get().reserved and all_is_well()


def test_the_second_click_and_impossible_numbers_change_nothing():
    make_set()
    _order, parcel = instructed("TEASET")
    for missing in ({"CUP": 3}, {"CLOTH": 1}, {}):
        with pytest.raises(short_pick.CannotReport):
            report(parcel, missing)
    report(parcel, {"CUP": 1}, key="form")
    before = numbers("CUP", make_location())
    assert report(parcel, {"CUP": 1}, key="form") == short_pick.Short()
    assert numbers("CUP", make_location()) == before
    with pytest.raises(short_pick.CannotReport, match="出荷指示中"):
        report(parcel, {"CUP": 1}, key="another")
    assert all_is_well()


def test_accepting_the_reason_lets_the_rest_leave():
    make_set()
    order, parcel = instructed("TEASET", "CLOTH")
    report(parcel, {"CUP": 1})
    review.accept([order.pk], codes=["pick_short"], actor=ACTOR)
    assert confirm_shipments([Departure(parcel.pk, "yamato", "1")], actor=ACTOR).shipments == [parcel.pk]
    order.refresh_from_db()
    assert order.stage == "partially_shipped" and all_is_well()


def test_the_page_of_the_parcel_takes_the_report(client_of, aoi, ben):
    make_set()
    order, parcel = instructed("TEASET", "CLOTH")
    url = reverse("fulfillment:short-pick", args=[parcel.pk])
    assert url in client_of(aoi).get(reverse("fulfillment:shipment", args=[parcel.pk])).content.decode()
    page = client_of(aoi).get(url).content.decode()
    assert "セット: TEASET の品" in page and "棚にもうない" in page
    assert client_of(ben).get(url).status_code == 403
    cup = Sku.objects.get(code="CUP")
    data = {"shelf": "empty", "note": "", "key": "once"}
    assert "足りない数を入れてください" in client_of(aoi).post(url, data).content.decode()
    answer = client_of(aoi).post(url, data | {f"missing-{cup.pk}": "1"}, follow=True).content.decode()
    assert "確認待ちにしました" in answer and "ピッキング欠品を報告しました" in answer
    assert contents(order) == {"東京倉庫 instructed": {"CLOTH": 1}}
