from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField
from orders.models import Shop


class ApiCall(models.Model):
    """One request to a channel and what came of it: no secret, no query, no personal data. Kept for some days."""

    class Purpose(models.TextChoices):
        IMPORT = "import", _("受注の取込")
        STOCK = "stock", _("在庫の連携")
        NOTICE = "notice", _("モールへの通知")
        TEST = "test", _("接続テスト")
        RENEWAL = "renewal", _("認証情報の更新")
        OTHER = "other", _("その他")

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField(_("日時"))
    purpose = models.CharField(_("用途"), max_length=8, choices=Purpose)
    operation = models.CharField(_("操作"), max_length=80)
    method = models.CharField(max_length=8)
    address = models.CharField(_("宛先"), max_length=300)
    status = models.PositiveSmallIntegerField(_("応答"), null=True)
    duration_ms = models.PositiveIntegerField(_("所要時間"))
    attempt = models.PositiveSmallIntegerField(_("試行"))
    ok = models.BooleanField()
    error = SaidField(_("エラー"), blank=True)
    request_id = models.CharField(_("リクエストID"), max_length=80, blank=True)
    bucket = models.CharField(max_length=80, blank=True)  # the allowance of the channel that the call was counted in
    limit_s = models.FloatField(default=0)  # and how many seconds of it the call used

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="api_call_newest"),
            models.Index(fields=["shop", "-at", "-id"], name="api_call_shop"),
            models.Index(fields=["shop", "-at"], name="api_call_notice", condition=models.Q(purpose="notice")),
            models.Index(fields=["-at", "-id"], name="api_call_failed", condition=models.Q(ok=False)),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.address}"


class ServiceLimit(models.Model):
    """How many late shipments or cancellations a channel bears: an administrator's figure in place of the declared."""

    class Kind(models.TextChoices):
        LATE = "late", _("出荷の遅れ")
        CANCEL = "cancel", _("店舗都合のキャンセル")

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind)
    percent = models.FloatField(_("上限（％）"))
    days = models.PositiveSmallIntegerField(_("期間（日）"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "kind"], name="service_limit_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.percent}"
