"""The way back: the carriers' files of issued labels, read, shown, and taken in."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from fulfillment.models import Shipment, ShipmentEvent
from fulfillment.queries.waybills import prepared
from fulfillment.waybills.cells import file_of
from fulfillment.waybills.layouts import LAYOUTS
from fulfillment.waybills.returned import Unreadable, read_any, read_returned
from orders.models import Order
from tests.fulfillment.waybill_builders import YAMATO, contract, instructed, parcel, set_contracts


def tracking(serial: int) -> str:
    return f"{serial:011d}{serial % 7}"


def b2(*rows: tuple[str, str, str]) -> str:
    """(own number, type, label number) as B2 saves them: the import's columns again."""
    [row] = LAYOUTS["b2_95"].make(parcel(), contract(YAMATO)).rows
    lines = []
    for own, kind, number in rows:
        line = list(row)
        line[0], line[1], line[3] = own, kind, number
        lines.append(line)
    return file_of(lines).decode("cp932")


def test_issued_labels_of_b2_are_read_by_their_columns_with_or_without_a_header():
    text = b2(("S0000012", "0", tracking(1)), ("S0000013", "6", tracking(2)), ("S0000013", "6", tracking(3)))
    header = ",".join(column.name for column in LAYOUTS["b2_95"].columns) + "\r\n"
    for told in (text, header + text):
        read = read_returned(told)
        assert read and read.source == "yamato" and set(read.lines) == {12, 13}
        assert read.lines[12].numbers == (tracking(1),) and not read.lines[12].joined
        assert read.lines[13].numbers == (tracking(2), tracking(3)) and read.lines[13].joined


def test_shipped_data_of_ehiden_is_read_by_the_names_of_its_columns():
    text = (
        "お問い合せ送り状No.,出荷日,お届け先名称１,お客様管理番号\r\n" + f"{tracking(5)},20261201,佐藤 恵,S0000014\r\n"
    )
    read = read_any(text.encode("cp932"))
    assert read.source == "sagawa" and read.lines[14].tracking_no == tracking(5)


@pytest.mark.parametrize(
    "text",
    [
        f"お客様側管理番号,お問い合わせ番号,発送日\r\nS0000015,{tracking(6)},20261201\r\n",
        f"お問い合わせ番号,摘要/記事\r\n{tracking(6)},S0000015 R-0001\r\n",
    ],
)
def test_the_history_of_yupuri_is_read_by_own_number_or_remark(text):
    for content in (text.encode("cp932"), text.encode("utf-8-sig"), text.encode()):
        read = read_any(content)
        assert read.source == "japanpost" and read.lines[15].tracking_no == tracking(6)


def test_lines_that_are_not_ours_are_told_without_their_address():
    text = b2(
        ("手書き", "0", tracking(1)), ("", "0", tracking(2)), ("S0000012", "0", ""), ("S0000013", "0", tracking(3))
    )
    read = read_returned(text)
    assert set(read.lines) == {13} and len(read.unreadable) == 3
    assert "佐藤" not in "".join(read.unreadable) and "手書き" in read.unreadable[0]


def test_pasted_lines_are_still_read_and_other_bytes_are_refused():
    assert read_any("S0000012,471203984414").lines[12].tracking_no == "471203984414"
    assert read_any("S0000012,471203984414").source == ""
    with pytest.raises(Unreadable):
        read_any(b"\x81\x00\xff\xfe\x80")


# ---- on the page


def upload(client, text: str | bytes, **fields):
    content = text if isinstance(text, bytes) else text.encode("cp932")
    return client.post(reverse("fulfillment:ship-paste"), {"file": SimpleUploadedFile("issued.csv", content), **fields})


def posted(context) -> dict[str, object]:
    """What the form that is shown would send."""
    data: dict[str, object] = {"ids": [typed.shipment_id for _row, typed in context["rows"]]}
    for _row, typed in context["rows"]:
        data |= {
            f"carrier-{typed.shipment_id}": typed.carrier,
            f"tracking-{typed.shipment_id}": typed.tracking_no,
            f"more-{typed.shipment_id}": typed.more_text,
        }
    return data


