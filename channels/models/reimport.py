from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models import Shop


class Reimport(models.Model):
    """Order numbers that somebody asked to fetch anew; `results` grows number by number until none is left.

    A result is [outcome, sentence]: outcome is created, updated, unchanged, unknown or failed.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    numbers = ArrayField(models.CharField(max_length=64))
    results = models.JSONField(default=dict)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["id"], name="reimport_open", condition=models.Q(ended_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.shop_id} {len(self.numbers)}"
