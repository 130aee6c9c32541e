from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import BlacklistEntry, Member
from inventory.models import Balance
from oms.kernel import clock
from oms.kernel.models import Effect
from orders.channel_order import ChannelState, Party, PaymentMethod, PaymentState
from orders.models import Mail, Order, ReviewReason
from orders.queries.tiles import stage_counts
from orders.services.confirm import record_confirmed
from orders.services.intake import take_in
from orders.services.waiting import promise_waiting
from tests.orders.builders import (
    TOKYO_PARTY,
    changed,
    make_channel_order,
    make_line,
    make_shop,
    make_sku,
    mapped,
)

pytestmark = pytest.mark.django_db


def reserved(sku) -> int:
    return Balance.objects.get(sku=sku, location=None, release="").reserved


def test_an_order_is_stored_with_member_promise_mail_and_stage():
    shop, chair = make_shop(), make_sku(stock_units=5)
    outcome = take_in(shop, [make_channel_order(make_line("CHAIR", 2))], sku_of=mapped(chair))
    order = Order.objects.get()
    assert outcome.created == [order.channel_order_no]
    assert (order.stage, order.total, order.quantity) == ("awaiting_stock", 2500, 2)
    assert order.lines.get().reserved and reserved(chair) == 2
    assert order.member and order.member.order_count == 1
    assert order.mails.get().state == Mail.State.SCHEDULED
    assert Effect.objects.filter(kind="mail").count() == 1
    assert order.recipients.get().city == "世田谷区"


def test_the_same_order_again_changes_nothing():
    shop, chair = make_shop(), make_sku(stock_units=5)
    order = make_channel_order()
    take_in(shop, [order], sku_of=mapped(chair))
    again = take_in(shop, [order, order], sku_of=mapped(chair))
    assert again.unchanged == [order.channel_order_no]
    assert Order.objects.count() == 1 and reserved(chair) == 1 and Mail.objects.count() == 1


def test_an_older_version_is_not_applied():
    shop, chair = make_shop(), make_sku(stock_units=5)
    new = datetime(2026, 11, 21, tzinfo=UTC)
    order = make_channel_order(updated_at=new, remarks="あとの備考")
    take_in(shop, [order], sku_of=mapped(chair))
    old = changed(order, updated_at=new - timedelta(hours=1), remarks="前の備考")
    assert take_in(shop, [old], sku_of=mapped(chair)).stale == [order.channel_order_no]
    assert Order.objects.get().remarks == "あとの備考"


def test_changes_at_the_channel_are_applied_and_promises_follow():
    shop, chair = make_shop(), make_sku(stock_units=5)
    line = make_line("CHAIR", 1)
    order = make_channel_order(line)
    take_in(shop, [order], sku_of=mapped(chair))
    more = changed(
        order, lines=(replace(line, quantity=3, amount=3000),), totals=replace(order.totals, goods=3000, total=3500)
    )
    assert take_in(shop, [more], sku_of=mapped(chair)).updated
    stored = Order.objects.get()
    assert (stored.quantity, stored.total, stored.lines.get().quantity, reserved(chair)) == (3, 3500, 3, 3)
    assert stored.lines.get().reserved


def test_a_cancelled_order_gives_its_stock_back():
    shop, chair = make_shop(), make_sku(stock_units=5)
    order = make_channel_order()
    take_in(shop, [order], sku_of=mapped(chair))
    take_in(shop, [changed(order, state=ChannelState.CANCELLED, channel_state="900")], sku_of=mapped(chair))
    stored = Order.objects.get()
    assert stored.stage == "cancelled" and reserved(chair) == 0
    assert not stored.lines.get().reserved


def test_a_provisional_order_reserves_but_waits_as_new_and_gets_no_thanks_yet():
    shop, chair = make_shop(), make_sku(stock_units=5)
    order = make_channel_order(
        state=ChannelState.PROVISIONAL, buyer=Party(), recipients=(), totals=None, payment_state=PaymentState.UNPAID
    )
    take_in(shop, [order], sku_of=mapped(chair))
    stored = Order.objects.get()
    assert (stored.stage, stored.member_id, stored.total, reserved(chair)) == ("new", None, None, 1)
    assert not stored.mails.exists()
    full = make_channel_order(order.lines[0], number=order.channel_order_no)
    take_in(shop, [full], sku_of=mapped(chair))
    stored.refresh_from_db()
    assert stored.stage == "awaiting_stock" and stored.member and stored.mails.count() == 1
    assert stored.recipients.get().name == TOKYO_PARTY.name


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("buyer_note", {"remarks": "玄関の色は何色ですか？返事をください"}),
        ("channel_cancel_request", {"cancel_requested": True}),
        ("postal_mismatch", {"recipients": (replace(TOKYO_PARTY, postal_code="900-0001"),)}),
        ("street_no_missing", {"recipients": (replace(TOKYO_PARTY, address="三軒茶屋"),)}),
        ("phone_invalid", {"recipients": (replace(TOKYO_PARTY, phone="000"),)}),
    ],
)
def test_what_needs_judgement_stops_with_its_reason(code, fields):
    shop, chair = make_shop(), make_sku(stock_units=5)
    take_in(shop, [make_channel_order(**fields)], sku_of=mapped(chair))
    order = Order.objects.get()
    assert order.stage == "review"
    assert code in set(order.reasons.values_list("code", flat=True))


