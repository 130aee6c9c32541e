from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order
from orders.models.shop import Shop


class TaskKind(models.TextChoices):
    """What sort of hand is needed; a floor above may use `OTHER`."""

    REFUND = "refund", _("返金")
    VOID = "void", _("与信の取消")
    CAPTURE = "capture", _("売上の確定")
    REAUTHORIZE = "reauthorize", _("与信の取り直し")
    PAYMENT_REPORT = "payment_report", _("モールへの入金報告")
    CANCEL = "cancel", _("モールでのキャンセル")
    CHANGE = "change", _("モールでの変更")
    MAIL = "mail", _("お客様への連絡")
    STOCK = "stock", _("在庫の確認")
    OTHER = "other", _("その他")


class Task(models.Model):
    """Something that only a person can do, mostly on another party's page; open until somebody says it is done.

    `key` makes asking twice harmless. `link` is where it is done; empty when there is no such address.
    """

    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(_("種類"), max_length=16, choices=TaskKind)
    order = models.ForeignKey(Order, models.CASCADE, null=True, blank=True, related_name="tasks")
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, blank=True, verbose_name=_("店舗"))
    text = models.CharField(_("内容"), max_length=300)
    link = models.CharField(_("作業する画面"), max_length=500, blank=True)
    due_at = models.DateTimeField(_("期限"), null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("担当")
    )
    made_at = models.DateTimeField(_("作成日時"))
    done_at = models.DateTimeField(_("完了日時"), null=True, blank=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    note = models.CharField(_("メモ"), max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "id"], name="task_open", condition=models.Q(done_at__isnull=True)),
            models.Index(fields=["order", "-id"], name="task_order"),
        ]
        permissions = [("do_task", _("作業を完了にする"))]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"

    @property
    def is_open(self) -> bool:
        return self.done_at is None
