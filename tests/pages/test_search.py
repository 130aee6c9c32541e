"""検索: one field finds orders, shipments, members and goods."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.services import catalogue
from orders.models import Order
from orders.services.journal import Actor
from tests.channels.builders import bring_in, make_connection
from tests.orders.builders import make_channel_order, make_location, make_sku, mapped

pytestmark = pytest.mark.django_db
SEARCH = reverse("pages:search")


@pytest.fixture(scope="module")
def shipped(module_rows):
    """佐藤 恵's order, shipped; the SKU has a name and a JAN."""
    make_location()
    chair = make_sku("CHAIR", stock_units=5)
    catalogue.upsert_skus([catalogue.SkuRow("CHAIR", "CHAIR", "オフィスチェア", "黒", jan="4900000000017")])
    order = bring_in(make_connection(), make_channel_order(number="401122-20261120-0001"), mapped(chair))
    allocate_waiting()
    shipments = instruct_orders([order.pk], actor=Actor()).shipments
    confirm_shipments([Departure(shipments[0], "yamato", "471203984412")], actor=Actor())
    return order


def found(client, typed) -> dict[str, list[str]]:
    page = client.get(SEARCH, {"q": typed})
    assert page.status_code == 200
    return {group.title: [hit.title for hit in group.hits] for group in page.context["groups"]}


@pytest.mark.parametrize("typed", ["佐藤", "さとう", "サトウ メグミ", "5678", "megumi@", "20261120", "CHAIR 佐藤"])
def test_an_order_is_found_by_name_kana_phone_mail_and_number(client_of, aoi, shipped, typed):
    assert found(client_of(aoi), typed)["受注"] == ["401122-20261120-0001"]


@pytest.mark.parametrize("typed", ["チェア", "490000000", "chai"])
def test_goods_are_found_by_name_jan_and_code(client_of, aoi, shipped, typed):
    assert found(client_of(aoi), typed)["商品"] == ["CHAIR"]


@pytest.mark.parametrize("typed", ["佐藤", "090-1234-5678", "megumi@example.com"])
def test_the_member_behind_the_orders_is_found(client_of, aoi, shipped, typed):
    assert found(client_of(aoi), typed)["会員"] == ["佐藤 恵"]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("401122-20261120-0001", "orders:detail"),
        ("４０１１２２２０２６１１２００００１", "orders:detail"),
        ("4900000000017", "inventory:sku"),
    ],
)
def test_what_names_exactly_one_thing_leads_straight_to_it(client_of, aoi, shipped, typed, name):
    pk = shipped.pk if name == "orders:detail" else shipped.lines.get().sku_id
    assert client_of(aoi).get(SEARCH, {"q": typed})["Location"] == reverse(name, args=[pk])


@pytest.mark.parametrize("typed", ["471203984412", "4712-0398-4412", "４７１２０３９８４４１２", "S{:07d}", "s{}"])
def test_a_shipment_is_found_by_its_own_and_the_carriers_number(client_of, aoi, shipped, typed):
    shipment = Shipment.objects.get()
    answer = client_of(aoi).get(SEARCH, {"q": typed.format(shipment.pk)})
    assert (
        answer.status_code == 302
        and str(shipment.pk if "fulfillment" in answer["Location"] else shipped.pk) in answer["Location"]
    )


def test_the_beginning_of_a_tracking_number_finds_the_shipment(client_of, aoi, shipped):
    assert found(client_of(aoi), "471203")["出荷"] == [Shipment.objects.get().number]


def test_at_most_ten_of_each_and_a_way_to_the_rest(client_of, aoi, shipped):
    for number in range(12):
        bring_in(make_connection(), make_channel_order(number=f"M-{number:03}"), {})
    page = client_of(aoi).get(SEARCH, {"q": "佐藤"})
    [orders] = [group for group in page.context["groups"] if group.title == "受注"]
    assert len(orders.hits) == 10 and orders.more_url == f"{reverse('orders:list')}?q=%E4%BD%90%E8%97%A4"


def test_exact_hits_stand_first(client_of, aoi):
    catalogue.upsert_products([catalogue.ProductRow("X", "品")])
    catalogue.upsert_skus([catalogue.SkuRow(code, "X", "品") for code in ("A-10", "A-100", "B-A-10")])
    bring_in(make_connection(), make_channel_order(number="A-10"), {})
    names = found(client_of(aoi), "A-10")
    assert (names["受注"], names["商品"]) == (["A-10"], ["A-10", "A-100", "B-A-10"])


def test_names_are_masked_for_those_who_may_not_see_them(client_of, ben, shipped):
    text = client_of(ben).get(SEARCH, {"q": "佐藤"}).content.decode()
    assert "佐藤 恵" not in text and "佐＊＊＊" in text


def test_each_kind_is_shown_only_to_those_who_may_see_it(client_of, chie, person_with, shipped):
    assert found(client_of(chie), "CHAIR") == {}
    assert set(found(client_of(person_with("warehouse")), "CHAI")) == {"商品"}


@pytest.mark.parametrize("typed", ["", "  ", "無い言葉", "%", "x" * 500])
def test_nothing_found_says_what_can_be_searched(client_of, aoi, shipped, typed):
    page = client_of(aoi).get(SEARCH, {"q": typed})
    assert page.status_code == 200 and "送り状番号" in page.content.decode()


def test_a_post_is_refused(client_of, aoi):
    assert client_of(aoi).post(SEARCH, {"q": "佐藤"}).status_code == 405


def test_queries_do_not_grow_with_the_hits(client_of, aoi, shipped):
    client = client_of(aoi)

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(SEARCH, {"q": "佐藤"})
        return len(captured)

    few = count()
    for number in range(9):
        bring_in(make_connection(), make_channel_order(number=f"M-{number:03}"), {})
    assert Order.objects.count() == 10
    assert count() == few <= 16
