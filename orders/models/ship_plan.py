"""How places ship: working days, cut-off times, days of transit. A company without a row works every day."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import Location


class ShippingPlan(models.Model):
    """One place's plan; the row without a place is the company's own, for places without one.

    `cutoffs` is {carrier or "": "15:00"}; `transit` is [[carrier or "", area, days], …] as in
    `orders.decide.ship_plan`; weekdays are Monday = 0.
    """

    location = models.ForeignKey(
        Location, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("拠点")
    )
    cutoffs = models.JSONField(_("締め時刻"), default=dict)
    lead_days = models.PositiveSmallIntegerField(_("出荷予定日の何日前から指示できるか"), default=0)
    closed_weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list, verbose_name=_("定休日"))
    closed_on_holidays = models.BooleanField(_("祝日は出荷しない"), default=False)
    closed_days = ArrayField(models.DateField(), default=list, verbose_name=_("臨時休業日"))
    open_days = ArrayField(models.DateField(), default=list, verbose_name=_("臨時営業日"))
    transit = models.JSONField(_("お届け日数"), default=list)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["location"], name="shipping_plan_once", nulls_distinct=False
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.location_id or "")
