"""A recipient's gift set by hand: part by part, journaled, and given up when the channel tells something else."""

from dataclasses import replace
from itertools import product

import pytest
from django.urls import reverse

from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from orders.channel_order import Delivery
from orders.documents.noshi import Noshi, in_words, read_noshi
from orders.models import NoshiChoice, Order, OrderEvent, ReviewReason
from orders.queries.gifts import gifts_of
from orders.services import gifts
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import TOKYO_PARTY, changed, make_channel_order, make_line, make_shop, make_sku, mapped
from tests.orders.test_edit import body_of, form_of

pytestmark = pytest.mark.django_db
WORDS = "のし希望 名入れ:"


@pytest.fixture
def channel_order():
    return make_channel_order(noshi=WORDS, gift="赤い包装紙")


@pytest.fixture
def order(channel_order) -> Order:
    take_in(make_shop(), [channel_order], sku_of=mapped(make_sku(stock_units=3)))
    return Order.objects.get()


def url_of(order: Order, position: int = 0) -> str:
    return reverse("orders:edit-gift", args=[order.pk, position])


def save(client, order: Order, position: int = 0, **fields: str):
    values = form_of(client, url_of(order, position)) | fields
    values = {name: text for name, text in values.items() if not (name == "no_noshi" and text in ("", "False"))}
    return client.post(url_of(order, position), values, follow=True)


def test_a_noshi_is_set_part_by_part_closes_its_reason_and_is_journaled(client_of, aoi, order):
    assert ReviewReason.objects.filter(code="noshi", state="open").exists()
    page = save(
        client_of(aoi), order, noshi_purpose="内祝", noshi_name="山田／太郎、花子", noshi_cord="紅白蝶結び",
        noshi_place="外のし", noshi_rest="",
    )  # fmt: skip
    assert "解消した理由: のし" in body_of(page)
    order.refresh_from_db()
    [gift] = gifts_of([order])[order.pk]
    assert gift.noshi == Noshi(WORDS, "紅白蝶結び", "内祝", "山田／太郎、花子", "外のし")
    assert order.noshi == "水引：紅白蝶結び／表書き：内祝／名入れ：山田／太郎、花子／掛け方：外のし"
    event = OrderEvent.objects.get(kind="edited")
    told = {value.field: (value.before, value.after) for value in event.values.all()}
    assert event.by == aoi and told["noshi_name"] == ("", "山田／太郎、花子")
    text = body_of(client_of(aoi).get(reverse("orders:detail", args=[order.pk])))
    for said in ("のしの名入れ", "山田／太郎、花子", "のしの原文", WORDS, "表書き"):
        assert said in text, said


def test_only_what_was_changed_is_written(client_of, aoi, order):
    save(client_of(aoi), order, message_card="おめでとう", sender="鈴木商店")
    order.refresh_from_db()
    assert (order.noshi, order.gift, order.message_card) == (WORDS, "赤い包装紙", "おめでとう")
    assert order.recipients.get().sender == "鈴木商店" and not NoshiChoice.objects.exists()
    version = order.version
    save(client_of(aoi), order)
    order.refresh_from_db()
    assert order.version == version and OrderEvent.objects.filter(kind="edited").count() == 1


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"noshi_name": "山田"}, ("noshi_purpose", "何も書かないのしは「無地」")),
        ({"noshi_purpose": "御祝", "noshi_name": "名" * 80, "noshi_rest": "字" * 130}, ("noshi_rest", "200文字まで")),
        ({"noshi_place": "横"}, ("noshi_place", "")),
        ({"gift": "字" * 201}, ("gift", "")),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(client_of, aoi, order, fields, told):
    wrong, says = told
    page = save(client_of(aoi), order, **fields)
    assert wrong in page.context["form"].errors and says in body_of(page)
    order.refresh_from_db()
    assert order.noshi == WORDS


def test_a_noshi_is_taken_away_in_so_many_words(client_of, aoi, order):
    save(client_of(aoi), order, noshi_purpose="御祝")
    page = save(client_of(aoi), order, noshi_purpose="")
    assert "「のしを付けない」を選んでください" in body_of(page)
    save(client_of(aoi), order, no_noshi="on")
    order.refresh_from_db()
    [gift] = gifts_of([order])[order.pk]
    assert order.noshi == "" and gift.noshi is None
    assert not ReviewReason.objects.filter(code="noshi", state="open").exists()


