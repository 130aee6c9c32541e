"""What each mail must tell a buyer: the sums, the days, the rest, whom to ask and by which rules."""

from datetime import timedelta

import pytest
from django.utils.translation import override

from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from fulfillment.services.split import split_off
from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.decide import mail_text
from orders.decide.payment_fees import FeeTable
from orders.models import Mail, MailPolicy, Order, PaperSettings, PaymentGate, Refund, ShippingPlan
from orders.services import mail, payment, payment_method, refunds
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.mail_send import filled, template_of, values_for
from orders.services.mail_values import values_of
from orders.services.payment_fees import save_table
from orders.services.refunds import FOR_THE_CUSTOMER
from orders.services.reminders import remind
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
GOOD_NUMBER = "471203984414"


@pytest.fixture(autouse=True)
def templates():
    mail.ensure_standard_templates()


def take(*lines, shop=None, **fields) -> Order:
    skus = [make_sku(stock_units=50), make_sku("DESK", stock_units=50)]
    order = make_channel_order(*lines, **fields)
    take_in(shop or make_shop(), [order], sku_of=mapped(*skus))
    return Order.objects.select_related("shop").get(channel_order_no=order.channel_order_no)


def body_of(order: Order, event: str) -> str:
    """The text of the order's last mail of this event as it goes out, without holes."""
    row = Mail.objects.select_related("order__shop").filter(order=order, event=event).latest("pk")
    template = template_of(row)
    assert template is not None
    values = values_for(row)
    text = filled(template, values).body
    assert "{{" not in text and not mail_text.mistakes(template.body, values)
    return text


def ship(order: Order) -> list[Shipment]:
    done = instruct_orders([order.pk], actor=Actor()).shipments
    confirm_shipments([Departure(pk, "yamato", GOOD_NUMBER) for pk in done[:1]], actor=Actor())
    return list(Shipment.objects.filter(pk__in=done))


def test_the_thanks_tell_every_part_of_the_sum_the_taxes_and_the_buyers_address():
    order = take(
        make_line(quantity=2), make_line("DESK", price=1080, tax_rate=8),
        totals=Totals(goods=3080, shipping=500, discount=100, points=80, total=3400),
        by_rate=(),
    )  # fmt: skip
    text = body_of(order, "order_received")
    for told in ("商品合計: ¥3,080", "送料: ¥500", "値引・クーポン: -¥100", "ポイント利用: -¥80", "合計: ¥3,400"):
        assert told in text.replace("−", "-")
    assert "■ご注文者" in text and "三軒茶屋2-14-3" in text


def test_taxes_are_told_per_rate_where_nothing_was_taken_off():
    order = take(make_line(quantity=2), make_line("DESK", price=1080, tax_rate=8))
    told = values_of(Order.objects.prefetch_related("lines", "recipients", "texts").get(pk=order.pk))["order.tax"]
    assert told.splitlines() == ["10%対象 ¥2,500（内消費税 ¥227）", "8%対象 ¥1,080（内消費税 ¥80）"]


def test_a_shops_rules_hours_and_law_page_stand_in_its_mails_and_are_no_holes_where_it_has_none():
    shop = make_shop()
    assert "キャンセル・返品について" not in body_of(take(shop=shop), "order_received")
    MailPolicy.objects.create(
        shop=shop, hours="平日10–17時", law_url="https://example.jp/law", cancel_rule="到着後7日以内にご連絡ください。"
    )
    PaperSettings.objects.create(shop=shop, company="株式会社くらし")
    text = body_of(take(shop=shop), "order_received")
    for told in ("到着後7日以内に", "受付時間: 平日10–17時", "https://example.jp/law", "運営: 株式会社くらし"):
        assert told in text


def test_the_shipping_mail_tells_the_day_it_left_and_when_it_comes():
    order = take(wish_slot="am")
    ShippingPlan.objects.create(transit=[["", "東京都", 2]])
    allocate_waiting()
    ship(order)
    text, today = body_of(order, "shipped"), clock.today()
    assert f"■発送日: {today:%Y年%m月%d日}" in text
    assert f"■お届け予定: {today + timedelta(days=2):%Y年%m月%d日} 午前中" in text


