"""Cards with decisions: one key each, exactly taken back, never before two people at once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from inventory.models import Sku
from oms.kernel import clock
from orders.decide.reasons import CATALOGUE
from orders.desk_actions import AcceptForm
from orders.models import Order, OrderText, ReviewClaim, ReviewDecision
from orders.queries import card as cards
from orders.queries import inbox
from orders.services import claim, decide_card
from orders.services.decide_card import Refused, Wanted
from orders.services.edit import RECIPIENT_FIELDS, Seen, edit_recipient, fingerprint
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.reason_settings import Setting, save
from tests.orders.builders import (
    ORDERED_AT,
    TOKYO_PARTY,
    make_channel_order,
    make_line,
    make_shop,
    make_sku,
    mapped,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
CHOOSE = "/orders/inbox/choose/"


def take(remarks: str = "", *, postal: str = "154-0024", hours: int = 10, sku: str = "CHAIR", **fields) -> Order:
    party = replace(TOKYO_PARTY, postal_code=postal)
    order = make_channel_order(
        make_line(sku), remarks=remarks, recipients=(party,), ship_by=ORDERED_AT + timedelta(hours=hours), **fields
    )
    chair = Sku.objects.filter(code="CHAIR").first() or make_sku(stock_units=99)
    take_in(make_shop(), [order], sku_of=mapped(chair))
    return Order.objects.get(channel_order_no=order.channel_order_no)


def open_codes(order: Order) -> set[str]:
    return set(order.reasons.filter(state="open", level="block").values_list("code", flat=True))


def picture(order: Order) -> dict:
    """Everything a decision may touch."""
    order.refresh_from_db()
    own = Order.objects.filter(pk=order.pk).values(
        "stage", "wish_date", "wish_slot", "planned_ship_date", "packing_note", "internal_note", "blocking_reasons",
        "recipient_prefecture", "hold_reason", "held_at",
    )[0]  # fmt: skip
    return {
        "order": own,
        "recipient": list(order.recipients.values(*RECIPIENT_FIELDS)),
        "reasons": decide_card.reason_rows(order.pk),
        "texts": list(order.texts.values_list("text", flat=True)),
    }


def test_story_02_three_reasons_leave_one_by_one_and_the_address_by_itself(client_of, aoi):
    order = take("色は選べますか？", postal="900-0001", flags=("caution",))
    assert open_codes(order) == {"buyer_note", "postal_mismatch", "channel_caution"} and order.stage == "review"
    client = client_of(aoi)
    for code in ("buyer_note", "channel_caution"):
        row = order.reasons.get(code=code)
        client.post(reverse("orders:inbox-accept"), {"reason_row": row.pk})
        order.refresh_from_db()
        assert order.stage == "review", "a reason is still open"
    recipient = order.recipients.get()
    held = {name: getattr(recipient, name) for name in RECIPIENT_FIELDS}
    edited = edit_recipient(
        order.pk, 0, held | {"postal_code": "154-0024"}, seen=Seen(order.version, fingerprint(held)), actor=Actor(aoi)
    )
    assert edited.closed == ["postal_mismatch"] and edited.stage_after == "awaiting_stock"
    assert order.reasons.get(code="postal_mismatch").state == "auto_resolved"


def test_story_03_fifty_cards_are_cleared_and_undo_brings_the_last_one_back(client_of, aoi):
    for number in range(50):
        take(f"質問{number}です。教えてください", hours=number)
    client = client_of(aoi)
    page = client.get("/orders/inbox/?code=buyer_note")
    seen = []
    for _number in range(50):
        card = page.context["card"]
        seen.append(card.order_id)
        page = client.post(reverse("orders:inbox-accept"), {"reason_row": card.reason.pk}, follow=True)
    assert len(set(seen)) == 50 and page.context["card"] is None
    assert ReviewDecision.objects.count() == 50
    last = Order.objects.get(pk=seen[-1])
    assert last.stage == "awaiting_stock"
    page = client.post(reverse("orders:inbox-undo"), follow=True)
    assert page.context["card"].order_id == seen[-1] and open_codes(last) == {"buyer_note"}
    last.refresh_from_db()
    assert last.stage == "review"
    assert cards.pace(aoi).done == 49


@pytest.mark.parametrize(
    ("told", "code", "verb", "value"),
    [
        (("色は選べますか？", "154-0024"), "buyer_note", "accept", ""),
        (("色は選べますか？", "154-0024"), "buyer_note", "packing_note", ""),
        (("色は選べますか？", "154-0024"), "buyer_note", "paper_note", ""),
        (("色は選べますか？", "154-0024"), "buyer_note", "internal_note", ""),
        (("12/6に届きますか？", "154-0024"), "buyer_note", "wish", "2026-12-06"),
        (("色は選べますか？", "154-0024"), "buyer_note", "hold", "返事待ち"),
        (("", "900-0001"), "postal_mismatch", "address", "first"),
    ],
)
def test_undo_puts_back_exactly_what_was_there(aoi, told, code, verb, value):
    order = take(told[0], postal=told[1])
    before, row = picture(order), order.reasons.get(code=code)
    if value == "first":
        value = cards.card_context(order, row, personal=True)["choices"][0][0].value
    done = decide_card.decide([row.pk], Wanted(verb, value), actor=Actor(aoi, "one"))
    assert done.orders == [order.pk] and picture(order) != before
    decide_card.undo_last(actor=Actor(aoi, "two"))
    assert picture(order) == before
    assert order.events.filter(by=aoi, kind="decision_undone").count() == 1
    with pytest.raises(Refused, match="取り消せる判断はありません"):
        decide_card.undo_last(actor=Actor(aoi, "three"))


def test_what_somebody_edited_since_is_not_undone(aoi):
    order = take("色は選べますか？")
    decide_card.decide([order.reasons.get().pk], Wanted("packing_note"), actor=Actor(aoi, "one"))
    Order.objects.filter(pk=order.pk).update(packing_note="ほかの人が書いたメモ")
    with pytest.raises(Refused, match="編集されたため"):
        decide_card.undo_last(actor=Actor(aoi, "two"))
    order.refresh_from_db()
    assert order.packing_note == "ほかの人が書いたメモ" and ReviewDecision.objects.get().undone_at is None


def test_an_address_is_put_right_by_one_key(client_of, aoi):
    order = take(postal="900-0001")
    page = client_of(aoi).get("/orders/inbox/?code=postal_mismatch")
    choice, pieces = page.context["choices"][0]
    assert choice.key == "1" and "〒154-0024 東京都世田谷区三軒茶屋" in choice.detail
    assert "".join(p.text for p in pieces if p.changed) != "" and any(not p.changed for p in pieces)
    row = order.reasons.get(code="postal_mismatch")
    client_of(aoi).post(CHOOSE, {"reason_row": row.pk, "verb": choice.verb, "value": choice.value})
    row.refresh_from_db()
    assert order.recipients.get().postal_code == "1540024" and row.state == "auto_resolved"


def test_a_remark_goes_where_its_reader_looks(aoi):
    paper, packing = take("表札は田中です、ご確認ください"), take("ベルは鳴らさず電話ください", hours=20)
    actor = Actor(aoi, "one")
    decide_card.decide([paper.reasons.get(code="buyer_note").pk], Wanted("paper_note"), actor=actor)
    decide_card.decide([packing.reasons.get(code="buyer_note").pk], Wanted("packing_note"), actor=actor)
    packing.refresh_from_db()
    assert "電話ください" in packing.packing_note and packing.stage == "awaiting_stock"
    assert OrderText.objects.get(order=paper).reader == "delivery_note"


def test_two_people_never_get_the_same_card(aoi, ben):
    first, second = take("先に教えて", hours=1), take("次に教えて", hours=2)
    assert inbox.card("buyer_note", by=aoi).order_id == first.pk
    assert inbox.card("buyer_note", by=ben).order_id == second.pk
    assert inbox.card("buyer_note", by=aoi).order_id == first.pk, "asking again keeps one's card"
    assert inbox.card("buyer_note", by=ben, at=first.pk).order_id == second.pk
    ReviewClaim.objects.filter(by=aoi).update(until=clock.now())
    assert inbox.card("buyer_note", by=ben, at=first.pk).order_id == first.pk, "a claim ends by itself"
    assert claim.holder(first.pk, other_than=aoi) == str(ben)


@pytest.mark.django_db(transaction=True)
def test_many_people_at_once_get_different_cards(race, person_with):
    from oms.kernel.models import User  # noqa: PLC0415 - the race needs people of its own

    for number in range(8):
        take(f"質問{number}です", hours=number)
    people = iter([User.objects.create(username=f"p{n}") for n in range(8)])
    handed = race(8, lambda: claim.hand_out(claim.Queue("buyer_note", inbox.STAGES), by=next(people)))
    ids = [one.order_id for one in handed if one]
    assert len(ids) == len(set(ids)) >= 7


@pytest.mark.django_db(transaction=True)
def test_one_person_in_many_tabs_at_once_is_shown_cards_and_holds_one(race, aoi):
    for number in range(4):
        take(f"質問{number}です", hours=number)
    handed = race(4, lambda: [claim.hand_out(claim.Queue("buyer_note", inbox.STAGES), by=aoi) for _ in range(10)])
    assert [outcome for outcome in handed if isinstance(outcome, Exception)] == []
    assert all(any(cards) for cards in handed) and ReviewClaim.objects.filter(by=aoi).count() == 1


def test_a_reason_that_asks_for_a_note_is_not_closed_without_one(client_of, aoi):
    assert CATALOGUE["blacklist_match"].note
    save(Setting("buyer_note", active=True, level="block", note_required=True), by=aoi)
    order = take("色は選べますか？")
    client, row = client_of(aoi), order.reasons.get(code="buyer_note")
    page = client.post(reverse("orders:inbox-accept"), {"reason_row": row.pk}, follow=True)
    assert "メモを入力してください" in page.content.decode() and open_codes(order) == {"buyer_note"}
    client.post(reverse("orders:inbox-accept"), {"reason_row": row.pk, "note": "電話で確認"})
    row.refresh_from_db()
    assert row.state == "accepted" and row.note == "電話で確認"


def test_neither_the_orders_page_nor_the_desk_closes_such_a_reason_without_a_note(client_of, aoi):
    save(Setting("buyer_note", active=True, level="block", note_required=True), by=aoi)
    order = take("色は選べますか？")
    client, row = client_of(aoi), order.reasons.get(code="buyer_note")
    assert 'id="note-buyer_note"' in client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    for sent in ({"code": "buyer_note"}, {}, {"code": "buyer_note", "note": " "}):
        page = client.post(reverse("orders:accept", args=[order.pk]), sent, follow=True)
        assert "メモを入力してください" in page.content.decode() and open_codes(order) == {"buyer_note"}
    form = AcceptForm({"codes": ["buyer_note"]}, order_ids=[order.pk])
    assert not form.is_valid() and "メモを入力してください" in str(form.errors["note"])
    client.post(reverse("orders:accept", args=[order.pk]), {"code": "buyer_note", "note": "電話で確認"})
    row.refresh_from_db()
    assert row.state == "accepted" and row.note == "電話で確認"


def test_a_double_order_shows_both(client_of, aoi):
    take(ordered_at=ORDERED_AT - timedelta(hours=2))
    again = take()
    assert open_codes(again) == {"duplicate_suspect"}
    page = client_of(aoi).get("/orders/inbox/?code=duplicate_suspect")
    assert [twin.pk for twin in page.context["twins"]] == sorted(Order.objects.values_list("pk", flat=True))


def test_a_decision_costs_a_fixed_number_of_queries(client_of, aoi, django_assert_max_num_queries):
    for number in range(3):
        take(f"質問{number}です", hours=number)
    client = client_of(aoi)
    row = client.get("/orders/inbox/").context["card"].reason
    with django_assert_max_num_queries(78):
        client.post(reverse("orders:inbox-accept"), {"reason_row": row.pk}, headers=HTMX)


@pytest.mark.parametrize("name", ["inbox-choose", "inbox-undo"])
def test_only_reviewers_decide(client_of, aoi, ben, chie, name):
    order = take("色は選べますか？")
    values = {"reason_row": order.reasons.get().pk, "verb": "packing_note"}
    url = reverse(f"orders:{name}")
    assert client_of(aoi).get(url).status_code == 405
    assert client_of(ben).post(url, values).status_code == 403
    assert client_of(chie).post(url, values).status_code == 403
    assert open_codes(order) == {"buyer_note"}
    assert client_of(aoi).post(url, values).status_code == 302


def test_a_made_up_verb_changes_nothing(client_of, aoi):
    order = take("色は選べますか？")
    row = order.reasons.get()
    page = client_of(aoi).post(CHOOSE, {"reason_row": row.pk, "verb": "delete"}, follow=True)
    assert "この判断はできません" in page.content.decode() and open_codes(order) == {"buyer_note"}
