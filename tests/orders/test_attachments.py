"""Files, conversations and the channel's note of an order."""

import os
import time
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from oms.kernel.models import Effect
from orders.models import Order, OrderAttachment, OrderTalk
from orders.services import attachments
from orders.services.attachments import Refused, Upload, kind_of
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
PDF = b"%PDF-1.7\n..."


@pytest.fixture(autouse=True)
def folder(settings, tmp_path) -> Path:
    settings.ATTACHMENTS = tmp_path / "attachments"
    return settings.ATTACHMENTS


@pytest.fixture
def order() -> Order:
    take_in(make_shop(), [make_channel_order(number="A-1")], sku_of=mapped(make_sku(stock_units=3)))
    return Order.objects.get()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def send(client, order: Order, name: str, data: bytes, **fields: str):
    upload = SimpleUploadedFile(name, data)
    return client.post(reverse("orders:attach", args=[order.pk]), {"file": upload, **fields})


def test_a_file_is_kept_shown_and_comes_back_as_it_was(client_of, aoi, order, folder):
    client = client_of(aoi)
    assert send(client, order, "傷の写真.png", PNG, note="左の脚").status_code == 302
    row = order.attachments.get()
    assert (row.name, row.content_type, row.size, row.by, row.note) == (
        "傷の写真.png",
        "image/png",
        len(PNG),
        aoi,
        "左の脚",
    )
    panel = client.get(reverse("orders:attachments", args=[order.pk])).content.decode()
    assert "傷の写真.png" in panel and "左の脚" in panel
    answer = client.get(reverse("orders:attachment", args=[order.pk, row.pk]))
    assert answer.content == PNG and answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith("inline") and answer["X-Content-Type-Options"] == "nosniff"
    assert len(files_in(folder)) == 1
    event = order.events.get(kind="file_attached")
    assert (event.by, event.values.get().after) == (aoi, "傷の写真.png")


def test_what_a_browser_must_not_open_is_saved(client_of, aoi, order):
    client = client_of(aoi)
    send(client, order, "一覧.csv", "品番,数\nA,1\n".encode("cp932"))
    answer = client.get(reverse("orders:attachment", args=[order.pk, order.attachments.get().pk]))
    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "data", "cause"),
    [
        ("page.html", b"<script>alert(1)</script>", "このファイルは添付できません"),
        ("picture.png", b"MZ\x00\x00", "このファイルは添付できません"),
        ("archive.zip", b"PK\x03\x04rest", "このファイルは添付できません"),
        ("empty.txt", b"", "中身のないファイルです"),
        ("big.pdf", PDF + b"0" * attachments.MOST_BYTES, "10MBまでのファイル"),
    ],
)
def test_what_is_not_kept_says_why_and_leaves_nothing(client_of, aoi, order, folder, name, data, cause):  # noqa: PLR0917
    answer = send(client_of(aoi), order, name, data)
    assert answer.status_code == 200 and cause in answer.content.decode()
    assert not OrderAttachment.objects.exists() and not (folder.exists() and files_in(folder))


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("x.pdf", PDF, "application/pdf"),
        ("renamed.txt", PNG, "image/png"),
        ("x.jpg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("x.webp", b"RIFF0000WEBPVP8", "image/webp"),
        ("表.xlsx", b"PK\x03\x04", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("メモ.txt", "こんにちは".encode(), "text/plain"),
        ("メモ.txt", b"\x00\x01", ""),
        ("x.svg", b"<svg onload=alert(1)>", ""),
    ],
)
def test_the_kind_is_read_from_the_bytes(name, data, kind):
    assert kind_of(name, data) == kind


def test_the_same_file_twice_is_one(order, aoi, folder):
    first = attachments.attach(order.pk, Upload("a.pdf", PDF), actor=Actor(aoi, "x"))
    again = attachments.attach(order.pk, Upload("b.pdf", PDF), actor=Actor(aoi, "y"))
    assert first == again and len(files_in(folder)) == 1
    assert order.events.filter(kind="file_attached").count() == 1


def test_a_removed_file_is_gone_and_its_row_says_who(
    client_of, aoi, order, folder, django_capture_on_commit_callbacks
):  # fmt: skip
    row = attachments.attach(order.pk, Upload("a.pdf", PDF), actor=Actor(aoi, "x"))
    client, url = client_of(aoi), reverse("orders:attachment-remove", args=[order.pk, row.pk])
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url)
        client.post(url)
    row.refresh_from_db()
    assert row.removed_by == aoi and files_in(folder) == []
    assert client.get(reverse("orders:attachment", args=[order.pk, row.pk])).status_code == 404
    assert order.events.filter(kind="file_removed").count() == 1
    attachments.attach(order.pk, Upload("a.pdf", PDF), actor=Actor(aoi, "z"))
    assert len(files_in(folder)) == 1, "it may be attached again"


