"""同梱: several orders' goods in one planned shipment, and what it takes to undo that exactly."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fulfillment.models.shipment import Shipment
from orders.models import Order


class Merge(models.Model):
    """Orders that travel together. The first order keeps its shipment; the others' lines moved into it."""

    shipment = models.ForeignKey(Shipment, models.SET_NULL, null=True, related_name="merges")
    created_at = models.DateTimeField(_("作成日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(_("解除日時"), null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"同梱 {self.pk}"


class MergedOrder(models.Model):
    """One order of a merge. `former` is the row of the shipment it gave up (empty for the first order);
    `discount` is what it is charged less because shipping is charged once; `charges` are its columns "before" and
    "after" that (`merge_money.COLUMNS`), for the way back."""

    merge = models.ForeignKey(Merge, models.CASCADE, related_name="orders")
    order = models.ForeignKey(Order, models.CASCADE, related_name="+")
    former = models.JSONField(default=dict)
    discount = models.PositiveIntegerField(_("送料の値引"), default=0)
    charges = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=Q(active=True), name="order_merged_once"),
        ]

    def __str__(self) -> str:
        return f"{self.merge_id}: {self.order_id}"


class MergeKey(models.Model):
    """Who an open order goes to, as a key for finding others: kept while the order waits, renewed with its version."""

    order = models.OneToOneField(Order, models.CASCADE, primary_key=True, related_name="+")
    key = models.CharField(max_length=40)
    version = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["key"], name="merge_key")]

    def __str__(self) -> str:
        return self.key


class MergePair(models.Model):
    """What was decided about two orders (lower pk first): they stay apart, or the customer was asked."""

    class Decision(models.TextChoices):
        APART = "apart", _("同梱しない")
        ASKED = "asked", _("購入者に確認中")
        EXPIRED = "expired", _("時間切れ")

    low = models.ForeignKey(Order, models.CASCADE, related_name="+")
    high = models.ForeignKey(Order, models.CASCADE, related_name="+")
    decision = models.CharField(_("判断"), max_length=8, choices=Decision)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["low", "high"], name="merge_pair_once"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="merge_pair_sorted"),
        ]

    def __str__(self) -> str:
        return f"{self.low_id} + {self.high_id}: {self.decision}"


class ToldTogether(models.Model):
    """A parcel that an order's customer and channel were told of together with another one: the mail and the notice
    carry the number of `under`."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="+")
    shipment = models.ForeignKey(Shipment, models.CASCADE, related_name="+")
    under = models.ForeignKey(Shipment, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "shipment"], name="told_together_once")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.shipment_id} → {self.under_id}"
