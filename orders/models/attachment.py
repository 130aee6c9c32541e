from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order


class OrderAttachment(models.Model):
    """A file that belongs to an order. Its bytes lie under `settings.ATTACHMENTS`/`place`; `content_type` was read
    from the bytes, not believed. A removed one keeps its row, without the bytes."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="attachments")
    name = models.CharField(_("ファイル名"), max_length=150)
    note = models.CharField(_("説明"), max_length=200, blank=True)
    content_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField(_("大きさ"))
    sha256 = models.CharField(max_length=64)
    place = models.CharField(max_length=80)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("担当"))
    removed_at = models.DateTimeField(_("削除日時"), null=True)
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "sha256"], condition=Q(removed_at__isnull=True), name="attachment_once_per_order"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_shown_inline(self) -> bool:
        """Whether a browser may show it in its own window: pictures and PDF."""
        return self.content_type.startswith("image/") or self.content_type == "application/pdf"


class OrderTalk(models.Model):
    """One conversation with the customer about an order, as a colleague wrote it down. Never rewritten."""

    class Way(models.TextChoices):
        PHONE_IN = "phone_in", _("電話（受け）")
        PHONE_OUT = "phone_out", _("電話（かけ）")
        MAIL = "mail", _("メール")
        CHANNEL = "channel", _("モールのメッセージ")
        STORE = "store", _("店頭")
        OTHER = "other", _("その他")

    order = models.ForeignKey(Order, models.CASCADE, related_name="talks")
    way = models.CharField(_("方法"), max_length=10, choices=Way)
    text = models.TextField(_("内容"))
    key = models.CharField(max_length=40, unique=True)  # one writing of the form is one talk, however often it is sent
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("担当"))

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.get_way_display()} {self.at:%Y-%m-%d}"
