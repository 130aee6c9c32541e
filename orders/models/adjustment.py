"""What our own side put onto an order beside what its channel told: money, and choices about its papers and mails."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order


class OrderAdjustment(models.Model):
    """A fee or a discount that a rule put onto an order whose price is between shop and buyer.

    It is contained in `fees` or `discount` and in `total` at every moment; what the channel tells anew is raised by
    the rows that stand. One row per order and rule action (`key`).
    """

    class Kind(models.TextChoices):
        FEE = "fee", _("手数料")
        DISCOUNT = "discount", _("値引")

    order = models.ForeignKey(Order, models.CASCADE, related_name="adjustments")
    kind = models.CharField(_("種類"), max_length=8, choices=Kind)
    label = models.CharField(_("名目"), max_length=40)
    amount = models.PositiveIntegerField(_("金額（円・税込）"))
    key = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "key"], name="order_adjustment_once"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="order_adjustment_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.kind} {self.amount}"


class OrderChoice(models.Model):
    """What was chosen for one order's paper or mail instead of the shop's usual way.

    `subject` is "delivery_note:<parts>" (`values`: text, prices "hide" or "show", paper; empty ones are as usual) or
    "mail:<event>" (`values`: variant, the name of a template). One row per order and subject, put there by one rule
    action (`key`).
    """

    order = models.ForeignKey(Order, models.CASCADE, related_name="choices")
    subject = models.CharField(max_length=40)
    values = models.JSONField(default=dict)
    key = models.CharField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "subject"], name="order_choice_once")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.subject}"
