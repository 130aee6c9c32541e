"""分割: what a buyer pays for having an order in more parcels than one, from the question to the way back."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orders.models import Order


class SplitCharge(models.Model):
    """A split at the buyer's cost. While it is asked about, nothing is split and nothing is charged.

    `wish` says how to split (`way`, `until`, `location`); `fee` is yen with tax for all `parcels` more. `money` is what
    `orders.services.adjustments.put_on` answered: with it the order's sums come back to the yen. `mark` is shared by
    what was asked together, and ends the key of the mail.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("お客様に確認中")
        AGREED = "agreed", _("承諾")
        DECLINED = "declined", _("お断り")
        WITHDRAWN = "withdrawn", _("取り下げ")
        TAKEN_BACK = "taken_back", _("取り消し")

    order = models.ForeignKey(Order, models.CASCADE, related_name="+")
    wish = models.JSONField(default=dict)
    parcels = models.PositiveSmallIntegerField(_("増える荷物"))
    fee = models.PositiveIntegerField(_("分割の送料"))
    state = models.CharField(_("状態"), max_length=10, choices=State)
    mark = models.CharField(max_length=32)
    asked_at = models.DateTimeField(_("日時"))
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(_("返事の日時"), null=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    money = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(state__in=["asked", "agreed"]), name="split_charge_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.state} {self.fee}"

    @property
    def key(self) -> str:
        """Of the fee on the order, and of the tasks about it."""
        return f"split:{self.pk}"
