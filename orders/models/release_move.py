from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import Sku
from orders.models.order import OrderLine


class ReleaseMove(models.Model):
    """A SKU's release day was moved, and its waiting orders with it. `key` makes a repeated click one move."""

    key = models.UUIDField(unique=True)
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="+")
    before = models.DateField(_("前の発売日"))
    after = models.DateField(_("新しい発売日"))
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    order_count = models.PositiveIntegerField(default=0)
    mail_count = models.PositiveIntegerField(default=0)  # written, drafts included
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["sku", "-id"], name="release_move_sku")]

    def __str__(self) -> str:
        return f"{self.sku_id}: {self.before} → {self.after}"


class ReleaseMoveLine(models.Model):
    """One line that moved, and the day it had."""

    move = models.ForeignKey(ReleaseMove, models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="+")
    before = models.DateField()

    def __str__(self) -> str:
        return f"{self.move_id}: {self.line_id}"
