"""Cards: one decision for all that are alike, days and names that stand out, holds that end by themselves."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.urls import reverse

from oms.kernel import clock
from orders.models import Order, ReviewDecision
from orders.queries import card as cards
from orders.queries import inbox
from orders.services import decide_card, hold
from orders.services.decide_card import Wanted
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import ORDERED_AT, TOKYO_PARTY, make_channel_order, make_line, make_shop, mapped
from tests.orders.test_review_cards import CHOOSE, open_codes, take

pytestmark = pytest.mark.django_db


def test_what_is_alike_gets_the_same_choice_by_one_press_and_comes_back_by_one(client_of, aoi):
    alike = [take("ベルは鳴らさず電話ください", hours=n) for n in (10, 20, 30)]
    other = take("別の質問です、教えて", hours=40)
    client = client_of(aoi)
    page = client.get("/orders/inbox/?code=buyer_note").content.decode()
    assert "同じ内容のほか2件にも同じ判断をする" in page
    row = alike[0].reasons.get(code="buyer_note")
    client.post(CHOOSE, {"reason_row": row.pk, "choice": "packing_note|", "same": "1"})
    notes = dict(Order.objects.values_list("pk", "packing_note"))
    assert all("電話ください" in notes[one.pk] for one in alike) and notes[other.pk] == ""
    assert ReviewDecision.objects.values("action").distinct().count() == 1
    client.post(reverse("orders:inbox-undo"), {"code": "buyer_note"})
    assert not any(Order.objects.values_list("packing_note", flat=True))
    assert inbox.kinds()[0].orders == 4 and inbox.kinds()[0].causes == 2


def test_an_address_is_put_right_for_all_only_where_the_very_same_was_written(client_of, aoi):
    same, like = take(postal="900-0001"), take(postal="900-0001", hours=20)
    differs = replace(TOKYO_PARTY, postal_code="900-0001", address="三軒茶屋9-9-9")
    order = make_channel_order(make_line("CHAIR"), recipients=(differs,), ship_by=ORDERED_AT + timedelta(hours=30))
    take_in(make_shop(), [order], sku_of=mapped(Order.objects.get(pk=same.pk).lines.get().sku))
    neighbour = Order.objects.get(channel_order_no=order.channel_order_no)
    row = same.reasons.get(code="postal_mismatch")
    assert len(inbox.same_evidence(row.pk)) == 3, "the evidence alone does not tell them apart"
    value = cards.card_context(same, row, personal=True)["choices"][0][0].value
    page = client_of(aoi).post(CHOOSE, {"reason_row": row.pk, "choice": f"address|{value}", "same": "1"}, follow=True)
    assert [one.recipients.get().postal_code for one in (same, like)] == ["1540024"] * 2
    assert neighbour.recipients.get().address == "三軒茶屋9-9-9" and open_codes(neighbour) == {"postal_mismatch"}
    assert "1件ずつ確かめてください" in page.content.decode()


def test_days_hours_and_names_stand_out_of_what_must_be_read():
    pieces = cards.marked("宅配ボックスへ入れてください。１２月６日に山田様へ届きますか？お客様", date(2026, 11, 1))
    assert [piece.text for piece in pieces if piece.telling] == ["１２月６日", "山田"]
    assert not pieces[0].read, "what was understood is not marked"
    assert (
        "".join(piece.text for piece in pieces)
        == "宅配ボックスへ入れてください。１２月６日に山田様へ届きますか？お客様"
    )


def test_a_card_is_put_off_until_a_day_and_comes_back_then(client_of, aoi):
    order = take("色は選べますか？")
    client, row = client_of(aoi), order.reasons.get()
    day = clock.today() + timedelta(days=3)
    client.post(reverse("orders:inbox-hold"), {"reason_row": row.pk, "reason": "", "until": f"{day:%Y-%m-%d}"})
    order.refresh_from_db()
    assert order.hold_until == day and order.hold_reason == "後日あらためて確認" and order.stage == "on_hold"
    held = order.events.get(kind="held")
    assert f"{day:%Y/%m/%d} まで" in held.text
    assert hold.lift_due() == 0
    Order.objects.filter(pk=order.pk).update(hold_until=clock.today())
    assert hold.lift_due() == 1
    order.refresh_from_db()
    assert order.stage == "review" and order.hold_until is None


def test_a_day_that_is_over_holds_nothing(client_of, aoi):
    order = take("色は選べますか？")
    values = {"reason_row": order.reasons.get().pk, "reason": "返事待ち", "until": f"{clock.today():%Y-%m-%d}"}
    page = client_of(aoi).post(reverse("orders:inbox-hold"), values, follow=True)
    order.refresh_from_db()
    assert "明日からの日付にしてください" in page.content.decode() and order.held_at is None


def test_the_next_reason_of_the_same_order_is_one_key_away(client_of, aoi):
    order = take("色は選べますか？", postal="900-0001")
    page = client_of(aoi).get("/orders/inbox/?code=buyer_note")
    link = f"{reverse('orders:inbox')}?code=postal_mismatch&amp;at={order.pk}"
    assert f'<a href="{link}" data-key="."' in page.content.decode()


def test_a_double_order_is_told_with_the_time_between(client_of, aoi):
    first = take(ordered_at=ORDERED_AT)
    take(hours=20, ordered_at=ORDERED_AT + timedelta(minutes=12))
    second = Order.objects.exclude(pk=first.pk).get()
    page = client_of(aoi).get("/orders/inbox/?code=duplicate_suspect")
    assert [twin.apart for twin in page.context["twins"]] == ["この受注の12分前", ""]
    assert page.context["card"].order_id == second.pk


def test_a_hold_until_a_day_is_undone_exactly(aoi):
    order = take("色は選べますか？")
    wanted = Wanted("hold", "返事待ち", until=clock.today() + timedelta(days=2))
    decide_card.decide([order.reasons.get().pk], wanted, actor=Actor(aoi, "one"))
    decide_card.undo_last(actor=Actor(aoi, "two"))
    order.refresh_from_db()
    assert order.hold_until is None and order.stage == "review"
