"""What shipping an order costs us, as settings: freight by carrier and size, material, work. Yen without tax."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orders.models.order import Carrier


class FreightRate(models.Model):
    """What one box costs with a carrier, up to a sum of size factors; without `size_to`, whatever is larger."""

    carrier = models.CharField(_("配送会社"), max_length=12, choices=Carrier)
    size_to = models.PositiveIntegerField(_("サイズ係数（まで）"), null=True)
    price = models.PositiveIntegerField(_("1個口の送料（税抜）"))

    class Meta:
        ordering = ["carrier", models.F("size_to").asc(nulls_last=True)]
        constraints = [
            models.UniqueConstraint(fields=["carrier", "size_to"], name="freight_rate_once", nulls_distinct=False),
            models.CheckConstraint(condition=Q(size_to=None) | Q(size_to__gt=0), name="freight_rate_size"),
        ]

    def __str__(self) -> str:
        return f"{self.carrier} ≤ {self.size_to}: {self.price}"


class CostSetting(models.Model):
    """One row, pk 1. None: not told, and then not counted."""

    material = models.PositiveIntegerField(_("1個口の資材費（税抜）"), null=True)
    wage = models.PositiveIntegerField(_("1時間の人件費"), null=True)
    action_s = models.PositiveIntegerField(_("1操作の時間（秒）"), null=True)  # of clicks whose time is not measured
    version = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.material} {self.wage} {self.action_s}"


class CostChange(models.Model):
    """Who set what before and after. Append-only, by trigger."""

    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.at}"
