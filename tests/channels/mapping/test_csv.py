"""Mappings out and in as CSV: encodings, errors by line, a preview, applied whole and once."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from channels.models import CsvBatch, Listing, ListingEvent
from channels.services import mapping_csv
from inventory.models import PublisherMark
from orders.models import Order
from orders.services.intake import take_in
from tests.channels.builders import make_connection, make_listing
from tests.orders.builders import make_channel_order, make_line, make_sku

pytestmark = pytest.mark.django_db
HEAD = "店舗コード,在庫コード,モール商品コード,商品名,SKUコード,入数,連携方法,削除\r\n"


@pytest.fixture
def shop():
    return make_connection().shop


@pytest.fixture
def chair():
    return make_sku("CHAIR", stock_units=9)


def previewed(text, by, *, encoding="utf-8-sig", name="対応.csv"):
    return mapping_csv.preview((HEAD + text).encode(encoding), name=name, by=by)


def test_what_is_written_out_comes_back_in_without_a_change(shop, chair, aoi):
    make_listing(shop, "A", sku=chair, units=2, mode="fixed", name="=cmd 髙島屋の椅子")
    make_listing(shop, "B", name="+別の物")
    for encoding in ("utf-8", "cp932"):
        data = b"".join(mapping_csv.written(Listing.objects.all(), encoding=encoding))
        batch = mapping_csv.preview(data, name="a.csv", by=aoi)
        assert (batch.errors, batch.changes, len(batch.rows)) == ([], [], 2)
    assert data.startswith("店舗コード".encode("cp932")) and b"'=cmd" in data


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8-sig", "UTF-8"), ("utf-8", "UTF-8"), ("cp932", "Shift_JIS (CP932)")]
)
def test_the_encoding_is_told_apart(shop, chair, aoi, encoding, said):
    make_listing(shop, "椅子-A")
    batch = previewed("rakuten-1,椅子-A,椅子-A,椅子,CHAIR,2,,\r\n", aoi, encoding=encoding)
    assert (batch.encoding, batch.errors) == (said, [])
    assert batch.changes == [[2, "rakuten-1", "椅子-A", "未対応 · 通常", "CHAIR ×2 · 通常"]]


def test_a_file_that_is_none_says_what_to_do(shop, aoi, client_of):
    client, url = client_of(aoi), reverse("channels:mapping-csv")

    def said(data, name="a.csv"):
        return client.post(url, {"file": SimpleUploadedFile(name, data)}).content.decode()

    assert "文字コードを読み取れません" in said(b"\x00\x01\xff\xfe")
    assert "見出しに次の列がありません：店舗コード" in said(b"a,b,c\r\n")
    assert "CSVとして読めません" in said((HEAD + 'x,"y\r\n').encode())
    assert "ファイルが空です" in said(b"")
    assert "CSVファイルを選んでください" in client.post(url).content.decode()
    assert not CsvBatch.objects.exists()


def test_each_wrong_line_is_named_and_the_others_are_taken(shop, chair, aoi):
    make_listing(shop, "A")
    lines = [
        "rakuten-1,A,A,,CHAIR,1,,",
        "nowhere,B,B,,CHAIR,1,,",
        "rakuten-1,C,C,,NOSUCH,1,,",
        "rakuten-1,D,D,,CHAIR,千,,",
        "rakuten-1,E,E,,CHAIR,1,ときどき,",
        ",F,,,CHAIR,1,,",
        "rakuten-1,A,A,,CHAIR,7,,",
        "rakuten-1,G,G,,,,,削除",
    ]
    batch = previewed("\r\n".join(lines), aoi)
    assert [line for line, _words in batch.errors] == [3, 4, 5, 6, 7, 8, 9]
    words = dict(map(tuple, batch.errors))
    assert "店舗「nowhere」はありません" in words[3] and "SKU「NOSUCH」はありません" in words[4]
    assert "1から999" in words[5] and "通常、固定数" in words[6] and "2行目と同じ" in words[8]
    done = mapping_csv.apply(batch.pk, by=aoi)
    assert done.state == "applied" and Listing.objects.get(code="A").sku == chair


def test_what_a_file_was_told_is_read_in_the_readers_language(shop, chair, aoi, ben, client_of):
    make_listing(shop, "A", sku=chair, name="椅子")
    batch = previewed(f"{shop.code},A,A,椅子,NONE,1,,\r\n{shop.code},B,B,机,CHAIR,2,,\r\n", aoi)
    assert batch.errors == [[2, "SKU「NONE」はありません。先に商品を登録してください。"]]
    assert batch.changes == [[3, shop.code, "B", "新規", "CHAIR ×2 · 通常"]]
    client = client_of(aoi)
    client.cookies["django_language"] = "en"
    page = client.get(reverse("channels:csv-batch", args=[batch.pk])).content.decode()
    assert "NONE" in page and not any(word in page for word in ("はありません", "新規", "通常"))
    mapping_csv.apply(batch.pk, by=aoi)
    batch = CsvBatch.objects.get(pk=batch.pk)
    assert str(batch.result).startswith("対応付け1件")
    with override("en"):
        assert "対応付け" not in str(batch.result) and "1" in str(batch.result)


def test_a_file_is_applied_once_and_all_it_says_is_done(shop, chair, aoi):
    desk = make_sku("DESK")
    make_listing(shop, "MAP")
    make_listing(shop, "FREE", sku=desk)
    make_listing(shop, "MODE", sku=desk, mode="stopped", sent=3)
    make_listing(shop, "DROP", sku=desk)
    order = make_channel_order(make_line("NEW", 1))
    take_in(shop, [order], sku_of={})
    batch = previewed(
        "rakuten-1,MAP,MAP,,CHAIR,3,,\r\nrakuten-1,FREE,FREE,,,,,\r\nrakuten-1,MODE,MODE,,DESK,1,常に売切,\r\n"
        "rakuten-1,DROP,DROP,,DESK,1,,削除\r\nrakuten-1,,NEW,,CHAIR,,,\r\n",
        aoi,
    )
    assert len(batch.changes) == 5 and Listing.objects.get(code="MAP").sku is None
    for _again in range(2):
        done = mapping_csv.apply(batch.pk, by=aoi)
    assert done.result == "対応付け2件、解除1件、連携方法1件、削除1件"
    assert {row.code: (row.sku and row.sku.code, row.units, row.mode) for row in Listing.objects.all()} == {
        "MAP": ("CHAIR", 3, "normal"),
        "FREE": (None, 1, "normal"),
        "MODE": ("DESK", 1, "sold_out"),
        "NEW": ("CHAIR", 1, "normal"),
    }
    assert Listing.objects.get(code="MODE").sent is None
    assert Order.objects.get().lines.get().sku == chair
    events = ListingEvent.objects.filter(how=f"csv:{batch.pk}", by=aoi)
    assert sorted(events.values_list("kind", flat=True)) == ["changed", "deleted", "mapped", "mapped", "unmapped"]
    assert PublisherMark.objects.filter(sku_id=desk.pk).exists()
    assert mapping_csv.preview((HEAD + "rakuten-1,MAP,MAP,,CHAIR,3,,").encode(), name="b", by=aoi).changes == []


def test_a_file_that_fails_half_way_leaves_nothing_and_can_be_applied_again(shop, chair, aoi, monkeypatch):
    make_listing(shop, "A", sku=chair)
    make_listing(shop, "B")
    batch = previewed("rakuten-1,A,A,,,,,\r\nrakuten-1,B,B,,CHAIR,,,\r\n", aoi)
    with monkeypatch.context() as broken:
        broken.setattr(mapping_csv.mapping, "map_codes", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            mapping_csv.apply(batch.pk, by=aoi)
    assert Listing.objects.get(code="A").sku == chair
    assert mapping_csv.apply(batch.pk, by=aoi).state == "applied"
    assert Listing.objects.get(code="A").sku is None and Listing.objects.get(code="B").sku == chair


def test_a_long_file_is_applied_by_a_worker_and_a_lost_one_is_found(shop, chair, aoi, monkeypatch):
    monkeypatch.setattr(mapping_csv, "IN_BACKGROUND_FROM", 1)
    sent = []
    monkeypatch.setattr(mapping_csv, "later", lambda *what: sent.append(what))
    make_listing(shop, "A")
    batch = previewed("rakuten-1,A,A,,CHAIR,,,\r\n", aoi)
    for _twice in range(2):
        assert mapping_csv.start(batch.pk, by=aoi).state == "running"
    assert sent == [("channels.tasks.apply_csv", batch.pk, aoi.pk)]
    CsvBatch.objects.update(at="2026-01-01T00:00:00Z")
    assert mapping_csv.unfinished() == [(batch.pk, aoi.pk)]
    assert mapping_csv.apply(batch.pk, by=aoi).state == "applied" and mapping_csv.unfinished() == []


def test_many_lines_take_the_same_few_queries(shop, aoi):
    codes = [f"L-{n}" for n in range(120)]
    for code in codes:
        make_sku(f"S{code}")
        make_listing(shop, code)

    def counted(chosen):
        text = "".join(f"rakuten-1,{code},{code},,S{code},,,\r\n" for code in chosen)
        with CaptureQueriesContext(database) as queries:
            batch = previewed(text, aoi)
            mapping_csv.apply(batch.pk, by=aoi)
        return len(queries)

    few = counted(codes[:5])
    assert counted(codes[5:]) <= few + 2


def test_the_screens_lead_from_file_to_preview_to_result(shop, chair, aoi, ben, client_of):
    make_listing(shop, "A")
    client, url = client_of(aoi), reverse("channels:mapping-csv")
    file = SimpleUploadedFile("対応.csv", (HEAD + "rakuten-1,A,A,,CHAIR,,,\r\nx,y,z,,CHAIR,,,\r\n").encode("cp932"))
    shown = client.post(url, {"file": file}, follow=True).content.decode()
    assert "変わるところ 1件" in shown and "エラーのある行 1件" in shown and "エラーのない行を反映する" in shown
    batch = CsvBatch.objects.get()
    apply_url = reverse("channels:csv-apply", args=[batch.pk])
    assert client_of(ben).post(apply_url).status_code == 403 and client.get(apply_url).status_code == 405
    done = client.post(apply_url, follow=True).content.decode()
    assert "対応付け1件" in done and Listing.objects.get().sku == chair
    file = client.get(reverse("channels:mapping-csv-download"), {"shop": shop.pk, "encoding": "cp932"})
    assert "CHAIR" in b"".join(file.streaming_content).decode("cp932")
    assert client_of(ben).get(url).status_code == 403
