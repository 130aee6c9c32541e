"""What nobody types but anybody can send: every answer is a sentence, never an error page of ours."""

import io
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from channels.services import mapping_csv
from fulfillment.models import Shipment
from oms.kernel.csv_text import csv_line
from oms.kernel.typed import row_id, row_ids
from orders.decide import bank_formats
from orders.models import BankLine, Order, PaymentEntry, RuleList
from orders.services import moving_in
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku
from tests.orders.payments.builders import unpaid
from tests.orders.rules.builders import do, make_rule

pytestmark = pytest.mark.django_db

HUGE = "9" * 5000
BEYOND = "9" * 30
LONG_CELL = "あ" * 200_000


@pytest.fixture
def client(client_of, aoi) -> Client:
    return client_of(aoi)


def test_what_no_column_holds_is_no_id():
    assert row_ids(["7", "", "x", "²", "-1", BEYOND, HUGE, "８"]) == [7, 8]
    assert row_id(BEYOND) is None


@pytest.mark.parametrize("typed", [BEYOND, HUGE, "²", "x"])
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("orders:bulk-choose", "ids"),
        ("orders:export-choose", "ids"),
        ("orders:inbox-choose", "reason_row"),
        ("orders:mails-approve", "mail"),
        ("orders:match-sure", "line"),
        ("orders:papers-zip", "ids"),
        ("fulfillment:ship-confirm", "ids"),
        ("pages:outbox-retry", "ids"),
        ("channels:proposal-accept", "ids"),
    ],
)
def test_an_id_that_no_row_can_have_is_as_none(client, name, field, typed):
    answer = client.post(reverse(name), {field: typed, "action": "accept"})
    assert answer.status_code in {200, 302, 404}


@pytest.mark.parametrize("typed", [BEYOND, HUGE, "²"])
def test_numbers_in_addresses_may_be_anything(client, typed):
    rule = make_rule("高額", then=do("add_tag", tag="A"))
    for path, query in (
        ("/fulfillment/", {"batch": typed}),
        ("/orders/reasons/", {"days": typed}),
        (reverse("orders:rule-dry", args=[rule.pk]), {"days": typed}),
        (reverse("orders:rule-test", args=[rule.pk]), {"no": typed}),
        ("/orders/rules/new/", {"order": typed, "reason": "gift_wrap"}),
        ("/orders/", {"shop": typed, "total_min": typed}),
        ("/orders/inbox/", {"after": typed, "at": typed}),
    ):
        assert client.get(path, query).status_code == 200, path


def test_a_nul_character_is_refused_wherever_it_hides(client):
    assert client.get("/orders/", {"q": "a\0b"}).status_code == 400
    assert client.get("/outbox/", {"state": "failed", "kind": "\0"}).status_code == 400
    assert client.get("/orders/%00/").status_code in {400, 404}
    assert client.post("/language/", {"language": "ja", "next": "\0"}).status_code == 400
    carried = {"all_matching": "1", "query": "state=failed&kind=%00"}
    assert client.post(reverse("pages:outbox-retry"), carried).status_code == 400
    assert "読み取れない要求です" in client.get("/orders/", {"q": "\0"}).content.decode()


@pytest.mark.parametrize("place", ["x", "//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:1"])
def test_a_login_leads_to_pages_of_this_site_only(aoi, place):
    answer = Client().post("/login/", {"username": "aoi", "password": "himitsu-no-kotoba", "next": place})
    assert answer.status_code == 302 and answer["Location"] == "/"
    assert Client().post("/language/", {"language": "en", "next": place})["Location"] == "/"


def test_a_money_form_sent_twice_enters_its_money_once(client):
    order = unpaid()
    form = client.get(reverse("orders:payment-record", args=[order.pk])).context["form"]
    data = {"amount": 100, "on": form["on"].value(), "note": "", "key": form["key"].value()}
    first, second = (
        client.post(reverse("orders:payment-record", args=[order.pk]), data, follow=True).content.decode()
        for _click in range(2)
    )
    order.refresh_from_db()
    assert order.paid_amount == 100 and PaymentEntry.objects.count() == 1
    assert "入金を登録しました。" in first and "入金を登録しました。" in second


# ---- files


@pytest.mark.parametrize(
    "content",
    [
        f"日付,入金金額,振込依頼人名\n2026/11/20,100,{LONG_CELL}\n".encode(),
        "日付,入金金額,振込依頼人名\n2026/11/20,100,\0\n".encode(),
        f"日付,入金金額,振込依頼人名\n2026/11/20,{HUGE},ヤマダ\n".encode(),
        "日付,入金金額,振込依頼人名\n2026/11/20,99999999999,ヤマダ\n".encode(),
        f"2026/11/20 {HUGE} ヤマダ".encode(),
        b"PK\x03\x04\x00\x00binary\xff\xfe",
    ],
)
def test_a_bank_file_that_cannot_be_is_told_and_stores_nothing(client, content):
    answer = client.post(reverse("orders:bank-load"), {"file": SimpleUploadedFile("bank.csv", content)})
    assert answer.status_code == 200 and not BankLine.objects.exists()
    assert "ください" in answer.content.decode()


