"""A channel that takes one tracking number per line is told the first or the last one, as the shop wants."""

from datetime import timedelta

import pytest
from django.urls import reverse

from channels.connectors.contract import Parcel
from channels.models import Connection
from channels.services import notices
from channels.services.shops import declared
from fulfillment.models import Shipment
from fulfillment.services import split
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from oms.kernel import clock
from oms.kernel.models import Effect
from orders.services.cancel import Ask, cancel_pieces
from orders.services.journal import Actor
from tests.channels.screens.test_shop_form import SETTINGS
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_line, make_shop, make_sku

ACTOR = Actor()
EARLY, LATE = "400000000001", "400000000002"
TEXT = "1明細を数個口で送るときに知らせる送り状番号"


def parcel(number: str, minute: int, reference: int, **lines: int) -> Parcel:
    return Parcel("yamato", number, clock.now() + timedelta(minutes=minute), lines, reference)


@pytest.mark.parametrize(("last", "number"), [(False, EARLY), (True, LATE)])
def test_a_line_in_two_parcels_is_named_in_one_of_them(last, number):
    left = [parcel(LATE, 5, 1, tea=1), parcel(EARLY, 0, 2, tea=2)]
    told = notices.one_number_each(left, {"tea": 3}, last=last)
    assert [(one.tracking_no, one.lines) for one in told] == [(number, {"tea": 1 if last else 2})]


def test_the_last_number_waits_until_all_pieces_have_left_and_other_lines_do_not_wait():
    left = [parcel(EARLY, 0, 1, tea=2, cup=1)]
    told = notices.one_number_each(left, {"tea": 3, "cup": 1}, last=True)
    assert [(one.tracking_no, one.lines) for one in told] == [(EARLY, {"cup": 1})]
    told = notices.one_number_each(left, {"tea": 3, "cup": 1}, last=False)
    assert [one.lines for one in told] == [{"tea": 2, "cup": 1}]


class Heard:
    """A connector that keeps what it was told."""

    def __init__(self):
        self.numbers: list[list[str]] = []

    def ship(self, _order, parcels):
        self.numbers.append([one.tracking_no for one in parcels])


@pytest.fixture
def heard(monkeypatch):
    connector = Heard()
    monkeypatch.setattr(notices.shops, "connector_of", lambda _connection: connector)
    return connector


@pytest.fixture
def order(db):
    shop = make_shop("qoo10-1", channel="qoo10", channel_label="Qoo10", capabilities=declared("qoo10"))
    Connection.objects.create(shop=shop)
    order = ready(shop, make_line("TEA", 3), skus=[make_sku("TEA", stock_units=9)])
    split.split_off(Shipment.objects.get().pk, {order.lines.get().pk: 1}, actor=ACTOR)
    instruct_orders([order.pk], actor=ACTOR)
    return order


def leave(number: str, reference: int) -> None:
    shipment = Shipment.objects.get(reference=reference)
    confirm_shipments([Departure(shipment.pk, "yamato", number)], actor=ACTOR)


def tell(order) -> None:
    for effect in Effect.objects.filter(kind="channel_ship").order_by("pk"):
        notices._ship(notices.shops.connector_of(Connection.objects.get()), order, effect)
    Effect.objects.filter(kind="channel_ship").delete()


def test_the_second_parcel_may_leave_first_and_its_number_stays_the_first(heard, order):
    leave(EARLY, 2)
    tell(order)
    leave(LATE, 1)
    tell(order)
    assert heard.numbers == [[EARLY], [EARLY]]


def test_a_shop_that_wants_the_last_number_tells_nothing_before_it_is_known(heard, order):
    Connection.objects.update(told_number="last")
    leave(EARLY, 1)
    tell(order)
    assert heard.numbers == []
    leave(LATE, 2)
    tell(order)
    assert heard.numbers == [[LATE]]


def test_what_waited_for_a_piece_that_was_cancelled_is_told(heard, order):
    Connection.objects.update(told_number="last")
    leave(EARLY, 1)
    tell(order)
    cancel_pieces(order.pk, {order.lines.get().pk: 1}, ask=Ask(), actor=ACTOR)
    order.refresh_from_db()
    tell(order)
    assert heard.numbers == [[EARLY]]


@pytest.mark.django_db
def test_only_a_channel_with_one_number_per_line_asks_which(client_of, aoi):
    client = client_of(aoi)
    assert TEXT in client.get(reverse("channels:add"), {"channel": "qoo10"}).content.decode()
    assert TEXT not in client.get(reverse("channels:add"), {"channel": "rakuten"}).content.decode()


def test_the_choice_is_kept_and_journaled(client_of, aoi, order):
    client, url = client_of(aoi), reverse("channels:edit", args=[order.shop_id])
    text = client.post(url, SETTINGS | {"told_number": "last"}, follow=True).content.decode()
    assert Connection.objects.get().told_number == "last" and TEXT in text.split("設定を変更：")[1]
    client.post(url, SETTINGS)
    assert Connection.objects.get().told_number == "last"
    text = client.post(url, SETTINGS | {"told_number": "all"}).content.decode()
    assert 'aria-invalid="true"' in text
