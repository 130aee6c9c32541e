"""The publishing screens: rules, calendar, comparison, a SKU's reasons, many listings at once, oversell cases."""

from datetime import time, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels.models import (
    Listing,
    MaintenanceWindow,
    OversellCase,
    PlaceRule,
    PublishingEvent,
    PublishRule,
    SkuRule,
    StockComparison,
)
from channels.services import publish
from inventory.services import stock
from oms.kernel import clock
from tests.channels.builders import make_listing
from tests.channels.publishing.malls import connect, import_orders
from tests.orders.builders import make_channel_order, make_location, make_sku, mapped

pytestmark = pytest.mark.django_db

RULES = {
    "buffer": 2,
    "share": 80,
    "cap": "",
    "priority": 1,
    "adaptive": "on",
    "hot_below": 3,
    "hot_per_minute": 2,
    "maintenance_lead_min": 15,
    "maintenance_buffer": 1,
    "compare_every_h": 24,
}


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def shop():
    return connect("rakuten-1").shop


@pytest.fixture
def chair(shop):
    chair = make_sku("CHAIR", stock_units=20)
    make_listing(shop, "CHAIR", sku=chair)
    publish.consume_marks()
    return chair


def test_a_shops_rules_change_what_it_is_told_and_are_journaled(client_of, aoi, shop, chair):
    place = make_location()
    url = reverse("channels:publishing-shop", args=[shop.pk])
    assert "在庫を出す拠点" in text_of(client_of(aoi).get(url))
    answer = client_of(aoi).post(url, {**RULES, f"place_{place.pk}": "12"})
    assert answer.status_code == 302
    publish.consume_marks()
    assert Listing.objects.get().desired == 8  # (12 − 2) × 80 %
    event = PublishingEvent.objects.get()
    assert (event.by, event.changes["buffer"], event.changes[f"place:{place.pk}"]) == (aoi, [0, 2], [None, 12])
    text = text_of(client_of(aoi).get(url))
    assert "予備 0 → 2" in text and f"{place.name}から売る上限" in text
    client_of(aoi).post(url, {**RULES, f"place_{place.pk}": "12"})
    assert PublishingEvent.objects.count() == 1
    client_of(aoi).post(url, RULES)
    assert not PlaceRule.objects.exists()


def test_a_share_above_a_hundred_is_said_to_be_wrong(client_of, aoi, shop):
    page = client_of(aoi).post(reverse("channels:publishing-shop", args=[shop.pk]), {**RULES, "share": 101})
    assert "field-error" in text_of(page) and not PublishRule.objects.filter(share=101).exists()


def test_a_weekly_window_is_added_and_removed(client_of, aoi, shop):
    url = reverse("channels:window-add", args=[shop.pk])
    weekly = {"every_week": "1", "weekday": "3", "start_time": "02:00", "minutes": "120", "note": "定期"}
    assert client_of(aoi).post(url, weekly).status_code == 302
    window = MaintenanceWindow.objects.get()
    assert (window.weekday, window.start_time, window.minutes) == (3, time(2), 120)
    assert "毎週 木曜 02:00" in text_of(client_of(aoi).get(reverse("channels:publishing-shop", args=[shop.pk])))
    client_of(aoi).post(reverse("channels:window-remove", args=[window.pk]))
    assert not MaintenanceWindow.objects.exists()
    kinds = PublishingEvent.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["window_added", "window_removed"]


def test_a_single_window_needs_its_date(client_of, aoi, shop):
    url = reverse("channels:window-add", args=[shop.pk])
    once = {"every_week": "0", "start_time": "02:00", "minutes": "60"}
    assert "日付を入力してください。" in text_of(client_of(aoi).post(url, once))
    client_of(aoi).post(url, {**once, "date": "2026-12-01"})
    assert MaintenanceWindow.objects.get().starts_at.isoformat() == "2026-11-30T17:00:00+00:00"


def test_a_comparison_is_begun_once_and_handed_to_a_worker(client_of, aoi, shop, monkeypatch):
    sent = []
    monkeypatch.setattr("channels.views.publishing.later", lambda *what: sent.append(what))
    for _press in range(2):
        client_of(aoi).post(reverse("channels:compare", args=[shop.pk]))
    assert StockComparison.objects.get().by == aoi
    assert [name for name, _id in sent] == ["channels.tasks.publish_compare_shop"] * 2
    assert "照合中" in text_of(client_of(aoi).get(reverse("channels:publishing")))


