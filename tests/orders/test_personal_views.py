"""閲覧履歴: who saw whose personal data, once in a quarter of an hour, until its own months are over."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, transaction
from django.urls import reverse

from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_orders
from fulfillment.services.printing import record_printed
from oms.kernel import clock
from orders.models import Order, PersonalView, PrivacyEvent
from orders.services import personal_views
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.tasks import erase_personal
from tests.conftest import person
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped


@pytest.fixture
def order(db) -> Order:
    take_in(make_shop(), [make_channel_order()], sku_of=mapped(make_sku(stock_units=1)))
    return Order.objects.get()


@pytest.fixture
def operator(db):
    return person("oki", "沖 おき", role="operator")


def seen() -> list[tuple[str, int | None, int | None, str]]:
    rows = PersonalView.objects.order_by("pk")
    return [(view.by.username, view.order_id, view.member_id, view.where) for view in rows]


def test_a_look_at_an_order_is_one_row_per_person_and_quarter_of_an_hour(client, order, operator, aoi, monkeypatch):
    url = reverse("orders:detail", args=[order.pk])
    for who in (operator, aoi):
        client.force_login(who)
        client.get(url)
        client.get(url, headers={"hx-request": "true"})  # the drawer
    assert seen() == [("oki", order.pk, None, "order"), ("aoi", order.pk, None, "order")]
    later = clock.now() + timedelta(minutes=16)
    monkeypatch.setattr(clock, "now", lambda: later)
    client.get(url)
    assert len(seen()) == 3


def test_who_sees_only_masked_values_has_seen_nobody(client, order, ben):
    client.force_login(ben)
    assert client.get(reverse("orders:detail", args=[order.pk])).status_code == 200
    assert client.get(reverse("customers:detail", args=[order.member_id])).status_code == 200
    assert seen() == []


def test_members_and_papers_count_and_the_desk_does_not(client, order, operator):
    client.force_login(operator)
    client.get(reverse("customers:detail", args=[order.member_id]))
    client.get(reverse("orders:list"))
    client.get(reverse("orders:live"))
    assert seen() == [("oki", None, order.member_id, "member")]


def test_printing_addresses_is_seeing_them(order, operator):
    allocate_orders([order.pk])
    shipment = Shipment.objects.get()
    record_printed([shipment.pk], "pick_printed", by=operator)
    assert seen() == []
    record_printed([shipment.pk], "note_printed", by=operator)
    assert seen() == [("oki", order.pk, None, "slip")]


def test_many_orders_are_written_in_one_statement(order, operator, django_assert_num_queries):
    with django_assert_num_queries(1):
        personal_views.saw_orders([order.pk, order.pk], "slip", by=operator)
    assert len(seen()) == 1


def test_views_are_never_changed_and_go_after_their_months(order, operator, aoi, monkeypatch):
    personal_views.saw_orders([order.pk], "order", by=operator)
    for change in (lambda: PersonalView.objects.update(by=aoi), lambda: PersonalView.objects.all().delete()):
        with pytest.raises((IntegrityError, InternalError), match="append-only"), transaction.atomic():
            change()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=725))
    erase_personal()
    assert len(seen()) == 1
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=735))
    erase_personal()
    assert seen() == []


def test_administrators_search_by_person_order_member_and_days(client, order, operator, aoi):
    personal_views.saw_orders([order.pk], "order", by=operator)
    personal_views.saw_member(order.member_id, by=aoi)
    client.force_login(operator)
    assert client.get(reverse("orders:personal-views")).status_code == 403
    client.force_login(aoi)
    url = reverse("orders:personal-views")

    def found(**asked) -> list[str]:
        return [view.by.username for view in client.get(url, asked).context["page"].rows]

    assert sorted(found()) == ["aoi", "oki"]
    assert found(person=operator.pk) == ["oki"]
    assert found(number=order.channel_order_no) == ["oki"] and found(order=order.pk) == ["oki"]
    assert found(member=order.member_id) == ["aoi"]
    yesterday = clock.today() - timedelta(days=1)
    assert found(until=yesterday.isoformat()) == []
    for bad in ({"since": "x"}, {"member": "9" * 30}, {"since": "2026-12-01", "until": "2026-11-01"}):
        page = client.get(url, bad)
        assert page.status_code == 200 and not page.context["page"].rows
    assert f"{url}?order={order.pk}" in client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert found(order=order.pk) == ["aoi", "oki"]


def test_the_months_are_set_by_administrators_and_the_change_is_on_record(client, aoi):
    client.force_login(aoi)
    url = reverse("orders:personal-views-months")
    assert "3" in client.post(url, {"months": "1"}).content.decode() and personal_views.kept_months() == 24
    client.post(url, {"months": "36"})
    assert personal_views.kept_months() == 36
    event = PrivacyEvent.objects.get()
    assert (event.kind, event.text, event.by) == ("views", "24か月 → 36か月", aoi)
    assert not personal_views.set_months(36, actor=Actor(by=aoi))


def test_the_list_of_views_reads_a_fixed_number_of_rows(client, order, operator, aoi, django_assert_max_num_queries):
    personal_views.saw_orders([order.pk], "order", by=operator)
    personal_views.saw_member(order.member_id, by=operator)
    client.force_login(aoi)
    with django_assert_max_num_queries(9):
        client.get(reverse("orders:personal-views"))
