"""Receipts and wrapping that a buyer asks for in words: what is understood, and what is never guessed."""

from datetime import date

import pytest
from django.urls import reverse

from orders.decide import receipt_wish
from orders.decide.checks import wishes
from orders.decide.found import Item, OrderFacts
from orders.models import Order
from orders.services.intake import take_in
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped


def facts(remarks: str = "", options: str = "", **fields) -> OrderFacts:
    numbers = ("goods_lines", "goods", "shipping_fee", "fees", "gift_fees", "discount", "coupons", "points")
    values = {
        "ordered_on": date(2026, 12, 1), "remarks": remarks, "recipients": (), "buyer_phone": "", "unmapped": (),
        "tax_excluded": 0, "total": 0, "cancel_requested": False, "cancel_reason": "", "gift": "", "noshi": "",
        "items": [Item(1, "CHAIR", 1, options=options)], **dict.fromkeys(numbers, 0),
    }  # fmt: skip
    return OrderFacts(**values | fields)


def codes(found: OrderFacts) -> set[str]:
    return {one.code for check in wishes.CHECKS for one in check(found)} - {"buyer_note", "note_has_date"}


@pytest.mark.parametrize(
    ("remarks", "options", "opened"),
    [
        ("領収書をください。", "", {"receipt_request"}),
        ("", "領収書:希望する", {"receipt_request"}),
        ("領収書は不要です。", "", set()),
        ("", "領収書:いりません", set()),
        ("プレゼント包装でお願いします", "", {"gift_wrap"}),
        ("ラッピング不要", "", set()),
    ],
)
def test_what_is_asked_for_in_words_is_a_reason_and_what_is_declined_is_none(remarks, options, opened):
    assert codes(facts(remarks, options)) == opened


@pytest.mark.parametrize(
    ("text", "name", "subject"),
    [
        ("領収書の宛名は株式会社くらし様でお願いします", "株式会社くらし", ""),
        ("領収書希望。宛名：「山田 花子」、但し書き：文具代として", "山田 花子", "文具代として"),
        ("領収書をください。山田より", "", ""),
        ("宛名は上様で", "", ""),
        ("但し書きは「贈答品代」でお願いします。", "", "贈答品代"),
    ],
)
def test_name_and_purpose_are_read_where_they_are_labelled(text, name, subject):
    wish = receipt_wish.read(text)
    assert (wish.name, wish.subject) == (name, subject)


@pytest.mark.django_db
def test_the_receipts_form_begins_with_the_name_that_was_asked_for(client_of, aoi):
    order = make_channel_order(remarks="領収書の宛名は株式会社くらし様、但し書きは備品代としてお願いします")
    shop = make_shop(code="own-1", channel="futureshop", capabilities={"mail": "free"})
    take_in(shop, [order], sku_of=mapped(make_sku(stock_units=5)))
    url = reverse("orders:order-issue", args=[Order.objects.get().pk, "receipt"])
    form = client_of(aoi).get(url).context["form"]
    assert form["name"].value() == "株式会社くらし" and form["subject"].value().startswith("備品代として")
