"""掛売: customers who pay for a month at once, and the bills they got."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Member
from orders.models.order import Order
from orders.models.papers import IssuedDocument
from orders.models.shop import Shop

LAST_DAY = 31  # of a month, however long it is


class BillingAccount(models.Model):
    """A member who buys of one shop on account. Its orders are closed together on `closing_day` and paid by `pay_day`
    of the month `pay_months` later.

    `qualified`: which paper is the invoice of tax law; never both. `credit_limit`: what may be owed in all.
    `opening_on`: up to that day everything was billed elsewhere, and what was owed then is in `AccountEntry`.
    """

    class Qualified(models.TextChoices):
        BILL = "bill", _("合計請求書（消費税は請求書ごとに計算）")
        NOTE = "note", _("納品書（消費税は納品書ごとに計算）")

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", verbose_name=_("店舗"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("会員"))
    name = models.CharField(_("請求先の名前"), max_length=120)
    attention = models.CharField(_("部署・担当者"), max_length=120, blank=True)
    postal_code = models.CharField(_("郵便番号"), max_length=10, blank=True)
    address = models.CharField(_("住所"), max_length=300, blank=True)
    closing_day = models.PositiveSmallIntegerField(
        _("締日"), default=LAST_DAY, validators=[MinValueValidator(1), MaxValueValidator(LAST_DAY)],
        help_text=_("31 は月末です。"),
    )  # fmt: skip
    pay_months = models.PositiveSmallIntegerField(
        _("支払月（締めた月の何か月後）"), default=1, validators=[MaxValueValidator(6)]
    )
    pay_day = models.PositiveSmallIntegerField(
        _("支払日"), default=LAST_DAY, validators=[MinValueValidator(1), MaxValueValidator(LAST_DAY)],
        help_text=_("31 は月末です。"),
    )  # fmt: skip
    qualified = models.CharField(
        _("適格請求書とする帳票"), max_length=4, choices=Qualified, default=Qualified.BILL,
        help_text=_("もう一方には登録番号を印字しません。"),
    )  # fmt: skip
    credit_limit = models.PositiveIntegerField(
        _("与信枠（円）"), null=True, blank=True, validators=[MaxValueValidator(999_999_999)],
        help_text=_("未入金の合計がこの額を超える受注は確認待ちになります。空欄なら限りません。"),
    )  # fmt: skip
    opening_on = models.DateField(_("残高の基準日"), null=True, editable=False)  # as its entries say

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["shop", "member"], name="billing_account_once")]

    def __str__(self) -> str:
        return self.name


class AccountEntry(models.Model):
    """What an account owes beside its orders, held by a trigger: append-only. Above zero it owes more.

    What was owed when it moved in, what of that came, and freight of returns that the buyer bears. A mistake is put
    right by a further entry. `key` makes each fact one entry.
    """

    class Kind(models.TextChoices):
        OPENING = "opening", _("開始残高")
        CORRECTED = "corrected", _("開始残高の訂正")
        FREIGHT = "freight", _("返送料のご負担")
        TRANSFER = "transfer", _("振込")
        RECORDED = "recorded", _("手で登録した入金")
        UNDONE = "undone", _("取り消し")

    MONEY = (Kind.TRANSFER, Kind.RECORDED, Kind.UNDONE)

    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="entries")
    kind = models.CharField(_("種類"), max_length=10, choices=Kind)
    amount = models.IntegerField(_("金額"))
    key = models.CharField(max_length=120, unique=True)
    on = models.DateField(_("日付"))
    at = models.DateTimeField(_("記帳日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    note = models.CharField(_("メモ"), max_length=200, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["account", "id"], name="account_entry")]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.amount:+}"


class MonthlyBill(models.Model):
    """One closing of an account. `before` less `received`, plus `adjusted` and `sales`, is `due`. A voided one counts
    for nothing. `entries`: what of the account's own entries it has counted, in `before` or in `adjusted`."""

    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="bills")
    document = models.OneToOneField(IssuedDocument, models.PROTECT, related_name="monthly_bill")
    closed_on = models.DateField(_("締日"))
    due_on = models.DateField(_("支払期限"))
    before = models.IntegerField(_("前回ご請求額"))
    received = models.IntegerField(_("ご入金額"))
    adjusted = models.IntegerField(_("調整額"), default=0)
    sales = models.IntegerField(_("今回お買上額"))
    due = models.IntegerField(_("今回ご請求額"))
    entries = models.ManyToManyField(AccountEntry, related_name="bills")
    voided_at = models.DateTimeField(_("取消日時"), null=True)
    voided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-closed_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "closed_on"], name="bill_once_a_closing", condition=models.Q(voided_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.closed_on}"


class MonthlyBillItem(models.Model):
    """An order that was billed, or with `credit` a 返還インボイス of it that was taken off (`amount` below zero)."""

    bill = models.ForeignKey(MonthlyBill, models.CASCADE, related_name="items")
    order = models.ForeignKey(Order, models.PROTECT, related_name="billed")
    credit = models.ForeignKey(IssuedDocument, models.PROTECT, null=True, related_name="+")
    amount = models.IntegerField(_("金額"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bill", "order", "credit"], name="bill_item_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.bill_id}: {self.amount:+}"
