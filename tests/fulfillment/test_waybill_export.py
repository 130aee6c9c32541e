"""送り状データ出力 from the list to the file: what goes, what is held back, what is on record."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fulfillment.models import Shipment, ShipmentEvent, WaybillEvent, WaybillExport, WaybillFile, WaybillSetting
from fulfillment.queries.waybills import prepared
from fulfillment.services import waybills
from oms.kernel import clock
from oms.kernel.roles import BY_PIN, RUN_STORE
from orders.channel_order import PaymentMethod, PaymentState
from orders.models import PersonalView, Recipient
from tests.conftest import person
from tests.fulfillment.waybill_builders import instructed, make_place, set_contracts

pytestmark = pytest.mark.django_db


def chosen(client, shipments) -> WaybillExport:
    answer = client.post(reverse("fulfillment:waybill-choose"), {"ids": [one.pk for one in shipments]})
    assert answer.status_code == 302
    return WaybillExport.objects.order_by("created_at").last()


def written(client, export, **asked):
    client.post(reverse("fulfillment:waybill-write", args=[export.pk]), asked)
    export.refresh_from_db()
    return export


def rows_of(client, export, number: int = 1) -> list[list[str]]:
    answer = client.get(reverse("fulfillment:waybill-file", args=[export.pk, number]))
    assert answer.status_code == 200 and "attachment" in answer["Content-Disposition"]
    text = answer.content.decode("cp932")
    assert text.endswith("\r\n")
    return [[cell.strip('"') for cell in line.split(",")] for line in text.splitlines()]


def test_chosen_parcels_become_a_file_and_are_marked(client_of, aoi):
    set_contracts()
    shipments, client = instructed(2), client_of(aoi)
    export = chosen(client, shipments)
    page = client.get(reverse("fulfillment:waybill", args=[export.pk]))
    assert page.context["fresh"] == 2 and page.context["held"] == []
    written(client, export)
    rows = rows_of(client, export)
    assert [row[0] for row in rows] == [one.number for one in shipments] and {len(row) for row in rows} == {95}
    assert rows[0][24] == "くらし道具店" and rows[0][22] == "東京都千代田区千代田1-1" and rows[0][19] == "03-1234-5678"
    assert Shipment.objects.filter(waybill_at__isnull=False).count() == 2
    event = ShipmentEvent.objects.get(shipment=shipments[0], kind="waybill_exported")
    assert event.by == aoi and event.text == export.files.get().name
    assert [one.kind for one in export.events.order_by("pk")] == ["written", "taken"]
    assert PersonalView.objects.filter(by=aoi, where="slip").count() == 2


def test_a_second_click_writes_nothing_more(client_of, aoi):
    set_contracts()
    client = client_of(aoi)
    export = chosen(client, instructed())
    written(client, export)
    written(client, export)
    assert WaybillFile.objects.count() == 1 and ShipmentEvent.objects.filter(kind="waybill_exported").count() == 1


def test_what_was_exported_before_is_asked_for_again(client_of, aoi):
    set_contracts()
    [first, second], client = instructed(2), client_of(aoi)
    written(client, chosen(client, [first]))
    export = chosen(client, [first, second])
    page = client.get(reverse("fulfillment:waybill", args=[export.pk]))
    assert (page.context["fresh"], page.context["again"]) == (1, 1) and "二重になる" in page.content.decode()
    assert written(client, export).written == 1 and export.files.get().shipment_ids == [second.pk]
    export = written(client, chosen(client, [first]), again="on")
    assert (export.written, export.again) == (1, 1)
    told = ShipmentEvent.objects.filter(shipment=first, kind="waybill_exported").order_by("pk").last()
    assert "再出力" in told.text


def test_what_cannot_be_printed_is_held_back_with_words_and_the_rest_goes(client_of, aoi):
    set_contracts()
    shipments, client = instructed(3), client_of(aoi)
    Recipient.objects.filter(pk=shipments[0].recipient_id).update(name="佐藤 ✨")
    Recipient.objects.filter(pk=shipments[1].recipient_id).update(phone="")
    export = chosen(client, shipments)
    page = client.get(reverse("fulfillment:waybill", args=[export.pk])).content.decode()
    assert "✨" in page and "届け先の電話番号がありません" in page
    assert written(client, export).written == 1 and export.held == 2
    assert [row[0] for row in rows_of(client, export)] == [shipments[2].number]


def test_without_a_contract_the_page_leads_to_the_settings_and_nothing_is_written(client_of, aoi):
    [shipment], client = instructed(), client_of(aoi)
    export = chosen(client, [shipment])
    page = client.get(reverse("fulfillment:waybill", args=[export.pk])).content.decode()
    url = reverse("fulfillment:waybill-contract-place", args=["yamato", shipment.location_id])
    assert url in page and "設定がありません" in page
    assert written(client, export).state == "draft" and not WaybillFile.objects.exists()


def test_each_place_and_layout_has_a_file_of_its_own(client_of, aoi):
    set_contracts()
    place = make_place("W2", name="大阪倉庫")
    WaybillSetting.objects.create(
        location=place, carrier="yamato",
        values={"layout": "b2_42", "item": "雑貨", "customer_code": "0699999999", "freight_no": "02"},
    )  # fmt: skip
    first, second, third, fourth = instructed(4)
    Shipment.objects.filter(pk=second.pk).update(location=place)
    Shipment.objects.filter(pk=third.pk).update(carrier="sagawa")
    Shipment.objects.filter(pk=fourth.pk).update(carrier="japanpost")
    client = client_of(aoi)
    export = written(client, chosen(client, [first, second, third, fourth]))
    files = {one.layout: rows_of(client, export, one.position) for one in export.files.all()}
    assert {code: len(rows[-1]) for code, rows in files.items()} == {
        "b2_95": 95, "b2_42": 42, "ehiden3": 74, "yupuri": 72
    }  # fmt: skip
    assert files["b2_42"][0][39:42] == ["0699999999", "", "02"]
    assert files["ehiden3"][0][61] == "お問い合せ送り状No." and files["ehiden3"][1][9] == third.number


def test_cash_at_the_door_and_its_tax_stand_on_the_label(client_of, aoi):
    set_contracts()
    client = client_of(aoi)
    paid = {"payment_method": PaymentMethod.COD, "payment_state": PaymentState.UNPAID}
    export = written(client, chosen(client, instructed(**paid)))
    row = rows_of(client, export)[0]
    assert (row[1], row[33], row[34]) == ("2", "1500", "136")


def test_only_who_had_the_file_written_may_take_it_and_only_for_some_days(client_of, aoi, person_with):
    set_contracts()
    client, other = client_of(aoi), client_of(person_with("warehouse"))
    export = written(client, chosen(client, instructed()))
    url = reverse("fulfillment:waybill-file", args=[export.pk, 1])
    assert other.get(url).status_code == 404
    log = other.get(reverse("fulfillment:waybills")).content.decode()
    assert "青井 あおい" in log and reverse("fulfillment:waybill", args=[export.pk]) not in log
    WaybillExport.objects.update(created_at=clock.now() - waybills.KEPT - timedelta(hours=1))
    assert waybills.forget() == 1 and waybills.forget() == 0
    assert client.get(url).status_code == 302 and WaybillEvent.objects.filter(kind="removed").count() == 1
    assert bytes(WaybillFile.objects.get().data or b"") == b""


def test_names_do_not_lie_open_in_the_table(client_of, aoi):
    set_contracts()
    client = client_of(aoi)
    written(client, chosen(client, instructed()))
    assert "佐藤".encode("cp932") not in bytes(WaybillFile.objects.get().data)


def test_the_right_is_asked_for_at_every_step(client_of, ben, person_with, aoi):
    set_contracts()
    [shipment] = instructed()
    export = waybills.draft([shipment.pk], by=ben)
    asked = [
        ("waybill-choose", []), ("waybill-choose-orders", []), ("waybill-write", [export.pk]),
        ("waybill-again", [export.pk]),
    ]  # fmt: skip
    for name, args in asked:
        assert client_of(ben).post(reverse(f"fulfillment:{name}", args=args)).status_code == 403, name
        assert client_of(aoi).get(reverse(f"fulfillment:{name}", args=args)).status_code == 405, name
    for name, args in [("waybills", []), ("waybill", [export.pk]), ("waybill-file", [export.pk, 1])]:
        assert client_of(ben).get(reverse(f"fulfillment:{name}", args=args)).status_code == 403, name
    assert client_of(person_with("warehouse")).get(reverse("fulfillment:waybills")).status_code == 200


def test_people_of_one_place_export_its_parcels_alone(client_of, aoi):
    set_contracts()
    other = make_place("W2", name="大阪倉庫")
    mine, others = instructed(2)
    Shipment.objects.filter(pk=others.pk).update(location=other)
    packer = person("kai", "かい", role="warehouse")
    packer.place_ids = [mine.location_id]
    packer.save(update_fields=["place_ids"])
    client = client_of(packer)
    export = chosen(client, [mine, others])
    assert export.shipment_ids == [mine.pk]
    assert written(client, export).written == 1
    Shipment.objects.filter(pk=mine.pk).update(location=other)
    assert client.get(reverse("fulfillment:waybill-file", args=[export.pk, 1])).status_code == 404


def test_orders_chosen_on_the_desk_bring_their_parcels(client_of, aoi):
    set_contracts()
    shipments, client = instructed(2), client_of(aoi)
    orders = [one.recipient.order_id for one in shipments]
    page = client.get(reverse("orders:list")).content.decode()
    assert reverse("fulfillment:waybill-choose-orders") in page and "送り状データ出力" in page
    client.post(reverse("fulfillment:waybill-choose-orders"), {"ids": orders})
    assert WaybillExport.objects.get().shipment_ids == [one.pk for one in shipments]
    Shipment.objects.filter(pk=shipments[0].pk).update(state="planned")
    answer = client.post(reverse("fulfillment:waybill-choose-orders"), {"ids": orders}, follow=True)
    assert "1件の受注には、出荷指示済みの荷物がありません" in answer.content.decode()
    Shipment.objects.update(state="planned")
    answer = client.post(reverse("fulfillment:waybill-choose-orders"), {"ids": orders}, follow=True)
    assert "出荷指示済みの荷物がありません" in answer.content.decode()


def test_a_thousand_parcels_take_the_queries_of_one(client_of, aoi):
    set_contracts()
    few = [one.pk for one in instructed(2)]
    many = few + [one.pk for one in instructed(60)]
    with CaptureQueriesContext(connection) as small:
        prepared(few)
    with CaptureQueriesContext(connection) as large:
        assert len(prepared(many).ready) == 62
    assert len(small) == len(large) <= 8


def test_lists_and_batches_offer_it_and_say_what_was_exported(client_of, aoi, ben):
    set_contracts()
    [first, second], client = instructed(2), client_of(aoi)
    url = reverse("fulfillment:waybill-choose")
    batch = reverse("fulfillment:batch", args=[first.batch_id])
    for page in (batch, reverse("fulfillment:list")):
        assert url in client.get(page).content.decode() and url not in client_of(ben).get(page).content.decode()
    written(client, chosen(client, [first]))
    for value, expected in (("yes", [first]), ("no", [second])):
        rows = client.get(reverse("fulfillment:list"), {"waybill": value}).context["rows"]
        assert [row.shipment for row in rows] == expected
    assert "送り状データ 出力済み" in client.get(batch).content.decode()


def test_everything_that_matches_on_the_list_may_be_chosen(client_of, aoi):
    set_contracts()
    [first, second], client = instructed(2), client_of(aoi)
    Shipment.objects.filter(pk=first.pk).update(waybill_at=clock.now())
    url = reverse("fulfillment:waybill-choose")
    client.post(url, {"all_matching": "1", "query": "tab=instructed&waybill=no"})
    assert WaybillExport.objects.get().shipment_ids == [second.pk]
    assert client.post(url, {}, follow=True).redirect_chain[-1][0] == reverse("fulfillment:list")


def test_choices_that_nobody_wrote_are_forgotten(aoi):
    old, fresh = (waybills.draft([1], by=aoi) for _n in range(2))
    WaybillExport.objects.filter(pk=old.pk).update(created_at=clock.now() - waybills.FORGOTTEN - timedelta(hours=1))
    waybills.forget()
    assert list(WaybillExport.objects.all()) == [fresh]


def test_by_pin_nobody_takes_addresses_along():
    assert "fulfillment.export_waybill" in RUN_STORE - BY_PIN


@pytest.mark.django_db(transaction=True)
def test_clicks_at_the_same_moment_write_one_file(race, aoi):
    set_contracts()
    export = waybills.draft([one.pk for one in instructed(2)], by=aoi)
    done = race(4, lambda: waybills.write(export, sort="due", again=True, by=aoi).begun)
    assert sorted(done) == [False, False, False, True]
    assert WaybillFile.objects.count() == 1 and ShipmentEvent.objects.filter(kind="waybill_exported").count() == 2
