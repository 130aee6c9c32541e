from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from channels.models.listing import Listing
from inventory.models import Location, Sku
from oms.kernel.said_field import SaidField
from orders.models import Shop


class PublishRule(models.Model):
    """What a shop is told of the stock, unless a listing says otherwise, and what was measured of its delays.

    A shop without a row is told everything. The measured columns are written by the publisher only.
    """

    shop = models.OneToOneField(Shop, models.CASCADE, related_name="+")
    buffer = models.PositiveIntegerField(_("予備"), default=0)
    share = models.PositiveSmallIntegerField(_("割合（%）"), default=100)
    cap = models.PositiveIntegerField(_("上限"), null=True, blank=True)
    priority = models.PositiveSmallIntegerField(_("残りわずかの優先順位"), default=100)
    adaptive = models.BooleanField(_("売れ行きに合わせて予備を増やす"), default=True)
    hot_below = models.PositiveSmallIntegerField(_("売れ筋とみなす残り数"), default=3)
    hot_per_minute = models.PositiveSmallIntegerField(_("売れ筋とみなす1分あたりの販売数"), default=2)
    maintenance_lead_min = models.PositiveSmallIntegerField(_("メンテナンス何分前から予備を増やすか"), default=15)
    maintenance_buffer = models.PositiveIntegerField(_("メンテナンス中の予備の上乗せ"), default=1)
    compare_every_h = models.PositiveSmallIntegerField(_("全件照合の間隔（時間）"), default=24)

    import_delay_s = models.FloatField(_("注文から取込まで（秒）"), null=True)
    push_delay_s = models.FloatField(_("変更から送信まで（秒）"), null=True)
    measured_at = models.DateTimeField(null=True)
    window = models.CharField(max_length=6, blank=True)  # as the last sweep saw it: "", "before" or "during"
    compared_at = models.DateTimeField(_("最終照合"), null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(share__lte=100), name="publish_share_is_a_percentage")]

    def __str__(self) -> str:
        return f"{self.shop_id}"


class SkuRule(models.Model):
    """What of a SKU is kept back from every shop."""

    sku = models.OneToOneField(Sku, models.CASCADE, related_name="+")
    safety_stock = models.PositiveIntegerField(_("安全在庫"), default=0)

    def __str__(self) -> str:
        return f"{self.sku_id}: {self.safety_stock}"


class PlaceRule(models.Model):
    """So many units of each SKU that lie at this place may be sold at this shop; 0 excludes the place."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    location = models.ForeignKey(Location, models.CASCADE, related_name="+")
    most = models.PositiveIntegerField(_("この店舗で売る数の上限"), default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "location"], name="place_rule_once")]

    def __str__(self) -> str:
        return f"{self.shop_id}@{self.location_id} ≤ {self.most}"


class SalesPace(models.Model):
    """How fast a SKU sells at a shop: sums that decay (`channels.decide.pace`). One row a pair, written by imports."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    sku = models.ForeignKey(Sku, models.CASCADE, related_name="+")
    units = models.FloatField(default=0)
    sales = models.FloatField(default=0)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sku", "shop"], name="sales_pace_once")]

    def __str__(self) -> str:
        return f"{self.sku_id}@{self.shop_id}"


class MaintenanceWindow(models.Model):
    """When a mall cannot be reached: once (`starts_at`), or each week at a Tokyo time (`weekday`, 0 = Monday)."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("月曜")
        TUESDAY = 1, _("火曜")
        WEDNESDAY = 2, _("水曜")
        THURSDAY = 3, _("木曜")
        FRIDAY = 4, _("金曜")
        SATURDAY = 5, _("土曜")
        SUNDAY = 6, _("日曜")

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    starts_at = models.DateTimeField(_("開始日時"), null=True, blank=True)
    weekday = models.PositiveSmallIntegerField(_("曜日"), choices=Weekday, null=True, blank=True)
    start_time = models.TimeField(_("開始時刻"), null=True, blank=True)
    minutes = models.PositiveSmallIntegerField(_("長さ（分）"), default=60)
    note = models.CharField(_("メモ"), max_length=100, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at__isnull=False, weekday__isnull=True, start_time__isnull=True)
                | Q(starts_at__isnull=True, weekday__isnull=False, start_time__isnull=False),
                name="window_is_single_or_weekly",
            ),
            models.CheckConstraint(condition=Q(minutes__gt=0), name="window_has_a_length"),
        ]

    def __str__(self) -> str:
        return f"{self.shop_id} {self.starts_at or self.weekday}"


class StockComparison(models.Model):
    """One full comparison of a shop with its channel. `cursor` is the last listing looked at: it goes on from there."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    started_at = models.DateTimeField(_("開始"))
    finished_at = models.DateTimeField(_("終了"), null=True)
    cursor = models.BigIntegerField(default=0)
    checked = models.PositiveIntegerField(_("照合した出品"), default=0)
    different = models.PositiveIntegerField(_("違い"), default=0)
    missing = models.PositiveIntegerField(_("モールにない"), default=0)
    error = SaidField(_("エラー"), blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop"], condition=Q(finished_at__isnull=True), name="comparison_one_at_a_time"
            ),
            models.CheckConstraint(condition=Q(different__lte=F("checked")), name="comparison_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.shop_id} {self.started_at}"


class PublishingEvent(models.Model):
    """Who changed which rule of publishing, from what to what. Append-only."""

    shop = models.ForeignKey(Shop, models.CASCADE, null=True, related_name="+")
    listing = models.ForeignKey(Listing, models.CASCADE, null=True, related_name="+")
    sku = models.ForeignKey(Sku, models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField(_("日時"))
    kind = models.CharField(max_length=20)
    changes = models.JSONField(default=dict)  # column → [before, after]
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["sku", "-id"], name="publishing_event_sku"),
            models.Index(fields=["shop", "-id"], name="publishing_event_shop"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.changes}"