def test_the_page_of_a_sku_says_why_a_shop_shows_what_it_shows(client_of, aoi, shop, chair, malls):
    publish.push_shop(connect("rakuten-1"))
    client = client_of(aoi)
    client.post(reverse("channels:sku-safety", args=[chair.pk]), {"safety_stock": "5"})
    assert SkuRule.objects.get().safety_stock == 5
    page = client.get(reverse("channels:sku-stock", args=[chair.pk]))
    [row] = page.context["rows"]
    assert (row.seat.supply, row.told.quantity, row.listing.sent) == (15, 15, 20)
    text = text_of(page)
    assert "安全在庫 0 → 5" in text and len(page.context["pushes"]) == 1
    assert "field-error" in text_of(
        client.post(reverse("channels:sku-safety", args=[chair.pk]), {"safety_stock": "-1"})
    )


def test_the_page_of_a_sku_costs_the_same_for_more_shops(client_of, aoi, shop, chair):
    client, url = client_of(aoi), reverse("channels:sku-stock", args=[chair.pk])

    def cost() -> int:
        with CaptureQueriesContext(database) as captured:
            client.get(url)
        return len(captured)

    few = cost()
    for number in range(2, 6):
        make_listing(connect(f"shop-{number}").shop, "CHAIR", sku=chair)
    assert cost() == few


def test_the_overview_costs_the_same_for_more_shops(client_of, ben, shop):
    client, url = client_of(ben), reverse("channels:publishing")

    def cost() -> int:
        with CaptureQueriesContext(database) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    few = cost()
    for number in range(2, 6):
        connect(f"shop-{number}")
    assert cost() == few


def test_a_whole_filter_result_is_changed_at_once(client_of, aoi, shop):
    for number in range(60):
        make_listing(shop, f"CHAIR-{number}", sku=make_sku(f"C{number}"))
    other = make_listing(shop, "TABLE", sku=make_sku("TABLE"))
    client = client_of(aoi)
    every = {"all_matching": "1", "query": "q=CHAIR"}
    assert "60件を変える" in text_of(client.post(reverse("channels:listings-choose"), every))
    change = {**every, "mode": "last_unit", "buffer_how": "own", "buffer": "1", "share_how": "keep", "cap_how": "shop"}
    assert client.post(reverse("channels:listings-bulk"), change).status_code == 302
    changed = Listing.objects.filter(mode="last_unit", buffer=1, cap=None)
    assert changed.count() == 60 and PublishingEvent.objects.filter(kind="listing", by=aoi).count() == 60
    other.refresh_from_db()
    assert (other.mode, other.buffer) == ("normal", None)
    client.post(reverse("channels:listings-bulk"), change)
    assert PublishingEvent.objects.count() == 60


def test_a_bulk_change_of_nothing_asks_what_to_change(client_of, aoi, shop, chair):
    listing = Listing.objects.get()
    keep = {"ids": [listing.pk], "buffer_how": "keep", "share_how": "keep", "cap_how": "keep"}
    client = client_of(aoi)
    assert "変える項目を選んでください。" in text_of(client.post(reverse("channels:listings-bulk"), keep))
    empty = {**keep, "buffer_how": "own"}
    assert "数を入力してください。" in text_of(client.post(reverse("channels:listings-bulk"), empty))
    assert client.post(reverse("channels:listings-bulk"), {"buffer_how": "shop"}).status_code == 302


def test_the_listings_are_found_by_drift_staleness_and_speed(client_of, ben, shop, chair):
    old = clock.now() - timedelta(minutes=30)
    make_listing(shop, "STALE", sku=chair, desired=3, desired_at=old)
    make_listing(shop, "HOT", sku=chair, hot=True)
    make_listing(shop, "DRIFT", sku=chair, sent=3, confirmed=2)
    client = client_of(ben)
    for state, code in (("stale", "STALE"), ("hot", "HOT"), ("different", "DRIFT")):
        page = client.get(reverse("channels:listings"), {"state": state})
        assert [row["listing"].code for row in page.context["rows"]] == [code]


@pytest.fixture
def case(shop, chair):
    yahoo = connect("yahoo-1")
    make_listing(yahoo.shop, "CHAIR", sku=chair)
    early = clock.now() - timedelta(hours=1)
    import_orders(connect("rakuten-1"), [make_channel_order(ordered_at=early)], mapped(chair))
    stock.count([stock.Counted(chair.pk, make_location().pk, 1, "count")])
    sold_out = make_channel_order(ordered_at=early - timedelta(minutes=5))
    import_orders(yahoo, [sold_out], mapped(chair))
    return OversellCase.objects.get()


