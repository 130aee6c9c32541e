"""What an order's page tells beside the order itself: the mall's own values, its lines, its texts, related orders."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from fulfillment.services.allocate import allocate_waiting
from inventory.models import Sku
from inventory.services import stock
from oms.kernel import clock
from orders.channel_order import Coupon, Totals
from orders.decide.catalogue import CATALOGUE
from orders.models import Order, OrderText
from orders.queries.originals import originals
from orders.queries.way_out import BY_ORDER, PLACES, way_out
from orders.services.intake import take_in
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_location, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
# Reasons of which one can only take note, or whose way out is another screen's.
ONLY_TO_READ = {"due_today", "ship_by_risk", "first_order", "vip"}


def take(*lines, skus=None, **fields) -> Order:
    order = make_channel_order(*lines, **fields)
    take_in(make_shop(), [order], sku_of=mapped(*(skus or [make_sku(stock_units=50)])))
    return Order.objects.get(channel_order_no=order.channel_order_no)


def page_of(client, order) -> str:
    answer = client.get(reverse("orders:detail", args=[order.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def typed(client, url: str, **changed: str) -> dict[str, str]:
    """What the form at this address posts when only these fields are touched."""
    form = client.get(url).context["form"]
    return {field.html_name: str(field.value() or "") for field in form} | changed


def test_a_corrected_address_shows_what_the_mall_had_told(client_of, aoi, ben):
    order, client = take(), client_of(aoi)
    url = reverse("orders:edit-recipient", args=[order.pk, 0])
    client.post(url, typed(client, url, address="三軒茶屋1-1-1"))
    order.refresh_from_db()
    [one] = originals(order, order.recipients.get())["recipient"]
    assert one.text == TOKYO_PARTY.address
    page = page_of(client, order)
    assert "こちらで修正" in page and TOKYO_PARTY.address in page
    assert TOKYO_PARTY.address not in page_of(client_of(ben), order), "masked for who may not see it"


def test_the_recipients_form_can_be_filled_with_the_buyer(client_of, aoi):
    order = take(recipients=(replace(TOKYO_PARTY, name="山田 花子", address="池尻1-1-1"),))
    client, url = client_of(aoi), reverse("orders:edit-recipient", args=[order.pk, 0])
    assert "注文者の氏名・住所・電話を写す" in client.get(url).content.decode()
    form = client.get(url + "?buyer").context["form"]
    assert form["name"].value() == TOKYO_PARTY.name and form["address"].value() == TOKYO_PARTY.address
    assert order.recipients.get().name == "山田 花子", "only shown"
    client.post(url, {field.html_name: str(field.value() or "") for field in form})
    assert order.recipients.get().name == TOKYO_PARTY.name


def test_an_edit_says_that_it_stays_here(client_of, aoi):
    order, client = take(), client_of(aoi)
    for name, args in (("edit-recipient", [order.pk, 0]), ("edit-delivery", [order.pk]), ("edit-texts", [order.pk])):
        assert "モールの注文内容は変わりません" in client.get(reverse(f"orders:{name}", args=args)).content.decode()
    assert (
        "モールの注文内容は変わりません"
        not in client.get(reverse("orders:edit-note", args=[order.pk])).content.decode()
    )


def test_a_line_tells_its_share_of_the_discount_and_where_its_goods_are(client_of, aoi):
    chair, desk = make_sku(stock_units=5), make_sku("DESK", stock_units=5)
    order = take(
        make_line(quantity=2), make_line("DESK", price=3000), skus=[chair, desk],
        totals=Totals(goods=5000, shipping=500, discount=500, total=5000),
    )  # fmt: skip
    allocate_waiting()
    page = page_of(client_of(aoi), order)
    assert "値引 −¥200 = ¥1,800" in page and "値引 −¥300 = ¥2,700" in page
    assert "東京倉庫 2" in page and "東京倉庫 1" in page


def test_a_line_without_goods_says_when_they_come(client_of, aoi):
    chair = make_sku()
    order, client = take(skus=[chair]), client_of(aoi)
    Order.objects.update(stage="awaiting_stock")
    assert "入荷予定は未定" in page_of(client, order)
    Sku.objects.update(arrives_on=clock.today() + timedelta(days=3))
    page = page_of(client, order)
    assert "入荷予定" in page and "予定日を過ぎています" not in page and "未定" not in page
    Sku.objects.update(arrives_on=clock.today() - timedelta(days=1))
    assert "予定日を過ぎています" in page_of(client, order)
    stock.receive([stock.Fact(chair.pk, make_location().pk, 5, "test")])
    allocate_waiting()
    assert "予定日を過ぎています" not in page_of(client, order), "it has its goods"


def test_a_wish_for_one_line_and_the_names_of_coupons_stand_on_the_page(client_of, aoi):
    order = take(
        make_line(gift="名入れ: MEGUMI"),
        totals=Totals(goods=1000, shipping=500, coupons_shop=100, total=1400),
        coupons=(Coupon("春の100円引き", 100, "shop"),),
    )
    page = page_of(client_of(aoi), order)
    assert "名入れ: MEGUMI" in page and "春の100円引き" in page and "（店舗負担）" in page


def test_each_reader_has_its_own_text_and_a_conflict_loses_nothing(client_of, aoi):
    order, client = take(), client_of(aoi)
    url = reverse("orders:edit-texts", args=[order.pk])
    stale = typed(client, url, text_label="午前のうちに")
    client.post(url, typed(client, url, text_delivery_note="お買い上げに感謝します", text_label="置き配不可"))
    held = dict(OrderText.objects.filter(order=order).values_list("reader", "text"))
    assert held == {"delivery_note": "お買い上げに感謝します", "label": "置き配不可"}
    assert client.post(url, stale).status_code == 409
    client.post(url, typed(client, url, text_label=""))
    assert set(OrderText.objects.filter(order=order).values_list("reader", flat=True)) == {"delivery_note"}
    assert "お買い上げに感謝します" in page_of(client, order)


def test_texts_are_closed_after_the_instruction(client_of, aoi):
    order = take()
    allocate_waiting()
    client, url = client_of(aoi), reverse("orders:edit-texts", args=[order.pk])
    before = typed(client, url, text_label="遅い")
    client.post(reverse("fulfillment:instruct", args=[order.pk]))
    assert "変更できません" in client.post(url, before).content.decode()
    assert not OrderText.objects.exists()


def test_the_buyers_other_orders_stand_beside_the_order(client_of, aoi):
    first, second = take(), take()
    page = page_of(client_of(aoi), second)
    assert "この方のほかの受注" in page and reverse("orders:detail", args=[first.pk]) in page


def test_every_reason_has_a_place_to_go_or_is_only_read():
    order = take()
    order.shop.capabilities["order_url"] = "https://mall.example/orders/{no}"
    assert set(CATALOGUE) == {*PLACES, *BY_ORDER} | ONLY_TO_READ
    for code in PLACES.keys() | BY_ORDER.keys():
        out = way_out(code, order, list(order.lines.all()))
        assert out.url and out.text, code


def test_no_place_to_go_is_missing(client_of, aoi):
    """Each address answers for an order as it comes in."""
    order, client = take(), client_of(aoi)
    for code in PLACES:
        out = way_out(code, order, [])
        assert client.get(out.url).status_code in {200, 302}, (code, out.url)