def test_an_unmapped_product_and_a_wrong_sum_stop_the_order():
    shop = make_shop()
    order = make_channel_order(make_line("UNKNOWN"))
    take_in(shop, [replace(order, totals=replace(order.totals, total=9999))], sku_of={})
    assert set(ReviewReason.objects.values_list("code", flat=True)) == {"item_unmapped", "amount_mismatch"}
    assert Order.objects.get().stage == "review"


def test_a_blacklisted_phone_stops_the_order():
    BlacklistEntry.objects.create(phone="09012345678", reason="受取拒否", created_at=datetime.now(UTC))
    shop, chair = make_shop(), make_sku(stock_units=5)
    take_in(shop, [make_channel_order()], sku_of=mapped(chair))
    assert Order.objects.get().reasons.get().code == "blacklist_match"


def test_slip_text_in_the_remark_becomes_the_wish_and_stops_nothing():
    shop, chair = make_shop(), make_sku(stock_units=5)
    wish, now = clock.today() + timedelta(days=6), clock.now()
    remark = f"[配送日時指定:]\n{wish}\n14:00〜16:00\n[備考:]\n特になし"
    take_in(shop, [make_channel_order(remarks=remark, ordered_at=now)], sku_of=mapped(chair))
    order = Order.objects.get()
    assert (order.wish_date, order.wish_slot) == (wish, "1416")
    assert not order.reasons.exists()


def test_an_order_to_confirm_asks_the_channel_by_itself():
    shop, chair = make_shop(), make_sku(stock_units=5)
    order = make_channel_order(state=ChannelState.TO_CONFIRM, payment_state=PaymentState.UNPAID)
    take_in(shop, [order], sku_of=mapped(chair))
    assert Order.objects.get().stage == "new"
    assert Effect.objects.get(kind="channel_confirm").payload == {"order": Order.objects.get().pk, "shop": shop.pk}


def test_a_refused_confirmation_ends_when_the_channel_cancels_the_order():
    """The mall cancelled before our question came: nothing is left for a person to tick off."""
    shop, chair = make_shop(), make_sku(stock_units=5)
    order = make_channel_order(state=ChannelState.TO_CONFIRM, payment_state=PaymentState.UNPAID)
    take_in(shop, [order], sku_of=mapped(chair))
    Effect.objects.filter(kind="channel_confirm").update(state="failed", last_error="キャンセル済みです。")
    take_in(shop, [changed(order, state=ChannelState.CANCELLED)], sku_of=mapped(chair))
    assert Order.objects.get().stage == "cancelled"
    assert Effect.objects.get(kind="channel_confirm").state == "waiting"


def test_cod_ships_without_money_and_a_transfer_waits_for_it():
    shop, chair = make_shop(), make_sku(stock_units=5)
    unpaid = {"payment_state": PaymentState.UNPAID}
    cod = make_channel_order(payment_method=PaymentMethod.COD, **unpaid)
    transfer = make_channel_order(payment_method=PaymentMethod.BANK_TRANSFER, **unpaid)
    take_in(shop, [cod, transfer], sku_of=mapped(chair))
    stages = dict(Order.objects.values_list("channel_order_no", "stage"))
    assert stages == {cod.channel_order_no: "awaiting_stock", transfer.channel_order_no: "awaiting_payment"}


def test_two_orders_for_the_last_unit_give_it_to_one_and_the_other_waits():
    shop, chair = make_shop(), make_sku(stock_units=1)
    take_in(shop, [make_channel_order(), make_channel_order()], sku_of=mapped(chair))
    assert sorted(line.reserved for o in Order.objects.all() for line in o.lines.all()) == [False, True]
    assert reserved(chair) == 1


def test_one_order_the_database_refuses_does_not_stop_the_rest():
    shop, chair = make_shop(), make_sku(stock_units=9)
    good = [make_channel_order() for _ in range(5)]
    bad = make_channel_order(make_line("CHAIR", 1, 2**40))
    outcome = take_in(shop, [*good[:3], bad, *good[3:]], sku_of=mapped(chair))
    assert len(outcome.created) == 5 and [no for no, _ in outcome.failed] == [bad.channel_order_no]
    assert Order.objects.count() == 5 and reserved(chair) == 5


