"""What people keep with an order: a conversation among colleagues, files, and where it comes from."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order


class OrderMemo(models.Model):
    """One entry of the colleagues' conversation about an order. Pinned ones stand on top."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="memos")
    text = models.TextField(_("メモ"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("書いた人"))
    at = models.DateTimeField(_("日時"))
    pinned = models.BooleanField(_("固定"), default=False)

    class Meta:
        ordering = ["-pinned", "-pk"]

    def __str__(self) -> str:
        return self.text[:40]


class OrderFile(models.Model):
    """A file kept with an order. It lies under its `key` in the data folder, never where the web server looks."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="files")
    key = models.CharField(max_length=40, unique=True)
    name = models.CharField(_("ファイル名"), max_length=120)
    kind = models.CharField(max_length=40)
    size = models.PositiveIntegerField(_("大きさ"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("添付した人"))
    at = models.DateTimeField(_("日時"))

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class OrderLink(models.Model):
    """An order that was made from another one."""

    class Kind(models.TextChoices):
        RESEND = "resend", _("再送")
        EXCHANGE = "exchange", _("交換")
        COPY = "copy", _("複写")

    order = models.OneToOneField(Order, models.CASCADE, primary_key=True, related_name="made_from")
    origin = models.ForeignKey(Order, models.PROTECT, related_name="made_of_it")
    kind = models.CharField(_("種類"), max_length=10, choices=Kind)
    reason = models.CharField(_("理由"), max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.origin_id} → {self.order_id}"
