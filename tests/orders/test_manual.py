"""Orders taken by hand and copies of orders: the form, what is stored, and that one form makes one order."""

from dataclasses import replace

import pytest
from django.core.management import call_command
from django.urls import reverse

from customers.models import Member
from fulfillment.services.allocate import allocate_waiting
from inventory.services.catalogue import SkuRow, upsert_skus
from oms.kernel.models import Effect
from orders.channel_order import PaymentMethod
from orders.decide.manual import Charges, Draft, Item, totals_of
from orders.decide.payment_fees import FeeTable
from orders.models import ManualOrder, Order, Shop
from orders.services import manual, payment_fees
from orders.services.cancel import cancel_orders
from orders.services.intake import take_in
from orders.services.journal import SYSTEM, Actor
from orders.services.manual import Origin
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
NEW = "/orders/new/"
TYPED = {
    "key": "form-1", "rows": "2", "source": "phone", "method": "cod", "delivery_method": "ゆうパック（日本郵便）",
    "buyer_name": "佐藤 恵", "buyer_phone": "090-1234-5678", "buyer_email": "megumi@example.com",
    "buyer_postal_code": "1540024", "buyer_prefecture": "東京都", "buyer_city": "世田谷区",
    "buyer_address": "三軒茶屋2-14-3", "line-0-sku": "CHAIR", "line-0-quantity": "2", "line-0-price": "",
    "shipping": "600", "fee": "330", "discount": "", "packing_note": "玄関前", "internal_note": "常連さん",
}  # fmt: skip


@pytest.fixture
def chair():
    return make_sku(stock_units=5, jan="4901234567894")


@pytest.fixture
def client(client_of, aoi):
    return client_of(aoi)


def save(client, **fields):
    return client.post(NEW, TYPED | {"step": "save"} | fields)


