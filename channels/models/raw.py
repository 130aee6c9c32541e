from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField
from orders.models import Shop


class RawOrder(models.Model):
    """One payload of one order as the channel sent it, encrypted; a new row when it differs from the current one."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    channel_order_no = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    payload = models.BinaryField()
    content_type = models.CharField(max_length=30)
    updated_at = models.DateTimeField(null=True)  # the channel's update time
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    is_current = models.BooleanField(default=True)
    applied = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["shop", "channel_order_no", "-id"], name="raw_order"),
            # what was archived and not taken in yet: few rows, looked at with every import
            models.Index(
                fields=["shop", "first_seen_at"],
                name="raw_unapplied",
                condition=models.Q(is_current=True, applied=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "channel_order_no"], condition=models.Q(is_current=True), name="raw_current_once"
            )
        ]

    def __str__(self) -> str:
        return self.channel_order_no


class QuarantinedOrder(models.Model):
    """An order that could not be taken in: its payload is kept, the cause is said in plain words, replay closes it."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    channel_order_no = models.CharField(_("受注番号"), max_length=64)
    raw = models.ForeignKey(RawOrder, models.CASCADE, null=True, related_name="+")
    cause = SaidField(_("理由"))
    detail = models.TextField(blank=True)
    at = models.DateTimeField(_("日時"))
    attempts = models.PositiveSmallIntegerField(default=1)
    tried_at = models.DateTimeField(null=True)  # by the clock; null: not since it was put here
    resolved_at = models.DateTimeField(_("解消日時"), null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "channel_order_no"],
                condition=models.Q(resolved_at__isnull=True),
                name="quarantine_once",
            )
        ]

    def __str__(self) -> str:
        return self.channel_order_no
