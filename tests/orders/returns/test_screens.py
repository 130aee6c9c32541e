"""The screens of cancelling, stopping and returning, as a person walks through them without JavaScript."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fulfillment.models import Shipment
from fulfillment.services import stop
from fulfillment.services.printing import record_printed
from orders.models import Cancellation, Order, Refund, ReturnCase, UnknownParcel
from orders.services import returns, unknown_parcels
from orders.services.cancel import cancel_orders
from orders.services.journal import Actor
from tests.fulfillment.test_stop import instructed
from tests.orders.builders import make_line, make_location, make_shop, make_sku
from tests.orders.returns.test_returns import shipped

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_shop(capabilities={"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True})


def post(client, name, *args, **data):
    answer = client.post(reverse(name, args=args), data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_person_cancels_pieces_then_the_rest_and_sees_what_became_of_it(client_of, aoi, shop):
    chair = make_sku(stock_units=3)
    order, shipment = instructed(shop, make_line("CHAIR", 3), skus=[chair])
    client, line = client_of(aoi), order.lines.get()
    page = client.get(reverse("orders:cancel", args=[order.pk])).content.decode()
    assert "出荷停止依頼" in page and "返金" in page
    form = {"reason": "customer", "asked_by": "customer", "refund": "on", "send_mail": "on"}
    shown = post(client, "orders:cancel", order.pk, **form, scope="pieces", key="a")
    assert "キャンセルする商品の数" in shown
    post(client, "orders:cancel", order.pk, **form, **{f"line-{line.pk}": 1}, scope="pieces", key="a")
    assert Cancellation.objects.get().state == "waiting"
    assert "返事待ち" in client.get(reverse("fulfillment:order-panel", args=[order.pk])).content.decode()
    assert "止めた" in client.get(reverse("fulfillment:stops")).content.decode()
    post(client, "fulfillment:stop-done", shipment.pk)
    post(client, "orders:cancel", order.pk, **form, scope="whole", key="b")
    order.refresh_from_db()
    assert order.stage == "cancelled" and Refund.objects.count() == 2
    assert "引当を戻しました" in client.get(reverse("orders:detail", args=[order.pk])).content.decode()


def test_the_warehouse_answers_too_late_with_a_number(client_of, aoi, shop):
    order, shipment = instructed(shop, skus=[make_sku(stock_units=1)], printed=False)
    record_printed([shipment.pk], "pick_printed", by=None)
    client = client_of(aoi)
    post(client, "fulfillment:ask-change", order.pk, note="住所変更")
    assert "送り状番号を入力" in post(client, "fulfillment:stop-too-late", shipment.pk, carrier="yamato")
    post(client, "fulfillment:stop-too-late", shipment.pk, carrier="yamato", tracking_no="471203984414")
    order.refresh_from_db()
    assert order.stage == "shipped"
    post(client, "fulfillment:reopen", shipment.pk)
    order.refresh_from_db()
    assert order.stage == "in_fulfillment"
    assert client.get(reverse("fulfillment:race", args=[order.pk])).status_code == 200
    assert client.get(reverse("fulfillment:shipment", args=[shipment.pk])).status_code == 200


def test_a_return_is_walked_from_the_order_to_the_end(client_of, aoi, shop):
    chair, warehouse = make_sku(stock_units=2), make_location()
    order = shipped(shop, make_line("CHAIR", 2), skus=[chair])
    client, line = client_of(aoi), order.lines.get()
    assert "返品・交換を受け付ける" in client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    post(client, "orders:return-open", order.pk, **{f"piece-{line.pk}": 1}, reason="defective", kind="return", key="a")
    case = ReturnCase.objects.get()
    post(client, "orders:return-approve", case.pk, answer="着払いで送ってください")
    post(client, "orders:return-receive", case.pk, **{f"piece-{case.lines.get().pk}": 1})
    post(client, "orders:return-inspect", case.pk, **{f"grade-{chair.pk}-good": 1}, location=warehouse.pk)
    post(client, "orders:return-settle", case.pk, **{f"piece-{line.pk}": 1})
    assert "1,000" in post(client, "orders:return-close", case.pk)
    assert ReturnCase.objects.get().state == "closed" and Refund.objects.get().amount == 1000
    assert case.number in client.get(reverse("orders:returns") + "?tab=over").content.decode()
    assert case.number in client.get(reverse("orders:detail", args=[order.pk])).content.decode()


def test_an_exchange_and_an_unknown_parcel_by_hand(client_of, aoi, shop):
    order = shipped(shop, make_line("CHAIR", 2), skus=[make_sku(stock_units=4)])
    client, line = client_of(aoi), order.lines.get()
    post(
        client, "orders:return-open", order.pk, **{f"piece-{line.pk}": 1}, reason="defective", kind="exchange", key="a"
    )
    case = ReturnCase.objects.get()
    sent = {"sku-0": "CHAIR", "quantity-0": 1, "price-0": 1000, "ship_first": "on"}
    post(client, "orders:return-exchange", case.pk, **sent)
    assert Order.objects.filter(channel_order_no=f"{order.channel_order_no}-X{case.pk}").exists()
    assert "どれかを入れて" in post(client, "orders:unknown-parcel-note")
    post(client, "orders:unknown-parcel-note", phone="09012345678")
    parcel = UnknownParcel.objects.get()
    page = client.get(reverse("orders:unknown-parcel", args=[parcel.pk]) + f"?order={order.pk}").content.decode()
    assert order.channel_order_no in page
    pieces = {f"piece-{line.pk}": 1, "order": order.pk, "reason": "customer", "kind": "return", "key": "z"}
    post(client, "orders:unknown-parcel", parcel.pk, **pieces)
    assert ReturnCase.objects.order_by("pk").last().state == "received"
    assert client.get(reverse("orders:returns")).status_code == 200


RETURN_VERBS = ("approve", "reject", "exchange", "resend", "withdraw", "sent", "receive", "inspect", "settle", "close")


def doors(order, shipment) -> list[str]:
    """Every address that changes something, for an order, its shipment and a case."""
    case = returns.open_case(order.pk, {order.lines.get().pk: 1}, reason="customer", key="doors", actor=Actor())
    parcel = unknown_parcels.note(phone="09012345678", actor=Actor())
    named = [("orders:cancel", order), ("orders:decline-cancel", order), ("orders:return-open", order)]
    named += [(f"orders:return-{verb}", case) for verb in RETURN_VERBS]
    named += [("fulfillment:ask-change", order), ("fulfillment:stop-withdraw", order)]
    named += [(f"fulfillment:{name}", shipment) for name in STOP_VERBS]
    named += [("orders:unknown-parcel", parcel), ("orders:unknown-parcel-attach", parcel)]
    alone = [reverse("orders:unknown-parcel-note"), reverse("fulfillment:stop-policy")]
    return [reverse(name, args=[row.pk]) for name, row in named] + alone


STOP_VERBS = ("stop-done", "stop-too-late", "reopen", "parcel-returned")
READ_TOO = ("/cancel/", "/cancel/decline/", "/return/", "/stop/")


def test_a_person_who_may_only_look_and_a_stranger_change_nothing(client_of, ben, chie, shop):
    order = shipped(shop, skus=[make_sku(stock_units=1)])
    looker, stranger = client_of(ben), client_of(chie)
    assert looker.get(reverse("orders:returns")).status_code == 200
    assert looker.get(reverse("fulfillment:stops")).status_code == 200
    addresses = doors(order, Shipment.objects.get())
    for address in addresses:
        assert looker.post(address).status_code == 403, address
        assert stranger.post(address).status_code == 403, address
    case = ReturnCase.objects.get()
    for address in (reverse("orders:returns"), reverse("orders:return", args=[case.pk]), reverse("fulfillment:stops")):
        assert stranger.get(address).status_code == 403, address
    assert case.state == "requested" and case.events.count() == 1


def test_a_verb_is_only_posted(client_of, aoi, shop):
    order = shipped(shop, skus=[make_sku(stock_units=1)])
    client = client_of(aoi)
    addresses = doors(order, Shipment.objects.get())
    parcel = UnknownParcel.objects.get()
    written_by_hand = {reverse("orders:unknown-parcel", args=[parcel.pk]), reverse("orders:unknown-parcel-note")}
    for address in addresses:
        if not address.endswith(READ_TOO) and address not in written_by_hand:
            assert client.get(address).status_code == 405, address


def queries_of(client, address) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_the_list_of_returns_costs_the_same_for_any_number_of_rows(client_of, aoi, shop):
    chair, client, address = make_sku(stock_units=20), client_of(aoi), reverse("orders:returns")
    make_a_case(shop, chair)
    few = queries_of(client, address)
    for _n in range(5):
        make_a_case(shop, chair)
    assert queries_of(client, address) == few <= 20


def make_a_case(shop, chair) -> None:
    """A case to list, one whose exchange is overdue, and a parcel nobody announced."""
    order = shipped(shop, make_line("CHAIR", 2), skus=[chair])
    line = order.lines.get().pk
    returns.open_case(order.pk, {line: 1}, reason="customer", key=f"a{order.pk}", actor=Actor())
    late = returns.open_case(order.pk, {line: 1}, reason="customer", key=f"b{order.pk}", actor=Actor())
    ReturnCase.objects.filter(pk=late.pk).update(ship_first=True, state="approved", approved_at=order.ordered_at)
    unknown_parcels.note(phone="09012345678", actor=Actor())


def test_the_warehouses_list_of_stops_costs_the_same_for_any_number_of_rows(client_of, aoi, shop):
    chair, client, address = make_sku(stock_units=20), client_of(aoi), reverse("fulfillment:stops")
    wait_for_a_stop(shop, chair)
    few = queries_of(client, address)
    for _n in range(4):
        wait_for_a_stop(shop, chair)
    assert queries_of(client, address) == few <= 20


def wait_for_a_stop(shop, chair) -> None:
    """One parcel that waits for an answer, one that was answered."""
    for answered in (False, True):
        order, shipment = instructed(shop, skus=[chair])
        cancel_orders([order.pk], reason="顧客都合", actor=Actor())
        if answered:
            stop.stopped(shipment.pk, actor=Actor())


def test_what_cannot_be_is_said_in_words_and_nothing_breaks(client_of, aoi, shop):
    order = shipped(shop, skus=[make_sku(stock_units=1)])
    client, line = client_of(aoi), order.lines.get()
    assert "数を入れて" in post(client, "orders:return-open", order.pk, reason="customer", kind="return", key="a")
    post(client, "orders:return-open", order.pk, **{f"piece-{line.pk}": 1}, reason="customer", kind="return", key="a")
    case = ReturnCase.objects.get()
    assert "お断りする理由" in post(client, "orders:return-reject", case.pk, answer="")
    assert "画面を開き直して" in post(client, "orders:return-close", case.pk)
    assert "商品にありません" in post(client, "orders:return-exchange", case.pk, **{"sku-0": "NONE", "quantity-0": 1})
    assert "停止依頼がありません" in post(client, "fulfillment:stop-done", Shipment.objects.get().pk)
    assert client.get(reverse("orders:returns") + "?tab=nonsense&q=%25R0").status_code == 200
    assert client.get(reverse("orders:return", args=[999_999])).status_code == 404


def test_an_unannounced_parcel_is_given_to_the_case_that_waits_for_it(client_of, aoi, shop):
    order = shipped(shop, skus=[make_sku(stock_units=1)])
    case = returns.open_case(order.pk, {order.lines.get().pk: 1}, reason="customer", key="k", actor=Actor())
    parcel = unknown_parcels.note(phone="09012345678", actor=Actor())
    client = client_of(aoi)
    address = reverse("orders:unknown-parcel", args=[parcel.pk]) + f"?order={order.pk}"
    assert case.number not in client.get(address).content.decode(), "it has not been approved"
    assert "荷物を待っていません" in post(client, "orders:unknown-parcel-attach", parcel.pk, case=case.pk)
    returns.approve(case.pk, actor=Actor())
    assert case.number in client.get(address).content.decode()
    for _again in range(2):
        assert "到着した数を登録" in post(client, "orders:unknown-parcel-attach", parcel.pk, case=case.pk)
    assert case.events.filter(kind="parcel_found").count() == 1
    assert UnknownParcel.objects.get().case == case and ReturnCase.objects.get().state == "approved"


def test_numbers_beside_a_whole_cancellation_are_asked_about(client_of, aoi, shop):
    order, _shipment = instructed(shop, make_line("CHAIR", 3), skus=[make_sku(stock_units=3)])
    form = {"reason": "customer", "asked_by": "customer", "scope": "whole", "key": "a"}
    line = order.lines.get()
    shown = post(client_of(aoi), "orders:cancel", order.pk, **form, **{f"line-{line.pk}": 1})
    assert "商品と数を選ぶ" in shown and not Cancellation.objects.exists()