def test_one_person_in_two_channels_is_one_member():
    chair = make_sku(stock_units=5)
    spelled = replace(TOKYO_PARTY, name="佐藤　恵", phone="09012345678", email="0f3c@pc.fw.rakuten.ne.jp")
    take_in(make_shop("a"), [make_channel_order()], sku_of=mapped(chair))
    take_in(make_shop("b"), [make_channel_order(buyer=spelled)], sku_of=mapped(chair))
    assert Member.objects.get().order_count == 2


def test_tiles_equal_the_rows_after_any_intake():
    shop, chair = make_shop(), make_sku(stock_units=5)
    orders = [make_channel_order(remarks="質問があります" if n % 2 else "") for n in range(6)]
    take_in(shop, orders, sku_of=mapped(chair))
    take_in(shop, [changed(orders[0], state=ChannelState.CANCELLED)], sku_of=mapped(chair))
    counted = {stage: n for stage, n in stage_counts().items() if n}
    assert counted == {"awaiting_stock": 2, "review": 3, "cancelled": 1}
    assert all(Order.objects.filter(stage=stage).count() == n for stage, n in counted.items())


def test_a_batch_takes_the_same_number_of_queries_whatever_its_size():
    shop, chair = make_shop(), make_sku(stock_units=500)
    take_in(shop, [make_channel_order()], sku_of=mapped(chair))

    def queries(size: int) -> int:
        people = [replace(TOKYO_PARTY, name=f"客{size}-{n}", email=f"c{size}-{n}@example.com") for n in range(size)]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            take_in(shop, [make_channel_order(buyer=p, recipients=(p,)) for p in people], sku_of=mapped(chair))
        return len(captured)

    assert queries(3) == queries(100) <= 42


def test_our_own_confirmation_outlives_the_channels_silence():
    shop, chair = make_shop(), make_sku(stock_units=5)
    order = make_channel_order(state=ChannelState.TO_CONFIRM, payment_state=PaymentState.UNPAID, flags=("prime",))
    take_in(shop, [order], sku_of=mapped(chair))
    stored = Order.objects.get()
    record_confirmed([stored.pk])
    stored.refresh_from_db()
    assert stored.stage == "awaiting_payment"
    take_in(shop, [changed(order, channel_state="200", flags=("prime", "asuraku"))], sku_of=mapped(chair))
    stored.refresh_from_db()
    assert stored.confirmed_at and stored.stage == "awaiting_payment" and stored.flags == ["prime", "asuraku"]


def test_an_unpaid_preorder_takes_stock_only_when_the_channel_lets_it():
    shop, chair = make_shop(), make_sku(stock_units=5)
    order = make_channel_order(state=ChannelState.PROVISIONAL, flags=("no_reserve",))
    take_in(shop, [order], sku_of=mapped(chair))
    assert reserved(chair) == 0
    promise_waiting()
    assert reserved(chair) == 0
    take_in(shop, [changed(order, state=ChannelState.OPEN, flags=())], sku_of=mapped(chair))
    promise_waiting()
    assert reserved(chair) == 1


def test_what_the_operator_corrected_stays_until_the_channel_changes_that_part():
    shop, chair = make_shop(), make_sku(stock_units=5)
    wrong = replace(TOKYO_PARTY, postal_code="900-0001")
    order = make_channel_order(recipients=(wrong,), payment_state=PaymentState.UNPAID)
    take_in(shop, [order], sku_of=mapped(chair))
    stored = Order.objects.get()
    stored.recipients.update(postal_code="154-0024")
    take_in(shop, [changed(order, payment_state=PaymentState.PAID)], sku_of=mapped(chair))
    stored.refresh_from_db()
    assert stored.recipients.get().postal_code == "154-0024"
    assert stored.reasons.get().state == "auto_resolved" and stored.stage == "awaiting_stock"


def test_after_the_instruction_a_changed_address_is_told_and_not_applied():
    shop, chair = make_shop(), make_sku(stock_units=5)
    order = make_channel_order()
    take_in(shop, [order], sku_of=mapped(chair))
    Order.objects.update(fulfillment_state="instructed")
    elsewhere = replace(TOKYO_PARTY, address="三軒茶屋9-9-9")
    take_in(shop, [changed(order, recipients=(elsewhere,))], sku_of=mapped(chair))
    stored = Order.objects.get()
    assert stored.recipients.get().address == TOKYO_PARTY.address
    assert "届け先" in stored.reasons.get(code="channel_changed").evidence
