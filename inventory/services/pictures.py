"""A SKU's picture: set, replaced and taken away with an entry in the SKU's journal."""

import hashlib

from django.db import transaction

from inventory.models import Sku, SkuChange, SkuPicture
from oms.kernel import clock
from oms.kernel.pdf.picture import UnreadablePicture, read_picture

MOST_BYTES = 500_000  # for a thumbnail; larger ones would make pick lists heavy
JPEG, PNG = "image/jpeg", "image/png"


@transaction.atomic
def put(sku_id: int, data: bytes, *, by_id: int | None) -> bool:
    """Keep this picture; False when it is there already. Raises UnreadablePicture (`large` beside its own codes)."""
    if len(data) > MOST_BYTES:
        raise UnreadablePicture("large")
    read_picture(data)
    sku = Sku.objects.select_for_update(no_key=True).order_by("pk").get(pk=sku_id)
    before, digest = _held(sku_id), hashlib.sha256(data).hexdigest()
    if before == digest:
        return False
    kind = PNG if data.startswith(b"\x89PNG") else JPEG
    SkuPicture.objects.update_or_create(
        sku=sku,
        defaults={"sha256": digest, "content_type": kind, "data": data, "at": clock.now(), "by_id": by_id},
    )
    _note(sku, before, digest, by_id)
    return True


@transaction.atomic
def remove(sku_id: int, *, by_id: int | None) -> bool:
    """Take the picture away; False when there is none."""
    sku = Sku.objects.select_for_update(no_key=True).order_by("pk").get(pk=sku_id)
    if not (before := _held(sku_id)):
        return False
    SkuPicture.objects.filter(sku=sku).delete()
    _note(sku, before, "", by_id)
    return True


def _held(sku_id: int) -> str:
    return SkuPicture.objects.filter(sku=sku_id).values_list("sha256", flat=True).first() or ""


def _note(sku: Sku, before: str, after: str, by_id: int | None) -> None:
    SkuChange.objects.create(
        sku=sku, at=clock.now(), by_id=by_id, before={"picture": before[:12]}, after={"picture": after[:12]}
    )
