"""Acceptance stories 7 and 8: the last unit sold twice, and a set that shares stock with its parts."""

from datetime import timedelta

import pytest

from channels.models import Listing, OversellCase
from channels.services import oversell, publish
from inventory.models import Balance
from inventory.services import stock
from inventory.services.catalogue import ComponentRow, set_components
from oms.kernel import clock
from orders.models import ReviewReason
from orders.services.intake_rows import Mapped
from orders.services.waiting import promise_waiting
from tests.channels.builders import make_listing
from tests.channels.publishing.malls import connect, import_orders
from tests.orders.builders import make_channel_order, make_line, make_location, make_sku, mapped

pytestmark = pytest.mark.django_db


def publish_everywhere(*connections) -> None:
    publish.consume_marks()
    for connection in connections:
        publish.push_shop(connection)


def test_story_07_the_last_unit_sold_in_two_channels_opens_a_case_with_a_timeline(malls):
    rakuten, yahoo = connect("rakuten-1"), connect("yahoo-1")
    chair, table = make_sku("CHAIR", stock_units=1), make_sku("TABLE", stock_units=5)
    for connection in (rakuten, yahoo):
        make_listing(connection.shop, "CHAIR", sku=chair)
    publish_everywhere(rakuten, yahoo)
    assert malls["rakuten-1"].shows == malls["yahoo-1"].shows == {"CHAIR": 1}

    same_second = clock.now()
    first = make_channel_order(ordered_at=same_second)
    second = make_channel_order(make_line("CHAIR"), ordered_at=same_second)
    other = make_channel_order(make_line("TABLE", 2), ordered_at=same_second)
    [kept] = import_orders(rakuten, [first], mapped(chair))
    sold_out, untouched = import_orders(yahoo, [second, other], mapped(chair, table))

    assert kept.lines.get().reserved and untouched.lines.get().reserved
    assert not sold_out.lines.get().reserved
    kept.refresh_from_db()
    untouched.refresh_from_db()
    sold_out.refresh_from_db()
    assert (kept.stage, untouched.stage, sold_out.stage) == ("awaiting_stock", "awaiting_stock", "review")
    assert list(sold_out.reasons.values_list("code", "level", "state")) == [("oversold", "block", "open")]
    assert not ReviewReason.objects.exclude(order=sold_out).exists()
    pool = Balance.objects.get(sku=chair, location=None)
    assert (pool.on_hand, pool.reserved) == (1, 1)

    case = OversellCase.objects.get()
    assert (case.order, case.rival, case.short) == (sold_out, kept, 1)
    told = [(event["kind"], event["shop"]) for event in case.timeline]
    assert [kind for kind, _shop in told].count("published") == 2
    assert [kind for kind, _shop in told].count("sold") == [kind for kind, _shop in told].count("imported") == 2
    times = [event["at"] for event in case.timeline]
    assert times == sorted(times)
    assert kept.channel_order_no in sold_out.reasons.get().evidence

    publish_everywhere(rakuten, yahoo)
    assert malls["rakuten-1"].shows == malls["yahoo-1"].shows == {"CHAIR": 0}
    import_orders(yahoo, [second, other], mapped(chair, table))
    assert OversellCase.objects.count() == 1

    stock.receive([stock.Fact(chair.pk, make_location().pk, 1, "arrival")])
    promise_waiting()
    assert oversell.sweep() == 1
    case.refresh_from_db()
    sold_out.refresh_from_db()
    assert (case.state, sold_out.reasons.get().state, sold_out.stage) == ("resolved", "auto_resolved", "awaiting_stock")


def test_story_08_selling_the_component_closes_every_set_that_holds_it_in_every_channel_in_one_push(malls):
    shops = [connect(code) for code in ("rakuten-1", "yahoo-1", "amazon-1")]
    chair, table = make_sku("CHAIR", stock_units=4), make_sku("TABLE", stock_units=9)
    dining, pair = make_sku("DINING", is_bundle=True), make_sku("PAIR", is_bundle=True)
    set_components(
        [ComponentRow("DINING", "CHAIR", 4), ComponentRow("DINING", "TABLE", 1), ComponentRow("PAIR", "CHAIR", 2)]
    )
    for connection in shops:
        for sku in (chair, table, dining, pair):
            make_listing(connection.shop, sku.code, sku=sku)
    publish_everywhere(*shops)
    assert malls["amazon-1"].shows == {"CHAIR": 4, "TABLE": 9, "DINING": 1, "PAIR": 2}

    import_orders(shops[0], [make_channel_order(make_line("CHAIR", 3))], mapped(chair))
    for mall in malls.values():
        mall.requests.clear()
    publish_everywhere(*shops)
    for mall in malls.values():
        assert mall.shows == {"CHAIR": 1, "TABLE": 9, "DINING": 0, "PAIR": 0}
        told = {code for request in mall.requests for code in [item.listing_code for item in request]}
        assert told == {"CHAIR", "DINING", "PAIR"}
    assert not Listing.objects.filter(desired_at__isnull=False).exists()

    sold = make_channel_order(make_line("PAIR", 1), ordered_at=clock.now() - timedelta(minutes=1))
    [beyond] = import_orders(shops[1], [sold], {"PAIR": Mapped(pair.pk, "PAIR", 1, None)})
    assert beyond.reasons.get().code == "oversold"
