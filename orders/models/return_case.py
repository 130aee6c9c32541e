from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inventory.models import Location, Sku
from oms.kernel.said_field import SaidField
from orders.decide.returns import REASONS, SHOP
from orders.models.order import Carrier, LineComponent, Order, OrderLine


def return_reasons() -> list[tuple[str, str | Promise]]:
    """A function, so that another reason needs no migration."""
    return [(code, reason.label) for code, reason in REASONS.items()]


class ReturnCase(models.Model):
    """Goods of a shipped order that come back: asked, approved, arrived, inspected, settled, closed.

    An exchange sends other goods by an order of its own (`exchange_order`). Its refund is the one with key
    `return:<id>`. Moves stand in `orders.decide.returns.MOVES`; only `orders.services.returns` makes them.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("返品受付")
        APPROVED = "approved", _("返品承認")
        IN_TRANSIT = "in_transit", _("返送中")
        RECEIVED = "received", _("返品到着")
        INSPECTED = "inspected", _("検品済み")
        SETTLED = "settled", _("精算済み")
        CLOSED = "closed", _("完了")
        REJECTED = "rejected", _("お断り")
        WITHDRAWN = "withdrawn", _("取り下げ")

    class Kind(models.TextChoices):
        RETURN = "return", _("返品")
        EXCHANGE = "exchange", _("交換")
        UNDELIVERED = "undelivered", _("持戻り")

    order = models.ForeignKey(Order, models.PROTECT, related_name="return_cases", verbose_name=_("受注"))
    key = models.CharField(max_length=80, unique=True)
    kind = models.CharField(_("種類"), max_length=12, choices=Kind, default=Kind.RETURN)
    state = models.CharField(_("状態"), max_length=10, choices=State, default=State.REQUESTED)
    reason = models.CharField(_("返品の理由"), max_length=20, choices=return_reasons)
    note = models.CharField(_("メモ"), max_length=500, blank=True)
    answer = models.CharField(_("お客様への回答"), max_length=500, blank=True)
    ship_first = models.BooleanField(_("返品の到着を待たずに交換品を送る"), default=False)
    carrier = models.CharField(_("返送の配送会社"), max_length=12, choices=Carrier, blank=True)
    tracking_no = models.CharField(_("返送の送り状番号"), max_length=40, blank=True)
    pickup_on = models.DateField(_("集荷日"), null=True, blank=True)
    pickup_slot = models.CharField(_("集荷の時間帯"), max_length=20, blank=True, db_default="")
    location = models.ForeignKey(
        Location, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("良品を戻す拠点")
    )
    exchange_order = models.OneToOneField(
        Order, models.SET_NULL, null=True, blank=True, related_name="exchanged_for", verbose_name=_("交換の受注")
    )
    settle_note = models.CharField(_("精算メモ"), max_length=300, blank=True)
    asked_at = models.DateTimeField(_("受付日時"))
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(_("承認日時"), null=True)
    received_at = models.DateTimeField(_("到着日時"), null=True)
    inspected_at = models.DateTimeField(_("検品日時"), null=True)
    settled_at = models.DateTimeField(_("精算日時"), null=True)
    closed_at = models.DateTimeField(_("完了日時"), null=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "-id"], name="return_state"),
            models.Index(fields=["order", "-id"], name="return_order"),
            models.Index(fields=["tracking_no"], name="return_tracking", condition=~models.Q(tracking_no="")),
        ]
        permissions = [
            ("settle_returncase", _("返品を精算する")),
            ("inspect_returncase", _("返品を検品する")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"R{self.pk:07d}"

    @property
    def shop_pays_freight(self) -> bool:
        return REASONS[self.reason].freight_by == SHOP

    @property
    def refund_key(self) -> str:
        return f"return:{self.pk}"

    @property
    def stock_ref(self) -> str:
        """How the stock ledger knows what came back."""
        return f"return:{self.pk}"


def part_name(set_name: str, component: str) -> str:
    """How a component of a set is called on screens and papers."""
    return f"{set_name}（{component}）"


class ReturnLine(models.Model):
    """So many pieces of an order line are to come back, or units of one component of a set; `received` did."""

    case = models.ForeignKey(ReturnCase, models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="returns")
    component = models.ForeignKey(LineComponent, models.PROTECT, null=True, related_name="+", verbose_name=_("構成品"))
    quantity = models.PositiveIntegerField(_("数量"))
    received = models.PositiveIntegerField(_("到着数"), default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "line", "component"], nulls_distinct=False, name="return_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.line_id} × {self.quantity}"

    @property
    def name(self) -> str:
        return part_name(self.line.name, self.component.name) if self.component else self.line.name


class ReturnGrade(models.Model):
    """What inspection found of a SKU that came back, and where those units lie now."""

    class Grade(models.TextChoices):
        GOOD = "good", _("良品")
        SECOND = "second", _("B品")
        DEFECTIVE = "defective", _("不良")
        TO_MAKER = "to_maker", _("メーカー返送")

    case = models.ForeignKey(ReturnCase, models.CASCADE, related_name="grades")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="+")
    grade = models.CharField(_("判定"), max_length=10, choices=Grade)
    quantity = models.PositiveIntegerField(_("数量"))
    location = models.ForeignKey(Location, models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "sku", "grade"], name="return_grade_once")]

    def __str__(self) -> str:
        return f"{self.sku_id} {self.grade} × {self.quantity}"


class ExchangeItem(models.Model):
    """What is sent instead; `unit_price` yen, tax-inclusive."""

    case = models.ForeignKey(ReturnCase, models.CASCADE, related_name="exchange_items")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="+", verbose_name="SKU")
    quantity = models.PositiveIntegerField(_("数量"))
    unit_price = models.PositiveIntegerField(_("単価"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "sku"], name="exchange_item_once")]

    def __str__(self) -> str:
        return f"{self.sku_id} × {self.quantity}"


class ReturnEvent(models.Model):
    """The case's journal; append-only, held by a trigger."""

    case = models.ForeignKey(ReturnCase, models.PROTECT, related_name="events")
    at = models.DateTimeField(_("日時"))
    kind = models.CharField(_("出来事"), max_length=30)
    text = SaidField(_("内容"), blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"


class UnknownParcel(models.Model):
    """A parcel that came without notice (持ち主不明の返品): kept until somebody finds its order."""

    at = models.DateTimeField(_("到着日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    tracking_no = models.CharField(_("送り状番号"), max_length=40, blank=True)
    sender = models.CharField(_("差出人"), max_length=120, blank=True)
    phone = models.CharField(_("電話番号"), max_length=30, blank=True)
    contents = models.CharField(_("中身"), max_length=300, blank=True)
    case = models.OneToOneField(ReturnCase, models.SET_NULL, null=True, blank=True, related_name="unknown_parcel")

    class Meta:
        indexes = [models.Index(fields=["-id"], name="unknown_parcel_open", condition=models.Q(case__isnull=True))]

    def __str__(self) -> str:
        return f"{self.sender or self.tracking_no or self.pk}"
