"""The order of printing, carts, handover lists, return slips, kept notes, and addresses that fit a label."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from fulfillment import documents
from fulfillment.labels import Address, building_apart, label_problems, units
from fulfillment.models import Shipment
from fulfillment.picking import MODES, SORTS, Parcel, carts, in_order, picked
from orders.documents.figures import pick_totals
from orders.documents.values import PickOrder
from orders.models import IssuedDocument, Order
from orders.services import document_files
from tests.fulfillment.test_documents import FRIEND, shipments_for
from tests.orders.builders import make_sku
from tests.orders.documents.paper import make_pick, pick_item, read_pick

DAY = datetime(2026, 7, 3, tzinfo=UTC)


def parcel(pk: int, *goods, **changes) -> Parcel:
    values = {"place": (1, 1), "ship_by": DAY.replace(day=pk), "carrier": "yamato", "is_gift": False}
    return Parcel(pk=pk, goods=goods, **(values | changes))


PARCELS = [
    parcel(1, ("B-1", "CUP", 2)),
    parcel(2, ("A-10", "TEA", 1), carrier="sagawa"),
    parcel(3, ("A-2", "CUP", 1), is_gift=True),
    parcel(4, ("C-1", "TEA", 1)),
    parcel(5, ("A-1", "CUP", 1), place=(2, 2), ship_by=None),
]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("due", [1, 2, 3, 4, 5]),
        ("shelf", [3, 2, 1, 4, 5]),
        ("single", [3, 2, 4, 1, 5]),
        ("method", [2, 1, 3, 4, 5]),
        ("gift", [1, 2, 4, 3, 5]),
        ("nonsense", [1, 2, 3, 4, 5]),
    ],
)
def test_parcels_come_place_by_place_in_the_chosen_order(sort, order):
    assert [one.pk for one in in_order(PARCELS[::-1], sort)] == order


PICKED = st.lists(st.integers(1, 4), min_size=1, max_size=40)


@given(PICKED, st.integers(1, 12))
def test_carts_hold_every_order_once_and_their_slots_add_up(pieces, size):
    pick = make_pick(*(PickOrder(order_number=str(n), items=(pick_item("A", "CUP", k),)) for n, k in enumerate(pieces)))
    rounds = carts(pick, size)
    assert [order.order_number for one in rounds for order in one.orders] == [o.order_number for o in pick.orders]
    assert all(len(one.orders) <= size for one in rounds)
    for one in rounds:
        [row] = pick_totals(one)
        assert sum(n for _slot, n in row.slots) == row.quantity and len(row.slots) == len(one.orders)


def test_each_way_of_picking_prints_its_part():
    pick = make_pick(*(PickOrder(order_number=f"1{n}", items=(pick_item("A-1", "CUP", n),)) for n in (1, 2, 3)))
    text = {mode: "".join(page for one in picked(pick, mode, 2) for page in read_pick(one)) for mode in MODES}
    assert "トータルピッキング" in text["both"] and "注文別ピッキング" in text["both"]
    assert "注文別" not in text["total"] and "トータル" not in text["single"]
    assert "カート 1 / 2" in text["cart"] and "カート 2 / 2" in text["cart"] and "[2] × 2" in text["cart"]


GOOD = Address(
    name="佐藤 恵",
    postal_code="154-0024",
    place="東京都世田谷区",
    street="三軒茶屋2-14-3 メゾン青葉402",
    phone="090-1234-5678",
)


@pytest.mark.parametrize("carrier", ["yamato", "sagawa", "japanpost", "other"])
def test_an_ordinary_address_fits_every_carrier(carrier):
    assert label_problems(carrier, GOOD) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"postal_code": "154-002"}, "郵便番号"),
        ({"name": " "}, "宛名がありません"),
        ({"street": ""}, "番地がありません"),
        ({"phone": "03"}, "電話番号"),
        ({"name": "𠮷野 太郎"}, "印字できない文字があります: 𠮷"),
        ({"name": "あ" * 17}, "宛名が送り状の欄より全角1文字分長い"),
        ({"street": "長い町" * 12 + "1-1"}, "住所が送り状の欄より全角"),
        ({"street": "三軒茶屋2-14-3 " + "長いビル" * 5}, "建物名が送り状の欄より全角4文字分"),
    ],
)
def test_what_does_not_fit_is_said_before_the_label_is_printed(changes, said):
    assert any(said in problem for problem in label_problems("yamato", replace(GOOD, **changes)))


def test_sagawa_counts_every_letter_as_a_full_one():
    assert units("ABC あ", full_width=True) == 10 and units("ABC あ") == 6
    building = replace(GOOD, street="三軒茶屋2-14-3 ABCDEFGHIJKLMNOPQ")
    assert label_problems("yamato", building) == [] and len(label_problems("sagawa", building)) == 1


@pytest.mark.parametrize(
    ("street", "parts"),
    [
        ("三軒茶屋2-14-3 メゾン青葉402", ("三軒茶屋2-14-3", "メゾン青葉402")),
        ("三軒茶屋2-14-3　メゾン 青葉402", ("三軒茶屋2-14-3", "メゾン 青葉402")),
        ("三軒茶屋２丁目１４番３号", ("三軒茶屋２丁目１４番３号", "")),
        ("大字上 字下", ("大字上 字下", "")),
    ],
)
def test_a_building_stands_apart_from_the_block(street, parts):
    assert building_apart(street) == parts


# ---- of real shipments


def pdf_text(response) -> str:
    assert response["Content-Type"] == "application/pdf", response.content.decode()[:300]
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages)


@pytest.mark.django_db
def test_a_handover_list_names_every_parcel_for_the_drivers_signature(client_of, aoi):
    ids = [pk for _ in range(3) for pk in shipments_for(skus=[make_sku(stock_units=9)])]
    Shipment.objects.filter(pk=ids[0]).update(carrier="sagawa")
    Shipment.objects.filter(pk=ids[1]).update(tracking_no="471203984414", package_count=2)
    text = pdf_text(client_of(aoi).post("/fulfillment/print/handover/", {"ids": ids}))
    for said in (
        "集荷リスト",
        "佐川急便",
        "ヤマト運輸",
        "471203984414",
        "2件　3個口",
        "集荷担当者　署名",
        "佐藤 恵 様",
    ):
        assert said in text
    assert Shipment.objects.get(pk=ids[0]).events.filter(kind="handover_printed", by=aoi).exists()


@pytest.mark.django_db
def test_a_return_slip_tells_no_price_and_is_scanned_back(client_of, aoi):
    ids = shipments_for(skus=[make_sku(stock_units=9)])
    text = pdf_text(client_of(aoi).post("/fulfillment/print/return-slips/", {"ids": ids}))
    for said in ("返品票", f"S{ids[0]:07d}", "CHAIR の品", "サイズが合わない", "交換", "くらし道具店"):
        assert said in text
    assert "¥" not in text and "1,000" not in text and "T8010401000002" not in text


@pytest.mark.django_db
def test_notes_that_serve_as_invoices_are_kept_once_and_found(client_of, aoi):
    client = client_of(aoi)
    ids = shipments_for(skus=[make_sku(stock_units=9)])
    text = pdf_text(client.post("/fulfillment/print/delivery-notes/", {"ids": ids}))
    assert "納品書 兼 請求書" in text and "再発行" not in text
    assert "再発行" in pdf_text(client.post("/fulfillment/print/delivery-notes/", {"ids": ids}))
    kept = IssuedDocument.objects.get()
    assert (kept.kind, kept.number, kept.amount, kept.partner) == ("delivery_note", f"S{ids[0]:07d}", 1500, "佐藤 恵")
    assert "T8010401000002" in "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(document_files.file_of(kept))).pages
    )
    Order.objects.update(buyer_company="株式会社佐藤")
    client.post("/fulfillment/print/delivery-notes/", {"ids": ids})
    assert IssuedDocument.objects.count() == 2, "another content is another paper"


@pytest.mark.django_db
def test_prices_are_hidden_or_shown_as_one_wishes(client_of, aoi):
    client = client_of(aoi)
    ids = shipments_for(skus=[make_sku(stock_units=9)], recipients=(FRIEND,), noshi="御祝")
    url = "/fulfillment/print/delivery-notes/"
    assert "¥" not in pdf_text(client.post(url, {"ids": ids}))
    assert "¥1,500" in pdf_text(client.post(url, {"ids": ids, "prices": "show"}))
    own = shipments_for(skus=[make_sku(stock_units=9)])
    assert "¥" not in pdf_text(client.post(url, {"ids": own, "prices": "hide"}))
    assert IssuedDocument.objects.count() == 1, "what tells no price is no invoice"


@pytest.mark.django_db
def test_where_the_mall_issues_the_note_claims_no_registration_number():
    ids = shipments_for(skus=[make_sku(stock_units=9)])
    shop = Order.objects.get().shop
    shop.capabilities = shop.capabilities | {"invoice_issuer": {"": "mall"}}
    shop.save(update_fields=["capabilities"])
    printable = documents.delivery_notes(ids)
    assert printable.notes[0].shop.registration_number == "" and printable.invoices == []


@pytest.mark.django_db
@pytest.mark.parametrize("sort", SORTS)
def test_the_screen_prints_in_any_order_and_way(sort, client_of, aoi):
    client = client_of(aoi)
    sku = make_sku(stock_units=9)
    ids = [pk for _ in range(2) for pk in shipments_for(skus=[sku])]
    text = pdf_text(
        client.post("/fulfillment/print/pick-list/", {"ids": ids, "sort": sort, "mode": "cart", "cart": "4"})
    )
    assert all(f"S{pk:07d}" in text for pk in ids) and "カート 1 / 1" in text
    page = client.get("/fulfillment/").content.decode()
    assert str(SORTS[sort]) in page or not Shipment.objects.filter(state="instructed").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("paper", ["handover", "return-slips"])
def test_who_may_only_look_prints_nothing(paper, client_of, aoi, ben, chie):
    ids, url = shipments_for(skus=[make_sku(stock_units=9)]), f"/fulfillment/print/{paper}/"
    assert client_of(ben).post(url, {"ids": ids}).status_code == 403
    assert client_of(chie).post(url, {"ids": ids}).status_code == 403
    assert client_of(aoi).get(url).status_code == 405
    assert client_of(aoi).post(url).status_code == 302
