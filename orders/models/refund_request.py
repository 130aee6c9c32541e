"""How much a person may give back alone, and refunds that wait for somebody who may give back more."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order


class RefundLimit(models.Model):
    """What the people of one role may give back of an order alone, in yen; None: any amount.

    A role without a row follows `orders.decide.refund_limits`.
    """

    group = models.OneToOneField(Group, models.CASCADE, primary_key=True, related_name="refund_limit")
    amount = models.PositiveIntegerField(_("1人で返金できる上限"), null=True, blank=True)

    class Meta:
        default_permissions = ("change",)

    def __str__(self) -> str:
        return f"{self.group_id}: {self.amount}"


class RefundLimitEvent(models.Model):
    """Who set which limit, from what to what. Append-only; None: any amount."""

    role = models.CharField(_("役割"), max_length=150)
    before = models.PositiveIntegerField(null=True)
    after = models.PositiveIntegerField(null=True)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.role}: {self.before} → {self.after}"


class RefundRequest(models.Model):
    """A verb that gives back more than its person may alone: prepared, and run when somebody else approves it.

    `payload` is what the verb is called with. `amount` is the yen that the request was made for; what counts when it
    is run is the amount then. `held`: the order was put on hold for it. `key` makes a repeated click one request.
    """

    class Kind(models.TextChoices):
        CANCEL = "cancel", _("注文全体のキャンセル")
        PIECES = "pieces", _("一部の商品のキャンセル")
        LINES = "lines", _("商品の変更")
        RETURN = "return", _("返品の精算")
        REFUND = "refund", _("返金")
        COMPLETE = "complete", _("返金の支払い")

    class State(models.TextChoices):
        WAITING = "waiting", _("承認待ち")
        APPROVED = "approved", _("承認済み")
        REFUSED = "refused", _("却下")
        WITHDRAWN = "withdrawn", _("取り下げ")

    order = models.ForeignKey(Order, models.CASCADE, related_name="refund_requests")
    key = models.CharField(max_length=120, unique=True)
    subject = models.CharField(max_length=60)
    kind = models.CharField(_("内容"), max_length=10, choices=Kind)
    payload = models.JSONField(default=dict)
    amount = models.PositiveIntegerField(_("返金額"))
    reason = models.CharField(_("理由"), max_length=200, blank=True)
    held = models.BooleanField(default=False)
    state = models.CharField(_("状態"), max_length=10, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(_("申請日時"))
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(_("判断した日時"), null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    note = models.CharField(_("メモ"), max_length=300, blank=True)

    class Meta:
        default_permissions = ()
        permissions = [("approve_refund", _("返金を承認する"))]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "subject"], condition=models.Q(state="waiting"), name="refund_request_waits_once"
            )
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="refund_request_state"),
            models.Index(fields=["order", "-id"], name="refund_request_order"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.kind} {self.amount} ({self.state})"
