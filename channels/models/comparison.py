from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField
from orders.models import Shop


class DayCheck(models.Model):
    """The last comparison of one shop's day in Tokyo with the channel, by order numbers.

    `there` = `here` + `held` + `missing`: taken in, in quarantine, still missing; `fetched` of those here came by the
    comparisons of this day. `until` says how much of the day was compared.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    day = models.DateField(_("日付"))
    until = models.DateTimeField()
    there = models.PositiveIntegerField(_("モール"), default=0)
    here = models.PositiveIntegerField(_("取込済み"), default=0)
    held = models.PositiveIntegerField(_("隔離"), default=0)
    fetched = models.PositiveIntegerField(_("照合で取込"), default=0)
    missing = models.PositiveIntegerField(_("未取込"), default=0)
    numbers = ArrayField(models.CharField(max_length=64), default=list)  # all the channel named
    checked_at = models.DateTimeField(_("照合日時"))
    error = SaidField(_("エラー"), blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "day"], name="day_check_once")]

    def __str__(self) -> str:
        return f"{self.shop_id} {self.day}"


class MissedOrder(models.Model):
    """An order that a comparison found at the channel and not here. Closed when it is here or in quarantine."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    day = models.DateField(_("日付"))
    channel_order_no = models.CharField(_("受注番号"), max_length=64)
    ordered_at = models.DateTimeField(_("注文日時"))
    found_at = models.DateTimeField(_("見つけた日時"))
    resolved_at = models.DateTimeField(_("取り込んだ日時"), null=True)
    cause = SaidField(_("理由"), blank=True)  # why the last try did not bring it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "channel_order_no"], name="missed_order_once")]
        indexes = [
            models.Index(fields=["shop", "day"], name="missed_order_day"),
            models.Index(fields=["found_at"], name="missed_order_open", condition=models.Q(resolved_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.channel_order_no


class CatchUp(models.Model):
    """What an import brought after a pause long enough to be announced: new orders of `since` … `until`."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    since = models.DateTimeField()  # the last import before the pause
    until = models.DateTimeField()  # begin of the import that caught up
    orders = models.PositiveIntegerField(default=0)
    first_order_at = models.DateTimeField(null=True)
    last_order_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # null while it is under way

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop"], condition=models.Q(ended_at__isnull=True), name="catch_up_one_at_a_time"
            )
        ]
        indexes = [models.Index(fields=["-ended_at"], name="catch_up_newest")]

    def __str__(self) -> str:
        return f"{self.shop_id} {self.since} … {self.until}"


class CatchUpRead(models.Model):
    """Who has read which announcement."""

    catch_up = models.ForeignKey(CatchUp, models.CASCADE, related_name="reads")
    by = models.ForeignKey("kernel.User", models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["catch_up", "by"], name="catch_up_read_once")]

    def __str__(self) -> str:
        return f"{self.catch_up_id} {self.by_id}"
