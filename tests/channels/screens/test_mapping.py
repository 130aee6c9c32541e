"""商品対応表 and 出品: what waits for a SKU, what it may be, and how listings are told their stock."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels import tasks
from channels.connectors.contract import ChannelDown, ListingInfo
from channels.models import CredentialEvent, Listing, PushLog
from channels.queries import mapping as queries
from channels.queries.listings import tone_of
from channels.services import publish, shops
from inventory.services import catalogue
from oms.kernel import clock
from orders.models import Order
from tests.channels.builders import bring_in, make_connection, make_listing
from tests.orders.builders import make_channel_order, make_line, make_sku

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
LISTINGS_CHANGED = '{"listings-changed": {}}'


@pytest.fixture
def goods():
    catalogue.upsert_products([catalogue.ProductRow("CHAIR", "オフィスチェア"), catalogue.ProductRow("TEA", "緑茶")])
    return catalogue.upsert_skus(
        [
            catalogue.SkuRow("CH-BK01", "CHAIR", "オフィスチェア メッシュ", "黒", jan="4900000000017"),
            catalogue.SkuRow("CH-WH01", "CHAIR", "オフィスチェア メッシュ", "白"),
            catalogue.SkuRow("TEA-1", "TEA", "宇治の緑茶"),
        ]
    )


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def wait_for(connection, code, number, quantity=1) -> Order:
    return bring_in(connection, make_channel_order(make_line(code, quantity), number=number), {})


def test_codes_that_stop_orders_come_first(client_of, ben, connection):
    make_listing(connection.shop, "ON-SALE")
    wait_for(connection, "STOPS", "N-1", 2)
    wait_for(connection, "STOPS", "N-2")
    rows = client_of(ben).get(reverse("channels:map")).context["rows"]
    assert [(row.code, row.orders, row.units) for row in rows] == [("STOPS", 2, 3), ("ON-SALE", 0, 0)]


def test_cancelled_and_shipped_orders_wait_for_nothing(connection):
    order = wait_for(connection, "OLD", "N-1")
    Order.objects.filter(pk=order.pk).update(cancelled_at=clock.now())
    assert queries.unmapped() == []


@pytest.mark.parametrize(
    ("code", "name", "best", "sure"),
    [
        ("ch_bk01", "", "CH-BK01", True),
        ("CHBK01", "", "CH-BK01", True),
        ("4900000000017", "", "CH-BK01", True),
        ("jan-4900000000017-a", "", "CH-BK01", True),
        ("CH-WH01-FBA", "", "CH-WH01", False),
        ("X-1", "【新装】オフィスチェア メッシュ 白 送料無料", "CH-WH01", False),
        ("X-1", "【ポイント10倍】宇治の緑茶 100g", "TEA-1", False),
    ],
)
def test_what_a_code_probably_stands_for(goods, code, name, best, sure):
    found = queries.suggestions(code, name)
    assert (found[0].sku.code, found[0].sure) == (best, sure)


def test_nothing_alike_is_no_suggestion(goods):
    assert queries.suggestions("Q-9", "自転車 26インチ") == []


def test_the_list_offers_sure_suggestions_in_a_fixed_number_of_queries(as_aoi, connection, goods):
    def count() -> int:
        with CaptureQueriesContext(database) as captured:
            page = as_aoi.get(reverse("channels:map"))
        assert page.context["rows"][0].suggestions[0].sku.code == "CH-BK01"
        return len(captured)

    make_listing(connection.shop, "ch_bk01")
    few = count()
    for number in range(20):
        make_listing(connection.shop, f"ch-bk01-{number}")
    assert count() == few <= 12


def test_a_mapping_moves_every_waiting_order_on_and_tells_the_channel_the_stock(as_aoi, aoi, connection, goods):
    make_listing(connection.shop, "NEW-1")
    waiting = [wait_for(connection, "NEW-1", f"N-{number}") for number in range(2)]
    assert {order.stage for order in waiting} == {"review"}
    url = reverse("channels:map", args=[connection.shop_id, "NEW-1"])
    text = text_of(as_aoi.post(url, {"sku": goods["TEA-1"], "units": "2"}, follow=True))
    assert "待っていた受注2件を進めました" in text
    for order in waiting:
        order.refresh_from_db()
        assert order.stage == "awaiting_stock"
        assert list(order.lines.values_list("sku", "units")) == [(goods["TEA-1"], 2)]
    assert set(waiting[0].events.filter(kind="stage", by=aoi).values_list("text", flat=True)) == {
        "review → awaiting_stock"
    }
    publish.consume_marks()
    listing = Listing.objects.get()
    assert (listing.sku_id, listing.units, listing.desired) == (goods["TEA-1"], 2, 0) and listing.desired_at


def test_a_code_that_is_in_no_listing_is_mapped_too(as_aoi, connection, goods):
    wait_for(connection, "shop/item:red 1", "N-1")
    url = reverse("channels:map", args=[connection.shop_id, "shop/item:red 1"])
    assert as_aoi.get(url).status_code == 200
    as_aoi.post(url, {"sku": goods["TEA-1"], "units": "1"})
    assert Listing.objects.get().channel_sku == "shop/item:red 1" and not queries.unmapped()


def test_the_dialog_shows_suggestions_searches_and_comes_back_with_its_errors(as_aoi, connection, goods):
    make_listing(connection.shop, "X-1", name="宇治の緑茶 100g")
    url = reverse("channels:map", args=[connection.shop_id, "X-1"])
    dialog = text_of(as_aoi.get(url, headers=HTMX))
    assert dialog.startswith("<dialog") and "宇治の緑茶" in dialog
    options = text_of(
        as_aoi.get(reverse("channels:sku-options", args=[connection.shop_id, "X-1"]), {"q": "490000"}, headers=HTMX)
    )
    assert 'id="sku-options"' in options and "CH-BK01" in options and "TEA-1" not in options
    again = text_of(as_aoi.post(url, {"units": "0"}, headers=HTMX))
    assert "SKUを選んでください" in again and again.startswith("<dialog")
    done = as_aoi.post(url, {"sku": goods["TEA-1"], "units": "1"}, headers=HTMX)
    assert done["HX-Trigger"] == LISTINGS_CHANGED and "対応付けました" in text_of(done)


def test_an_operator_maps_ben_only_looks(client_of, ben, person_with, connection, goods):
    make_listing(connection.shop, "X-1")
    url = reverse("channels:map", args=[connection.shop_id, "X-1"])
    looker = client_of(ben)
    assert looker.get(url).status_code == 403
    assert looker.post(url, {"sku": goods["TEA-1"], "units": "1"}).status_code == 403
    assert "SKUを選ぶ" not in text_of(looker.get(reverse("channels:map")))
    operator = client_of(person_with("operator"))
    assert operator.post(url, {"sku": goods["TEA-1"], "units": "1"}).status_code == 302
    assert operator.get(reverse("channels:map", args=[0, "X-1"])).status_code == 404


def listing_of(**fields) -> Listing:
    return Listing(**{"sku_id": 1, "mode": "normal", "sent": 3, "confirmed": 3} | fields)


NOW = clock.now()
AGO = {name: NOW - timedelta(minutes=minutes) for name, minutes in {"just": 0, "while": 5, "long": 30}.items()}


@pytest.mark.parametrize(
    ("fields", "tone"),
    [
        ({}, "done"),
        ({"mode": "stopped", "error": "x"}, "neutral"),
        ({"sku_id": None}, "neutral"),
        ({"error": "x"}, "danger"),
        ({"desired_at": AGO["just"]}, "waiting"),
        ({"desired_at": AGO["while"]}, "attention"),
        ({"desired_at": AGO["long"]}, "danger"),
        ({"sent": None}, "neutral"),
        ({"confirmed": None, "sent_at": AGO["while"]}, "waiting"),
        ({"confirmed": 2, "sent_at": AGO["long"]}, "attention"),
    ],
)
def test_the_colour_says_how_stale_the_channels_number_is(fields, tone):
    assert tone_of(listing_of(**fields), NOW) == tone


@pytest.fixture
def four(connection):
    sku = make_sku("CHAIR")
    make_listing(connection.shop, "A", sku=sku, desired=3, desired_at=clock.now(), name="椅子")
    make_listing(connection.shop, "B", sku=sku, sent=3, confirmed=2)
    make_listing(connection.shop, "C", sku=sku, error="商品がありません。")
    make_listing(make_connection("rakuten-2").shop, "D", mode="stopped")
    return connection


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({}, "ABCD"),
        ({"state": "waiting"}, "A"),
        ({"state": "different"}, "B"),
        ({"state": "error"}, "C"),
        ({"state": "unmapped"}, "D"),
        ({"state": "stopped"}, "D"),
        ({"state": "nonsense"}, "ABCD"),
        ({"q": "椅子"}, "A"),
        ({"q": "chair"}, "ABC"),
    ],
)
def test_listings_are_narrowed_by_state_and_word(client_of, ben, four, query, codes):
    page = client_of(ben).get(reverse("channels:listings"), query)
    assert "".join(row["listing"].code for row in page.context["rows"]) == codes


def test_listings_of_one_shop(client_of, ben, four):
    page = client_of(ben).get(reverse("channels:listings"), {"shop": four.shop_id})
    assert [row["listing"].code for row in page.context["rows"]] == ["A", "B", "C"]


def test_queries_of_the_listings_do_not_grow(client_of, ben, four):
    client = client_of(ben)

    def count() -> int:
        with CaptureQueriesContext(database) as captured:
            client.get(reverse("channels:listings"))
        return len(captured)

    few = count()
    for number in range(30):
        make_listing(four.shop, f"M-{number}", sku=make_sku(f"M-{number}"))
    assert count() == few <= 8


def test_a_listing_is_set_to_a_fixed_number_and_pushed(as_aoi, connection):
    listing = make_listing(connection.shop, "A", sku=make_sku("CHAIR", stock_units=9), desired=9, sent=9)
    publish.consume_marks()
    url = reverse("channels:listing", args=[listing.pk])
    assert text_of(as_aoi.get(url, headers=HTMX)).startswith("<dialog")
    posted = {"mode": "fixed", "fixed_quantity": "2", "buffer": "0", "cap": ""}
    row = text_of(as_aoi.post(url, posted, headers=HTMX))
    assert f'id="listing-{listing.pk}"' in row and "固定数" in row
    publish.consume_marks()
    listing.refresh_from_db()
    assert (listing.desired, listing.cap) == (2, None) and listing.desired_at


def test_a_listing_that_was_stopped_is_told_everything_again(as_aoi, connection):
    listing = make_listing(
        connection.shop, "A", sku=make_sku("CHAIR", stock_units=9), desired=9, sent=9, mode="stopped"
    )
    posted = {"mode": "normal", "fixed_quantity": "0", "buffer": "0", "cap": "5"}
    as_aoi.post(reverse("channels:listing", args=[listing.pk]), posted)
    publish.consume_marks()
    listing.refresh_from_db()
    assert (listing.desired, listing.sent) == (5, None) and listing.desired_at


def test_a_bad_buffer_comes_back_in_the_dialog_and_ben_never_gets_there(client_of, ben, as_aoi, connection):
    listing = make_listing(connection.shop, "A")
    url = reverse("channels:listing", args=[listing.pk])
    posted = {"mode": "normal", "fixed_quantity": "0", "buffer": "-1", "cap": ""}
    assert 'aria-invalid="true"' in text_of(as_aoi.post(url, posted, headers=HTMX))
    assert client_of(ben).post(url, posted).status_code == 403


def test_the_pushes_of_a_shop_are_listed_with_their_delay(client_of, ben, connection):
    listing = make_listing(connection.shop, "A", sku=make_sku("CHAIR"))
    sent = clock.now()
    PushLog.objects.create(listing=listing, quantity=4, changed_at=sent - timedelta(seconds=1.5), sent_at=sent)
    text = text_of(client_of(ben).get(reverse("channels:pushes"), {"shop": connection.shop_id}))
    assert "1.5秒" in text and "CHAIR" in text


def test_the_sku_page_has_a_panel_of_what_each_shop_shows(client_of, ben, chie, connection):
    sku = make_sku("CHAIR")
    make_listing(connection.shop, "A", sku=sku, desired=3, sent=3, confirmed=3, units=2)
    make_listing(make_connection("rakuten-2").shop, "B", sku=sku, error="商品がありません。")
    url = reverse("channels:sku-panel", args=[sku.pk])
    fragment = text_of(client_of(ben).get(url, headers=HTMX))
    assert (
        fragment.startswith('<section class="panel" id="sku-channels"')
        and "一致" in fragment
        and "商品がありません。" in fragment
    )
    assert "<html" in text_of(client_of(ben).get(url))
    assert client_of(chie).get(url).status_code == 403
    assert reverse("channels:sku-panel", args=[sku.pk]) in text_of(
        client_of(ben).get(reverse("inventory:sku", args=[sku.pk]))
    )


class Mall:
    def __init__(self, down=False):
        self.down = down

    def list_listings(self):
        if self.down:
            raise ChannelDown("モールにつながりません。")
        yield [ListingInfo("A", "CHAIR", "椅子", quantity=3), ListingInfo("B", "UNKNOWN", "机")]


@pytest.mark.parametrize(("down", "kind"), [(False, "listings_imported"), (True, "listings_failed")])
def test_a_worker_imports_listings_and_journals_the_result(monkeypatch, aoi, connection, down, kind):
    make_sku("CHAIR")
    monkeypatch.setattr(shops, "connector_of", lambda connection: Mall(down))
    tasks.import_listings(connection.pk, aoi.pk)
    event = CredentialEvent.objects.latest("pk")
    assert (event.kind, event.by, Listing.objects.count()) == (kind, aoi, 0 if down else 2)


def test_what_the_buyer_chose_tells_variants_apart(as_aoi, connection, goods):
    line = make_line("X-1", name="【新装】オフィスチェア メッシュ", options="カラー: 白")
    bring_in(connection, make_channel_order(line, number="N-1"), {})
    page = as_aoi.get(reverse("channels:map", args=[connection.shop_id, "X-1"]))
    assert page.context["suggestions"][0].sku.code == "CH-WH01"
    assert "カラー: 白" in text_of(page)
