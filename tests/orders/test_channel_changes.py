"""What the channel changes after an order came in: what settles itself, and what a person must see."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.stop import ask_for_change
from inventory.services.audit import violations as stock_violations
from oms.kernel import clock
from oms.kernel.services.outbox import deliver_due
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.decide.taking_over import Known, judge, settle
from orders.models import Order, OrderEvent, OrderEventValue
from orders.services import edit, payment, review
from orders.services.edit import Seen, fingerprint
from orders.services.intake import take_in
from orders.services.journal import SYSTEM, Actor
from tests.orders.builders import (
    TOKYO_PARTY,
    changed,
    make_channel_order,
    make_line,
    make_shop,
    make_sku,
    mapped,
)

ACTOR = Actor()
ELSEWHERE = replace(TOKYO_PARTY, postal_code="150-0001", city="渋谷区", address="神宮前1-2-3")


def stored(order=None) -> Order:
    return Order.objects.get(**({"channel_order_no": order.channel_order_no} if order else {}))


def open_codes(order: Order) -> set[str]:
    return set(order.reasons.filter(state="open").values_list("code", flat=True))


def evidence(order: Order, code: str = "channel_changed") -> str:
    return order.reasons.get(code=code, state="open").evidence


def in_stock(**fields):
    shop, chair = make_shop(**fields), make_sku(stock_units=5)
    order = make_channel_order()
    take_in(shop, [order], sku_of=mapped(chair))
    return shop, chair, order


def planned(**fields):
    """An order that waits for its instruction with a planned parcel."""
    shop, chair, order = in_stock(**fields)
    allocate_waiting()
    assert stored().stage == "ready"
    return shop, chair, order


def correct(order: Order, person, **values) -> None:
    first = order.recipients.get()
    fields = {name: getattr(first, name) for name in edit.RECIPIENT_FIELDS}
    seen = Seen(order.version, fingerprint(fields))
    edit.edit_recipient(order.pk, 0, fields | values, seen=seen, actor=Actor(by=person))


# ---- what settles itself


@pytest.mark.django_db
def test_a_new_address_before_the_instruction_is_taken_and_the_order_goes_on():
    shop, chair, order = planned()
    take_in(shop, [changed(order, recipients=(ELSEWHERE,))], sku_of=mapped(chair))
    after = stored()
    assert after.recipients.get().address == "神宮前1-2-3" and after.stage == "ready"
    assert Shipment.objects.get().recipient.address == "神宮前1-2-3"
    assert open_codes(after) == {"channel_reflected"}
    assert "届け先" in evidence(after, "channel_reflected")
    values = OrderEventValue.objects.filter(event__kind="channel_update", field="address")
    assert [(v.before, v.after) for v in values] == [(TOKYO_PARTY.address, "神宮前1-2-3")]
    assert instruct_orders([after.pk], actor=SYSTEM).orders == [after.pk]


@pytest.mark.django_db
def test_an_undeliverable_new_address_stops_by_its_own_reason():
    shop, chair, order = planned()
    take_in(shop, [changed(order, recipients=(replace(ELSEWHERE, postal_code="900-0001"),))], sku_of=mapped(chair))
    assert "postal_mismatch" in open_codes(stored()) and stored().stage == "review"


@pytest.mark.django_db
def test_a_wish_told_later_moves_the_planned_day_and_the_planned_parcels_carrier():
    shop, chair, order = planned()
    wish = clock.today() + timedelta(days=9)
    told = changed(order, wish_date=wish, delivery_method="佐川急便")
    take_in(shop, [told], sku_of=mapped(chair))
    after = stored()
    assert (after.planned_ship_date, after.carrier, after.stage) == (wish - timedelta(days=1), "sagawa", "scheduled")
    assert Shipment.objects.get().carrier == "sagawa"
    take_in(shop, [changed(told, recipients=(replace(TOKYO_PARTY, prefecture="沖縄県"),))], sku_of=mapped(chair))
    assert stored().planned_ship_date == wish - timedelta(days=3)


@pytest.mark.django_db
def test_a_deadline_alone_is_no_change_worth_a_word():
    shop, chair, order = planned()
    take_in(shop, [changed(order, ship_by=clock.now() + timedelta(days=3))], sku_of=mapped(chair))
    assert stored().ship_by and open_codes(stored()) == set()


@pytest.mark.django_db
def test_fewer_pieces_are_taken_over_and_placed_anew():
    shop, chair = make_shop(), make_sku(stock_units=5)
    line = make_line("CHAIR", 3)
    order = make_channel_order(line)
    take_in(shop, [order], sku_of=mapped(chair))
    allocate_waiting()
    fewer = replace(line, quantity=2, amount=2000)
    take_in(shop, [changed(order, lines=(fewer,), totals=Totals(2000, 2500, 500))], sku_of=mapped(chair))
    allocate_waiting()
    assert (stored().stage, stored().quantity, stored().total) == ("ready", 2, 2500)
    assert open_codes(stored()) == {"channel_reflected"}


@pytest.mark.django_db
def test_the_shop_may_keep_the_stop():
    shop, chair, order = planned(channel_changes="stop")
    take_in(shop, [changed(order, recipients=(ELSEWHERE,))], sku_of=mapped(chair))
    after = stored()
    assert after.recipients.get().address == "神宮前1-2-3"
    assert after.stage == "review" and "届け先" in evidence(after)
    assert instruct_orders([after.pk], actor=SYSTEM).orders == []


@pytest.mark.django_db
def test_the_first_complete_word_of_a_provisional_order_is_no_change():
    shop, chair = make_shop(channel_changes="stop"), make_sku(stock_units=5)
    order = make_channel_order(state="provisional", recipients=(), totals=None)
    take_in(shop, [order], sku_of=mapped(chair))
    told = make_channel_order(*order.lines, number=order.channel_order_no)
    take_in(shop, [told], sku_of=mapped(chair))
    assert open_codes(stored()) == set() and stored().recipients.get().city == "世田谷区"


# ---- what was corrected here


@pytest.mark.django_db
def test_a_correction_stays_while_the_channel_repeats_what_was_corrected(django_user_model):
    person = django_user_model.objects.create(username="aoi")
    shop, chair = make_shop(), make_sku(stock_units=5)
    order = make_channel_order(recipients=(replace(TOKYO_PARTY, postal_code="900-0001"),))
    take_in(shop, [order], sku_of=mapped(chair))
    correct(stored(), person, postal_code="154-0024")
    told = changed(order, recipients=(replace(order.recipients[0], phone="03-1111-2222"),))
    take_in(shop, [told], sku_of=mapped(chair))
    first = stored().recipients.get()
    assert (first.postal_code, first.phone) == ("154-0024", "03-1111-2222")
    assert "channel_changed" not in open_codes(stored())


@pytest.mark.django_db
def test_a_field_that_both_sides_changed_stops_and_names_itself(django_user_model):
    person = django_user_model.objects.create(username="aoi")
    shop, chair, order = planned()
    correct(stored(), person, address="三軒茶屋2-14-3 メゾン青葉403")
    told = changed(order, recipients=(replace(TOKYO_PARTY, address="三軒茶屋2-14-3 メゾン青葉404"),))
    take_in(shop, [told], sku_of=mapped(chair))
    after = stored()
    assert after.stage == "review" and "番地・建物" in evidence(after)
    assert after.recipients.get().address.endswith("404")


@pytest.mark.django_db
def test_the_same_news_twice_opens_an_accepted_reason_again(monkeypatch, django_user_model):
    person = django_user_model.objects.create(username="aoi")
    shop, chair, order = planned(channel_changes="stop")
    take_in(shop, [changed(order, recipients=(ELSEWHERE,))], sku_of=mapped(chair))
    review.accept([stored().pk], actor=Actor(by=person))
    later = clock.now() + timedelta(minutes=5)
    monkeypatch.setattr("orders.services.channel_change.clock.now", lambda: later)
    take_in(shop, [changed(order, recipients=(replace(ELSEWHERE, address="神宮前9-9"),))], sku_of=mapped(chair))
    assert "channel_changed" in open_codes(stored())


@pytest.mark.django_db
def test_unread_news_stays_when_another_comes():
    shop, chair, order = planned(channel_changes="stop")
    moved = changed(order, recipients=(ELSEWHERE,))
    take_in(shop, [moved], sku_of=mapped(chair))
    take_in(shop, [changed(moved, wish_slot="1416")], sku_of=mapped(chair))
    assert "届け先" in evidence(stored()) and "配達の希望" in evidence(stored())


# ---- money and goods


@pytest.mark.django_db
def test_more_pieces_than_there_are_stop_the_order():
    shop, chair = make_shop(), make_sku(stock_units=2)
    line = make_line("CHAIR", 1)
    order = make_channel_order(line)
    take_in(shop, [order], sku_of=mapped(chair))
    allocate_waiting()
    more = replace(line, quantity=9, amount=9000)
    take_in(shop, [changed(order, lines=(more,), totals=Totals(9000, 9500, 500))], sku_of=mapped(chair))
    assert "在庫が足りません" in evidence(stored())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("own", "after", "anew", "stops"),
    [(True, 2000, False, True), (True, 1400, False, False), (True, 2000, True, False), (False, 2000, False, False)],
)
def test_a_total_raised_above_what_our_provider_authorised_stops(own, after, anew, stops):
    shop = make_shop(capabilities={"own_payments": own})
    chair = make_sku(stock_units=5)
    order = make_channel_order(payment_method=PaymentMethod.CARD, payment_state=PaymentState.AUTHORIZED)
    take_in(shop, [order], sku_of=mapped(chair))
    fields = {"authorized_until": clock.now() + timedelta(days=30)} if anew else {}
    told = changed(order, totals=Totals(1000, after, after - 1000), **fields)
    take_in(shop, [told], sku_of=mapped(chair))
    assert ("amount_increased" in open_codes(stored())) == stops
    assert stored().total == after


@pytest.mark.django_db
def test_a_raised_total_leaves_paid_money_short_in_our_ledger():
    shop = make_shop(capabilities={"own_payments": True})
    chair = make_sku(stock_units=5)
    order = make_channel_order(payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.UNPAID)
    take_in(shop, [order], sku_of=mapped(chair))
    payment.record_payments([stored().pk], actor=ACTOR)
    take_in(shop, [changed(order, totals=Totals(1000, 2000, 1000))], sku_of=mapped(chair))
    assert "paid_short" in open_codes(stored()) and "amount_increased" not in open_codes(stored())


# ---- after the instruction


@pytest.mark.django_db
def test_after_the_instruction_news_waits_and_is_fetched_again_once_the_parcel_is_stopped():
    shop, chair, order = planned()
    instruct_orders([stored().pk], actor=SYSTEM)
    told = changed(order, recipients=(ELSEWHERE,))
    take_in(shop, [told], sku_of=mapped(chair))
    assert stored().recipients.get().address == TOKYO_PARTY.address
    assert "届け先" in evidence(stored())
    assert OrderEvent.objects.filter(kind="channel_told").count() == 1
    assert take_in(shop, [told], sku_of=mapped(chair)).unchanged
    ask_for_change([stored().pk], note="住所変更", actor=ACTOR)
    assert take_in(shop, [told], sku_of=mapped(chair)).updated
    assert stored().recipients.get().address == "神宮前1-2-3"
    assert take_in(shop, [told], sku_of=mapped(chair)).unchanged


@pytest.mark.django_db
def test_a_deadline_set_after_the_instruction_is_taken_and_no_news():
    shop, chair, order = planned()
    instruct_orders([stored().pk], actor=SYSTEM)
    day = clock.now() + timedelta(days=3)
    take_in(shop, [changed(order, ship_by=day)], sku_of=mapped(chair))
    assert stored().ship_by == day and open_codes(stored()) == set()


@pytest.mark.django_db
def test_a_parcel_nobody_began_with_comes_back_and_goes_out_with_the_new_data():
    shop, chair, order = planned()
    instruct_orders([stored().pk], actor=SYSTEM)
    told = changed(order, recipients=(ELSEWHERE,))
    take_in(shop, [told], sku_of=mapped(chair))
    deliver_due()
    assert stored().fulfillment_state == "none" and instruct_orders([stored().pk], actor=SYSTEM).orders == []
    take_in(shop, [told], sku_of=mapped(chair))
    allocate_waiting()
    assert open_codes(stored()) == {"channel_reflected"} and stored().stage == "ready"
    instruct_orders([stored().pk], actor=SYSTEM)
    assert Shipment.objects.get(state="instructed").recipient.address == "神宮前1-2-3"
    assert stock_violations() == []


@pytest.mark.django_db
def test_a_parcel_that_somebody_began_with_waits_for_a_person():
    shop, chair, order = planned()
    instruct_orders([stored().pk], actor=SYSTEM)
    Shipment.objects.update(printed_at=clock.now())
    take_in(shop, [changed(order, recipients=(ELSEWHERE,))], sku_of=mapped(chair))
    deliver_due()
    assert Shipment.objects.get().state == "instructed" and "channel_changed" in open_codes(stored())


@pytest.mark.django_db(transaction=True)
def test_a_change_and_the_instruction_at_once_never_let_old_data_go_unsaid(race):
    shop, chair, order = planned()
    told = changed(order, recipients=(ELSEWHERE,))
    pk = stored().pk
    turns = iter(["change", "instruct", "change", "instruct"])

    def work():
        if next(turns) == "change":
            return take_in(shop, [told], sku_of=mapped(chair))
        return instruct_orders([pk], actor=SYSTEM)

    race(4, work)
    after = stored()
    assert after.fulfillment_state == "instructed"
    applied = after.recipients.get().address == "神宮前1-2-3"
    assert applied == ("channel_changed" not in open_codes(after))


# ---- the decision, and what it costs


@pytest.mark.django_db
def test_many_changes_cost_a_fixed_number_of_queries():
    shop, chair = make_shop(), make_sku(stock_units=99)
    orders = [make_channel_order() for _ in range(12)]
    take_in(shop, orders, sku_of=mapped(chair))

    def cost(batch, address):
        moved = [changed(order, recipients=(replace(ELSEWHERE, address=address),)) for order in batch]
        with CaptureQueriesContext(connection) as queries:
            take_in(shop, moved, sku_of=mapped(chair))
        return [q for q in queries if "orders_ordereventvalue" in q["sql"] and "SELECT" in q["sql"]]

    assert len(cost(orders[:2], "神宮前1-1")) == len(cost(orders, "神宮前2-2")) == 1


names = st.sampled_from(["address", "phone", "wish_date"])
texts = st.dictionaries(names, st.sampled_from(["", "a", "b", "c"]), min_size=3)


@given(ours=texts, theirs=texts, known=st.dictionaries(names, st.builds(Known, st.sampled_from("abc"), st.booleans())))
def test_every_field_is_kept_taken_or_equal_and_only_a_persons_word_clashes(ours, theirs, known):
    settled = settle(ours, theirs, known)
    for name in theirs:
        equal, kept, taken = theirs[name] == ours[name], name in settled.kept, name in settled.taken
        assert equal + kept + taken == 1
        if kept:
            assert known[name].text == theirs[name]
    assert all(known[name].by_person and known[name].text != ours[name] for name in settled.clashing)


def test_a_change_that_stops_does_not_say_that_it_was_simply_taken():
    assert judge({"totals"}, at="11/29 10:00", strict=True).informs == ""
    assert judge(set(), at="11/29 10:00", strict=True) == judge(set(), at="11/29 10:00")