@pytest.mark.django_db
def test_a_file_is_reported_on_before_anything_is_written(client_of, aoi):
    one, pieces, again, wrong, other, gone = instructed(6)
    Shipment.objects.filter(pk=other.pk).update(carrier="sagawa")
    Shipment.objects.filter(pk=gone.pk).update(state="shipped", tracking_no=tracking(6))
    answer = upload(
        client_of(aoi),
        b2(
            (one.number, "0", tracking(1)),
            (pieces.number, "6", tracking(2)),
            (pieces.number, "6", tracking(3)),
            (again.number, "0", tracking(4)),
            (again.number, "0", tracking(5)),
            (wrong.number, "0", tracking(7)[:-1] + str((7 + 1) % 7)),
            (other.number, "0", tracking(8)),
            (gone.number, "0", tracking(9)),
            ("S9999999", "0", tracking(10)),
        ),
    )
    report = answer.context["report"]
    assert (report.matched, report.source_label) == (5, "B2クラウド")
    assert (report.several, report.reissued) == ([pieces.number], [again.number])
    assert (report.wrong_digit, report.other_carrier) == ([wrong.number], [other.number])
    assert (report.shipped, report.elsewhere, report.unknown) == ([gone.number], [gone.number], ["S9999999"])
    rows = {typed.shipment_id: typed for _row, typed in answer.context["rows"]}
    assert rows[again.pk].tracking_no == tracking(5) and rows[pieces.pk].more == (tracking(3),)
    assert "ファイルはヤマト運輸、出荷伝票は佐川急便です。" in answer.content.decode()
    assert not Shipment.objects.exclude(pk=gone.pk).exclude(tracking_no="").exists()


@pytest.mark.django_db
def test_numbers_are_taken_in_once_and_ship_later(client_of, aoi):
    first, second = instructed(2)
    text = b2((first.number, "0", tracking(1)), (second.number, "6", tracking(2)), (second.number, "6", tracking(3)))
    client = client_of(aoi)
    for _again in range(2):
        client.post(reverse("fulfillment:ship-numbers"), posted(upload(client, text).context))
    second.refresh_from_db()
    assert (second.state, second.tracking_no, second.more_tracking_nos) == ("instructed", tracking(2), [tracking(3)])
    assert ShipmentEvent.objects.filter(kind="numbered").count() == 2
    order = Order.objects.get(pk=second.recipient.order_id)
    assert order.tracking_label == tracking(2) and tracking(3) in order.search
    client.post(reverse("fulfillment:ship-confirm"), posted(upload(client, text).context))
    assert set(Shipment.objects.values_list("state", flat=True)) == {"shipped"}
    report = upload(client, text).context["report"]
    assert (report.matched, len(report.shipped), report.elsewhere) == (0, 2, [])
    client.post(reverse("fulfillment:ship-confirm"), posted(upload(client, text).context))
    assert ShipmentEvent.objects.filter(kind="shipped").count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("carrier", ["yamato", "sagawa", "japanpost"])
def test_what_was_exported_comes_back_to_the_same_parcels(client_of, aoi, carrier):
    set_contracts()
    shipments = instructed(3)
    Shipment.objects.update(carrier=carrier)
    made = prepared([one.pk for one in shipments]).ready
    columns = made[0].layout.columns
    names = [column.name for column in columns]
    rows = [list(row) for one in made for row in one.made.rows]
    number = {"yamato": "伝票番号", "sagawa": "お問い合せ送り状No."}.get(carrier)
    for serial, row in enumerate(rows, start=1):
        if number:
            row[names.index(number)] = tracking(serial)
        else:
            row.append(tracking(serial))
    header = names if number else [*names, "お問い合わせ番号"]
    answer = upload(client_of(aoi), file_of([header, *rows]))
    assert answer.context["report"].matched == 3 and answer.context["report"].source == carrier
    found = {typed.shipment_id: typed.tracking_no for _row, typed in answer.context["rows"]}
    assert found == {one.pk: tracking(serial) for serial, one in enumerate(shipments, start=1)}


@pytest.mark.django_db
def test_numbers_are_refused_without_the_right_and_for_other_places(client_of, ben, aoi, person_with):
    [shipment] = instructed()
    data = {"ids": [shipment.pk], f"carrier-{shipment.pk}": "yamato", f"tracking-{shipment.pk}": tracking(1)}
    url = reverse("fulfillment:ship-numbers")
    assert client_of(ben).post(url, data).status_code == 403 and client_of(aoi).get(url).status_code == 405
    packer = person_with("warehouse")
    packer.place_ids = [shipment.location_id + 1000]
    packer.save(update_fields=["place_ids"])
    client_of(packer).post(url, data)
    shipment.refresh_from_db()
    assert shipment.tracking_no == ""


@pytest.mark.django_db
def test_a_file_that_cannot_be_read_says_so_and_keeps_what_was_typed(client_of, aoi):
    [shipment] = instructed()
    typed = {"ids": [shipment.pk], f"carrier-{shipment.pk}": "yamato", f"tracking-{shipment.pk}": tracking(1)}
    answer = upload(client_of(aoi), b"\x81\x00\xff\xfe\x80", **typed)
    assert "ファイルを読み取れません" in answer.content.decode() and tracking(1) in answer.content.decode()
    empty = client_of(aoi).post(reverse("fulfillment:ship-paste"), {"text": " "})
    assert "ファイルを選ぶか" in empty.content.decode()
