from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oms.kernel.said import said
from orders.models.order import Order, OrderLine

# code → words; the code is stored, the words stand on the order (`cancel_reason`)
CANCEL_REASONS: dict[str, str | Promise] = {
    "customer": _("顧客都合"),
    "out_of_stock": _("欠品"),
    "unpaid": _("未入金"),
    "fraud": _("不正の疑い"),
    "duplicate": _("二重注文"),
    "wrong_price": _("価格誤り"),
    "channel": _("モール側のキャンセル"),
    "other": _("その他"),
}


def cancel_reasons() -> list[tuple[str, str | Promise]]:
    """A function, so that another reason needs no migration."""
    return list(CANCEL_REASONS.items())


class Cancellation(models.Model):
    """One decision to cancel an order, or some pieces of it: what was asked, and how it ended.

    It waits while a location has still to answer whether it could stop the parcel. `key` makes a repeated click the
    same decision. What became of each effect is read from where it happened (`orders.queries.cancellations`).
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("出荷元の返事待ち")
        DONE = "done", _("キャンセル済み")
        TOO_LATE = "too_late", _("間に合わず出荷")
        WITHDRAWN = "withdrawn", _("取り下げ")

    class AskedBy(models.TextChoices):
        CUSTOMER = "customer", _("お客様")
        SHOP = "shop", _("店舗")
        CHANNEL = "channel", _("モール")

    order = models.ForeignKey(Order, models.CASCADE, related_name="cancellations")
    key = models.CharField(max_length=64, unique=True)
    whole = models.BooleanField(_("注文全体"), default=True)
    reason = models.CharField(_("キャンセルの理由"), max_length=20, choices=cancel_reasons)
    note = models.CharField(_("補足"), max_length=150, blank=True)
    asked_by = models.CharField(_("申し出た人"), max_length=10, choices=AskedBy, default=AskedBy.CUSTOMER)
    keep_off_sale = models.BooleanField(_("販売に戻さない"), default=False)
    send_mail = models.BooleanField(_("お知らせメール"), default=True)
    refund = models.BooleanField(_("返金"), default=True)
    keep_fee = models.BooleanField(_("手数料を変えない"), default=False, db_default=False)
    state = models.CharField(_("状態"), max_length=10, choices=State, default=State.WAITING)
    amount = models.IntegerField(_("減額"), default=0)  # yen that the order's total fell by; pieces only
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField(_("受付日時"))
    ended_at = models.DateTimeField(_("終了日時"), null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=models.Q(state="waiting"), name="cancellation_waits_once"
            )
        ]
        indexes = [models.Index(fields=["order", "-id"], name="cancellation_order")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.reason} ({self.state})"

    @property
    def text(self) -> str:
        """The reason with what was added to it, a sentence for the journal; channels are told its Japanese."""
        if self.reason == "other" and self.note:
            return self.note
        words = said(CANCEL_REASONS.get(self.reason, self.reason))
        return said("%(why)s（%(note)s）", why=words, note=self.note) if self.note else words


class CancellationLine(models.Model):
    """So many pieces of a line; a whole cancellation has none."""

    cancellation = models.ForeignKey(Cancellation, models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField(_("数量"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cancellation", "line"], name="cancellation_line_once")]

    def __str__(self) -> str:
        return f"{self.line_id} × {self.quantity}"
