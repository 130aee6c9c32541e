"""What a payment method demands of an order, and the ledger of the money that came."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order, PaymentMethod
from orders.models.shop import Shop


class Collector(models.TextChoices):
    """Who takes the buyer's money."""

    CHANNEL = "channel", _("モール")
    US = "us", _("当社（振込など）")
    PROVIDER = "provider", _("決済会社")
    CARRIER = "carrier", _("配送会社（代引）")
    NOBODY = "nobody", _("なし")


class ShipsWhen(models.TextChoices):
    """What must have happened with the money before the goods leave."""

    AT_ONCE = "at_once", _("入金を待たない")
    AUTHORIZED = "authorized", _("与信（オーソリ）が取れたら")
    CREDIT = "credit", _("後払いの審査が通ったら")
    PAID = "paid", _("全額入金されたら")


class PaymentGate(models.Model):
    """One shop's terms for a payment method, or for one payment code of its channel (`code`, which stands for the
    method named here whatever the connector takes it for). What no row says is in `orders.decide.payments.STANDARD`.

    Days count from the order's day; 0 switches a step off.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="payment_gates")
    code = models.CharField(_("モールの支払コード"), max_length=80, blank=True)
    method = models.CharField(_("支払方法"), max_length=16, choices=PaymentMethod)
    collector = models.CharField(_("代金を受け取る人"), max_length=10, choices=Collector)
    ships_when = models.CharField(_("出荷できる時"), max_length=10, choices=ShipsWhen)
    due_days = models.PositiveSmallIntegerField(_("支払期限（日）"), default=0)
    remind_days = models.PositiveSmallIntegerField(_("督促（日）"), default=0)
    final_days = models.PositiveSmallIntegerField(_("最終督促（日）"), default=0)
    cancel_days = models.PositiveSmallIntegerField(_("キャンセル（日）"), default=0)
    scarce_days = models.PositiveSmallIntegerField(_("在庫が少ない商品のキャンセル（日）"), default=0)
    auto_cancel = models.BooleanField(_("期限を過ぎたら自動でキャンセルする"), default=False)

    class Meta:
        ordering = ["shop", "method", "code"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "code"], name="gate_once_per_code", condition=~models.Q(code="")),
            models.UniqueConstraint(
                fields=["shop", "method"], name="gate_once_per_method", condition=models.Q(code="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shop_id} {self.code or self.method}"


class PaymentFee(models.Model):
    """What a shop charges for a payment method: `steps` are [[from this amount on, yen], …], rising."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="payment_fees")
    method = models.CharField(_("支払方法"), max_length=16, choices=PaymentMethod)
    steps = models.JSONField(default=list)
    plus_tax = models.BooleanField(_("税抜で入力する（消費税10%を加えます）"), default=False)

    class Meta:
        ordering = ["shop", "method"]
        constraints = [models.UniqueConstraint(fields=["shop", "method"], name="fee_once_per_method")]

    def __str__(self) -> str:
        return f"{self.shop_id} {self.method}"


class PaymentEntry(models.Model):
    """Money of an order that came or went, held by a trigger: append-only. An order's `paid_amount` is their sum.

    A mistake is undone by an entry of the opposite amount. `key` makes each fact one entry.
    """

    class Kind(models.TextChoices):
        TRANSFER = "transfer", _("振込")
        RECORDED = "recorded", _("手で登録した入金")
        CHANNEL = "channel", _("モール・決済会社の入金")
        WAIVED = "waived", _("不足の当社負担")
        CARRIER = "carrier", _("代引の代金（配送会社）")
        CREDITED = "credited", _("返品・値引の差し引き")
        UNDONE = "undone", _("取り消し")
        REFUND = "refund", _("返金")

    order = models.ForeignKey(Order, models.CASCADE, related_name="payments")
    kind = models.CharField(_("種類"), max_length=10, choices=Kind)
    amount = models.IntegerField(_("金額"))
    key = models.CharField(max_length=120, unique=True)
    on = models.DateField(_("入金日"))
    at = models.DateTimeField(_("記帳日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    note = models.CharField(_("メモ"), max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["order", "id"], name="payment_order")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.amount:+}"


class Reminder(models.Model):
    """That an unpaid order's buyer was reminded, once for each step."""

    class Step(models.TextChoices):
        FIRST = "first", _("督促")
        FINAL = "final", _("最終督促")
        CANCEL = "cancel", _("期限切れ")

    order = models.ForeignKey(Order, models.CASCADE, related_name="reminders")
    step = models.CharField(_("段階"), max_length=6, choices=Step)
    number = models.PositiveSmallIntegerField(default=1)  # a person may send a step again
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "step", "number"], name="reminder_once")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.step}"
