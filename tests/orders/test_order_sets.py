"""The order's page and its papers with sets: folded components with their shares, taken apart, cancelled alone."""

import io

import pytest
from django.urls import reverse
from pypdf import PdfReader

from fulfillment import documents
from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from inventory.models import BundleComponent, Sku
from orders.channel_order import Totals
from orders.documents.render import render_delivery_notes, render_pick_lists
from orders.models import LineComponent, Order, PaperSettings
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
CAN = {"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True}


def gift_box(**fields) -> Sku:
    """A box at 3,000 yen: a tea set (two cups of 250, a pot of 500) and tea of 1,000 yen at the reduced rate."""
    cup, pot = make_sku("CUP", stock_units=9, price=250), make_sku("POT", stock_units=9, price=500)
    tea = make_sku("TEA", stock_units=9, price=1000, tax_rate=8)
    inner = make_sku("TEASET", is_bundle=True, price=1000)
    box = make_sku("BOX", is_bundle=True, price=3000, **fields)
    for bundle, part, count in ((inner, cup, 2), (inner, pot, 1), (box, inner, 1), (box, tea, 1)):
        BundleComponent.objects.create(bundle=bundle, component=part, quantity=count)
    return box


def taken_in(box: Sku, **fields) -> Order:
    told = make_channel_order(make_line("BOX", 1, 3000, tax_rate=None), **fields)
    take_in(make_shop(capabilities=CAN), [told], sku_of=mapped(box))
    allocate_waiting()
    return Order.objects.get()


def test_the_page_folds_the_components_with_their_shares(client_of, aoi):
    order = taken_in(gift_box(), totals=Totals(goods=3000, shipping=500, discount=300, total=3200))
    page = client_of(aoi).get(reverse("orders:detail", args=[order.pk])).content.decode()
    for words in ("<details", "セットの中身 3種類", "TEASET の品 /", "¥750", "¥1,500", "値引後 ¥1,350", "合計 ¥2,000"):
        assert words in page, words
    assert "構成品の明細に分ける" not in page, "this set stays together"


def test_a_set_is_taken_apart_on_the_page_once(client_of, aoi, ben):
    order = taken_in(gift_box(ships_apart=True))
    line = order.lines.get()
    url = reverse("orders:take-apart", args=[order.pk, line.pk])
    assert url in client_of(aoi).get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert client_of(ben).post(url, {"pieces": 1}).status_code == 403
    assert "1 以下" in client_of(aoi).post(url, {"pieces": 2}).content.decode()
    client_of(aoi).post(url, {"pieces": 1})
    rows = list(order.lines.filter(set_line=line).order_by("pk").values_list("sku__code", "quantity", "amount"))
    assert rows == [("TEA", 1, 1500), ("CUP", 2, 750), ("POT", 1, 750)]
    assert "まだ出荷していない数" in client_of(aoi).post(url, {"pieces": 1}).content.decode()
    page = client_of(aoi).get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert "構成品に分けました" in page and page.count("セットの構成品") == 3


def test_one_component_is_cancelled_in_the_dialog(client_of, aoi):
    order = taken_in(gift_box())
    url, tea = reverse("orders:cancel", args=[order.pk]), LineComponent.objects.get(sku__code="TEA")
    form = client_of(aoi).get(url).content.decode()
    assert f'name="part-{tea.pk}"' in form and "構成品だけをやめると" in form
    data = {"scope": "pieces", "reason": "customer", "asked_by": "customer", "key": "k", f"part-{tea.pk}": "1"}
    both = {**data, f"line-{order.lines.get().pk}": "1"}
    assert "ほかの商品とは分けて" in client_of(aoi).post(url, both).content.decode()
    client_of(aoi).post(url, data)
    order.refresh_from_db()
    standing = order.lines.filter(quantity__gt=0).order_by("pk").values_list("sku__code", "amount")
    assert list(standing) == [("CUP", 750), ("POT", 750)] and order.total == 2000


def text_of(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize("paper", ["a4", "roll"])
def test_the_note_prints_the_set_and_below_it_the_components_without_prices(paper):
    order = taken_in(gift_box())
    settings = PaperSettings.objects.create(shop=order.shop, note_paper=paper)
    [parcel] = instruct_orders([order.pk], actor=Actor()).shipments
    note = documents.delivery_notes([parcel]).notes[0]
    text = text_of(render_delivery_notes([note]))
    assert "BOX の品" in text and "└ TEASET の品 / CUP の品" in text and "¥3,000" in text and "¥750" not in text
    picks = documents.pick_lists([parcel], by="渡辺")
    assert {item.set_name for item in picks[0].orders[0].items} == {"BOX の品"}
    assert "BOX の品" in text_of(render_pick_lists(picks))
    settings.note_components = False
    settings.save(update_fields=["note_components"])
    assert "└" not in text_of(render_delivery_notes(documents.delivery_notes([parcel]).notes))


def test_a_set_of_two_rates_stands_on_the_note_once_for_each(client_of, aoi):
    order = taken_in(gift_box(tax_by_component=True))
    [parcel] = instruct_orders([order.pk], actor=Actor()).shipments
    lines = documents.delivery_notes([parcel]).notes[0].lines
    assert [(line.rate.percent, line.amount, [part.code for part in line.components]) for line in lines] == [
        (10, 1500, ["CUP", "POT"]),
        (8, 1500, ["TEA"]),
    ]
    assert lines[0].name == "BOX の品（10%対象）"


def test_a_component_taken_apart_still_names_its_set_on_the_pick_list(client_of, aoi):
    order = taken_in(gift_box(ships_apart=True))
    line = order.lines.get()
    client_of(aoi).post(reverse("orders:take-apart", args=[order.pk, line.pk]), {"pieces": 1})
    allocate_waiting()
    picks = documents.pick_lists(list(Shipment.objects.values_list("pk", flat=True)), by="渡辺")
    items = picks[0].orders[0].items
    assert {item.set_name for item in items} == {line.name} and len(items) == 3
