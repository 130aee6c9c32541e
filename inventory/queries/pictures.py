"""Which SKUs have a picture, and the pictures for papers."""

from collections.abc import Collection, Mapping

from inventory.models import SkuPicture
from oms.kernel.pdf.picture import Picture, read_picture


def digests(sku_ids: Collection[int]) -> Mapping[int, str]:
    """SKU → the digest of its picture, for its address. One query, none without SKUs."""
    rows = SkuPicture.objects.filter(sku__in=sku_ids) if sku_ids else SkuPicture.objects.none()
    return dict(rows.values_list("sku", "sha256"))


def by_code(codes: Collection[str]) -> Mapping[str, tuple[str, Picture]]:
    """SKU code → (digest, picture) of those that have one. One query, none without codes."""
    if not codes:
        return {}
    rows = SkuPicture.objects.filter(sku__code__in=codes).values_list("sku__code", "sha256", "data")
    return {code: (digest, read_picture(bytes(data))) for code, digest, data in rows}
