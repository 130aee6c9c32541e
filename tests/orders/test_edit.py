"""Correcting an order: what closes by itself, what a conflict shows, what is too late."""

from dataclasses import replace

import pytest
from django.urls import reverse

from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from oms.kernel.models import User
from orders.channel_order import Party
from orders.models import Order
from orders.services import edit, hold
from orders.services.edit import Conflict, Seen, TooLate
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import TOKYO_PARTY, changed, make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def place(**fields: str) -> Party:
    return Party(**({name: getattr(TOKYO_PARTY, name) for name in TOKYO_PARTY.__dataclass_fields__} | fields))


@pytest.fixture
def channel_order():
    return make_channel_order(recipients=(place(address="三軒茶屋"),))


@pytest.fixture
def order(channel_order) -> Order:
    """Its street number is missing."""
    take_in(make_shop(), [channel_order], sku_of=mapped(make_sku(stock_units=3)))
    return Order.objects.get()


def held(order: Order) -> dict[str, str]:
    recipient = order.recipients.get(position=0)
    return {name: getattr(recipient, name) for name in edit.RECIPIENT_FIELDS}


def seen(order: Order) -> Seen:
    order.refresh_from_db()
    return Seen(order.version, edit.fingerprint(held(order)))


def form_of(client, url: str) -> dict[str, str]:
    """What the edit form posts when nobody touches it."""
    form = client.get(url).context["form"]
    return {field.html_name: "" if field.value() is None else str(field.value()) for field in form}


def body_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


# ---- the service


def test_a_corrected_address_closes_its_reason_and_the_order_moves_on(order, aoi):
    assert order.stage == "review"
    values = held(order) | {"address": "三軒茶屋2-14-3"}
    edited = edit.edit_recipient(order.pk, 0, values, seen=seen(order), actor=Actor(aoi, "x"))
    assert (edited.fields, edited.closed, edited.opened) == (["address"], ["street_no_missing"], [])
    assert (edited.stage_before, edited.stage_after) == ("review", "awaiting_stock")
    assert order.reasons.get().state == "auto_resolved"
    event = order.events.get(kind="edited")
    value = event.values.get()
    assert (event.by, event.action, value.field, value.before, value.after) == (
        aoi, "x", "address", "三軒茶屋", "三軒茶屋2-14-3"
    )  # fmt: skip


def test_a_worse_address_opens_a_reason(order):
    edit.edit_recipient(order.pk, 0, held(order) | {"address": "三軒茶屋2-14-3"}, seen=seen(order), actor=Actor())
    worse = held(order) | {"postal_code": "900-0001"}
    edited = edit.edit_recipient(order.pk, 0, worse, seen=seen(order), actor=Actor())
    assert edited.opened == ["postal_mismatch"] and edited.stage_after == "review"


def test_the_list_facts_and_the_search_follow_the_recipient(order):
    values = held(order) | {"name": "鈴木 一", "kana": "スズキ ハジメ", "prefecture": "大阪府", "phone": "06-6123-4567"}
    edit.edit_recipient(order.pk, 0, values, seen=seen(order), actor=Actor())
    order.refresh_from_db()
    assert (order.recipient_name, order.recipient_prefecture) == ("鈴木 一", "大阪府")
    assert "鈴木一" in order.search and "0661234567" in order.search and "佐藤恵" in order.search


def test_the_wish_moves_the_planned_ship_date(order):
    wish = order.ordered_at.date().replace(month=12, day=20)
    values = {"wish_date": wish, "wish_slot": "am", "packing_note": "取扱注意"}
    current = {name: getattr(order, name) for name in edit.DELIVERY_FIELDS}
    edited = edit.edit_delivery(
        order.pk, values, seen=Seen(order.version, edit.fingerprint(current)), actor=Actor()
    )  # fmt: skip
    order.refresh_from_db()
    assert sorted(edited.fields) == ["packing_note", "wish_date", "wish_slot"]
    assert order.planned_ship_date == wish.replace(day=19)


def test_saving_what_is_there_changes_nothing(order):
    before = order.version
    assert edit.edit_recipient(order.pk, 0, held(order), seen=seen(order), actor=Actor()).fields == []
    order.refresh_from_db()
    assert order.version == before and not order.events.filter(kind="edited").exists()


def test_a_change_by_another_hand_is_a_conflict_with_what_is_there_now(order):
    mine = seen(order)
    edit.edit_recipient(order.pk, 0, held(order) | {"address": "太子堂1-1"}, seen=seen(order), actor=Actor())
    with pytest.raises(Conflict) as conflict:
        edit.edit_recipient(order.pk, 0, held(order) | {"address": "三軒茶屋2-14-3"}, seen=mine, actor=Actor())
    assert conflict.value.current["address"] == "太子堂1-1"
    assert order.recipients.get().address == "太子堂1-1"


