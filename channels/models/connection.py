from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField
from orders.models import Shop


class Connection(models.Model):
    """How a shop is reached: URLs, encrypted credentials, the import cursor and what was last seen of its health.

    `secrets` is one encrypted JSON object; it is read only through `channels.services.credentials`.
    """

    class Health(models.TextChoices):
        UNTRIED = "untried", _("未確認")
        RUNNING = "running", _("正常")
        DEGRADED = "degraded", _("不調")
        STOPPED = "stopped", _("停止")

    class ToldNumber(models.TextChoices):
        FIRST = "first", _("最初の荷物の番号")
        LAST = "last", _("最後の荷物の番号")

    shop = models.OneToOneField(Shop, models.CASCADE, related_name="+")
    base_url = models.CharField(_("API のURL"), max_length=300, blank=True)
    auth_url = models.CharField(_("認証のURL"), max_length=300, blank=True)
    secrets = models.BinaryField(default=bytes)
    secrets_changed_at = models.DateTimeField(_("認証情報の変更日時"), null=True)
    secrets_changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)

    import_paused = models.BooleanField(_("受注取込を止める"), default=False)
    publish_paused = models.BooleanField(_("在庫連携を止める"), default=False)
    notices_paused = models.BooleanField(_("モールへの通知を止める"), default=False)

    told_number = models.CharField(  # read where the channel's `one_number_per_line` is true
        _("1明細を数個口で送るときに知らせる送り状番号"),
        max_length=5,
        choices=ToldNumber,
        default=ToldNumber.FIRST,
        db_default="first",
        help_text=_(
            "このモールは1つの明細に送り状番号を1件しか受け取りません。「最後」では、明細の全数が出荷されるまで"
            "モールへの出荷通知を待ちます。残りの番号は発送メールでお客様に届きます。"
        ),
    )

    health = models.CharField(_("状態"), max_length=10, choices=Health, default=Health.UNTRIED)
    health_cause = SaidField(_("理由"), blank=True)
    stopped_since = models.DateTimeField(_("停止日時"), null=True)

    cursor = models.DateTimeField(_("取込位置"), null=True)
    next_poll_at = models.DateTimeField(null=True)
    listings_at = models.DateTimeField(
        _("出品の取込"), null=True
    )  # begin of the last whole import of listings, or a claim (`services.listings.due`)
    last_import_at = models.DateTimeField(_("最終取込"), null=True)
    last_import_count = models.PositiveIntegerField(default=0)
    import_delay_s = models.FloatField(_("取込の遅れ（秒）"), null=True)
    import_error = SaidField(_("取込エラー"), blank=True)
    last_push_at = models.DateTimeField(_("最終在庫送信"), null=True)
    publish_delay_s = models.FloatField(_("在庫反映の遅れ（秒）"), null=True)
    publish_error = SaidField(_("在庫送信エラー"), blank=True)

    class Meta:
        permissions = [("retry_effect", _("失敗した送信をやり直す"))]

    def __str__(self) -> str:
        return str(self.shop)


class CredentialEvent(models.Model):
    """The shop's journal, append-only: who changed, tried or paused what, when; never the values of credentials."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="credential_events")
    at = models.DateTimeField(_("日時"))
    kind = models.CharField(_("出来事"), max_length=20)
    keys = models.CharField(_("項目"), max_length=300, blank=True)
    text = SaidField(_("内容"), blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.keys}"
