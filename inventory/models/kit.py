from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.product import Sku


class KitPart(models.Model):
    """So many of `part` go into one `kit`, a set that is built ahead and stocked, promised and shipped as itself.

    A set without stock of its own has `BundleComponent` rows instead; a SKU is never both.
    """

    kit = models.ForeignKey(Sku, models.CASCADE, related_name="kit_parts", verbose_name=_("作り置きセット"))
    part = models.ForeignKey(Sku, models.PROTECT, related_name="+", verbose_name=_("構成品"))
    quantity = models.PositiveSmallIntegerField(_("数量"), default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kit", "part"], name="kit_part_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="kit_part_quantity"),
            models.CheckConstraint(condition=~Q(kit=F("part")), name="kit_not_in_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.kit_id} ← {self.part_id} × {self.quantity}"


class KitChange(models.Model):
    """What a kit, or a set without stock, was made of before and after: its recipe's journal, only added to."""

    kit = models.ForeignKey(Sku, models.CASCADE, related_name="+")
    at = models.DateTimeField(_("日時"))
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.kit_id}: {self.after}"
