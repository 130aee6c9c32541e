"""Shipments as printed values: what belongs on which parcel's note."""

import io
from dataclasses import replace

import pytest
from pypdf import PdfReader

from fulfillment import documents
from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from inventory.models import BundleComponent
from oms.kernel.money import REDUCED, STANDARD
from orders.channel_order import Totals
from orders.decide.goods_names import beyond_name
from orders.documents.figures import figures
from orders.documents.render import render_delivery_notes, render_pick_lists
from orders.models import Order, PaperSettings, Shop
from orders.services.intake import take_in
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_location, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
FRIEND = replace(
    TOKYO_PARTY, name="山田 花子", postal_code="530-0001", prefecture="大阪府", city="大阪市北区", address="梅田1-1-1"
)


def shipments_for(*lines, skus=(), **fields) -> list[int]:
    shop = make_shop(letterhead_name="くらし道具店", registration_no="T8010401000002", delivery_note_message="感謝")
    order = make_channel_order(*lines, **fields)
    take_in(shop, [order], sku_of=mapped(*skus))
    allocate_waiting()
    stored = Order.objects.get(channel_order_no=order.channel_order_no)
    found = Shipment.objects.filter(recipient__order=stored).order_by("reference")
    assert found, stored.stage
    return [shipment.pk for shipment in found]


def split_over_two_places(totals: Totals) -> list[int]:
    """A chair for 1,000 from Tokyo, a desk for 3,000 from Osaka."""
    east, west = make_location("W1", priority=1), make_location("W2", name="大阪倉庫", priority=2)
    chair, desk = make_sku("CHAIR", stock_units=1, location=east), make_sku("DESK", stock_units=1, location=west)
    return shipments_for(make_line("CHAIR"), make_line("DESK", price=3000), skus=[chair, desk], totals=totals)


def test_a_note_carries_the_invoices_fields():
    tea = make_sku("TEA", stock_units=9, tax_rate=8)
    chair = make_sku(stock_units=9)
    ids = shipments_for(
        make_line("CHAIR", 2, 1100),
        make_line("TEA", 1, 1080, tax_rate=8),
        skus=[chair, tea],
        totals=Totals(goods=3280, shipping=550, coupons_shop=330, points=100, total=3400),
    )
    note = documents.delivery_notes(ids).notes[0]
    assert (note.shop.name, note.shop.registration_number, note.message) == ("くらし道具店", "T8010401000002", "感謝")
    assert note.number == note.barcode == f"S{ids[0]:07d}" and note.recipient is None and not note.hide_prices
    assert [(line.code, line.quantity, line.rate) for line in note.lines] == [
        ("CHAIR", 2, STANDARD),
        ("TEA", 1, REDUCED),
    ]
    sums = figures(note)
    assert (sums.total, sums.paid_otherwise, sums.due) == (3500, 100, 3400)
    assert render_delivery_notes([note]).startswith(b"%PDF")


def test_split_parcels_share_the_money_so_that_nothing_is_lost_or_doubled():
    ids = split_over_two_places(Totals(goods=4000, shipping=500, coupons_shop=2000, points=1800, total=700))
    notes = documents.delivery_notes(ids).notes
    assert [[fee.amount for fee in note.fees] for note in notes] == [[500], []]
    assert [[(d.label, d.amount) for d in note.deductions] for note in notes] == [
        [("店舗クーポン", 1500)],
        [("店舗クーポン", 500), ("ポイント利用", 1800)],
    ]
    assert sum(figures(note).due for note in notes) == 700


def test_a_parcel_printed_alone_says_the_same_as_in_company():
    ids = split_over_two_places(Totals(goods=4000, shipping=500, coupons_shop=2000, total=2500))
    together = documents.delivery_notes(ids).notes
    assert [documents.delivery_notes([pk]).notes[0] for pk in ids] == together


def test_discounts_beyond_the_goods_stop_the_print_by_name():
    ids = split_over_two_places(Totals(goods=4000, shipping=500, coupons_shop=5000, total=-500))
    printable = documents.delivery_notes(ids)
    assert not printable.notes and len(printable.problems) == 2
    assert all("値引が商品代金を超えています" in cause for cause in printable.problems.values())


