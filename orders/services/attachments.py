"""Files and conversations that belong to an order: kept, shown with rights, journaled.

A file is written before its row, under a name of its own; a file that no row names (the process died between) is
swept. A removed file's bytes go after the commit; the sweep finds what was left.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, transaction

from oms.kernel import clock
from oms.kernel.said import said
from oms.kernel.text import clean_text
from orders.models import Order, OrderAttachment, OrderTalk
from orders.services import journal
from orders.services.journal import Actor, Entry

MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 30
FORGOTTEN_S = 3600  # a file without a row is swept when it is older
STARTS = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
OFFICE = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
TEXTS = {".txt": "text/plain", ".csv": "text/csv"}


class Refused(Exception):
    """The file is not kept; `cause` says why and what to do."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    data: bytes
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """The file as it lies there: its content type, digest and place."""

    kind: str
    digest: str
    place: str


def kind_of(name: str, data: bytes) -> str:
    """The content type by the bytes, or "" for what is not kept. Pure."""
    for start, kind in STARTS:
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    ending = Path(name).suffix.lower()
    if data.startswith(b"PK\x03\x04"):
        return OFFICE.get(ending, "")
    return TEXTS.get(ending, "") if _is_text(data) else ""


def _is_text(data: bytes) -> bool:
    if b"\x00" in data:
        return False
    for encoding in ("utf-8", "cp932"):
        with suppress(UnicodeDecodeError):
            data.decode(encoding)
            return True
    return False


def attach(order_id: int, upload: Upload, *, actor: Actor) -> OrderAttachment:
    """Keep a file with an order. The same bytes again are the file that is there. Raises Refused."""
    assert actor.by is not None, "somebody attaches a file"
    kind = _checked(upload)
    digest = hashlib.sha256(upload.data).hexdigest()
    place = f"{clock.today():%Y/%m}/{uuid4().hex}"
    _write(place, upload.data)
    try:
        return _record(order_id, upload, Stored(kind, digest, place), actor)
    except IntegrityError:  # the same bytes came twice at once
        discard(place)
        return OrderAttachment.objects.get(order=order_id, sha256=digest, removed_at=None)
    except BaseException:
        discard(place)
        raise


def _checked(upload: Upload) -> str:
    if not upload.data:
        raise Refused(said("中身のないファイルです。別のファイルを選んでください。"))
    if len(upload.data) > MOST_BYTES:
        raise Refused(said("10MBまでのファイルを選んでください。大きな画像は縮小してください。"))
    kind = kind_of(upload.name, upload.data)
    if not kind:
        raise Refused(
            said(
                "このファイルは添付できません。PDF、画像（PNG・JPEG・GIF・WebP）、Excel、Word、CSV、テキストを選んでください。"
            )
        )
    return kind


@transaction.atomic
def _record(order_id: int, upload: Upload, stored: Stored, actor: Actor) -> OrderAttachment:
    assert actor.by is not None, "somebody attaches"
    order = Order.objects.select_for_update(no_key=True, of=("self",)).order_by("pk").get(pk=order_id)
    held = OrderAttachment.objects.filter(order=order, removed_at=None)
    if same := held.filter(sha256=stored.digest).first():
        discard(stored.place)
        return same
    if held.count() >= MOST_FILES:
        raise Refused(said("添付は1つの受注に30個までです。いらないものを削除してから添付してください。"))
    name = clean_text(Path(upload.name).name)[:150] or said("名前なし")
    attachment = OrderAttachment.objects.create(
        order=order, name=name, note=clean_text(upload.note)[:200], content_type=stored.kind,
        size=len(upload.data), sha256=stored.digest, place=stored.place, at=clock.now(), by=actor.by,
    )  # fmt: skip
    journal.write([Entry(order.pk, "file_attached", changes={"attachment": ("", name)})], actor=actor)
    return attachment


@transaction.atomic
def remove(attachment_id: int, *, actor: Actor) -> None:
    """Delete the file; who deleted what stays on record. Again does nothing."""
    row = OrderAttachment.objects.select_for_update(no_key=True).order_by("pk").get(pk=attachment_id)
    if row.removed_at:
        return
    row.removed_at, row.removed_by = clock.now(), actor.by
    row.save(update_fields=["removed_at", "removed_by"])
    journal.write([Entry(row.order_id, "file_removed", changes={"attachment": (row.name, "")})], actor=actor)
    transaction.on_commit(lambda: discard(row.place))


def open_file(attachment: OrderAttachment) -> bytes:
    """Its bytes. Raises Refused when they are gone or are not those that were attached."""
    try:
        data = path_of(attachment.place).read_bytes()
    except OSError as error:
        raise Refused(said("ファイルが見つかりません。データフォルダの控えから戻してください。")) from error
    if hashlib.sha256(data).hexdigest() != attachment.sha256:
        raise Refused(said("ファイルの中身が添付したときと違います。管理者に知らせてください。"))
    return data


@transaction.atomic
def write_talk(order_id: int, way: str, text: str, *, key: str, actor: Actor) -> bool:
    """Add a conversation to an order; the same `key` again adds nothing. False when it was there already."""
    assert actor.by is not None, "somebody talked"
    order = Order.objects.select_for_update(no_key=True, of=("self",)).order_by("pk").get(pk=order_id)
    if OrderTalk.objects.filter(key=key).exists():
        return False
    OrderTalk.objects.create(order=order, way=way, text=clean_text(text), key=key, at=clock.now(), by=actor.by)
    journal.write([Entry(order.pk, "talk", said(OrderTalk.Way(way).label))], actor=actor)
    return True


def sweep(now_s: float) -> int:
    """Delete files that no standing row names and that are older than an hour. Returns how many."""
    root = Path(settings.ATTACHMENTS)
    old = [
        path for path in root.glob("*/*/*") if path.is_file() and path.stat().st_mtime < now_s - FORGOTTEN_S
    ]  # fmt: skip
    names = {str(path.relative_to(root)): path for path in old}
    kept = set(
        OrderAttachment.objects.filter(place__in=names, removed_at=None).values_list("place", flat=True)
    )  # fmt: skip
    gone = [path for place, path in names.items() if place not in kept]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def path_of(place: str) -> Path:
    return Path(settings.ATTACHMENTS) / place


def discard(place: str) -> None:
    path_of(place).unlink(missing_ok=True)


def _write(place: str, data: bytes) -> None:
    """Whole or not at all."""
    path = path_of(place)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_suffix(".part")
        part.write_bytes(data)
        part.rename(path)
    except OSError as error:
        raise Refused(
            said("ファイルを保存できませんでした。データフォルダの空き容量と権限を確かめてください。")
        ) from error
