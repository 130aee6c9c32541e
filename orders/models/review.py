"""How a company reviews: its own levels of the reasons, who has which card before their eyes, what was decided."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order
from orders.models.reason import Level


class ReasonSetting(models.Model):
    """What the company wants of one reason; a reason without a row is as the catalogue says.

    `overrides` is [[kind, value, level, thresholds], …], kind one of channel, shop, payment, rank, carrier, buyer; the
    first that fits wins. An empty level is the reason's own; the thresholds may be absent.
    `params` holds only thresholds that differ from the catalogue's.
    """

    code = models.CharField(max_length=30, primary_key=True)
    active = models.BooleanField(_("見る"), default=True)
    level = models.CharField(_("区分"), max_length=6, choices=Level)
    label = models.CharField(_("呼び名"), max_length=40, blank=True)
    note_required = models.BooleanField(_("メモを必須にする"), default=False)
    # Who reads it beside the office; "": as the catalogue says.
    shown = models.CharField(_("見える範囲"), max_length=10, blank=True, default="", db_default="")
    params = models.JSONField(default=dict)
    overrides = models.JSONField(default=list)
    version = models.PositiveIntegerField(_("版"), default=1)
    # The version that all open orders follow; behind `version` while the work is under way.
    applied_version = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        permissions = [("manage_reasons", _("確認理由を管理する"))]

    def __str__(self) -> str:
        return self.code


class ReviewSettingChange(models.Model):
    """Who changed which setting of the review, from what to what. Rows are only added."""

    subject = models.CharField(max_length=40)  # a reason code
    version = models.PositiveIntegerField(_("版"), default=1)
    before = models.JSONField()
    after = models.JSONField()
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.subject} v{self.version}"


class ReviewClaim(models.Model):
    """One order lies before one person until `until`: nobody else is handed a card of it meanwhile."""

    order = models.OneToOneField(Order, models.CASCADE, primary_key=True, related_name="review_claim")
    by = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    code = models.CharField(max_length=30)
    shown_at = models.DateTimeField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.order_id}: {self.by_id}"


class ReviewDecision(models.Model):
    """One decision on a card, with what is needed to take it back exactly.

    `changed`: the order itself was changed, not merely waved through. `before` and `after` hold the fields that the
    decision wrote; `reasons` the review rows as they were.
    """

    order = models.ForeignKey(Order, models.CASCADE, related_name="review_decisions")
    code = models.CharField(_("理由"), max_length=30)
    verb = models.CharField(_("判断"), max_length=20)
    changed = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("担当"))
    shown_at = models.DateTimeField(_("表示日時"))
    decided_at = models.DateTimeField(_("判断日時"))
    action = models.CharField(max_length=40)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reasons = models.JSONField(default=list)
    undone_at = models.DateTimeField(_("取消日時"), null=True)

    class Meta:
        indexes = [
            models.Index(fields=["by", "-id"], name="decision_by"),
            models.Index(fields=["code", "-decided_at"], name="decision_code"),
            models.Index(fields=["action"], name="decision_action"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.code}: {self.verb}"
