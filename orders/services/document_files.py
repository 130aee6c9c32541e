"""The files of issued papers: made once, kept, and printed again with the mark 再発行."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction

from oms.kernel.models import User
from orders.documents.bill import Bill, Refunded
from orders.documents.render import render_bill, render_delivery_notes, render_statement
from orders.documents.statement import Statement
from orders.documents.stored import digest, restored
from orders.documents.values import DeliveryNote
from orders.models import DocumentEvent, DocumentKind, IssuedDocument, StoredPdf
from orders.queries.papers import logos_of, refunded_since
from orders.services.documents import record


class Altered(Exception):
    """A paper whose stored values are not those it was issued with: somebody changed the database by hand."""


def file_of(document: IssuedDocument) -> bytes:
    """The paper as first issued. Makes and keeps the file when it is not there yet. Raises Altered."""
    stored = StoredPdf.objects.filter(document=document).first()
    if stored is None:
        _made([document])
        stored = StoredPdf.objects.get(document=document)
    pdf = bytes(stored.pdf)
    if hashlib.sha256(pdf).hexdigest() != stored.sha256:
        raise Altered(document.number)
    return pdf


def make_files(document_ids: Sequence[int]) -> int:
    """Make the files that are missing among these. Returns how many. Rendering stands outside any transaction."""
    missing = IssuedDocument.objects.filter(pk__in=document_ids, stored__isnull=True)
    return _made(list(missing.order_by("pk")))


def missing_files(limit: int = 200) -> list[int]:
    """Bills whose file was never made, because a worker was lost. Delivery notes get theirs when asked for."""
    rows = IssuedDocument.objects.filter(stored__isnull=True).exclude(kind=DocumentKind.DELIVERY_NOTE)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def _made(documents: Sequence[IssuedDocument]) -> int:
    rows = []
    for document in documents:
        pdf = _drawn(document)
        rows.append(StoredPdf(document=document, sha256=hashlib.sha256(pdf).hexdigest(), pdf=pdf))
    StoredPdf.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _drawn(document: IssuedDocument, *, reissue: bool = False, back: Refunded | None = None) -> bytes:
    if digest(document.content) != document.content_sha256:
        raise Altered(document.number)
    if document.kind == DocumentKind.DELIVERY_NOTE:
        note: DeliveryNote = replace(restored(DeliveryNote, document.content), is_reprint=reissue)
        return render_delivery_notes([note], logos_of([note.shop.logo]))
    if document.kind == DocumentKind.MONTHLY:
        monthly: Statement = replace(restored(Statement, document.content), is_reissue=reissue)
        return render_statement(monthly, logos_of([monthly.shop.logo]))
    bill: Bill = replace(restored(Bill, document.content), is_reissue=reissue, refunded=back)
    return render_bill(bill, logos_of([bill.shop.logo]))


def copy_for_buyer(document: IssuedDocument) -> bytes:
    """The original; a receipt whose money went back, or a part of it, says so. Raises Altered."""
    back = refunded_since(document)
    return _drawn(document, back=back) if back else file_of(document)


def open_file(document: IssuedDocument, *, by: User | None) -> bytes:
    """The original, and who looked at it."""
    pdf = file_of(document)
    _record(document, DocumentEvent.Kind.OPENED, "", by)
    return pdf


def reissue(document: IssuedDocument, *, reason: str, by: User | None) -> bytes:
    """The same paper with the mark 再発行 and its own number; who, when and why stay on record. A receipt says what has
    been paid back."""
    pdf = _drawn(document, reissue=True, back=refunded_since(document))
    _record(document, DocumentEvent.Kind.REISSUED, reason, by)
    return pdf


@transaction.atomic
def _record(document: IssuedDocument, kind: str, text: str, by: User | None) -> None:
    record([document], kind, text, by=by)
