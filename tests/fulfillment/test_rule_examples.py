"""Every ready-made rule acts: installed as it is, on orders like those it is made for."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group

from customers.services import profile, ranks
from customers.services.identity import Person, match_members
from fulfillment.documents import note_choice
from fulfillment.services.audit import violations
from inventory.models import Balance, Sku
from oms.kernel import clock
from oms.kernel.models import User
from orders.channel_order import PaymentMethod, PaymentState
from orders.decide.rules.document import check
from orders.models import Mail, Order, OrderTask, OrderText, Rule, ShippingPlan
from orders.services.intake import take_in
from orders.services.rules import active, publish, ready_made, sweep
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import (
    ORDERED_AT,
    TOKYO_PARTY,
    make_channel_order,
    make_line,
    make_location,
    make_shop,
    make_sku,
    mapped,
)

pytestmark = pytest.mark.django_db
COD = {"payment_method": PaymentMethod.COD, "payment_state": PaymentState.UNPAID}
BANK = {"payment_method": PaymentMethod.BANK_TRANSFER, "payment_state": PaymentState.UNPAID}


def install(code: str, **words: Any) -> None:
    """As one click does, then published as it is."""
    publish.publish(ready_made.install(code, by=None, own=ready_made.Chosen(**words)).pk, by=None)


def party(**fields):
    from dataclasses import replace  # noqa: PLC0415

    return replace(TOKYO_PARTY, **fields)


def take(*orders, shop=None, skus=None) -> list[Order]:
    found = skus or [make_sku(stock_units=50)]
    take_in(shop or make_shop(), orders, sku_of=mapped(*found))
    return list(Order.objects.order_by("pk"))


def texts(order: Order) -> list[str]:
    return list(OrderText.objects.filter(order=order).values_list("text", flat=True))


def mails(order: Order) -> dict[str, str]:
    rows = Mail.objects.filter(order=order).exclude(event="order_received")
    return dict(rows.values_list("event", "state"))


ISLAND = {"postal_code": "100-0101", "city": "大島町", "address": "元町1-1-1"}
OKINAWA = {"postal_code": "900-0001", "prefecture": "沖縄県", "city": "那覇市", "address": "港町1-1-1"}


def test_every_example_can_be_installed_and_has_nothing_to_correct():
    make_sku("GIFT")
    make_location("S1", name="世田谷店", kind="store")
    make_shop("honten", channel="futureshop")
    ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True), by=None)
    for own in (
        ready_made.Chosen(sku="GIFT", location="S1"),
        ready_made.Chosen(sku="GIFT", location="S1", gift="GIFT", rank="gold"),
    ):
        for one in ready_made.EXAMPLES:
            version = ready_made.install(one.code, by=None, own=own)
            assert check(version.document, active.known()).faults == [], one.code
        Rule.objects.all().delete()


def test_1_a_remark_with_only_a_wish_is_read_and_stops_nothing():
    install("slip-text")
    wished, asks = take(
        make_channel_order(remarks="[配送日時指定:]\n午前中"), make_channel_order(remarks="色を変えてください")
    )
    assert wished.tags == ["備考読取済"] and wished.wish_slot == "am" and not asks.tags
    assert not wished.reasons.filter(code="buyer_note").exists()


def test_2_a_first_order_of_much_money_is_held():
    install("high-first")
    first, again = take(
        make_channel_order(make_line("CHAIR", 1, 60_000)),
        make_channel_order(make_line("CHAIR", 1, 60_000), ordered_at=ORDERED_AT + timedelta(days=30)),
    )
    assert (first.hold_reason, again.hold_reason) == ("高額・初回", "")
    ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True), by=None)
    [member] = match_members([Person("林 薫", phone="03-1111-2222")])
    profile.change({member: {"rank": "gold"}}, by=None)
    known = party(name="林 薫", phone="03-1111-2222", email="")
    *_others, vip = take(make_channel_order(make_line("CHAIR", 1, 60_000), buyer=known))
    assert vip.member_id == member and vip.hold_reason == ""


def test_3_cash_on_an_island_is_held_and_asked_to_be_changed():
    install("cod-island")
    home = party(**ISLAND)
    island, town = take(make_channel_order(recipients=(home,), **COD), make_channel_order(**COD))
    assert island.held_at and mails(island) == {"payment_change_request": "scheduled"} and not town.held_at


def test_4_small_parcels_go_into_the_letter_box():
    install("mailbox")
    small, wish, many = take(
        make_channel_order(),
        make_channel_order(wish_date=clock.today() + timedelta(days=6)),
        make_channel_order(make_line("CHAIR", 3)),
    )
    assert [one.delivery_method for one in (small, wish, many)] == ["ネコポス", "宅急便", "宅急便"]


def test_5_the_campaigns_gift_comes_once_a_member_while_there_is_any():
    chair, gift = make_sku(stock_units=50), make_sku("GIFT", stock_units=5)
    day = clock.in_tokyo(ORDERED_AT).date()
    install("campaign-gift", sku="GIFT", since=day, until=day + timedelta(days=9))
    orders = take(
        make_channel_order(make_line("CHAIR", 8), ordered_at=ORDERED_AT - timedelta(days=1)),
        make_channel_order(make_line("CHAIR", 7)),
        make_channel_order(make_line("CHAIR", 8)),
        make_channel_order(make_line("CHAIR", 8), ordered_at=ORDERED_AT + timedelta(days=1)),
        make_channel_order(make_line("CHAIR", 8), buyer=party(name="別 人", phone="03-1111-2222", email=""),
                           ordered_at=ORDERED_AT + timedelta(days=10)),
        skus=[chair],
    )  # fmt: skip
    given = [one.lines.filter(channel_sku="GIFT").count() for one in orders]
    assert given == [0, 0, 1, 0, 0], "in the campaign's days, for enough money, once"
    assert Balance.objects.get(sku=gift, location=None, release="").reserved == 1


def test_6_the_first_twenty_get_a_sticker():
    make_sku(stock_units=50)
    install("first-twenty", sku="CHAIR")
    orders = take(*(make_channel_order() for _ in range(22)))
    assert sum("先着ステッカー" in one.tags for one in orders) == 20 and texts(orders[0]) == ["ステッカーを入れる"]


def test_6_a_sticker_of_one_shop_is_for_nobody_elses_orders():
    make_sku(stock_units=50)
    own = make_shop("own")
    install("first-twenty", sku="CHAIR", shop="own")
    take(make_channel_order())
    *_others, order = take(make_channel_order(), shop=own)
    assert [one.tags for one in Order.objects.order_by("pk")] == [[], ["先着ステッカー"]] and order.shop == own


def test_6_a_sticker_with_a_sku_is_a_line_for_nothing_and_ends_with_its_stock_or_the_twentieth():
    chair, sticker = make_sku(stock_units=90), make_sku("STICKER", stock_units=30)
    install("first-twenty", sku="CHAIR", gift="STICKER")
    for _batch in range(2):
        orders = take(*(make_channel_order() for _ in range(11)), skus=[chair])
    lines = [one.lines.filter(channel_sku="STICKER", amount=0, reserved=True).count() for one in orders]
    assert lines == [1] * 20 + [0] * 2
    assert Balance.objects.get(sku=sticker, location=None, release="").reserved == 20
    assert not texts(orders[0])


def test_6_without_stock_nobody_gets_a_sticker():
    chair, _sticker = make_sku(stock_units=50), make_sku("STICKER")
    install("first-twenty", sku="CHAIR", gift="STICKER")
    [order] = take(make_channel_order(), skus=[chair])
    assert order.lines.count() == 1


def test_7_one_leaflet_each_by_how_often_somebody_bought():
    install("repeat-leaflet")
    install("first-leaflet")
    orders = take(*(make_channel_order(ordered_at=ORDERED_AT + timedelta(days=3 * n)) for n in range(4)))
    assert [texts(one) for one in orders] == [["チラシAを入れる"], [], [], ["チラシBを入れる"]]


def test_8_a_far_wish_is_marked():
    install("far-wish")
    far, near = take(*(make_channel_order(wish_date=clock.today() + timedelta(days=n)) for n in (20, 10)))
    assert (far.tags, near.tags) == (["先日付"], []) and far.planned_ship_date < far.wish_date


def test_9_a_disaster_holds_by_postal_code_and_says_so():
    install("disaster", until=clock.today() + timedelta(days=12))
    publish.save_list("災害地域", ["154"])
    [order] = take(make_channel_order())
    assert order.hold_until == clock.today() + timedelta(days=12) and mails(order) == {"delay_notice": "scheduled"}


def test_10_a_noshi_without_a_name_waits_for_an_answer():
    install("noshi-name")
    asks, plain = take(make_channel_order(noshi="御祝 名入れ:"), make_channel_order(noshi="御祝"))
    assert asks.held_at and mails(asks) == {"inquiry": "draft"} and not plain.held_at


def test_13_three_words_about_money_that_does_not_come(monkeypatch):
    for code in ("transfer-3", "transfer-7", "transfer-10"):
        install(code)
    [order] = take(make_channel_order(**BANK))
    now = clock.now()
    said = []
    for days in (2, 4, 8, 11):
        later = now + timedelta(days=days)
        monkeypatch.setattr(clock, "now", lambda later=later: later)
        sweep.run_moments()
        order.refresh_from_db()
        said.append((set(mails(order)) & {"payment_reminder", "payment_final"}, set(order.tags)))
    assert said == [
        (set(), set()),
        ({"payment_reminder"}, set()),
        ({"payment_reminder", "payment_final"}, {"最終督促"}),
        ({"payment_reminder", "payment_final"}, {"最終督促", "キャンセル候補"}),
    ]


def test_14_an_express_order_goes_to_the_warehouse_by_itself():
    install("express")
    shop, chair = make_shop(), make_sku(stock_units=50)
    fast = ready(shop, skus=[chair], delivery_method="あす楽", ordered_at=ORDERED_AT)
    usual = ready(
        shop,
        skus=[chair],
        delivery_method="宅配便",
        ordered_at=ORDERED_AT,
        buyer=party(name="別 人", phone="03-1111-2222"),
    )
    sweep.consume_wakes()
    fast.refresh_from_db()
    usual.refresh_from_db()
    assert (fast.stage, usual.stage) == ("in_fulfillment", "ready"), fast.rule_trace.rows
    assert fast.get_priority_display() == "至急" and usual.priority == 0
    assert not list(violations())


def test_14_after_the_cut_off_an_express_order_waits_for_people():
    install("express")
    ShippingPlan.objects.create(location=None, cutoffs={"": "00:00"})
    late = ready(make_shop(), skus=[make_sku(stock_units=50)], delivery_method="あす楽", ordered_at=ORDERED_AT)
    sweep.consume_wakes()
    late.refresh_from_db()
    assert (late.stage, late.priority) == ("ready", 0)


def test_15_a_battery_to_okinawa_goes_by_sea_three_days_later():
    install("okinawa")
    publish.save_list("電池入り", ["CHAIR"])
    wish = clock.today() + timedelta(days=20)
    far, near = take(make_channel_order(recipients=(party(**OKINAWA),), wish_date=wish), make_channel_order())
    before = far.rule_marks.get(action="set_planned_date").before["planned_ship_date"]
    assert far.delivery_method == "船便" and mails(far) == {"delay_notice": "scheduled"}
    assert (far.planned_ship_date - type(far.planned_ship_date).fromisoformat(before)).days == 3
    assert near.delivery_method != "船便"
    publish.save_list("電池入り", [])
    Sku.objects.update(tags=["リチウム電池"])
    *_others, tagged = take(make_channel_order(recipients=(party(**OKINAWA),)))
    assert tagged.delivery_method == "船便"


def test_16_regular_customers_are_served_by_the_flagship():
    store = make_location("S1", name="銀座店", kind="store")
    chair = make_sku(stock_units=5, location=store)
    install("flagship", location="S1")
    first, second = take(
        make_channel_order(make_line("CHAIR", 1, 120_000)),
        make_channel_order(ordered_at=ORDERED_AT + timedelta(days=9)),
        skus=[chair],
    )
    assert first.preferred_location is None and second.preferred_location == store
    assert texts(second) == ["お得意様: 店で包装"]


def test_16_members_of_a_rank_are_served_by_the_flagship_while_it_has_stock():
    store = make_location("S1", name="銀座店", kind="store")
    chair = make_sku(stock_units=5, location=store)
    ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True), by=None)
    install("flagship", location="S1", rank="gold")
    [first] = take(make_channel_order(), skus=[chair])
    assert first.preferred_location is None
    profile.change({first.member_id: {"rank": "gold"}}, by=None)
    first, second = take(make_channel_order(), skus=[chair])
    assert first.preferred_location == store, "an order that waits follows the new rank"
    assert second.preferred_location == store


def test_18_waiting_for_stock_three_days_gives_the_lead_a_draft():
    lead = User.objects.create_user("lead-1", password="x")
    lead.groups.add(Group.objects.get(name="shift_lead"))
    install("stock-late")
    [order] = take(make_channel_order(), skus=[make_sku()])
    Order.objects.update(stage_since=clock.now() - timedelta(hours=73))
    sweep.run_moments()
    order.refresh_from_db()
    assert order.assignee == lead and mails(order) == {"delay_notice": "draft"}
    assert OrderTask.objects.get().team.name == "shift_lead"
    sweep.run_moments()
    assert OrderTask.objects.count() == 1


def test_19_cash_for_who_refused_before_is_held():
    install("cod-refused")
    publish.save_list("受取拒否", ["09012345678"])
    cash, card = take(make_channel_order(**COD), make_channel_order())
    assert cash.hold_reason == "代引の受取拒否あり" and not card.held_at


def test_20_about_one_first_order_in_twenty_gets_the_survey():
    from dataclasses import replace  # noqa: PLC0415

    install("survey")
    orders = take(
        *(
            make_channel_order(
                number=f"S-{n}", buyer=replace(TOKYO_PARTY, name=f"客 {n}", phone=f"03{n:08d}", email="")
            )
            for n in range(300)
        )
    )
    chosen = [one for one in orders if "survey" in one.tags]
    assert 4 <= len(chosen) <= 30 and texts(chosen[0]) == ["アンケートを入れる"]


def test_21_the_own_shops_note_says_its_word_and_a_gift_shows_no_prices():
    install("own-shop-note")
    install("gift-note")
    own = make_shop("honten", channel="futureshop", channel_label="本店")
    plain, gift = take(make_channel_order(), make_channel_order(noshi="御祝"), shop=own)
    assert note_choice([plain]) == {"text": "またのご来店をお待ちしております。"}
    assert note_choice([gift]) == {"text": "またのご来店をお待ちしております。", "prices": "hide"}