def body(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


# ---- deciding


def test_the_sums_take_the_discount_off_and_name_the_tax_of_both_rates():
    items = [Item(1, "A", "A", 10, 2, 1100), Item(2, "B", "B", 8, 1, 1080)]
    totals = totals_of(items, Charges(shipping=550, discount=328))
    assert (totals.goods, totals.total) == (3280, 3502)
    assert totals.tax == (1980 + 550) * 10 // 110 + 972 * 8 // 108


def test_a_discount_above_everything_is_refused():
    with pytest.raises(ValueError):
        totals_of([Item(1, "A", "A", 10, 1, 100)], Charges(discount=101))


# ---- storing


def test_a_typed_order_is_taken_in_with_member_promise_sums_and_journal(client, chair, aoi):
    answer = save(client)
    order = Order.objects.get()
    assert answer.url == reverse("orders:detail", args=[order.pk])
    assert order.channel_order_no == f"TEL-{order.manual.pk:06d}" and order.shop.channel == "manual"
    assert (order.goods, order.shipping_fee, order.fees, order.total) == (2000, 600, 330, 2930)
    assert (order.payment_method, order.payment_state, order.carrier) == ("cod", "unpaid", "japanpost")
    assert order.buyer_postal_code == "154-0024" and order.recipients.get().address == "三軒茶屋2-14-3"
    assert (order.packing_note, order.internal_note) == ("玄関前", "常連さん")
    assert order.member == Member.objects.get() and order.lines.get().reserved
    entered = order.events.get(kind="entered")
    assert (entered.by, entered.text) == (aoi, "電話")
    assert order.stage == "awaiting_stock" and order.manual.by == aoi
    allocate_waiting()
    order.refresh_from_db()
    assert order.stage == "ready", "it goes through the same gates as every order"
    call_command("audit")


def test_the_same_form_twice_is_one_order(client, chair):
    first, second = save(client), save(client, **{"line-0-quantity": "3"})
    assert first.url == second.url and Order.objects.count() == ManualOrder.objects.count() == 1
    assert Order.objects.get().quantity == 2
    assert "登録済みです" in body(client.get(second.url))


def test_eight_clicks_at_once_are_one_order(race, transactional_db):
    sku = make_sku(stock_units=5)
    draft = Draft(
        TOKYO_PARTY, TOKYO_PARTY, [Item(sku.pk, sku.code, sku.name, 10, 1, 1000)], Charges(), PaymentMethod.COD
    )
    shop = manual.phone_shop()
    outcomes = race(8, lambda: manual.enter(shop, draft, Origin("one-form"), actor=SYSTEM).order.pk)
    assert len(set(outcomes)) == 1 and Order.objects.count() == 1, outcomes


def test_an_order_that_cannot_be_stored_leaves_nothing_behind(chair, monkeypatch):
    draft = Draft(
        TOKYO_PARTY, TOKYO_PARTY, [Item(chair.pk, chair.code, "A", 10, 1, 1000)], Charges(), PaymentMethod.COD
    )
    monkeypatch.setattr("orders.services.intake.lines.insert", lambda *_: 1 / 0)
    monkeypatch.setattr("orders.services.intake._copy_lines", lambda *_: 1 / 0)
    with pytest.raises(manual.Refused, match="保存できませんでした"):
        manual.enter(manual.phone_shop(), draft, Origin("k"), actor=SYSTEM)
    assert not ManualOrder.objects.exists() and not Order.objects.exists()


def test_an_unpaid_transfer_waits_for_its_money_and_the_payment_terms_are_our_own(client, chair):
    save(client, method="bank_transfer")
    order = Order.objects.get()
    assert order.stage == "awaiting_payment" and order.pay_by is not None
    assert order.mails.filter(event="payment_request").count() <= 1


def test_no_channel_is_told_when_it_is_cancelled(client, chair, aoi):
    save(client)
    order = Order.objects.get()
    result = cancel_orders([order.pk], reason="お客様都合", actor=Actor(aoi))
    assert result.orders == [order.pk] and result.by_hand == []
    assert not Effect.objects.filter(kind__startswith="channel_").exists()


def test_another_address_goes_to_the_recipient(client, chair):
    save(
        client, elsewhere="on", to_name="鈴木 一", to_postal_code="530-0001", to_prefecture="大阪府",
        to_city="大阪市北区", to_address="梅田1-1-1", buyer_address="",
    )  # fmt: skip
    order = Order.objects.get()
    assert order.recipient_name == "鈴木 一" and order.recipients.get().prefecture == "大阪府"
    assert order.buyer_name == "佐藤 恵"


def test_the_first_order_copies_sender_and_letterhead_of_a_known_shop(client, chair):
    make_shop(letterhead_name="見本商店", registration_no="T8010401000002")
    save(client)
    shop = Shop.objects.get(channel="manual")
    assert (shop.letterhead_name, shop.mail_from) == ("見本商店", "shop@example.com")


def test_what_concerns_malls_leaves_the_telephone_out(client, chair):
    save(client)
    for name in ("channels:gaps", "channels:reimport-numbers", "channels:list"):
        assert "電話・店頭受付" not in body(client.get(reverse(name)))
    assert "電話・店頭受付" in body(client.get(reverse("orders:filter"))), "the desk can be narrowed to it"


# ---- the form


def test_every_error_stands_at_its_field_and_nothing_typed_is_lost(client, chair):
    page = body(
        save(
            client,
            buyer_name="",
            buyer_postal_code="12",
            buyer_prefecture="東京",
            wish_date="2020-01-01",
            discount="99999",
            **{"line-0-quantity": "0", "line-1-sku": "NICHTS"},
        )
    )
    for text in (
        "注文者の氏名を入れてください。", "7桁の数字", "都道府県の名前を確かめてください", "今日より前の日",
        "値引が合計より大きい", "商品が見つかりません",
    ):  # fmt: skip
        assert text in page
    assert "常連さん" in page and 'value="NICHTS"' in page and 'value="99999"' in page and 'value="form-1"' in page
    assert "入力を確かめてください" in page and not Order.objects.exists()


def test_an_order_without_goods_is_refused(client):
    page = body(save(client, **{"line-0-sku": "", "line-0-quantity": ""}))
    assert "商品を1つ以上入れてください。" in page


def test_words_that_mean_several_products_offer_them_and_one_is_picked(client, chair):
    make_sku("CHAIR-B", name="CHAIR の品 黒")
    upsert_skus([SkuRow("CHAIR-B", "CHAIR-B", "木の椅子 黒"), SkuRow("CHAIR-C", "CHAIR-B", "木の椅子 白")])
    typed = TYPED | {"line-0-sku": "木の椅子"}
    page = body(client.post(NEW, typed | {"step": "sums"}))
    assert "pick:0:CHAIR-B" in page and "pick:0:CHAIR-C" in page
    assert "下の候補から選んでください" in body(client.post(NEW, typed | {"step": "save"}))
    picked = body(client.post(NEW, typed | {"step": "pick:0:CHAIR-C"}))
    assert 'value="CHAIR-C"' in picked and "木の椅子 白" in picked


def test_a_jan_stands_for_its_product_and_stock_is_named(client, chair):
    page = body(client.post(NEW, TYPED | {"line-0-sku": "4901234567894", "line-0-quantity": "9", "step": "sums"}))
    assert "在庫 5: 引当待ちになります" in page and "¥9,000" in page


def test_a_member_fills_the_buyer_and_keeps_the_rows(client, chair):
    take_in(make_shop(), [make_channel_order()], sku_of=mapped(chair))
    member = Member.objects.get()
    found = body(client.post(NEW, TYPED | {"step": "find", "member_q": "サトウ"}))
    assert f"member:{member.pk}" in found
    page = body(client.post(NEW, TYPED | {"step": f"member:{member.pk}", "buyer_name": ""}))
    assert 'value="三軒茶屋2-14-3 メゾン青葉402"' in page and 'value="CHAIR"' in page and "常連さん" in page


def test_a_postal_code_fills_the_address_and_leaves_a_typed_street(client):
    typed = TYPED | {"buyer_prefecture": "", "buyer_city": "", "buyer_address": ""}
    page = body(client.post(NEW, typed | {"step": "place:buyer"}))
    assert 'value="東京都"' in page and 'value="世田谷区"' in page and 'value="三軒茶屋"' in page
    kept = body(client.post(NEW, typed | {"step": "place:buyer", "buyer_address": "1-2-3"}))
    assert 'value="1-2-3"' in kept
    part = client.post(NEW, typed | {"step": "place:buyer"}, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith("<div") and 'id="buyer-place"' in part and "manual-form" not in part.split(">")[0]


def test_more_rows_and_the_sums_come_as_fragments(client, chair):
    assert 'name="line-5-sku"' in body(client.post(NEW, TYPED | {"step": "more"}))
    part = client.post(NEW, TYPED | {"step": "sums"}, headers={"HX-Request": "true"}).content.decode()
    assert 'id="manual-sums"' in part and 'id="line-0-info" hx-swap-oob="true"' in part and "<input" not in part


def test_the_number_of_queries_does_not_grow_with_the_rows(client, chair, django_assert_max_num_queries):
    rows = {f"line-{n}-sku": "CHAIR" for n in range(20)} | {"rows": "20", "step": "sums"}
    with django_assert_max_num_queries(14):
        client.post(NEW, TYPED | {"step": "sums"})
    with django_assert_max_num_queries(14):
        client.post(NEW, TYPED | rows)


def test_who_may_not_enter_orders_is_refused(client_of, ben, chie, person_with):
    for user in (ben, chie):
        assert client_of(user).get(NEW).status_code == 403
        assert client_of(user).post(NEW, TYPED | {"step": "save"}).status_code == 403
        assert client_of(user).get("/orders/new/skus/?q=x").status_code == 403
        assert client_of(user).post("/orders/new/shop/", {"name": "x"}).status_code == 403
    assert client_of(person_with("operator")).get(NEW).status_code == 200
    assert not Order.objects.exists()


def test_the_telephone_shop_is_named_by_who_may_change_papers(client):
    form = {"name": "お電話受付", "mail_from": "tel@example.com", "letterhead_name": "見本商店"}
    versions = reverse("pages:setting-subject", args=["phone_shop", "-"])
    assert versions not in body(client.get("/orders/new/shop/"))  # there is no such shop yet
    assert client.post("/orders/new/shop/", form).status_code == 302
    assert Shop.objects.get(channel="manual").name == "お電話受付"
    shown = body(client.get("/orders/new/shop/"))
    assert "お電話受付" in shown and versions in shown


def test_no_typed_character_and_no_sum_breaks_the_form(client, chair):
    odd = {"line-0-sku": "CH\x07AIR", "member_q": "佐\x07藤", "buyer_name": "佐\x07藤", "copied_from": "9" * 30}
    for step in ("sums", "find", "save", "place:buyer", "member:x", "pick:x", "pick:0:", "more", "unknown"):
        assert client.post(NEW, TYPED | odd | {"step": step}).status_code in {200, 302}
    assert client.get("/orders/new/skus/?q=%07CH").status_code == 200
    assert client.post(NEW, TYPED | {"step": "sums", "buyer_name": "佐\x00藤"}).status_code == 400
    assert client.get("/orders/new/?member=x").status_code == client.get("/orders/new/?member=99999").status_code == 200
    page = body(save(client, **{"key": "big", "line-0-quantity": "9999", "line-0-price": "9999999"}))
    assert "合計が大きすぎます" in page and not Order.objects.filter(total__gt=10**9).exists()


# ---- copies


def ordered(chair, **fields) -> Order:
    told = make_channel_order(make_line("CHAIR", 2, 900), **fields)
    take_in(make_shop(), [told], sku_of=mapped(chair))
    return Order.objects.get(channel_order_no=told.channel_order_no)


def form_of(response) -> dict[str, str]:
    """What the form posts when nobody touches it."""
    context = response.context
    fields = [*context["form"], *(field for row, _i, _s in context["rows"] for field in row)]
    values = {field.html_name: field.value() for field in fields}
    return {name: str(value) for name, value in values.items() if value not in {None, False}} | {"rows": "4"}


def test_a_copy_is_filled_with_what_stands_and_remembers_its_first(client, chair):
    first = ordered(chair)
    typed = form_of(client.get(f"/orders/{first.pk}/copy/"))
    assert (typed["line-0-sku"], typed["line-0-quantity"], typed["line-0-price"]) == ("CHAIR", "2", "900")
    assert "複写の理由" in body(client.post(NEW, typed | {"step": "save"})) and Order.objects.count() == 1
    answer = client.post(NEW, typed | {"step": "save", "copy_reason": "resend", "free": "on"})
    copy = Order.objects.exclude(pk=first.pk).get()
    assert answer.url.endswith(f"/{copy.pk}/")
    assert copy.shop == first.shop and copy.channel_order_no == f"{first.channel_order_no}-C{copy.manual.pk}"
    assert (copy.total, copy.payment_method, copy.payment_state) == (0, "free", "paid")
    assert copy.manual.copied_from == first and copy.manual.copy_reason == "resend"
    assert first.events.get(kind="copied").text.startswith(copy.channel_order_no)
    assert copy.channel_order_no in body(client.get(f"/orders/{first.pk}/"))
    assert first.channel_order_no in body(client.get(f"/orders/{copy.pk}/"))


def test_a_copy_for_the_telephone_gets_a_number_of_that_series(client, chair):
    first = ordered(chair)
    typed = form_of(client.get(f"/orders/{first.pk}/copy/"))
    client.post(NEW, typed | {"step": "save", "copy_reason": "reorder", "shop": "phone"})
    copy = Order.objects.exclude(pk=first.pk).get()
    assert copy.channel_order_no.startswith("TEL-") and copy.total == 1800


def test_a_mall_shop_has_no_card_of_our_own(client, chair):
    typed = form_of(client.get(f"/orders/{ordered(chair).pk}/copy/"))
    page = body(client.post(NEW, typed | {"step": "save", "copy_reason": "reorder", "method": "card"}))
    assert "この店舗では使えない支払方法です" in page and Order.objects.count() == 1


def test_a_second_recipients_goods_are_copied_to_them(client, chair):
    other = replace(TOKYO_PARTY, name="鈴木 一", city="渋谷区", postal_code="150-0002", address="渋谷1-1-1")
    told = make_channel_order(
        make_line("CHAIR", 1), make_line("CHAIR", 2, recipient=1), recipients=(TOKYO_PARTY, other)
    )
    take_in(make_shop(), [told], sku_of=mapped(chair))
    order = Order.objects.get()
    typed = form_of(client.get(f"/orders/{order.pk}/copy/?to=1"))
    assert typed["to_name"] == "鈴木 一" and typed["line-0-quantity"] == "2"


def test_a_line_without_a_product_is_named_instead_of_copied(client):
    take_in(make_shop(), [make_channel_order(make_line("UNKNOWN"))], sku_of={})
    order = Order.objects.get()
    assert "商品マスタにないため複写していません" in body(client.get(f"/orders/{order.pk}/copy/"))


def test_who_may_not_enter_orders_sees_no_copy(client_of, ben, chie, chair):
    order = ordered(chair)
    assert client_of(ben).get(f"/orders/{order.pk}/copy/").status_code == 403
    assert client_of(chie).get(f"/orders/{order.pk}/copy/").status_code == 403
    assert "/copy/" not in body(client_of(ben).get(f"/orders/{order.pk}/"))


# ---- the fee of the payment method


def phone_table():
    payment_fees.save_table(manual.phone_shop(), "cod", FeeTable(((0, 330), (2_500, 440))))


def test_the_fee_is_proposed_from_the_shops_table_and_follows_what_is_typed(client, chair):
    phone_table()
    shown = body(client.post(NEW, TYPED | {"step": "sums", "fee": ""}))
    assert "手数料表では ¥440 です" in shown and "¥3,040" in shown
    fewer = body(client.post(NEW, TYPED | {"step": "sums", "fee": "", "line-0-quantity": "1"}))
    assert "手数料表では ¥330 です" in fewer and "¥1,930" in fewer
    transfer = body(client.post(NEW, TYPED | {"step": "sums", "fee": "", "method": "bank_transfer"}))
    assert "手数料表では" not in transfer and "¥2,600" in transfer
    save(client, fee="")
    assert (Order.objects.get().fees, Order.objects.get().total) == (440, 3040)


@pytest.mark.parametrize(("typed", "fee"), [("0", 0), ("200", 200)])
def test_another_fee_may_be_typed_and_none_too(client, chair, typed, fee):
    phone_table()
    assert "手数料表では ¥440 です" in body(client.post(NEW, TYPED | {"step": "sums", "fee": typed}))
    save(client, fee=typed)
    assert (Order.objects.get().fees, Order.objects.get().total) == (fee, 2600 + fee)


def test_what_is_free_bears_no_fee(client, chair):
    phone_table()
    save(client, fee="", free="on")
    assert (Order.objects.get().fees, Order.objects.get().total) == (0, 0)
