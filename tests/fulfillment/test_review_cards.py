"""What fulfilment puts on review cards: orders to one recipient side by side, and goods that lack."""

from datetime import time

import pytest
from django.urls import reverse

from fulfillment.models import Merge, MergePair, ReleaseTime, ShipmentLine
from fulfillment.queries import stock_card
from fulfillment.services import merge_sweep
from inventory.models import Location
from inventory.services import stock
from orders.models import Order, ReviewDecision, ReviewReason
from orders.services.intake import take_in
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
CHOOSE, UNDO = "/orders/inbox/choose/", "/orders/inbox/undo/"


@pytest.fixture
def two():
    """Two orders to one recipient, put to a person."""
    shop, chair = make_shop(merge_policy="ask"), make_sku(stock_units=9)
    one, other = (ready(shop, skus=[chair]) for _ in range(2))
    merge_sweep.sweep()
    assert ReviewReason.objects.filter(code="merge_candidate", state="open").count() == 2
    return one, other


def asked() -> set[int]:
    return set(ReviewReason.objects.filter(code="merge_candidate", state="open").values_list("order", flat=True))


def card_of(client, order: Order) -> str:
    row = order.reasons.get(code="merge_candidate")
    return client.get(reverse("fulfillment:merge-card", args=[order.pk]), {"reason": row.pk}).content.decode()


def test_the_card_shows_both_orders_and_two_answers(client_of, aoi, ben, two):
    one, other = two
    html = card_of(client_of(aoi), one)
    assert one.channel_order_no in html and other.channel_order_no in html
    assert 'data-key="1"' in html and 'data-key="2"' in html and f'name="value" value="{other.pk}"' in html
    assert 'name="verb"' not in card_of(client_of(ben), one), "who may only look has no answers"
    assert str(one.reasons.get(code="merge_candidate").evidence).endswith(f": {other.channel_order_no}")
    page = client_of(aoi).get(f"/orders/inbox/?code=merge_candidate&at={one.pk}").content.decode()
    assert reverse("fulfillment:merge-card", args=[one.pk]) in page


def test_merged_by_one_key_and_apart_again_by_another(client_of, aoi, two):
    one, other = two
    client, row = client_of(aoi), one.reasons.get(code="merge_candidate")
    before = shipments()
    client.post(CHOOSE, {"reason_row": row.pk, "verb": "merge", "value": str(other.pk)})
    assert Merge.objects.get().undone_at is None and asked() == set()
    assert ReviewDecision.objects.get().verb == "merge", "it counts for the pace"
    client.post(UNDO, {"code": "merge_candidate"})
    assert Merge.objects.get().undone_at is not None and shipments() == before and asked() == {one.pk, other.pk}
    assert set(Order.objects.values_list("stage", flat=True)) == {"review"}


def test_kept_apart_by_one_key_and_asked_again_by_another(client_of, aoi, two):
    one, other = two
    client, row = client_of(aoi), one.reasons.get(code="merge_candidate")
    client.post(CHOOSE, {"reason_row": row.pk, "verb": "apart", "value": str(other.pk)})
    assert MergePair.objects.get().decision == "apart" and asked() == set()
    merge_sweep.sweep()
    assert asked() == set() and set(Order.objects.values_list("stage", flat=True)) == {"ready"}
    client.post(UNDO, {"code": "merge_candidate"})
    assert not MergePair.objects.exists() and asked() == {one.pk, other.pk}


def test_what_may_not_travel_together_is_refused_in_words_and_nothing_changes(client_of, aoi, two):
    one, other = two
    Order.objects.filter(pk=other.pk).update(carrier="sagawa")
    row = one.reasons.get(code="merge_candidate")
    page = client_of(aoi).post(CHOOSE, {"reason_row": row.pk, "verb": "merge", "value": str(other.pk)}, follow=True)
    assert not Merge.objects.exists() and one.pk in asked() and not ReviewDecision.objects.exists()
    assert 'data-tone="warning"' in page.content.decode()


def shipments() -> set[tuple]:
    return set(ShipmentLine.objects.values_list("order_line__order", "sku", "quantity", "shipment"))


def test_the_stock_card_tells_what_lacks_what_comes_and_where_else_it_lies(client_of, aoi):
    chair = make_sku(stock_units=1)
    shop_floor = Location.objects.create(code="GINZA", name="銀座店", kind="store", sells_online=False)
    road = Location.objects.create(code="ROAD", name="移動中", kind="in_transit", sells_online=False)
    stock.receive([stock.Fact(chair.pk, shop_floor.pk, 2, "test"), stock.Fact(chair.pk, road.pk, 5, "test")])
    take_in(make_shop(), [make_channel_order(make_line("CHAIR", 4))], sku_of=mapped(chair))
    order = Order.objects.get()
    missing = stock_card.missing(order)
    assert [(one.code, one.lacking, one.coming) for one in missing] == [("CHAIR", 4, 5)]
    assert [(place.name, place.units) for place in missing[0].places][-1] == ("銀座店", 2)
    html = client_of(aoi).get(reverse("fulfillment:stock-card", args=[order.pk])).content.decode()
    assert "銀座店" in html and "移動中 5" in html and "お客様との約束" in html and "まだ送っていません" in html


def test_the_views_of_what_leaves_today_count_down_to_the_cut_off(client_of, aoi):
    client, url = client_of(aoi), reverse("fulfillment:cut-off")
    assert "今日の締めはもうありません" in client.get(url).content.decode()
    ReleaseTime.objects.create(at=time(23, 59, 59))
    assert "次の締め 23:59" in client.get(url).content.decode()
    for query, shown in {"?stage=ready": True, "?due=today": True, "?stage=review": False, "": False}.items():
        assert (url in client.get(f"/orders/{query}").content.decode()) is shown, query