def test_a_gift_to_another_person_hides_the_prices():
    sku = make_sku(stock_units=9)
    gift = shipments_for(skus=[sku], recipients=(FRIEND,), noshi="紅白蝶結び 御祝")
    note = documents.delivery_notes(gift).notes[0]
    assert note.hide_prices and note.sender_name == "佐藤 恵" and note.recipient.name == "山田 花子"
    plain = documents.delivery_notes(shipments_for(skus=[sku], recipients=(FRIEND,))).notes[0]
    own = documents.delivery_notes(shipments_for(skus=[sku], noshi="紅白蝶結び 御祝")).notes[0]
    assert not plain.hide_prices and plain.recipient.name == "山田 花子"
    assert not own.hide_prices and own.recipient is None


def test_of_several_recipients_only_the_buyer_reads_prices():
    lines = make_line(price=800), make_line(price=200, recipient=1)
    ids = shipments_for(*lines, skus=[make_sku(stock_units=9)], recipients=(TOKYO_PARTY, FRIEND))
    notes = documents.delivery_notes(ids).notes
    assert [(note.hide_prices, note.is_invoice) for note in notes] == [(False, True), (True, False)]
    assert not any(note.hide_prices for note in documents.delivery_notes(ids, prices="show").notes)


def test_a_bundle_stands_once_with_its_components():
    chair, desk = make_sku("CHAIR", stock_units=4, shelf="A-1"), make_sku("DESK", stock_units=2, shelf="B-2")
    bundle = make_sku("SET", is_bundle=True)
    BundleComponent.objects.create(bundle=bundle, component=chair, quantity=2)
    BundleComponent.objects.create(bundle=bundle, component=desk, quantity=1)
    ids = shipments_for(make_line("SET", 2, 9000), skus=[bundle])
    (line,) = documents.delivery_notes(ids).notes[0].lines
    assert (line.code, line.quantity, line.amount) == ("SET", 2, 18000)
    assert sorted((part.code, part.quantity) for part in line.components) == [("CHAIR", 4), ("DESK", 2)]
    (pick,) = documents.pick_lists(ids, by="渡辺")
    assert sorted((item.shelf, item.code, item.quantity, item.set_name) for item in pick.orders[0].items) == [
        ("A-1", "CHAIR", 4, "SET の品"),
        ("B-2", "DESK", 2, "SET の品"),
    ]


def test_a_shop_may_leave_the_components_off_its_notes():
    bundle = make_sku("SET", is_bundle=True)
    BundleComponent.objects.create(bundle=bundle, component=make_sku("CHAIR", stock_units=9), quantity=2)
    ids = shipments_for(make_line("SET", 1, 9000), skus=[bundle])
    assert "CHAIR" in text_of(ids)
    PaperSettings.objects.create(shop=Shop.objects.get(), note_components=False)
    assert "CHAIR" not in text_of(ids) and "SET" in text_of(ids)


def text_of(ids: list[int]) -> str:
    pdf = PdfReader(io.BytesIO(render_delivery_notes(documents.delivery_notes(ids).notes)))
    return "".join(page.extract_text() for page in pdf.pages)


def test_pick_lists_come_place_by_place_with_what_packers_must_know():
    ids = split_over_two_places(Totals(goods=4000, shipping=500, total=4500))
    Order.objects.update(packing_note="割れ物", noshi="御祝", gift="赤")
    picks = documents.pick_lists(ids, by="渡辺")
    assert [(pick.location, len(pick.orders), pick.by) for pick in picks] == [
        ("東京倉庫", 1, "渡辺"),
        ("大阪倉庫", 1, "渡辺"),
    ]
    assert picks[0].orders[0].remarks == "割れ物" and picks[0].orders[0].gifts == ("のし 御祝", "ラッピング 赤")
    assert render_pick_lists(picks).startswith(b"%PDF")


def test_any_number_of_notes_costs_the_same_queries(django_assert_num_queries):
    sku = make_sku(stock_units=90)
    one = shipments_for(skus=[sku])
    with django_assert_num_queries(12):
        documents.delivery_notes(one)
    many = one + [pk for _ in range(12) for pk in shipments_for(skus=[sku])]
    with django_assert_num_queries(12):
        assert len(documents.delivery_notes(many).notes) == 13
    with django_assert_num_queries(10):
        documents.pick_lists(many, by="")


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        (["紺 S", "色:紺", "サイズ:S"], ""),
        (["紺 S", "S 紺"], ""),
        (["紺 S", "色：紺", "イニシャル:S"], "イニシャル:S"),
        (["紺 S", "サイズ:M"], "サイズ:M"),
        (["", "メッセージカード:おめでとう"], "メッセージカード:おめでとう"),
    ],
)
def test_a_pick_list_says_a_variant_once_and_keeps_wishes(options, printed):
    assert beyond_name("リネン Tシャツ 紺 S", options) == printed