def test_a_case_shows_both_orders_and_gives_the_unit_to_the_one_that_was_first(client_of, aoi, case):
    client = client_of(aoi)
    page = client.get(reverse("channels:oversell-case", args=[case.pk]))
    text = text_of(page)
    assert case.order.channel_order_no in text and case.rival.channel_order_no in text and "を1個 販売" in text
    assert page.context["help"].proposal == "swap"
    client.post(reverse("channels:oversell-decide", args=[case.pk]), {"decision": "swap"})
    case.refresh_from_db()
    assert case.state == "resolved" and case.line.reserved
    assert case.order.reasons.get(code="oversold").state == "auto_resolved"
    mirrored = OversellCase.objects.exclude(pk=case.pk).get()
    assert (mirrored.order, mirrored.rival, mirrored.state) == (case.rival, case.order, "open")
    assert not mirrored.line.reserved
    assert mirrored.order.reasons.get(code="oversold").state == "open"
    client.post(reverse("channels:oversell-decide", args=[case.pk]), {"decision": "cancel"})
    case.order.refresh_from_db()
    assert case.order.cancelled_at is None


def test_waiting_lets_the_order_wait_for_stock(client_of, aoi, case):
    client_of(aoi).post(reverse("channels:oversell-decide", args=[case.pk]), {"decision": "wait", "text": "来週入荷"})
    case.refresh_from_db()
    case.order.refresh_from_db()
    assert (case.state, case.decision, case.closed_by) == ("decided", "wait", aoi)
    assert case.order.stage == "awaiting_stock"


def test_cancelling_ends_the_order_and_its_reason(client_of, aoi, case):
    client_of(aoi).post(reverse("channels:oversell-decide", args=[case.pk]), {"decision": "cancel"})
    case.refresh_from_db()
    case.order.refresh_from_db()
    assert (case.state, case.order.cancel_reason) == ("decided", "在庫切れのため")
    assert not case.order.reasons.filter(state="open").exists()


def test_the_orders_reason_leads_to_its_case(client_of, aoi, case):
    client = client_of(aoi)
    way = reverse("channels:oversell-order", args=[case.order_id])
    assert way in text_of(client.get(reverse("orders:detail", args=[case.order_id])))
    assert client.get(way)["Location"] == reverse("channels:oversell-case", args=[case.pk])
    assert case.order.channel_order_no in text_of(client.get(reverse("channels:oversell")))


def posts(shop, chair, case):
    window = MaintenanceWindow.objects.create(shop=shop, weekday=1, start_time=time(1))
    return [
        reverse("channels:publishing-shop", args=[shop.pk]),
        reverse("channels:window-add", args=[shop.pk]),
        reverse("channels:window-remove", args=[window.pk]),
        reverse("channels:compare", args=[shop.pk]),
        reverse("channels:sku-safety", args=[chair.pk]),
        reverse("channels:listings-choose"),
        reverse("channels:listings-bulk"),
        reverse("channels:oversell-decide", args=[case.pk]),
    ]


def test_ben_may_look_but_change_nothing_and_chie_sees_nothing(  # noqa: PLR0917 - the whole cast
    client_of, ben, chie, aoi, shop, chair, case
):
    looks = [
        reverse("channels:publishing"),
        reverse("channels:sku-stock", args=[chair.pk]),
        reverse("channels:oversell"),
        reverse("channels:oversell-case", args=[case.pk]),
    ]
    for url in posts(shop, chair, case):
        assert client_of(ben).post(url).status_code == 403
        assert client_of(chie).post(url).status_code == 403
    for url in posts(shop, chair, case)[1:]:
        assert client_of(aoi).get(url).status_code == 405
    for url in looks:
        assert client_of(chie).get(url).status_code == 403
        assert client_of(ben).get(url).status_code == 200


def test_an_operator_without_the_right_to_cancel_cannot_cancel_here(client_of, ben, case):
    ben.user_permissions.add(Permission.objects.get(codename="decide_oversellcase"))
    client_of(ben).post(reverse("channels:oversell-decide", args=[case.pk]), {"decision": "cancel"})
    case.refresh_from_db()
    assert case.state == "open"
