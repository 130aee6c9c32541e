"""What shipping costs: rates typed, kept with a journal, shared among merged orders; 粗利 on the desk."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from fulfillment.models import CostChange, FreightRate, Shipment
from fulfillment.queries.freight import Freight, freights
from fulfillment.services import costs, merge
from fulfillment.services.costs import Costs
from inventory.models import Sku
from orders.models import Order
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_line, make_shop, make_sku

pytestmark = pytest.mark.django_db
RATES = {("yamato", 2): 300, ("yamato", 10): 680, ("yamato", None): 1201, ("sagawa", 5): 500}


def rated(rates=None) -> None:
    FreightRate.objects.bulk_create(
        FreightRate(carrier=carrier, size_to=size, price=price) for (carrier, size), price in (rates or RATES).items()
    )


def test_rates_are_read_as_they_are_written():
    typed = "ヤマト運輸　２ ¥300\nyamato 10 680円\n\nヤマト運輸 1,201\n佐川急便 5 500"
    assert costs.read_rates(typed) == RATES
    assert costs.read_rates(costs.written(RATES)) == RATES
    with override("en"):
        shown = costs.written(RATES)
        assert "Yamato Transport 10 680" in shown
        assert costs.read_rates(shown) == costs.read_rates(typed) == RATES
    assert costs.read_rates(shown) == RATES


@pytest.mark.parametrize(
    "typed",
    [
        "飛脚 1 500",
        "ヤマト運輸",
        "ヤマト運輸 十 500",
        "ヤマト運輸 0 500",
        "ヤマト運輸 1 -5",
        "ヤマト運輸 5 1\nyamato 5 2",
    ],
)
def test_a_line_that_is_no_rate_is_named(typed):
    with pytest.raises(costs.Unreadable, match="「"):
        costs.read_rates(typed)


def test_settings_are_saved_with_a_journal_and_a_double_click_writes_once(client_of, aoi):
    client, url = client_of(aoi), reverse("fulfillment:costs")
    said = {"material": "35", "wage": "1500", "rates": "ヤマト運輸 10 680", "version": "0"}
    for _ in range(2):
        client.post(url, said)
    now = costs.costs()
    assert (now.material, now.wage, now.rates, now.version) == (35, 1500, {("yamato", 10): 680}, 1)
    [change] = CostChange.objects.all()
    assert change.by == aoi and change.before["wage"] is None and change.after["rates"] == "ヤマト運輸 10 680"
    page = client.get(url).content.decode()
    assert "ヤマト運輸 10 680" in page and "変更の記録" in page


def test_two_people_see_both_values_and_nothing_is_lost_unseen(client_of, aoi):
    client, url = client_of(aoi), reverse("fulfillment:costs")
    costs.save(Costs(10, 1000, {}), by_id=None)
    answer = client.post(url, {"material": "20", "wage": "1000", "rates": "", "version": "0"})
    page = answer.content.decode()
    assert answer.status_code == 409 and "今の値は「10」です。" in page and 'value="20"' in page
    assert costs.costs().material == 10
    client.post(url, {"material": "20", "wage": "1000", "rates": "", "version": "1"})
    assert costs.costs().material == 20


@pytest.mark.parametrize("wrong", [{"wage": "-1"}, {"rates": "x"}, {"material": "たかい"}])
def test_bad_settings_are_said_and_nothing_is_saved(client_of, aoi, wrong):
    said = {"material": "1", "wage": "1", "rates": "", "version": "0"} | wrong
    answer = client_of(aoi).post(reverse("fulfillment:costs"), said)
    assert answer.status_code == 200 and set(answer.context["form"].errors) == set(wrong)
    assert not CostChange.objects.exists()


def test_settings_are_for_leads_and_accounting(client_of, person_with, ben, chie):
    url = reverse("fulfillment:costs")
    expected = {"shift_lead": 200, "accounting": 200, "operator": 403, "warehouse": 403}
    assert {role: client_of(person_with(role)).get(url).status_code for role in expected} == expected
    assert {client_of(who).post(url, {}).status_code for who in (ben, chie)} == {403}


def test_the_journal_is_only_added_to():
    costs.save(Costs(10, None, {}), by_id=None)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM fulfillment_costchange")


def parcel(order: Order) -> Shipment:
    return Shipment.objects.get(recipient__order=order)


def test_freight_goes_by_carrier_boxes_and_size(django_assert_num_queries):
    rated()
    shop, chair = make_shop(capabilities={"confirm": True}), make_sku(stock_units=90)
    Sku.objects.filter(pk=chair.pk).update(size_factor=2)
    small, large, boxes, unknown = (ready(shop, make_line("CHAIR", n), skus=[chair]) for n in (1, 30, 10, 5))
    Shipment.objects.filter(pk=parcel(boxes).pk).update(package_count=2)
    Shipment.objects.filter(pk=parcel(unknown).pk).update(carrier="sagawa")
    with django_assert_num_queries(1):
        found = freights([small.pk, large.pk, boxes.pk, unknown.pk])
    assert found == {
        small.pk: Freight(300, True), large.pk: Freight(1201, True), boxes.pk: Freight(1360, True),
        unknown.pk: Freight(0, False),
    }  # fmt: skip
    Shipment.objects.filter(pk=parcel(small).pk).update(state="cancelled")
    assert freights([small.pk]) == {}


def test_orders_that_travel_together_share_the_freight_to_the_last_yen():
    rated({("yamato", None): 1000})
    shop, chair = make_shop(capabilities={"confirm": True}), make_sku(stock_units=90)
    orders = [ready(shop, skus=[chair]).pk for _ in range(3)]
    merge.merge_orders(orders, actor=Actor())
    found = freights(orders)
    assert [found[pk].yen for pk in sorted(orders)] == [334, 333, 333]
    assert freights(orders[1:2]) == {orders[1]: Freight(333, True)}


def shown(client) -> dict[str, str]:
    page = client.get("/orders/", {"col": ["no", "profit"]})
    return {row.no: row.added["profit"] for row in page.context["rows"]}


def test_the_desk_shows_profit_or_says_why_not(client_of, aoi):
    rated()
    shop, chair = make_shop(capabilities={"confirm": True}), make_sku(stock_units=90, cost=400)
    lamp = make_sku("LAMP", stock_units=5)
    plain = ready(shop, make_line("CHAIR", 2, 1100), skus=[chair])
    no_cost = ready(shop, make_line("CHAIR"), make_line("LAMP"), skus=[chair, lamp])
    unmapped = ready(shop, make_line("CHAIR"), make_line("zzz-1"), skus=[chair])
    gone = ready(shop, skus=[chair])
    Order.objects.filter(pk=plain.pk).update(discount=110, coupons_channel=50)
    Order.objects.filter(pk=gone.pk).update(cancelled_at=gone.ordered_at)
    found = shown(client_of(aoi))
    assert found[plain.channel_order_no] == "¥800"  # 2000 - 100 - 2 × 400 - 300
    assert found[plain.channel_order_no].note == ""
    assert found[no_cost.channel_order_no] == "–" and "LAMP" in found[no_cost.channel_order_no].note
    assert "zzz-1" in found[unmapped.channel_order_no].note and found[gone.channel_order_no] == ""
    html = client_of(aoi).get("/orders/", {"col": ["no", "profit"]}).content.decode()
    assert 'title="仕入価格がありません: LAMP"' in html and "¥800" in html
    FreightRate.objects.all().delete()
    found = shown(client_of(aoi))
    assert found[plain.channel_order_no] == "¥1,100" and "送料を含みません" in found[plain.channel_order_no].note


def test_profit_is_there_only_for_who_may_see_costs(client_of, person_with):
    make_shop(), make_sku(cost=400)
    client = client_of(person_with("operator"))
    page = client.get("/orders/", {"col": ["no", "profit"]})
    assert [column.code for column in page.context["columns"]] == ["no"] and "粗利" not in page.content.decode()
    assert "粗利" not in client.get("/orders/views/?col=no&col=profit").content.decode()
    lead = person_with("shift_lead")
    assert "粗利" in client_of(lead).get("/orders/views/").content.decode()
    assert Permission.objects.filter(codename="view_cost").count() == 1


def test_profit_costs_three_queries_however_long_the_page(client_of, aoi):
    shop, chair = make_shop(), make_sku(stock_units=90, cost=400)
    ready(shop, skus=[chair])
    client = client_of(aoi)

    def asked(*columns: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/orders/", {"col": ["no", *columns]})
        return len(queries)

    asked()
    few = asked("profit")
    assert few == asked() + 3
    for _ in range(5):
        ready(shop, skus=[chair])
    assert asked("profit") == few
