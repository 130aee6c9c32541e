from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models.product import Sku


class SkuPicture(models.Model):
    """What a SKU looks like, for screens and pick lists: a small PNG or JPEG, addressed by its digest."""

    sku = models.OneToOneField(Sku, models.CASCADE, primary_key=True, related_name="picture")
    sha256 = models.CharField(max_length=64)
    content_type = models.CharField(max_length=20)
    data = models.BinaryField()
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return self.sha256[:12]
