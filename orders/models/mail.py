from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order
from orders.models.shop import Shop


class MailEvent(models.TextChoices):
    ORDER_RECEIVED = "order_received", _("受注確認（サンキューメール）")
    PAYMENT_REMINDER = "payment_reminder", _("入金督促")
    PAYMENT_FINAL = "payment_final", _("入金の最終督促")
    PAYMENT_RECEIVED = "payment_received", _("入金確認")
    REFUND_DONE = "refund_done", _("返金完了")
    SHIPPED = "shipped", _("出荷完了")
    PARTIALLY_SHIPPED = "partially_shipped", _("一部出荷")
    CANCELLED = "cancelled", _("キャンセル")
    DELAY = "delay", _("遅延のお知らせ")
    REMINDER = "reminder", _("お支払いのお願い")
    PAYMENT_CHANGE = "payment_change", _("お支払い方法変更のお願い")
    INQUIRY = "inquiry", _("ご確認のお願い")


class MailTemplate(models.Model):
    """Subject and text of one event's mail; a row without shop is the company's standard."""

    event = models.CharField(_("メールの種類"), max_length=24, choices=MailEvent)
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, blank=True, verbose_name=_("店舗"))
    subject = models.CharField(_("件名"), max_length=200)
    body = models.TextField(_("本文"))
    active = models.BooleanField(_("使う"), default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "shop"], name="mail_template_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()}: {self.subject}"


class Mail(models.Model):
    """One mail to a customer, written with the outbox effect that sends it."""

    class State(models.TextChoices):
        SCHEDULED = "scheduled", _("送信待ち")
        SENT = "sent", _("送信済")
        FAILED = "failed", _("送信失敗")
        SUPPRESSED = "suppressed", _("送信しない")
        DRAFT = "draft", _("下書き（確認待ち）")

    order = models.ForeignKey(Order, models.CASCADE, related_name="mails")
    event = models.CharField(_("種類"), max_length=24, choices=MailEvent)
    key = models.CharField(max_length=120, unique=True)
    to = models.CharField(_("宛先"), max_length=254)
    subject = models.CharField(_("件名"), max_length=200, blank=True)
    body = models.TextField(_("本文"), blank=True)
    state = models.CharField(_("状態"), max_length=12, choices=State, default=State.SCHEDULED)
    reason = models.CharField(_("理由"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("作成日時"))
    sent_at = models.DateTimeField(_("送信日時"), null=True)

    class Meta:
        indexes = [models.Index(fields=["order", "id"], name="mail_order")]

    def __str__(self) -> str:
        return f"{self.event} → {self.order_id}"