def test_a_long_number_beside_an_amount_is_no_amount():
    (line,) = bank_formats.read_pasted(f"2026/11/20 1,500 ヤマダ {BEYOND}", today=unpaid().ordered_at.date())
    assert line.amount == 1500 and BEYOND in line.payer


@pytest.mark.parametrize(
    "content",
    [
        "名前\nあ\0い".encode("utf-16"),
        "名前\nあ".encode("utf-16")[:-1],
        b"\xff\xfe\x00\xd8a\x00",
        b"\x81",
    ],
)
def test_a_file_to_move_in_that_cannot_be_is_told(aoi, content):
    with pytest.raises(moving_in.Unusable, match="ください"):
        moving_in.read(io.BytesIO(content), name="old.csv", kind="products", by=aoi)


def test_a_cell_beyond_all_measure_costs_its_own_line(aoi):
    file = io.BytesIO(f"商品コード,商品名\n{LONG_CELL},机\nA-1,椅子\n".encode())
    move = moving_in.read(file, name="old.csv", kind="products", by=aoi)
    endless, chair = moving_in.sample(move)
    assert "長すぎる" in endless.fault and len(endless.cells[0]) == 2_000
    assert (chair.cells, chair.fault) == (["A-1", "椅子"], "")


def test_a_file_of_one_endless_line_is_given_up_at_once(aoi):
    began = time.process_time()
    with pytest.raises(moving_in.Unusable, match="長すぎる行"):
        moving_in.read(io.BytesIO(b"a" * 60_000_000), name="old.csv", kind="products", by=aoi)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "content", [LONG_CELL.encode(), "赤\0".encode(), b"\x81", b"PK\x03\x04\x00\xff", b"x" * 5_000_001]
)
def test_a_list_of_a_rule_that_cannot_be_is_told(client, content):
    data = {"name": "色", "values": "", "file": SimpleUploadedFile("list.csv", content)}
    answer = client.post(reverse("orders:rule-lists"), data)
    assert answer.status_code == 200 and "ください" in answer.content.decode()
    assert not RuleList.objects.exists()


@pytest.mark.parametrize("units", [HUGE, "²", "0", "1000"])
def test_units_of_a_mapping_that_cannot_be_are_told(units):
    rows, errors = mapping_csv.read(f"shop,channel_sku,sku,units\nrakuten-1,A,B,{units}\n")
    assert not rows and "1から999" in errors[0][1]


def test_many_lines_of_the_same_codes_are_read_in_one_go():
    codes = [f"rakuten-1,A{number},B" for number in range(20_000)]
    began = time.process_time()
    rows, errors = mapping_csv.read("\n".join(["shop,channel_sku,sku", *codes, *codes]))
    assert len(rows) == 20_000 and not errors and time.process_time() - began < 4


@pytest.mark.parametrize("code", ["-2+3", "'A", "=1+1", "＝1+1", "@x", "A"])
def test_a_mapping_written_and_read_again_is_the_same_and_no_formula(code):
    line = mapping_csv._line([code], "utf-8").decode().strip()
    assert line[0].strip('"') not in set("=-@＝")
    (row,), _errors = mapping_csv.read(f"shop,channel_sku,sku\nrakuten-1,{line},B\n")
    assert row.channel_sku == code


def test_a_rules_dry_run_takes_no_formula_out_of_a_mall(client):
    from orders.services.intake import take_in  # noqa: PLC0415 - only here

    take_in(make_shop(), [make_channel_order(make_line(), number="=HYPERLINK(1)")], sku_of={})
    rule = make_rule("すべて", then=do("add_tag", tag="A"))
    Order.objects.update(tags=[])
    sheet = client.get(reverse("orders:rule-dry-csv", args=[rule.pk])).content.decode("utf-8-sig")
    assert ",=HYPERLINK" not in sheet and "'=HYPERLINK(1)" in sheet
    assert csv_line(["＝1", "-1", -1]) == "'＝1,'-1,-1\r\n"


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
@pytest.mark.parametrize(
    "name",
    ["orders:exports", "orders:privacy-report", "orders:history", "orders:personal-views", "pages:setting-changes"],
)
def test_the_first_and_the_last_day_of_the_calendar_are_no_days_of_a_business(client, name, day):
    assert client.get(reverse(name), {"since": day, "until": day}).status_code == 200


@pytest.mark.parametrize("typed", [BEYOND, HUGE, "²"])
def test_pieces_to_split_off_may_be_anything(client, typed):
    order = placed()
    parcel = Shipment.objects.get()
    url = reverse("fulfillment:split-off", args=[order.pk, parcel.pk])
    line = order.lines.get().pk
    assert client.post(url, {f"pieces_{line}": typed}).status_code == 302
    assert client.post(url, {f"pieces_{typed}": "1"}).status_code in {302, 400}
    assert Shipment.objects.count() == 1


def placed() -> Order:
    """Placed, before the instruction."""
    return ready(make_shop(), make_line("CHAIR", 3), skus=[make_sku("CHAIR", stock_units=3)])
