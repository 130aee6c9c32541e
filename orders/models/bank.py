"""Bank files, their lines, and which order each line pays."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Member
from orders.models.billing import BillingAccount
from orders.models.order import Order


class BankPreset(models.Model):
    """How a bank's CSV is read: which column (by number, from 0) holds what."""

    name = models.CharField(_("名前"), max_length=60, unique=True)
    columns = models.JSONField(default=dict)  # {"on": 0, "amount": 2, "payer": 3, "text": 4}
    skip_rows = models.PositiveSmallIntegerField(_("読み飛ばす行数"), default=1)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class BankFile(models.Model):
    """One loading of a file or a pasted text. `fresh` lines were new, the other ones known already."""

    name = models.CharField(_("ファイル名"), max_length=200)
    layout = models.CharField(_("形式"), max_length=20)
    account = models.CharField(_("口座"), max_length=60, blank=True)
    lines_read = models.PositiveIntegerField(_("読んだ行"))
    fresh = models.PositiveIntegerField(_("新しい行"))
    at = models.DateTimeField(_("取込日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)

    def __str__(self) -> str:
        return self.name


class BankLine(models.Model):
    """One incoming transfer. `key` is made of account, day, amount, payer and its place among equal ones, so that the
    same line is one row however often and in whatever file it comes."""

    class State(models.TextChoices):
        OPEN = "open", _("未消込")
        MATCHED = "matched", _("消込済")
        PARKED = "parked", _("保留")
        OTHER = "other", _("受注以外")

    file = models.ForeignKey(BankFile, models.PROTECT, related_name="lines")
    key = models.CharField(max_length=40, unique=True)
    on = models.DateField(_("入金日"))
    amount = models.PositiveIntegerField(_("金額"))
    payer = models.CharField(_("振込依頼人"), max_length=120)
    payer_key = models.CharField(max_length=120)
    text = models.CharField(_("摘要"), max_length=200, blank=True)
    state = models.CharField(_("状態"), max_length=8, choices=State, default=State.OPEN)
    note = models.CharField(_("メモ"), max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "-on", "-id"], name="bank_line_state"),
            models.Index(fields=["-on", "-id"], name="bank_line_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.payer} {self.amount}"


class BankMatch(models.Model):
    """That (a part of) a transfer pays an order, or what an account owes beside its orders. Undone ones stay, as
    history."""

    line = models.ForeignKey(BankLine, models.PROTECT, related_name="matches")
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="bank_matches")
    account = models.ForeignKey(BillingAccount, models.PROTECT, null=True, related_name="bank_matches")
    amount = models.PositiveIntegerField(_("金額"))
    at = models.DateTimeField(_("消込日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(_("取消日時"), null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line", "order"], name="match_once", condition=models.Q(undone_at__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["line", "account"], name="match_account_once", condition=models.Q(undone_at__isnull=True)
            ),
            models.CheckConstraint(
                condition=models.Q(order=None, account__isnull=False) | models.Q(order__isnull=False, account=None),
                name="match_one_of_two",
            ),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="match_some_money"),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} → {self.order_id or self.account_id}: {self.amount}"


class PayerAlias(models.Model):
    """A name under which a member pays, learned from an accepted match; forgotten when that match is undone."""

    payer_key = models.CharField(max_length=120)
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    match = models.ForeignKey(BankMatch, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["payer_key", "member"], name="alias_once")]

    def __str__(self) -> str:
        return f"{self.payer_key} → {self.member_id}"
