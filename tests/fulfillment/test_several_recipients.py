"""複数送付先: each recipient has parcels of their own, prices only for the buyer, and the fee that the channel told."""

from dataclasses import replace

import pytest
from django.urls import reverse

from fulfillment import documents
from fulfillment.models import Shipment
from fulfillment.services import split, split_charge
from fulfillment.services.instruct import instruct_orders
from orders.channel_order import Delivery, Totals
from orders.models import Recipient
from orders.services import bulk, bulk_undo
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import TOKYO_PARTY, make_line, make_shop, make_sku

pytestmark = pytest.mark.django_db
FRIEND = replace(TOKYO_PARTY, name="山田 花子", kana="ヤマダ ハナコ", address="青葉町3-1-2", phone="080-1111-2222")
FEES = (500, 700)


@pytest.fixture
def order():
    """Tea for the buyer; tea and frozen fish for a friend; each destination has its own shipping fee."""
    goods = [make_sku("TEA", stock_units=9), make_sku("FISH", stock_units=9, temperature="frozen")]
    lines = make_line("TEA"), make_line("TEA", recipient=1), make_line("FISH", recipient=1)
    return ready(
        make_shop(),
        *lines,
        skus=goods,
        recipients=(TOKYO_PARTY, FRIEND),
        deliveries=tuple(Delivery(shipping=fee) for fee in FEES),
        totals=Totals(goods=3000, shipping=sum(FEES), total=3000 + sum(FEES)),
    )


def carried() -> list[tuple[str, list[str]]]:
    return [
        (parcel.recipient.name, sorted(parcel.lines.values_list("sku__code", flat=True)))
        for parcel in Shipment.objects.select_related("recipient").order_by("recipient__position", "reference")
    ]


def fees() -> list[int]:
    return list(Recipient.objects.order_by("position").values_list("shipping_fee", flat=True))


def test_each_recipient_has_a_shipment_and_the_fee_that_was_told(order):
    assert carried() == [("佐藤 恵", ["TEA"]), ("山田 花子", ["FISH", "TEA"])]
    assert tuple(fees()) == FEES and order.shipping_fee == sum(FEES)


def test_a_split_keeps_everybody_s_goods_with_them_and_shows_prices_to_the_buyer_alone(order, aoi):
    made = bulk.draft("split", [order.pk], by=aoi)
    bulk.start(made, {"way": "temperature", "until": None, "location": None, "payer": "shop"})
    assert carried() == [("佐藤 恵", ["TEA"]), ("山田 花子", ["TEA"]), ("山田 花子", ["FISH"])]
    parcels = instruct_orders([order.pk], actor=Actor()).shipments
    notes = documents.delivery_notes(parcels).notes
    names = [note.recipient.name if note.recipient else "" for note in notes]
    assert sorted(zip(names, [note.hide_prices for note in notes], strict=True)) == [
        ("", False),
        ("山田 花子", True),
        ("山田 花子", True),
    ]
    assert tuple(fees()) == FEES


def test_two_parcels_for_two_people_are_no_split_that_could_be_undone(order, client_of, aoi):
    join = bulk.draft("join", [order.pk], by=aoi)
    page = client_of(aoi).get(reverse("fulfillment:split", args=[order.pk])).content.decode()
    assert bulk.preview(join, {}).will == [] and "分割を取り消して1つに戻す" not in page
    assert "佐藤 恵" in page and "山田 花子" in page, "whose each parcel is"
    split.split_by_temperature([order.pk], actor=Actor())
    page = client_of(aoi).get(reverse("fulfillment:split", args=[order.pk])).content.decode()
    assert bulk.preview(join, {}).will == [order.pk] and "分割を取り消して1つに戻す" in page


def test_joining_never_puts_goods_of_two_people_into_one_parcel(order, aoi):
    before = carried()
    split.split_by_temperature([order.pk], actor=Actor())
    assert split_charge.join(order.pk, actor=Actor()) and carried() == before
    made = bulk.draft("split", [order.pk], by=aoi)
    bulk.start(made, {"way": "temperature", "until": None, "location": None, "payer": "shop"})
    made.refresh_from_db()
    bulk_undo.start(made, by=aoi)
    assert carried() == before