def test_a_file_changed_or_lost_on_the_disk_is_told(client_of, aoi, order, folder):
    row = attachments.attach(order.pk, Upload("a.pdf", PDF), actor=Actor(aoi, "x"))
    attachments.path_of(row.place).write_bytes(b"%PDF-other")
    with pytest.raises(Refused, match="中身が添付したときと違います"):
        attachments.open_file(row)
    attachments.discard(row.place)
    answer = client_of(aoi).get(reverse("orders:attachment", args=[order.pk, row.pk]), follow=True)
    assert "ファイルが見つかりません" in answer.content.decode()


def test_files_that_no_row_names_are_swept_after_an_hour(order, aoi, folder):
    kept = attachments.attach(order.pk, Upload("a.pdf", PDF), actor=Actor(aoi, "x"))
    orphan, young = folder / "2026" / "11" / "orphan", folder / "2026" / "11" / "young"
    orphan.parent.mkdir(parents=True, exist_ok=True)
    for path in (orphan, young):
        path.write_bytes(PDF)
    old = time.time() - 2 * 3600
    for path in (orphan, attachments.path_of(kept.place)):
        os.utime(path, (old, old))
    assert attachments.sweep(time.time()) == 1
    assert not orphan.exists() and young.exists() and attachments.path_of(kept.place).exists()


def test_thirty_files_are_the_most(order, aoi, folder):
    for n in range(attachments.MOST_FILES):
        attachments.attach(order.pk, Upload(f"{n}.pdf", PDF + bytes([n])), actor=Actor(aoi, "x"))
    with pytest.raises(Refused, match="30個まで"):
        attachments.attach(order.pk, Upload("more.pdf", PDF + b"more"), actor=Actor(aoi, "x"))
    assert len(files_in(folder)) == attachments.MOST_FILES


# ---- conversations


def test_a_conversation_is_written_once_however_often_it_is_sent(client_of, aoi, order):
    client, url = client_of(aoi), reverse("orders:talk", args=[order.pk])
    key = client.get(url).context["form"]["key"].value()
    sent = {"key": key, "way": "phone_in", "text": "土曜の午前に届けてほしいとのこと"}
    assert client.post(url, sent).status_code == 302
    client.post(url, sent)
    talk = OrderTalk.objects.get()
    assert (talk.by, talk.way, talk.text) == (aoi, "phone_in", "土曜の午前に届けてほしいとのこと")
    assert "土曜の午前" in client.get(reverse("orders:attachments", args=[order.pk])).content.decode()
    assert order.events.filter(kind="talk").count() == 1


# ---- the channel's note


def test_the_shops_note_goes_to_a_channel_that_takes_one(client_of, aoi, order):
    order.shop.capabilities = {**order.shop.capabilities, "memo": True}
    order.shop.save(update_fields=["capabilities"])
    client, url = client_of(aoi), reverse("orders:channel-memo", args=[order.pk])
    assert client.post(url, {"memo": "電話済み"}).status_code == 302
    assert Effect.objects.get(kind="channel_memo").payload["order"] == order.pk
    order.refresh_from_db()
    assert (order.shop_memo, order.channel_sync) == ("電話済み", "pending")
    assert "電話済み" in client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    client.post(url, {"memo": "電話済み"})
    assert Effect.objects.filter(kind="channel_memo").count() == 1


def test_a_channel_without_notes_says_so(client_of, aoi, order):
    client = client_of(aoi)
    page = client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert "このモールへはメモを送れません" in page
    assert client.post(reverse("orders:channel-memo", args=[order.pk]), {"memo": "x"}).status_code == 404


# ---- rights


@pytest.mark.parametrize("name", ["attach", "talk", "channel-memo", "attachment-remove"])
def test_only_who_edits_orders_and_sees_persons_adds_and_removes(client_of, aoi, ben, chie, order, name):  # noqa: PLR0917
    row = attachments.attach(order.pk, Upload("a.pdf", PDF), actor=Actor(aoi, "x"))
    url = reverse(f"orders:{name}", args=[order.pk, row.pk] if name == "attachment-remove" else [order.pk])
    for person in (ben, chie):
        assert client_of(person).post(url, {"text": "x", "way": "mail", "key": "k"}).status_code == 403
    row.refresh_from_db()
    assert row.removed_at is None and not OrderTalk.objects.exists()


def test_files_are_hidden_from_who_may_not_see_persons(client_of, aoi, ben, order):
    row = attachments.attach(order.pk, Upload("a.pdf", PDF), actor=Actor(aoi, "x"))
    client = client_of(ben)
    assert client.get(reverse("orders:attachment", args=[order.pk, row.pk])).status_code == 403
    assert client.get(reverse("orders:attachments", args=[order.pk])).status_code == 403
    page = client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert "a.pdf" not in page and "応対メモ・添付" not in page


def test_a_removal_is_a_post_and_another_orders_file_is_not_found(client_of, aoi, order):
    row = attachments.attach(order.pk, Upload("a.pdf", PDF), actor=Actor(aoi, "x"))
    client = client_of(aoi)
    assert client.get(reverse("orders:attachment-remove", args=[order.pk, row.pk])).status_code == 405
    assert client.get(reverse("orders:attachment", args=[order.pk + 1, row.pk])).status_code == 404
