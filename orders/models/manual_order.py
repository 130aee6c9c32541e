from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order
from orders.models.shop import Shop


class ManualOrder(models.Model):
    """An order that a person typed in: by telephone, fax, letter or at the counter, or as a copy of another one.

    `key` is the form's own: sent twice it makes one order. The row's id is the order's running number.
    """

    class Source(models.TextChoices):
        PHONE = "phone", _("電話")
        FAX = "fax", "FAX"
        STORE = "store", _("店頭")
        MAIL = "mail", _("メール・手紙")
        OTHER = "other", _("その他")

    class CopyReason(models.TextChoices):
        """Why an order was copied; empty where it was not."""

        RESEND = "resend", _("再送")
        MISSING = "missing", _("不足分の発送")
        REORDER = "reorder", _("追加注文")
        OTHER = "other", _("その他")

    key = models.CharField(max_length=40, unique=True)
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", verbose_name=_("店舗"))
    source = models.CharField(_("受けた方法"), max_length=8, choices=Source)
    order = models.OneToOneField(Order, models.PROTECT, null=True, related_name="manual", verbose_name=_("受注"))
    copied_from = models.ForeignKey(
        Order, models.PROTECT, null=True, blank=True, related_name="copies", verbose_name=_("複写元")
    )
    copy_reason = models.CharField(_("複写の理由"), max_length=8, choices=CopyReason, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(_("受付日時"))

    def __str__(self) -> str:
        return self.key
