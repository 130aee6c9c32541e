from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import Sku
from oms.kernel.said_field import SaidField
from orders.models import Shop


class Listing(models.Model):
    """One sellable variant at one shop, what it maps to, and what the channel was told and confirmed.

    `desired` is what it should show, `sent` the last quantity put on the wire, `confirmed` what the channel said.
    Rows with `desired != sent`, or sent and unconfirmed for too long, are what the publisher works on.
    """

    class Mode(models.TextChoices):
        NORMAL = "normal", _("通常")
        FIXED = "fixed", _("固定数")
        SOLD_OUT = "sold_out", _("常に売切")
        LAST_UNIT = "last_unit", _("残りわずかは1店舗だけ")
        STOPPED = "stopped", _("連携しない")

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    code = models.CharField(_("在庫コード"), max_length=200)
    channel_sku = models.CharField(_("モール商品コード"), max_length=120)
    name = models.CharField(_("商品名"), max_length=300, blank=True)
    jan = models.CharField(_("JANコード"), max_length=14, blank=True, db_default="")
    seen_at = models.DateTimeField(_("モールで見た日時"), null=True)  # by the last import of listings that found it
    sku = models.ForeignKey(Sku, models.PROTECT, null=True, blank=True, related_name="+")
    units = models.PositiveSmallIntegerField(_("入数"), default=1)
    mode = models.CharField(_("連携方法"), max_length=10, choices=Mode, default=Mode.NORMAL)
    fixed_quantity = models.PositiveIntegerField(_("固定数"), default=0)
    # Where these are empty, the shop's own rule counts (`channels.models.PublishRule`).
    buffer = models.PositiveIntegerField(_("予備"), null=True, blank=True)
    share = models.PositiveSmallIntegerField(_("割合（%）"), null=True, blank=True)
    cap = models.PositiveIntegerField(_("上限"), null=True, blank=True)
    hot = models.BooleanField(_("売れ筋"), default=False, db_default=False)  # pushed first, in requests of their own

    desired = models.PositiveIntegerField(_("あるべき数"), null=True)
    desired_at = models.DateTimeField(null=True)  # commit time of the oldest change not yet sent
    sent = models.PositiveIntegerField(_("送信数"), null=True)
    sent_at = models.DateTimeField(_("送信日時"), null=True)
    sending = models.PositiveIntegerField(null=True)  # on its way, until an answer comes
    sent_before = models.PositiveIntegerField(null=True)  # what it could still sell when `sent` replaced it
    sent_relative = models.BooleanField(default=False, db_default=False)  # `sent` came about by a difference
    confirmed = models.PositiveIntegerField(_("確認数"), null=True)
    confirmed_at = models.DateTimeField(_("確認日時"), null=True)
    error = SaidField(_("エラー"), blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "code"], name="listing_once_per_shop"),
            models.CheckConstraint(
                condition=models.Q(share__isnull=True) | models.Q(share__lte=100), name="listing_share_is_a_percentage"
            ),
        ]
        indexes = [
            models.Index(fields=["sku"], name="listing_sku"),
            models.Index(fields=["shop", "channel_sku"], name="listing_channel_sku"),
            models.Index(
                fields=["shop", "desired_at"], name="listing_due", condition=models.Q(desired_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.code


class PushLog(models.Model):
    """One quantity put on the wire: the publisher's journal and the source of the delay figures."""

    listing = models.ForeignKey(Listing, models.CASCADE, related_name="pushes")
    quantity = models.PositiveIntegerField()
    changed_at = models.DateTimeField()  # commit of the stock change
    sent_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    error = SaidField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["listing", "-id"], name="push_listing"),
            models.Index(fields=["sent_at"], name="push_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id} → {self.quantity}"
