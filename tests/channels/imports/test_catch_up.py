"""After a pause: one announcement per person, over the orders it brought, however often workers died."""

import pytest
from django.urls import reverse

from channels.connectors.contract import ChannelDown
from channels.models import CatchUp
from channels.services import intake
from orders.models import Order
from tests.channels.builders import make_connection
from tests.channels.imports.mall import ago

pytestmark = pytest.mark.django_db


@pytest.fixture
def late(db):
    """A shop whose last import was four hours ago."""
    return make_connection(cursor=ago(hours=4), last_import_at=ago(hours=4))


def test_what_came_late_is_announced_with_its_span(late, mall):
    for hours in (3, 1, 2):
        mall.sells(f"N-{hours}", ago(hours=hours))
    intake.pull(late)
    row = CatchUp.objects.get()
    assert row.orders == 3 and row.ended_at
    assert (row.first_order_at, row.last_order_at) == (mall.orders["N-3"][0], mall.orders["N-1"][0])
    intake.pull(late)
    assert CatchUp.objects.count() == 1


def test_a_usual_pause_a_first_import_and_an_empty_catch_up_announce_nothing(connection, mall):
    mall.sells("N-1", ago(minutes=3))
    intake.pull(connection)
    first = make_connection("rakuten-2", cursor=None, last_import_at=None)
    intake.pull(first)
    quiet = make_connection("rakuten-3", cursor=ago(hours=4), last_import_at=ago(hours=4))
    mall.orders.clear()
    intake.pull(quiet)
    assert not CatchUp.objects.exists()


def test_a_catch_up_that_broke_off_is_carried_on_and_counts_all_it_brought(late, mall):
    mall.page_size = 1
    for hours in (3, 2, 1):
        mall.sells(f"N-{hours}", ago(hours=hours))
    taken = intake.take_archived

    def dies_after_the_first(connection, connector, ids, pulled):
        taken(connection, connector, ids[:1], pulled)
        raise ChannelDown("切れました。")

    intake.take_archived = dies_after_the_first
    try:
        with pytest.raises(ChannelDown):
            intake.pull(late)
    finally:
        intake.take_archived = taken
    assert CatchUp.objects.get().ended_at is None and Order.objects.count() == 1
    intake.pull(late)
    assert CatchUp.objects.get().orders == Order.objects.count() == 3


def test_each_person_reads_it_once(client_of, aoi, ben, late, mall):
    mall.sells("N-1", ago(hours=1))
    intake.pull(late)
    row, banner = CatchUp.objects.get(), reverse("channels:catch-ups")
    mine, his = client_of(aoi), client_of(ben)
    assert "の受注1件を、まとめて取り込みました" in mine.get(banner).content.decode()
    assert banner in mine.get(reverse("orders:list")).content.decode()
    assert banner in mine.get(reverse("channels:list")).content.decode()
    listed = mine.get(reverse("channels:catch-up", args=[row.pk]))
    assert [order.channel_order_no for order in listed.context["page"]] == ["N-1"]
    for _again in range(2):
        mine.post(reverse("channels:catch-up-read", args=[row.pk]), headers={"HX-Request": "true"})
    assert "まとめて取り込みました" not in mine.get(banner).content.decode()
    assert "まとめて取り込みました" in his.get(banner).content.decode()


def test_a_stranger_sees_no_announcement(client_of, chie, late, mall):
    mall.sells("N-1", ago(hours=1))
    intake.pull(late)
    client = client_of(chie)
    assert client.get(reverse("channels:catch-ups")).status_code == 403
    assert client.post(reverse("channels:catch-up-read", args=[CatchUp.objects.get().pk])).status_code == 403
    assert client.get(reverse("channels:catch-up-read", args=[CatchUp.objects.get().pk])).status_code in {403, 405}
