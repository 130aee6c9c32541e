from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField
from orders.models.order import LineComponent, Order, OrderLine


class Refund(models.Model):
    """Money that goes back to the buyer, true to the lines and tax rates it was taken for.

    `amount` is the money; it equals the lines' and fees' money, less `deduction`, plus `goodwill`, `surplus` (paid
    beyond the total) and `difference` (by which what was sent in exchange is cheaper). Points and the
    channel's coupons were never the buyer's money: they go back as `points_back`, or to the channel.
    `tax_by_rate` is [[rate, amount, tax inside], …] of the prices taken back, whoever had paid them.
    """

    class State(models.TextChoices):
        DUE = "due", _("返金待ち")
        DONE = "done", _("返金済")
        WITHDRAWN = "withdrawn", _("取りやめ")

    class Way(models.TextChoices):
        CHANNEL = "channel", _("モールが返金")
        MALL_PAGE = "mall_page", _("モールの画面で返金")
        PROVIDER = "provider", _("決済会社の画面で返金")
        BANK = "bank", _("銀行振込で返金")
        VOID = "void", _("与信の取消")

    order = models.ForeignKey(Order, models.CASCADE, related_name="refunds")
    key = models.CharField(max_length=120, unique=True)
    state = models.CharField(_("状態"), max_length=10, choices=State, default=State.DUE)
    way = models.CharField(_("返金方法"), max_length=10, choices=Way)
    reason = SaidField(_("理由"))
    goods = models.IntegerField(_("商品"), default=0)
    shipping = models.IntegerField(_("送料"), default=0)
    fees = models.IntegerField(_("手数料"), default=0)
    gift_fees = models.IntegerField(_("ラッピング料"), default=0)
    deduction = models.PositiveIntegerField(_("差し引き（返送料など）"), default=0)
    goodwill = models.PositiveIntegerField(_("お詫び"), default=0)
    surplus = models.PositiveIntegerField(_("過入金"), default=0)
    difference = models.PositiveIntegerField(_("交換の差額"), default=0, db_default=0)
    points_back = models.PositiveIntegerField(_("ポイントの返還"), default=0)
    coupon_back = models.PositiveIntegerField(_("モールクーポンの返還"), default=0)
    amount = models.PositiveIntegerField(_("返金額"))
    tax_by_rate = models.JSONField(default=list)
    made_at = models.DateTimeField(_("作成日時"))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    # whose limit covers it; empty: it was not any person's decision, so whoever pays it must be allowed that much
    cleared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    done_at = models.DateTimeField(_("返金日時"), null=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    note = SaidField(_("メモ"), blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["order", "id"], name="refund_order"),
            models.Index(fields=["made_at", "id"], name="refund_due", condition=models.Q(state="due")),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.amount}"


class RefundLine(models.Model):
    """What one order line gives back: `price` after the shop's discounts, of which `money` is the buyer's.

    `quantity` counts whole pieces; of a set, `parts` say what each component gives back, which adds up to the line.
    """

    refund = models.ForeignKey(Refund, models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField(_("数量"))
    price = models.IntegerField(_("値引後の金額"))
    points = models.IntegerField(_("ポイント"), default=0)
    coupon = models.IntegerField(_("モールクーポン"), default=0)
    money = models.IntegerField(_("返金額"))
    tax_rate = models.PositiveSmallIntegerField(_("税率"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["refund", "line"], name="refund_line_once")]

    def __str__(self) -> str:
        return f"{self.line_id} × {self.quantity}"


class RefundPart(models.Model):
    """What one component of a set's line gives back, of whole sets and alone; columns as in `RefundLine`."""

    refund_line = models.ForeignKey(RefundLine, models.CASCADE, related_name="parts")
    component = models.ForeignKey(LineComponent, models.PROTECT, related_name="+")
    units = models.PositiveIntegerField(_("数量"))
    alone = models.PositiveIntegerField(_("単品の数量"))  # of `units`, those that are no part of a whole set
    price = models.IntegerField(_("値引後の金額"))
    points = models.IntegerField(_("ポイント"), default=0)
    coupon = models.IntegerField(_("モールクーポン"), default=0)
    money = models.IntegerField(_("返金額"))
    tax_rate = models.PositiveSmallIntegerField(_("税率"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["refund_line", "component"], name="refund_part_once")]

    def __str__(self) -> str:
        return f"{self.component_id} × {self.units}"