def test_what_the_channel_repeats_leaves_it_and_what_it_tells_anew_wins_and_says_so(
    client_of, aoi, order, channel_order
):
    save(client_of(aoi), order, noshi_purpose="内祝", noshi_name="山田")
    sku_of = mapped(order.lines.get().sku)
    take_in(order.shop, [changed(channel_order, channel_state="400")], sku_of=sku_of)
    order.refresh_from_db()
    [gift] = gifts_of([order])[order.pk]
    assert gift.noshi.name == "山田" and not gift.changed
    take_in(order.shop, [changed(channel_order, noshi="表書き：御祝、名入れ：田中")], sku_of=sku_of)
    order.refresh_from_db()
    [gift] = gifts_of([order])[order.pk]
    assert (gift.noshi.purpose, gift.noshi.name, gift.changed) == ("御祝", "田中", True)
    assert "モールの指定が変わりました" in body_of(client_of(aoi).get(reverse("orders:detail", args=[order.pk])))


def test_each_of_several_recipients_has_its_own(client_of, aoi):
    other = replace(TOKYO_PARTY, name="鈴木 一郎", address="2-2-2")
    told = make_channel_order(
        make_line(), make_line(), recipients=(TOKYO_PARTY, other), noshi="御祝",
        deliveries=(Delivery(), Delivery(gift="青い箱")), gift="青い箱",
    )  # fmt: skip
    take_in(make_shop(), [told], sku_of=mapped(make_sku(stock_units=9)))
    order = Order.objects.get()
    save(client_of(aoi), order, 1, noshi_purpose="内祝", noshi_name="佐藤")
    order.refresh_from_db()
    first, second = gifts_of([order])[order.pk]
    assert (first.noshi.purpose, first.wrapping) == ("御祝", "")
    assert (second.noshi.purpose, second.noshi.name, second.wrapping) == ("内祝", "佐藤", "青い箱")
    assert order.noshi == "御祝 ／ 表書き：内祝／名入れ：佐藤"
    text = body_of(client_of(aoi).get(reverse("orders:detail", args=[order.pk])))
    assert url_of(order, 0) in text and url_of(order, 1) in text


def test_a_conflict_shows_both_values(client_of, aoi, order):
    client = client_of(aoi)
    stale = form_of(client, url_of(order)) | {"noshi_purpose": "御祝"}
    save(client, order, noshi_purpose="内祝")
    del stale["no_noshi"]
    page = client.post(url_of(order), stale)
    assert page.status_code == 409 and "内祝" in page.content.decode() and "御祝" in page.content.decode()


def test_after_the_instruction_it_is_too_late(client_of, aoi):
    take_in(make_shop(), [make_channel_order(noshi="御祝")], sku_of=mapped(make_sku(stock_units=3)))
    order = Order.objects.get()
    allocate_waiting()
    instruct_orders([order.pk], actor=Actor())
    page = save(client_of(aoi), order, noshi_purpose="内祝")
    order.refresh_from_db()
    assert "変更できません" in body_of(page) and order.noshi == "御祝"


def test_who_may_not_change_or_see_the_person_gets_no_form(client_of, ben, chie, person_with, order):
    for user in (ben, chie):
        assert client_of(user).get(url_of(order)).status_code == 403
        assert client_of(user).post(url_of(order), {}).status_code == 403


def test_who_may_not_see_the_person_sees_that_there_is_a_wish_and_not_which(client_of, aoi, ben, order):
    save(client_of(aoi), order, noshi_purpose="内祝", noshi_name="山田")
    text = body_of(client_of(ben).get(reverse("orders:detail", args=[order.pk])))
    assert "山田" not in text and "内祝" not in text and "赤い包装紙" in text


def test_a_recipient_that_does_not_exist_is_missing(client_of, aoi, order):
    assert client_of(aoi).get(url_of(order, 7)).status_code == 404


def test_the_words_are_read_back_as_the_parts_they_were_made_of():
    cords, purposes, places = ("", "紅白蝶結び", "弔事"), ("", "内祝", "御出産御祝"), ("", "内のし", "外のし")
    for cord, purpose, name, place in product(cords, purposes, ("", "山田", "山田 太郎・花子"), places):
        noshi = Noshi("", cord, purpose, name, place)
        assert replace(read_noshi(in_words(noshi)), text="") == noshi


def test_a_form_knows_every_field_the_service_writes():
    from orders.forms_gift import GiftForm  # noqa: PLC0415

    assert set(gifts.GIFT_FIELDS) - {"noshi_wanted"} <= set(GiftForm.base_fields)