def test_a_version_that_moved_for_another_reason_is_no_conflict(order):
    mine = seen(order)
    hold.hold_orders([order.pk], reason="確認中", actor=Actor())
    edit.edit_recipient(order.pk, 0, held(order) | {"address": "三軒茶屋2-14-3"}, seen=mine, actor=Actor())
    assert order.recipients.get().address == "三軒茶屋2-14-3"


def test_after_the_instruction_it_is_too_late_but_the_note_stays_open(order, aoi):
    edit.edit_recipient(order.pk, 0, held(order) | {"address": "三軒茶屋2-14-3"}, seen=seen(order), actor=Actor())
    allocate_waiting()
    instruct_orders([order.pk], actor=Actor())
    with pytest.raises(TooLate) as late:
        edit.edit_recipient(order.pk, 0, held(order) | {"address": "x"}, seen=seen(order), actor=Actor())
    assert "出荷指示を出したあと" in late.value.cause
    note = Seen(order.version, edit.fingerprint({"internal_note": ""}))
    assert edit.edit_note(order.pk, "電話済み", seen=note, actor=Actor(aoi)).fields == ["internal_note"]
    order.refresh_from_db()
    assert order.internal_note == "電話済み"


def test_what_the_channel_repeats_does_not_undo_the_correction(order, channel_order):
    edit.edit_recipient(order.pk, 0, held(order) | {"address": "三軒茶屋2-14-3"}, seen=seen(order), actor=Actor())
    take_in(order.shop, [changed(channel_order, channel_state="400")], sku_of={})
    assert order.recipients.get().address == "三軒茶屋2-14-3"


# ---- who bought


def buyer(order: Order, *names: str) -> dict[str, str]:
    order.refresh_from_db()
    return {name: getattr(order, name) for name in names or edit.BUYER_FIELDS}


def correct_buyer(order: Order, by: User | None = None, **values: str) -> edit.Edited:
    current = buyer(order)
    looked_at = Seen(order.version, edit.fingerprint(current))
    return edit.edit_buyer(order.pk, current | values, seen=looked_at, actor=Actor(by))


def test_a_corrected_buyer_is_found_and_stays_while_the_channel_repeats_the_mistake(order, channel_order, aoi):
    correct_buyer(order, aoi, buyer_name="鈴木 一", buyer_company="青葉商店", buyer_phone="06-6123-4567")
    told = replace(channel_order.buyer, postal_code="150-0001")
    take_in(order.shop, [changed(channel_order, buyer=told)], sku_of={})
    order.refresh_from_db()
    assert (order.buyer_name, order.buyer_company, order.buyer_postal_code) == ("鈴木 一", "青葉商店", "150-0001")
    assert "鈴木一" in order.search and "0661234567" in order.search
    take_in(order.shop, [changed(channel_order, buyer=replace(told, phone="03-1111-2222"))], sku_of={})
    assert buyer(order, "buyer_phone") == {"buyer_phone": "03-1111-2222"}
    [clash] = order.reasons.filter(code="channel_changed")
    assert "電話番号" in str(clash.evidence)


def test_waiting_mails_follow_the_buyers_address_and_go_nowhere_without_one(order):
    [waiting] = order.mails.filter(state="scheduled")
    assert correct_buyer(order, buyer_email="right@example.com").mails == 1
    waiting.refresh_from_db()
    assert (waiting.to, waiting.state) == ("right@example.com", "scheduled")
    assert correct_buyer(order, buyer_email="").mails == 0
    waiting.refresh_from_db()
    assert waiting.state == "suppressed" and "メールアドレスがありません" in str(waiting.reason)


def test_an_order_without_a_member_finds_its_own_once_the_buyer_is_known():
    nobody = place(name="佐藤 恵", phone="", email="")
    shop, skus = make_shop(), mapped(make_sku(stock_units=5))
    take_in(shop, [make_channel_order(), make_channel_order(buyer=nobody)], sku_of=skus)
    known, order = Order.objects.order_by("pk")
    assert order.member is None
    correct_buyer(order, buyer_phone=TOKYO_PARTY.phone)
    order.refresh_from_db()
    assert order.member == known.member and order.member.order_count == 2


