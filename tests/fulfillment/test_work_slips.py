"""作業指示書: who gets one, what stands on it, and that printing it is remembered."""

import io

import pytest
from pypdf import PdfReader

from fulfillment.documents import delivery_notes, pick_lists
from fulfillment.models import Shipment
from fulfillment.work_slips import work_slips
from orders.documents.render import render_work_slips
from orders.models import OrderLine, PaperSettings, Recipient, Shop
from tests.fulfillment.test_documents import shipments_for
from tests.orders.builders import make_sku

pytestmark = pytest.mark.django_db
URL = "/fulfillment/print/work-slips/"


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


@pytest.fixture
def gift() -> list[int]:
    words = "水引：紅白蝶結び、表書き：内祝、名入れ：山田、外のし"
    return shipments_for(
        skus=[make_sku(stock_units=9)], noshi=words, gift="赤い包装紙とリボン", message_card="おめでとう\nございます"
    )


def test_a_slip_tells_wrapping_noshi_and_card_and_no_price(client_of, aoi, gift):
    response = client_of(aoi).post(URL, {"ids": gift})
    assert response["Content-Type"] == "application/pdf"
    text = text_of(response.content)
    for said in (
        "赤い包装紙とリボン",
        "紅白蝶結び",
        "内祝",
        "山田",
        "外のし",
        "おめでとう",
        "ございます",
        f"S{gift[0]:07d}",
    ):
        assert said in text, said
    assert "¥" not in text and "1,000" not in text and "再印刷" not in text
    assert Shipment.objects.get(pk=gift[0]).events.filter(kind="work_printed", by=aoi).count() == 1
    assert "再印刷" in text_of(client_of(aoi).post(URL, {"ids": gift}).content)


def test_parcels_without_a_wish_get_no_slip_and_a_sentence(client_of, aoi, gift):
    plain = shipments_for(skus=[make_sku(stock_units=9)])
    assert [pk for pk, _slip in work_slips([*plain, *gift], by="")] == gift
    response = client_of(aoi).post(URL, {"ids": plain}, follow=True)
    assert "作業指示書は不要です" in response.content.decode()
    assert not Shipment.objects.get(pk=plain[0]).events.filter(kind="work_printed").exists()


def test_a_recipients_own_wish_goes_before_the_orders(gift):
    Recipient.objects.update(noshi="御祝", sender="鈴木")
    ((_pk, slip),) = work_slips(gift, by="")
    assert slip.sender == "鈴木"
    assert slip.works[0].noshi is not None and slip.works[0].noshi.purpose == "御祝"
    assert slip.works[0].wrapping == "赤い包装紙とリボン", "where the recipient says nothing, the order speaks"


def test_an_engraving_of_one_line_is_enough_for_a_slip():
    ids = shipments_for(skus=[make_sku(stock_units=9)])
    OrderLine.objects.update(gift="名入れ:Megumi")
    ((_pk, slip),) = work_slips(ids, by="")
    assert "名入れ:Megumi" in text_of(render_work_slips([slip]))


def test_any_number_of_slips_costs_the_same_queries(django_assert_num_queries, gift):
    with django_assert_num_queries(11):
        work_slips(gift, by="")
    sku = make_sku(stock_units=90)
    many = gift + [pk for _ in range(6) for pk in shipments_for(skus=[sku], noshi="御祝")]
    with django_assert_num_queries(11):
        assert len(work_slips(many, by="")) == 7


def test_a_long_card_and_many_goods_turn_the_page(gift):
    ((_pk, slip),) = work_slips(gift, by="")
    work = slip.works[0].__class__(
        order_number="1", card="長い文\n" * 90, lines=slip.works[0].lines * 30, noshi=slip.works[0].noshi
    )
    pdf = PdfReader(
        io.BytesIO(
            render_work_slips([slip.__class__(number="S1", location="東京", made_at=slip.made_at, works=(work,))])
        )
    )
    assert len(pdf.pages) > 2
    assert sum(page.extract_text().count("長い文") for page in pdf.pages) == 90


def test_the_pick_list_and_the_note_tell_the_recipients_own_wishes(gift):
    Recipient.objects.update(noshi="表書き：御祝、名入れ：鈴木", gift="青い箱", sender="鈴木商店")
    [pick] = pick_lists(gift, by="")
    assert pick.orders[0].gifts == ("のし 御祝　名入れ「鈴木」", "ラッピング 青い箱", "メッセージカード")
    [note] = delivery_notes(gift).notes
    assert note.gift == "のし 御祝　名入れ「鈴木」　／　ラッピング 青い箱　／　メッセージカード"
    assert note.sender_name == "鈴木商店"


def test_papers_are_drawn_on_the_shops_sizes(client_of, aoi, gift):
    shop = Shop.objects.get()
    PaperSettings.objects.create(shop=shop, note_paper="label", work_paper="a5", return_paper="a5")
    client = client_of(aoi)
    widths = {}
    for paper in ("delivery-notes", "work-slips", "return-slips"):
        content = client.post(f"/fulfillment/print/{paper}/", {"ids": gift}).content
        page = PdfReader(io.BytesIO(content)).pages[0]
        widths[paper] = round(float(page.mediabox.width) * 25.4 / 72)
    assert widths == {"delivery-notes": 100, "work-slips": 148, "return-slips": 148}