def test_a_part_tells_what_follows_and_cash_on_delivery_what_to_have_ready():
    shop = make_shop(code="own-1", channel="futureshop", capabilities={"mail": "free", "partial_shipment": True})
    order = take(
        make_line(), make_line("DESK"), shop=shop, payment_method=PaymentMethod.COD, payment_state=PaymentState.UNPAID
    )
    allocate_waiting()
    whole = Shipment.objects.get(recipient__order=order)
    desk = whole.lines.get(sku__code="DESK")
    split_off(whole.pk, {desk.order_line_id: 1}, actor=Actor())
    ship(order)
    text = body_of(order, "partially_shipped")
    assert "■これからお送りする商品" in text
    order.refresh_from_db()
    values = values_of(Order.objects.prefetch_related("lines", "recipients", "texts").get(pk=order.pk))
    assert values["shipment.cod_amount"] == "¥2,500"


def test_a_request_and_its_reminders_say_when_the_order_ends_by_itself():
    shop = make_shop(code="own-1", channel="futureshop", capabilities={"mail": "free", "payment": "own"})
    PaymentGate.objects.create(
        shop=shop, method="bank_transfer", ships_when="paid", collector="us", cancel_days=10, auto_cancel=True
    )
    MailPolicy.objects.create(shop=shop, bank_account="みずほ 1234567")
    order = take(
        shop=shop, payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.UNPAID,
        ordered_at=clock.now(), payment_name="銀行振込",
    )  # fmt: skip
    allocate_waiting()
    ends = f"{clock.today() + timedelta(days=10):%Y年%m月%d日}"
    assert ends in body_of(order, "payment_request")
    remind([order.pk], "first", actor=Actor())
    row = Mail.objects.get(order=order, event="payment_reminder")
    assert row.extra["payment.reminder_count"] == "1" and ends in body_of(order, "payment_reminder")


def test_a_buyer_reads_the_colour_that_was_chosen_where_the_name_does_not_say_it():
    red, chair = make_line(options="色:赤\nサイズ:M"), make_line(name="CHAIR の品 青", options="色:青\n刻印:M.S")
    order = take(red, chair)
    for event in ("order_received", "shipped"):
        if event == "shipped":
            allocate_waiting()
            ship(order)
        told = [line for line in body_of(order, event).splitlines() if line.startswith("・")]
        assert [line.split("  ")[0] for line in told] == [
            "・CHAIR の品（色:赤 / サイズ:M） × 1",
            "・CHAIR の品 青（刻印:M.S） × 1",
        ]


def test_a_customer_reads_japanese_whatever_language_the_person_at_the_screen_reads(aoi):
    shop = make_shop(code="own-1", channel="futureshop", capabilities={"mail": "free", "own_payments": True})
    save_table(shop, "cod", FeeTable(((0, 330),)))
    pays = {"payment_method": PaymentMethod.BANK_TRANSFER, "payment_state": PaymentState.UNPAID}
    order, dearer = take(shop=shop, wish_slot="am", **pays), take(make_line("DESK"), shop=shop, **pays)
    actor = Actor(by=aoi)
    with override("en"):
        payment_method.change([dearer.pk], "cod", actor=actor)
        payment.record_payments([order.pk], actor=actor)
        wish = refunds.Wish(quantities={}, goodwill=300)
        refunds.open_refund(order.pk, key="r", wish=wish, reason="x", actor=actor)
        refunds.complete([Refund.objects.get().pk], actor=actor)
        allocate_waiting()
        ship(order)
        texts = {event: body_of(order, event) for event in ("refund_done", "shipped")}
        texts["inquiry"] = body_of(dearer, "inquiry")
    assert "お支払方法を「代金引換」に変更すると" in texts["inquiry"]
    assert "■ご返金の方法: 銀行振込" in texts["refund_done"]
    assert "■配送会社: ヤマト運輸" in texts["shipped"] and "午前中" in texts["shipped"]


def test_no_customer_is_told_of_a_page_that_only_the_shop_has():
    assert set(FOR_THE_CUSTOMER) == set(Refund.Way) - {Refund.Way.VOID}, "nothing is said of what was never taken"
    assert not any("画面" in words for words in FOR_THE_CUSTOMER.values())
