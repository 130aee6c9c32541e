"""Two people at one order: they see each other, and neither overwrites the other unseen."""

import pytest
from django.core.cache import cache
from django.urls import reverse

from orders.models import Order
from orders.services import presence
from tests.orders.desk_board import fill_board

pytestmark = pytest.mark.django_db


@pytest.fixture
def board():
    cache.clear()
    yield fill_board()
    cache.clear()


def test_story_04_two_operators_save_the_same_order_and_nothing_typed_is_lost(client_of, aoi, person_with, board):
    order = board["R-0001"]
    url = reverse("orders:edit-recipient", args=[order.pk, 0])
    first, second = client_of(aoi), client_of(person_with("operator"))
    opened = {field.html_name: field.value() for field in second.get(url).context["form"]}
    hers = {field.html_name: field.value() for field in first.get(url).context["form"]}
    assert first.post(url, hers | {"address": "太子堂1-1", "company": "青井商店"}).status_code == 302
    answer = second.post(url, opened | {"address": "三軒茶屋2-14-3", "phone": "0311112222"})
    assert answer.status_code == 409
    form = answer.context["form"]
    assert [(name, typed, now) for name, _label, typed, now in form.conflicts] == [
        ("address", "三軒茶屋2-14-3", "太子堂1-1")
    ]
    assert [value for _label, value in form.taken_over] == ["青井商店"]
    kept = {field.html_name: field.value() for field in form}
    assert (kept["address"], kept["phone"], kept["company"]) == ("三軒茶屋2-14-3", "0311112222", "青井商店")
    assert second.post(url, kept).status_code == 302
    recipient = order.recipients.get()
    assert (recipient.address, recipient.phone, recipient.company) == ("三軒茶屋2-14-3", "0311112222", "青井商店")


def test_two_hands_on_different_fields_both_stay(client_of, aoi, person_with, board):
    order = board["R-0001"]
    url = reverse("orders:edit-recipient", args=[order.pk, 0])
    first, second = client_of(aoi), client_of(person_with("operator"))
    opened = {field.html_name: field.value() for field in second.get(url).context["form"]}
    assert first.post(url, opened | {"address": "太子堂1-1"}).status_code == 302
    assert second.post(url, opened | {"phone": "0311112222"}).status_code == 302
    recipient = order.recipients.get()
    assert (recipient.address, recipient.phone) == ("太子堂1-1", "0311112222")


def test_one_sees_who_looks_and_who_edits_here_and_on_the_list(client_of, aoi, ben, board):
    order = board["R-0001"]
    url = reverse("orders:presence", args=[order.pk])
    assert client_of(aoi).post(url, {"mode": "edit"}).content.strip() == b"", "one does not see oneself"
    client_of(aoi).post(url, {"mode": "view"})
    seen = client_of(ben).post(url, {"mode": "view"}).content.decode()
    assert f"{aoi}さんが編集中です" in seen and "見ています" not in seen, (
        "the page behind the dialog is no second person"
    )
    rows = {row.no: row.others for row in client_of(ben).get("/orders/").context["rows"]}
    assert rows["R-0001"] == f"{aoi}さんが編集中" and rows["R-0002"] == ""
    assert f"{ben}さんが見ています" in client_of(aoi).post(url).content.decode()


def test_who_went_away_is_forgotten_and_the_list_hears_of_it(client_of, aoi, ben, board, monkeypatch):
    client, url = client_of(ben), reverse("orders:presence", args=[board["R-0001"].pk])
    alone = client.get("/orders/").context["token"]
    client_of(aoi).post(url)
    assert client.get("/orders/").context["token"] != alone
    monkeypatch.setattr(presence, "FORGOTTEN", presence.FORGOTTEN * 0)
    assert client.get("/orders/").context["token"] == alone


def test_strangers_are_not_told_who_is_here(client_of, chie, aoi, board):
    url = reverse("orders:presence", args=[Order.objects.first().pk])
    assert client_of(chie).post(url).status_code == 403 and client_of(aoi).get(url).status_code == 405
