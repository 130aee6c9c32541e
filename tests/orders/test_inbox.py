"""The review inbox: one card after another."""

from datetime import timedelta

import pytest
from django.urls import reverse

from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from orders.models import Order
from orders.queries import inbox
from orders.services.hold import hold_orders
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import ORDERED_AT, changed, make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
URL = "/orders/inbox/"


def take(remarks="色は選べますか？", *, hours: int | None = None, sku="CHAIR", **fields) -> Order:
    ship_by = ORDERED_AT + timedelta(hours=hours) if hours is not None else None
    order = make_channel_order(make_line(sku), remarks=remarks, ship_by=ship_by, **fields)
    take_in(make_shop(), [order], sku_of=mapped(make_sku(stock_units=9)))
    return Order.objects.get(channel_order_no=order.channel_order_no)


def body_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def reason_of(order: Order, code="buyer_note"):
    return order.reasons.get(code=code)


def test_kinds_are_counted_and_the_most_urgent_stands_first():
    take(hours=30), take(hours=20), take("", sku="UNKNOWN", hours=10)
    assert [(kind.code, kind.orders) for kind in inbox.kinds()] == [("item_unmapped", 1), ("buyer_note", 2)]


def test_cards_come_by_deadline_and_orders_without_one_last(aoi):
    later, first, never = take("後で", hours=30), take("先に", hours=20), take("いつでも")
    cards = [
        inbox.card("buyer_note", by=aoi),
        inbox.card("buyer_note", by=aoi, after=first.pk),
        inbox.card("buyer_note", by=aoi, after=later.pk),
    ]
    assert [card.order_id for card in cards] == [first.pk, later.pk, never.pk]
    assert [(card.place, card.total) for card in cards] == [(1, 3), (2, 3), (3, 3)]
    assert inbox.card("buyer_note", by=aoi, after=never.pk).order_id == first.pk, (
        "behind the last the first comes again"
    )
    assert inbox.card("buyer_note", by=aoi, at=later.pk).order_id == later.pk
    assert inbox.card("noshi", by=aoi) is None


def test_a_wish_to_cancel_while_packers_work_is_asked_about_too(client_of, aoi):
    order = make_channel_order(make_line("CHAIR"))
    take_in(make_shop(), [order], sku_of=mapped(make_sku(stock_units=9)))
    allocate_waiting()
    stored = Order.objects.get()
    instruct_orders([stored.pk], actor=Actor(aoi))
    take_in(make_shop(), [changed(order, cancel_requested=True, channel_state="900")], sku_of={})
    page = client_of(aoi).get(URL)
    assert page.context["card"].order_id == stored.pk and page.context["reason"].code == "channel_cancel_request"
    text = body_of(page)
    assert "出荷作業中" in text and reverse("orders:cancel", args=[stored.pk]) in text


def test_held_orders_wait_elsewhere(aoi):
    order = take()
    hold_orders([order.pk], reason="返事待ち", actor=Actor(aoi))
    assert inbox.kinds() == []


def test_only_what_a_person_must_read_is_marked():
    remark = "[配送日時指定:]\n2026-11-28(土)\n午前中\n色は選べますか？宅配ボックスにお願いします。"
    marked = inbox.highlighted(remark, ORDERED_AT.date())
    assert "".join(text for text, _ in marked) == remark
    assert "色は選べますか" in "".join(text for text, mark in marked if mark)
    assert not any(mark for text, mark in marked if "午前中" in text or "配送日時指定" in text)


def test_accepting_shows_the_next_card_and_the_counts(client_of, aoi):
    first, second = take("先に", hours=20), take("次に", hours=30)
    client = client_of(aoi)
    assert client.get(URL).context["card"].order_id == first.pk
    answer = client.post(reverse("orders:inbox-accept"), {"reason_row": reason_of(first).pk}, headers=HTMX)
    text = body_of(answer)
    assert second.channel_order_no in text and first.channel_order_no not in text
    assert 'id="inbox-card"' in text and 'id="inbox-kinds" hx-swap-oob="true"' in text
    first.refresh_from_db()
    assert first.stage == "awaiting_stock" and reason_of(first).closed_by == aoi


