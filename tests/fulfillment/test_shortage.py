"""欠品一覧 and 引当待ち: what lacks, for whom, in which order, why not yet; and what people decide about it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fulfillment.decide.waiting import Need, Why, decisive
from fulfillment.models import Shipment
from fulfillment.queries import shortage, waiting
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as parcel_violations
from inventory.models import BundleComponent
from inventory.services import stock
from inventory.services.audit import violations as stock_violations
from inventory.services.catalogue import ComponentRow, set_components
from oms.kernel import clock
from orders.models import Cancellation, Mail, Order, OrderLine, ReasonSetting
from orders.models.order import Stage
from orders.services.audit import violations as order_violations
from orders.services.intake import take_in
from orders.services.intake_rows import Mapped
from orders.services.waiting import promisable
from tests.orders.builders import (
    ORDERED_AT,
    make_channel_order,
    make_line,
    make_location,
    make_shop,
    make_sku,
    mapped,
    numbers,
)

pytestmark = pytest.mark.django_db
CAN = {"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True, "cancel_lines": True}


@pytest.fixture
def shop():
    ReasonSetting.objects.get_or_create(code="duplicate_suspect", defaults={"active": False, "level": "block"})
    return make_shop(capabilities=CAN)


@pytest.fixture
def chair():
    return make_sku("CHAIR", stock_units=2)


def order(shop, *lines, skus, **fields) -> Order:
    values = {"ordered_at": ORDERED_AT + timedelta(minutes=next(numbers))} | fields
    told = make_channel_order(*lines, **values)
    take_in(shop, [told], sku_of=mapped(*skus))
    allocate_waiting()
    return Order.objects.get(channel_order_no=told.channel_order_no)


def all_is_well() -> bool:
    return not [*parcel_violations(), *stock_violations(), *order_violations()]


def arrive(sku, units) -> None:
    stock.receive([stock.Fact(sku.pk, make_location().pk, units, "arrival:1")])
    allocate_waiting()


# ---- deciding


def need(units=1, ahead=0, free=0, sku_id=1):
    return Need(sku_id, units, ahead, 1 if ahead else 0, free)


def test_a_line_waits_because_there_is_too_little_or_because_others_come_first():
    assert need(3, free=1).why == Why.SHORT and need(3, free=1).missing == 2
    assert need(2, ahead=2, free=3).why == Why.BEHIND and need(2, ahead=2, free=3).missing == 1
    assert need(2, ahead=1, free=3).why == Why.NEXT


def test_a_set_waits_for_the_component_that_lacks_most():
    assert decisive([need(1, free=9), need(4, free=1, sku_id=2), need(2, free=0, sku_id=3)]).sku_id == 2
    assert decisive([need(1, free=9)]) is None


# ---- what lacks


def test_what_is_asked_beyond_what_is_there_lacks(shop, chair):
    order(shop, make_line("CHAIR", 2), skus=[chair])
    order(shop, make_line("CHAIR", 3), skus=[chair])
    order(shop, make_line("CHAIR", 1), skus=[chair])
    [row] = shortage.lacking().rows
    assert (row.sku, row.asked, row.free, row.lacking, row.orders) == (chair, 4, 0, 4, 2)
    assert row.since == Order.objects.order_by("pk")[1].imported_at
    arrive(chair, 1)  # too little for the first in line: it is kept for it
    [row] = shortage.lacking().rows
    assert (row.asked, row.free, row.lacking) == (4, 1, 3)
    arrive(chair, 3)
    assert shortage.lacking().rows == [] and all_is_well()


def test_a_set_lacks_only_the_component_that_is_not_there(shop, chair):
    table, dining = make_sku("TABLE"), make_sku("DINING", is_bundle=True)
    BundleComponent.objects.create(bundle=dining, component=chair, quantity=2)
    BundleComponent.objects.create(bundle=dining, component=table, quantity=1)
    one = order(shop, make_line("DINING"), skus=[dining])
    assert [(row.sku.code, row.lacking) for row in shortage.lacking().rows] == [("TABLE", 1)]
    [line] = waiting.described(list(waiting.waiting_rows()))[0].lines
    assert (line.reason.why, line.reason.sku_code) == (Why.SHORT, "TABLE")
    rows, more = waiting.queue_rows(table.pk, page=1, size=50)
    assert [(row.order["id"], row.sold) for row in rows] == [(one.pk, "DINING の品")] and not more


def test_the_list_asks_for_the_lines_that_the_allocator_serves(shop, chair):
    """One rule says which lines may be promised; the list must not have another."""
    order(shop, make_line("CHAIR", 9), skus=[chair])
    cancelled = order(shop, make_line("CHAIR", 9), skus=[chair])
    Order.objects.filter(pk=cancelled.pk).update(cancelled_at=datetime(2026, 11, 21, tzinfo=UTC), stage=Stage.CANCELLED)
    by_channel = order(shop, make_line("CHAIR", 9), skus=[chair])
    Order.objects.filter(pk=by_channel.pk).update(fulfilled_by_channel=True)
    unpaid = order(shop, make_line("CHAIR", 9), skus=[chair])
    Order.objects.filter(pk=unpaid.pk).update(flags=["no_reserve"])
    listed = {one.line_id for one in shortage.queue([chair.pk])}
    assert listed == set(promisable().values_list("pk", flat=True)) and len(listed) == 1


def test_the_queue_is_the_order_in_which_arriving_goods_are_given(shop, chair):
    early = datetime(2026, 11, 25, tzinfo=UTC)
    late = order(shop, make_line("CHAIR", 3), skus=[chair], ship_by=early + timedelta(days=9))
    first = order(shop, make_line("CHAIR", 3), skus=[chair], ship_by=early)
    never = order(shop, make_line("CHAIR", 3), skus=[chair])
    urgent = order(shop, make_line("CHAIR", 3), skus=[chair])
    Order.objects.filter(pk=urgent.pk).update(priority=2)
    Order.objects.filter(pk=never.pk).update(ship_by=None)
    foretold = [row.order["id"] for row in waiting.queue_rows(chair.pk, page=1, size=50)[0]]
    assert foretold[0] == urgent.pk and foretold[1:3] == [first.pk, late.pk] and foretold[3] == never.pk
    served = []
    for _again in range(4):
        arrive(chair, 3)
        served += [pk for pk in OrderLine.objects.filter(reserved=True).values_list("order", flat=True)
                   if pk not in served]  # fmt: skip
    assert served == foretold and all_is_well()


def test_each_waiting_order_says_why_not_yet(shop):
    chair = make_sku("CHAIR")
    order(shop, make_line("CHAIR", 3), skus=[chair])
    order(shop, make_line("CHAIR", 2), skus=[chair])
    arrive(chair, 2)  # enough for the second, but the first comes first
    first, second = waiting.described(list(waiting.waiting_rows().order_by("id")))
    assert first.lines[0].reason.text == "在庫が足りません。あと 1個の入荷で届きます。"
    assert second.lines[0].reason.why == Why.BEHIND
    assert second.lines[0].reason.text == "先に待つ明細が1件（3個）あります。あと 3個の入荷で届きます。"


def test_a_set_without_components_says_what_to_do(shop):
    empty = make_sku("EMPTY", is_bundle=True)
    order(shop, make_line("EMPTY"), skus=[empty])
    [found] = waiting.described(list(waiting.waiting_rows()))
    assert found.lines[0].reason.why == Why.EMPTY_SET and "登録してください" in found.lines[0].reason.text


# ---- the screens


def urls(sku):
    return [
        reverse("fulfillment:shortages"),
        reverse("fulfillment:shortage", args=[sku.pk]),
        reverse("fulfillment:waiting"),
    ]


def test_every_number_leads_to_its_rows(shop, chair, aoi, client_of):
    one = order(shop, make_line("CHAIR", 3), skus=[chair])
    client = client_of(aoi)
    listed = client.get(urls(chair)[0]).content.decode()
    assert urls(chair)[1] in listed and "1</strong>個が足りません" in listed
    queue = client.get(urls(chair)[1]).content.decode()
    assert reverse("orders:detail", args=[one.pk]) in queue
    assert reverse("orders:detail", args=[one.pk]) in client.get(urls(chair)[2]).content.decode()
    assert client.get(urls(chair)[0], {"q": "ないもの"}).context["found"].rows == []
    for page in ("0", "-1", "x", "9" * 40, "2"):
        assert client.get(urls(chair)[1], {"page": page}).status_code == 200


def test_the_screens_make_a_fixed_number_of_queries(shop, chair, aoi, client_of):
    table = make_sku("TABLE")
    client, counts = client_of(aoi), []
    for _step in range(2):
        for _more in range(4):
            order(shop, make_line("CHAIR", 3), make_line("TABLE"), skus=[chair, table])
        for url in urls(chair):
            client.get(url)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            counts.append(len(queries))
    assert counts[:3] == counts[3:] and max(counts) <= 22


def test_who_may_not_see_orders_sees_no_shortage(shop, chair, ben, chie, client_of):
    order(shop, make_line("CHAIR", 3), skus=[chair])
    for url in urls(chair):
        page = client_of(ben).get(url)
        assert page.status_code == 200 and 'name="action"' not in page.content.decode()
        assert client_of(chie).get(url).status_code == 403
        assert client_of(ben).post(url).status_code == 405


# ---- what people decide


def run(client, action, *orders, **fields):
    chosen = client.post(reverse("orders:bulk-choose"), {"action": action, "ids": [one.pk for one in orders]})
    preview = client.get(chosen["Location"])
    key = preview.context["run"].key
    return preview, client.post(reverse("orders:bulk-run", args=[key]), fields, follow=True), key


def test_waiting_is_a_tag_a_day_and_a_draft_and_is_undone(shop, chair, aoi, client_of):
    client = client_of(aoi)
    there = order(shop, make_line("CHAIR"), skus=[chair])
    short = order(shop, make_line("CHAIR", 50), skus=[chair])
    _preview, _result, key = run(client, "wait_stock", short, there, planned_ship_date="2026-12-24", mail="on")
    short.refresh_from_db()
    there.refresh_from_db()
    assert short.tags == ["入荷待ち"] and str(short.planned_ship_date) == "2026-12-24" and there.tags == []
    assert Mail.objects.get(event="delay_notice").state == Mail.State.DRAFT
    client.post(reverse("orders:bulk-undo", args=[key]))
    short.refresh_from_db()
    assert short.tags == [] and short.planned_ship_date is None
    assert Mail.objects.get(event="delay_notice").state == Mail.State.SUPPRESSED


def test_the_waiting_tag_goes_when_the_goods_come(shop, chair, aoi, client_of):
    one = order(shop, make_line("CHAIR", 3), skus=[chair])
    run(client_of(aoi), "wait_stock", one)
    assert Order.objects.get(pk=one.pk).tags == ["入荷待ち"]
    arrive(chair, 1)
    assert Order.objects.get(pk=one.pk).tags == [] and all_is_well()


def test_what_is_there_leaves_first_and_together_again_after_undo(shop, chair, aoi, client_of):
    table = make_sku("TABLE")
    one = order(shop, make_line("CHAIR", 1), make_line("TABLE"), skus=[chair, table])
    nothing = order(shop, make_line("TABLE"), skus=[table])
    assert one.stage == Stage.AWAITING_STOCK
    preview, _result, key = run(client_of(aoi), "ship_partly", one, nothing)
    assert (preview.context["will"], preview.context["skipped"]) == (1, 1)
    one.refresh_from_db()
    assert one.stage == Stage.READY and Shipment.objects.count() == 1
    client_of(aoi).post(reverse("orders:bulk-undo", args=[key]))
    one.refresh_from_db()
    assert one.stage == Stage.AWAITING_STOCK and not OrderLine.objects.filter(apart=True).exists() and all_is_well()


def test_lines_without_stock_are_cancelled_once_and_the_rest_goes_on(shop, chair, aoi, client_of):
    table = make_sku("TABLE")
    one = order(shop, make_line("CHAIR", 1), make_line("TABLE", 2), skus=[chair, table])
    whole = order(shop, make_line("TABLE"), skus=[table])
    preview, _result, key = run(client_of(aoi), "cancel_short", one, whole, skus=["TABLE"])
    assert preview.context["will"] == 2
    for _again in range(2):
        client_of(aoi).post(reverse("orders:bulk-run", args=[key]), {"skus": ["TABLE"]})
    one.refresh_from_db()
    whole.refresh_from_db()
    assert (one.stage, one.total) == (Stage.READY, 1500) and whole.stage == Stage.CANCELLED
    assert Cancellation.objects.count() == 2 and shortage.lacking().rows == [] and all_is_well()


def test_with_two_lacking_skus_one_must_say_which_to_cancel(shop, chair, aoi, client_of):
    table = make_sku("TABLE")
    one = order(shop, make_line("CHAIR", 9), make_line("TABLE"), skus=[chair, table])
    preview, result, _key = run(client_of(aoi), "cancel_short", one)
    assert preview.context["will"] == 0 and "field-error" in result.content.decode()
    assert not Cancellation.objects.exists()


@pytest.mark.parametrize("action", ["wait_stock", "ship_partly", "cancel_short"])
def test_only_who_may_change_orders_decides(shop, chair, ben, client_of, action):
    one = order(shop, make_line("CHAIR", 9), skus=[chair])
    answer = client_of(ben).post(reverse("orders:bulk-choose"), {"action": action, "ids": [one.pk]})
    assert answer.status_code == 403


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_in_the_browser_a_shortage_leads_to_its_orders_and_what_is_there_leaves(browser_page, screenshot):
    ReasonSetting.objects.get_or_create(code="duplicate_suspect", defaults={"active": False, "level": "block"})
    shop = make_shop(capabilities=CAN)
    chair, table = make_sku("CHAIR", stock_units=2), make_sku("TABLE", stock_units=0)
    now = clock.now()
    one = order(
        shop, make_line("CHAIR", 1), make_line("TABLE", 2), skus=[chair, table], ship_by=now + timedelta(hours=5)
    )
    order(shop, make_line("TABLE", 3), skus=[table], ship_by=now + timedelta(days=2))
    order(shop, make_line("CHAIR", 4), skus=[chair])
    page = browser_page
    page.goto("/fulfillment/shortages/")
    screenshot(page, "shortages")
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, "shortages-390")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="TABLE", exact=True).click()
    page.get_by_text(one.channel_order_no).wait_for()
    screenshot(page, "shortage-queue")
    page.get_by_role("link", name="欠品一覧").first.click()
    page.get_by_role("link", name="引当待ち（受注別）").click()
    page.get_by_text("あと 2個の入荷で届きます").first.wait_for()
    screenshot(page, "waiting")
    page.get_by_label(one.channel_order_no).check()
    page.get_by_role("button", name="ある分を先に出荷").click()
    page.get_by_text("引当済みの商品を先に出荷し").wait_for()
    screenshot(page, "waiting-partly")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/fulfillment/waiting/")
    screenshot(page, "waiting-390")


# ---- sets as they were sold


def make_tea_set() -> tuple:
    """Two cups and a pot, with neither in stock, as a set in a box beside a cloth that is there."""
    cup, pot, cloth = make_sku("CUP"), make_sku("POT"), make_sku("CLOTH", stock_units=9)
    _tea, box = make_sku("TEASET", is_bundle=True), make_sku("BOX", is_bundle=True)
    set_components(
        [
            ComponentRow("TEASET", "CUP", 2), ComponentRow("TEASET", "POT", 1),
            ComponentRow("BOX", "TEASET", 1), ComponentRow("BOX", "CLOTH", 1),
        ]
    )  # fmt: skip
    return cup, pot, cloth, box


def test_the_lists_name_the_components_that_were_sold_and_not_todays(shop):
    cup, pot, _cloth, box = make_tea_set()
    told = make_channel_order(make_line("BOX", 2))
    take_in(shop, [told], sku_of={"BOX": Mapped(box.pk, "BOX", 3, None)})  # three boxes in one piece of the listing
    glass = make_sku("GLASS")
    set_components([ComponentRow("TEASET", "GLASS", 5)])
    allocate_waiting()
    lacking = {row.sku.code: (row.asked, row.lacking) for row in shortage.lacking().rows}
    assert lacking == {"CUP": (12, 12), "POT": (6, 6)}
    assert shortage.lacking_of(glass.pk) is None
    [row] = waiting.described(list(waiting.waiting_rows()))
    assert (row.lines[0].reason.sku_code, row.lines[0].reason.why) == ("CUP", Why.SHORT)
    [queued], _more = waiting.queue_rows(pot.pk, page=1, size=9)
    assert (queued.sold, queued.queued.units) == ("BOX の品", 6)
    arrive(cup, 12)
    assert not OrderLine.objects.get().reserved
    arrive(pot, 6)
    line = OrderLine.objects.get()
    assert line.reserved and line.allocated_quantity == 2, (
        "what came is in the set no more, but this order waits for it"
    )
    assert not shortage.lacking().rows and all_is_well()


def test_a_set_that_was_empty_when_sold_is_what_the_catalogue_says(shop):
    box = make_sku("BOX", is_bundle=True)
    order(shop, make_line("BOX"), skus=[box])
    [row] = waiting.described(list(waiting.waiting_rows()))
    assert row.lines[0].reason.why == Why.EMPTY_SET
    make_sku("CUP")
    set_components([ComponentRow("BOX", "CUP", 2)])
    assert [(row.sku.code, row.asked) for row in shortage.lacking().rows] == [("CUP", 2)]
