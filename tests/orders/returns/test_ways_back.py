"""How goods find their way back: the label, the carrier's pick-up, and what the shop's settings say of exchanges."""

from datetime import timedelta

import pytest

from customers.models import MemberTag
from oms.kernel import clock
from orders.documents.render import render_return_label
from orders.models import OrderTask, ReturnCase
from orders.queries import return_label
from orders.queries.returns import overdue_exchanges
from orders.services import exchange, return_pickup, returns
from orders.services.journal import Actor
from orders.services.return_pickup import Pickup
from orders.services.returns import Refused
from tests.orders.builders import make_line, make_location, make_shop, make_sku
from tests.orders.returns.test_returns import shipped

pytestmark = pytest.mark.django_db
ACTOR = Actor()


@pytest.fixture
def shop():
    return make_shop(letterhead_name="青葉家具", letterhead_address="東京都港区1-1", letterhead_phone="0312345678")


def opened(shop, reason="defective", **fields) -> ReturnCase:
    chair = make_sku(stock_units=5)
    order = shipped(shop, make_line(quantity=2), skus=[chair], **fields)
    return returns.open_case(order.pk, {order.lines.get().pk: 1}, reason=reason, key=f"k{order.pk}", actor=ACTOR)


def approved(shop, **fields) -> ReturnCase:
    return returns.approve(opened(shop, **fields).pk, actor=ACTOR)


def tomorrow():
    return clock.today() + timedelta(days=1)


# ---- the label


def test_the_label_names_the_place_the_sender_the_goods_and_who_pays(shop):
    place = make_location(postal_code="1350061", prefecture="東京都", address="江東区豊洲1-2-3", phone="0398765432")
    case = approved(shop)
    label = return_label.label_of(case, place)
    assert (label.to.name, label.to.address, label.freight) == ("青葉家具 返品係", "東京都江東区豊洲1-2-3", "着払い")
    assert label.sender.name == "佐藤 恵" and label.sender.address.startswith("東京都世田谷区")
    assert [(line.code, line.quantity) for line in label.lines] == [("CHAIR", 1)] and label.number == case.number
    assert render_return_label(label, clock.now()).startswith(b"%PDF")
    own = return_label.label_of(approved(shop, reason="customer"), None)
    assert (own.freight, own.to.address) == ("元払い", "東京都港区1-1")


def test_who_may_see_personal_data_prints_it_while_the_goods_may_come(client, shop, aoi, ben):
    case = opened(shop)
    url = f"/orders/returns/{case.pk}/label/"
    client.force_login(ben)
    assert client.get(url).status_code == 403
    client.force_login(aoi)
    assert client.get(url).status_code == 404, "nothing is approved yet"
    returns.approve(case.pk, actor=ACTOR)
    assert "返送ラベル" in client.get(f"/orders/returns/{case.pk}/").content.decode()
    answer = client.get(url)
    assert answer["Content-Type"] == "application/pdf" and answer["Cache-Control"] == "no-store"


# ---- the pick-up


def test_a_pickup_is_one_open_task_that_follows_the_day_and_goes_with_its_cause(client, shop, aoi):
    case = approved(shop)
    client.force_login(aoi)
    url = f"/orders/returns/{case.pk}/pickup/"
    assert "今日より前" in client.post(url, {"carrier": "yamato", "on": "2020-01-01"}).content.decode()
    client.post(url, {"carrier": "yamato", "on": tomorrow().isoformat(), "slot": "am"})
    task = OrderTask.objects.get(done_at=None)
    assert "集荷を依頼" in task.text and f"{tomorrow():%Y/%m/%d} 午前中" in task.text
    assert task.link == f"/orders/returns/{case.pk}/"
    return_pickup.arrange(case.pk, Pickup("sagawa", tomorrow() + timedelta(days=1)), actor=ACTOR)
    again = OrderTask.objects.get(done_at=None)
    assert again.pk != task.pk and "佐川" in again.text
    page = client.get(f"/orders/returns/{case.pk}/").content.decode()
    assert "集荷を手配しました" in page and "集荷の日時を変える" in page
    case.refresh_from_db()
    assert "集荷に伺います" in return_label.label_of(case, None).notes[0]
    returns.receive(case.pk, {case.lines.get().pk: 1}, actor=ACTOR)
    assert not OrderTask.objects.filter(done_at=None).exists()
    with pytest.raises(Refused):
        return_pickup.arrange(case.pk, Pickup("yamato", tomorrow()), actor=ACTOR)


# ---- exchanges


def ticked(client, case) -> bool:
    return client.get(f"/orders/returns/{case.pk}/").context["exchange_form"]["ship_first"].value()


def test_the_shop_says_for_whom_an_exchange_leaves_before_the_goods_are_back(client, shop, aoi):
    case = opened(shop, reason="wrong_size")
    client.force_login(aoi)
    assert not ticked(client, case)
    shop.exchange_ships, shop.exchange_tag = "tagged", "ゴールド"
    shop.save(update_fields=["exchange_ships", "exchange_tag"])
    assert not ticked(client, case)
    MemberTag.objects.create(member=case.order.member, tag="ゴールド", key="g", at=clock.now())
    assert ticked(client, case)
    shop.exchange_ships = "first"
    shop.save(update_fields=["exchange_ships"])
    assert ticked(client, opened(shop))


def test_an_exchange_sent_first_is_watched_for_the_days_of_its_shop(shop):
    shop.exchange_watch_days = 5
    shop.save(update_fields=["exchange_watch_days"])
    case = opened(shop)
    exchange.approve(case.pk, exchange.same_goods(case), ship_first=True, actor=ACTOR)
    assert list(overdue_exchanges()) == []
    ReturnCase.objects.update(approved_at=clock.now() - timedelta(days=5, minutes=1))
    assert [one.pk for one in overdue_exchanges()] == [case.pk]
    shop.exchange_watch_days = 6
    shop.save(update_fields=["exchange_watch_days"])
    assert list(overdue_exchanges()) == []