def test_without_scripts_the_next_card_is_a_page(client_of, aoi):
    first, second = take("先に", hours=20), take("次に", hours=30)
    answer = client_of(aoi).post(reverse("orders:inbox-accept"), {"reason_row": reason_of(first).pk}, follow=True)
    assert answer.context["card"].order_id == second.pk and "<html" in body_of(answer)


def test_the_same_words_are_decided_once(client_of, aoi):
    orders = [take("色は選べますか？", hours=n) for n in (10, 20, 30)]
    other = take("別のことです", hours=40)
    client = client_of(aoi)
    assert client.get(URL).context["card"].same == 2
    answer = client.post(
        reverse("orders:inbox-accept"), {"reason_row": reason_of(orders[0]).pk, "same": "1"}, follow=True
    )
    assert "3件を確認済みにしました" in body_of(answer)
    stages = dict(Order.objects.values_list("pk", "stage"))
    assert [stages[order.pk] for order in orders] == ["awaiting_stock"] * 3 and stages[other.pk] == "review"


def test_what_no_one_may_wave_through_stays(client_of, aoi):
    order = take("", sku="UNKNOWN")
    client = client_of(aoi)
    text = body_of(client.get(URL))
    assert "確認済みにして次へ" not in text and reverse("channels:map", args=[order.shop_id, "UNKNOWN"]) in text
    row = reason_of(order, "item_unmapped")
    answer = client.post(reverse("orders:inbox-accept"), {"reason_row": row.pk}, follow=True)
    assert "原因を直すと自動で解消します" in body_of(answer)
    row.refresh_from_db()
    assert row.state == "open"


def test_holding_takes_the_order_out_and_wants_a_reason(client_of, aoi):
    first, second = take("先に", hours=20), take("次に", hours=30)
    client, url = client_of(aoi), reverse("orders:inbox-hold")
    again = client.post(url, {"reason_row": reason_of(second).pk, "reason": ""}, follow=True)
    assert "保留の理由を入力してください" in body_of(again) and again.context["card"].order_id == second.pk
    client.post(url, {"reason_row": reason_of(first).pk, "reason": "返事待ち"})
    first.refresh_from_db()
    assert (first.stage, first.hold_reason) == ("on_hold", "返事待ち")


def test_an_empty_inbox_says_so(client_of, aoi):
    assert "確認待ちの受注はありません" in body_of(client_of(aoi).get(URL))


def test_only_who_reviews_sees_the_inbox(client_of, ben, chie, person_with):
    order = take()
    for who in (ben, chie, person_with("warehouse"), person_with("accounting")):
        client = client_of(who)
        assert client.get(URL).status_code == 403
        for name in ("inbox-accept", "inbox-hold"):
            url = reverse(f"orders:{name}")
            assert client.post(url, {"reason_row": reason_of(order).pk}).status_code == 403
    assert client_of(person_with("operator")).get(reverse("orders:inbox-accept")).status_code == 405


def test_a_card_costs_a_fixed_number_of_queries(client_of, aoi, django_assert_max_num_queries):
    client = client_of(aoi)
    take(hours=10)
    client.get(URL)
    with django_assert_max_num_queries(42) as one:
        client.get(URL)
    for hours in range(20, 30):
        take(f"{hours}色は選べますか？", hours=hours)
    with django_assert_max_num_queries(42) as many:
        client.get(URL)
    assert len(one) == len(many)


def test_nonsense_in_the_address_does_no_harm(client_of, aoi):
    order = take()
    page = client_of(aoi).get(URL, {"code": "nothing", "after": "x", "at": "-1"})
    assert page.context["card"].order_id == order.pk
    assert client_of(aoi).post(reverse("orders:inbox-accept"), {"reason_row": "x"}).status_code == 404
