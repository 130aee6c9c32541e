"""How long personal data of ended orders is kept, which orders are exempt, and what was erased."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField
from orders.models.order import Order
from orders.models.shop import Shop


class Retention(models.Model):
    """How long one shop keeps it; a shop without a row follows its channel (`orders.decide.privacy`)."""

    shop = models.OneToOneField(Shop, models.CASCADE, primary_key=True, related_name="retention")
    days = models.PositiveSmallIntegerField(_("保存する日数"), null=True, blank=True)  # None: for ever

    class Meta:
        permissions = [("manage_privacy", _("個人情報の保存期間を管理する"))]

    def __str__(self) -> str:
        return f"{self.shop_id}: {self.days}"


class LegalHold(models.Model):
    """This order's data must be kept, whatever the days: a dispute, a claim."""

    order = models.OneToOneField(Order, models.CASCADE, primary_key=True, related_name="legal_hold")
    reason = models.CharField(_("理由"), max_length=200)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.order_id}: {self.reason}"


class PurgedOrder(models.Model):
    """This order's personal data is gone. `version` is the order's own then: what is written later is erased again."""

    order = models.OneToOneField(Order, models.CASCADE, primary_key=True, related_name="purged")
    at = models.DateTimeField(_("日時"))
    version = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.order_id}"


class PrivacyEvent(models.Model):
    """Who set which days, held which order, and what was erased when. Append-only; itself free of personal data."""

    class Kind(models.TextChoices):
        DAYS = "days", _("保存期間の変更")
        HELD = "held", _("消去の保留")
        LIFTED = "lifted", _("消去の保留を解除")
        ERASED = "erased", _("消去")
        MEMBERS = "members", _("会員の消去")
        VIEWS = "views", _("閲覧履歴の保存期間")

    kind = models.CharField(_("出来事"), max_length=8, choices=Kind)
    shop = models.ForeignKey(Shop, models.SET_NULL, null=True, related_name="+", verbose_name=_("店舗"))
    text = SaidField(_("内容"), blank=True)
    count = models.PositiveIntegerField(_("件数"), default=0)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"
