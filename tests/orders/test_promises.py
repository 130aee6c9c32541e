"""Promises for the next order, good customers by rank, and exceptions of reasons by rank."""

from datetime import timedelta

import pytest
from django.urls import reverse

from customers.models import Member, MemberNote
from customers.services import notes, profile, ranks
from oms.kernel import clock
from orders.models import Order, ReviewReason
from orders.services import reason_settings
from orders.services.intake import take_in
from orders.services.reason_settings import Setting
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db


def take(**fields) -> Order:
    told = make_channel_order(**({"ordered_at": clock.now()} | fields))
    take_in(make_shop(), [told], sku_of=mapped(make_sku(stock_units=50)))
    return Order.objects.get(channel_order_no=told.channel_order_no)


def reason(order: Order, code: str) -> tuple[str, str]:
    return ReviewReason.objects.filter(order=order, code=code).values_list("state", "level").first() or ("", "")


@pytest.fixture
def member() -> Member:
    return take(ordered_at=clock.now() - timedelta(days=30)).member


@pytest.fixture
def promise(member, aoi) -> MemberNote:
    return notes.write(member.pk, "カタログを入れる", promise=True, by=aoi)


def test_a_promise_speaks_up_at_the_next_order_and_not_at_the_last(member, promise):
    last, order = Order.objects.get(), take()
    assert reason(order, "open_promise") == ("open", "warn") and reason(last, "open_promise") == ("", "")
    assert "カタログを入れる" in ReviewReason.objects.get(order=order, code="open_promise").evidence


def test_ticked_on_the_members_page_it_is_gone_from_the_order(member, promise, aoi):
    order = take()
    notes.tick([promise.pk], by=aoi)
    assert reason(order, "open_promise")[0] == "auto_resolved"
    notes.untick([promise.pk], by=aoi)
    assert reason(order, "open_promise")[0] == "open"


def test_the_card_ticks_it_for_all_orders_and_takes_the_tick_back(member, promise, client_of, aoi):
    reason_settings.save(Setting("open_promise", active=True, level="block"), by=None)
    order, other = take(), take()
    client = client_of(aoi)
    page = client.get(reverse("orders:inbox"), {"code": "open_promise"})
    card = page.context["reason"]
    assert "約束を済みにする" in page.content.decode() and card.code == "open_promise"
    row = ReviewReason.objects.get(order=order, code="open_promise")
    client.post("/orders/inbox/choose/", {"reason_row": row.pk, "verb": "promise_done"})
    promise.refresh_from_db()
    assert promise.done_by == aoi
    assert {reason(one, "open_promise")[0] for one in (order, other)} == {"auto_resolved"}
    client.post("/orders/inbox/undo/", {"code": "open_promise"})
    promise.refresh_from_db()
    assert promise.done_at is None
    assert {reason(one, "open_promise")[0] for one in (order, other)} == {"open"}


def test_the_orders_page_has_the_tick_too(member, promise, client_of, aoi, person_with):
    order = take()
    url = reverse("orders:promise-done", args=[order.pk])
    client = client_of(aoi)
    assert url in client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert client_of(person_with("warehouse")).post(url).status_code == 403 and client.get(url).status_code == 405
    client.post(url)
    client.post(url)
    promise.refresh_from_db()
    assert promise.done_by == aoi and reason(order, "open_promise")[0] == "auto_resolved"


def test_a_rank_marked_as_good_customers_makes_a_vip(member):
    ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True), by=None)
    ranks.save(None, ranks.Wanted("silver", "シルバー", 2, is_vip=False), by=None)
    reason_settings.save(Setting("vip", active=True, level="info"), by=None)
    profile.change({member.pk: {"rank": "silver"}}, by=None)
    order = take()
    assert reason(order, "vip") == ("", "")
    profile.change({member.pk: {"rank": "gold"}}, by=None)
    assert reason(order, "vip") == ("open", "info")
    assert "ゴールド" in ReviewReason.objects.get(order=order, code="vip").evidence
    assert reason(take(), "vip") == ("open", "info")


def test_a_reason_has_another_level_for_a_rank_at_the_import_and_afterwards(member):
    ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True), by=None)
    setting = Setting(
        "high_amount", active=True, level="block", params={"yen": 1000}, overrides=[["rank", "gold", "info"]]
    )
    reason_settings.save(setting, by=None)
    first = take()
    assert reason(first, "high_amount") == ("open", "block")
    profile.change({member.pk: {"rank": "gold"}}, by=None)
    assert reason(first, "high_amount") == ("open", "info")
    assert reason(take(), "high_amount") == ("open", "info")


def test_the_exception_is_chosen_among_the_ranks(client_of, aoi):
    ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True), by=None)
    client = client_of(aoi)
    url = reverse("orders:reason", args=["high_amount"])
    form = client.get(url).context["form"]
    assert "ゴールド" in client.get(url).content.decode()
    data = {name: value for name, value in form.initial.items() if value is not None}
    data = {name: value for name, value in data.items() if value is not False}
    client.post(url, data | {"for_0": "rank:gold", "level_0": "warn", "save": "1"})
    assert reason_settings.read().of("high_amount").overrides == [["rank", "gold", "warn"]]