def test_after_the_instruction_only_phone_and_mail_are_open(client_of, aoi, order):
    edit.edit_recipient(order.pk, 0, held(order) | {"address": "三軒茶屋2-14-3"}, seen=seen(order), actor=Actor())
    client, url = client_of(aoi), reverse("orders:edit-buyer", args=[order.pk])
    opened = form_of(client, url)
    allocate_waiting()
    instruct_orders([order.pk], actor=Actor())
    late = client.post(url, opened | {"buyer_name": "鈴木 一"}, headers=HTMX)
    assert "出荷指示を出したあと" in late.content.decode() and buyer(order)["buyer_name"] == "佐藤 恵"
    assert "電話番号とメールだけを変えられます" in body_of(client.get(url, headers=HTMX))
    wrong = client.post(url, form_of(client, url) | {"buyer_email": "no address"})
    assert "メールアドレスの形が正しくありません" in wrong.content.decode()
    client.post(url, form_of(client, url) | {"buyer_phone": "03-1111-2222"})
    assert buyer(order)["buyer_phone"] == "03-1111-2222"


# ---- the screens


def test_saving_in_the_dialog_says_what_followed(client_of, aoi, order):
    client, url = client_of(aoi), reverse("orders:edit-recipient", args=[order.pk, 0])
    assert '<dialog class="dialog"' in body_of(client.get(url, headers=HTMX))
    answer = client.post(url, form_of(client, url) | {"address": "三軒茶屋2-14-3"}, headers=HTMX)
    text = body_of(answer)
    assert "解消した理由: 番地なし。" in text and "ステータス: 確認待ち → 引当待ち。" in text
    assert f'id="order-{order.pk}-people" hx-swap-oob="true"' in text


def test_a_conflict_answers_409_with_both_values_and_the_next_save_goes_through(client_of, aoi, order):
    client, url = client_of(aoi), reverse("orders:edit-recipient", args=[order.pk, 0])
    mine = form_of(client, url) | {"address": "三軒茶屋2-14-3"}
    edit.edit_recipient(order.pk, 0, held(order) | {"address": "太子堂1-1"}, seen=seen(order), actor=Actor())
    answer = client.post(url, mine)
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "太子堂1-1" in text and 'value="三軒茶屋2-14-3"' in text and "上書きして保存" in text
    again = {field.html_name: field.value() for field in answer.context["form"]}
    assert client.post(url, again).status_code == 302
    assert order.recipients.get().address == "三軒茶屋2-14-3"


def test_the_form_refuses_what_cannot_be_and_keeps_it(client_of, aoi, order):
    client, url = client_of(aoi), reverse("orders:edit-delivery", args=[order.pk])
    answer = client.post(url, form_of(client, url) | {"wish_date": "昨日", "packing_note": "割れ物"})
    text = body_of(answer)
    assert "昨日" in text and "割れ物" in text and "field-error" in text
    order.refresh_from_db()
    assert order.packing_note == ""


def test_a_slot_only_the_channel_knows_can_be_kept(client_of, aoi, order):
    Order.objects.filter(pk=order.pk).update(wish_slot="2022")
    client, url = client_of(aoi), reverse("orders:edit-delivery", args=[order.pk])
    assert client.post(url, form_of(client, url) | {"packing_note": "割れ物"}).status_code == 302
    order.refresh_from_db()
    assert (order.wish_slot, order.packing_note) == ("2022", "割れ物")


def test_after_the_instruction_the_form_says_why_and_has_no_button(client_of, aoi, order):
    Order.objects.filter(pk=order.pk).update(fulfillment_state="instructed")
    client, url = client_of(aoi), reverse("orders:edit-recipient", args=[order.pk, 0])
    text = body_of(client.get(url))
    assert "出荷指示を出したあとのため変更できません" in text and ">保存<" not in text
    assert "出荷指示を出したあと" in body_of(client.post(url, form_of(client, url) | {"address": "x"}))
    assert order.recipients.get().address == "三軒茶屋"


def test_who_may_not_change_or_see_the_person_gets_no_form(client_of, ben, chie, person_with, order):
    for who in (ben, chie, person_with("accounting"), person_with("store_staff")):
        client = client_of(who)
        for url in (
            reverse("orders:edit-recipient", args=[order.pk, 0]),
            reverse("orders:edit-delivery", args=[order.pk]),
            reverse("orders:edit-note", args=[order.pk]),
        ):
            assert client.get(url).status_code == 403 and client.post(url).status_code == 403


def test_recipients_that_do_not_exist_are_missing(client_of, aoi, order):
    assert client_of(aoi).get(reverse("orders:edit-recipient", args=[order.pk, 7])).status_code == 404
