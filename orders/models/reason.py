from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField
from orders.models.order import Order


class Level(models.TextChoices):
    BLOCK = "block", _("停止")
    WARN = "warn", _("注意")
    INFO = "info", _("情報")


class ReviewReason(models.Model):
    """Why an order stops or deserves a look: one row per code, reopened when its evidence changes.

    `evidence` is a sentence for people; `fingerprint` says whether an accepted reason still stands for the same facts.
    """

    class State(models.TextChoices):
        OPEN = "open", _("未確認")
        ACCEPTED = "accepted", _("確認済み")
        AUTO_RESOLVED = "auto_resolved", _("自動解消")

    order = models.ForeignKey(Order, models.CASCADE, related_name="reasons")
    code = models.CharField(_("理由"), max_length=30)
    level = models.CharField(_("区分"), max_length=6, choices=Level)
    evidence = SaidField(_("根拠"))
    field = models.CharField(max_length=40, blank=True)
    fingerprint = models.CharField(max_length=40)
    state = models.CharField(_("状態"), max_length=14, choices=State, default=State.OPEN)
    raised_at = models.DateTimeField(_("発生日時"))
    closed_at = models.DateTimeField(_("解消日時"), null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    note = SaidField(_("メモ"), blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "code"], name="reason_once_per_order")]
        indexes = [
            models.Index(fields=["code", "order"], name="reason_open", condition=models.Q(state="open")),
            models.Index(
                fields=["code", "order"], name="reason_waiting", condition=models.Q(state="open", level="block")
            ),
            models.Index(fields=["raised_at"], name="reason_raised"),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.state})"
