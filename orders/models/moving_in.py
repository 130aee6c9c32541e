from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import Location
from oms.kernel.said_field import SaidField
from orders.models.shop import Shop


class MoveInKind(models.TextChoices):
    PRODUCTS = "products", _("商品マスタ")
    BUNDLES = "bundles", _("セット構成")
    STOCK = "stock", _("在庫数")
    ORDERS = "orders", _("受注")
    MEMBERS = "members", _("会員名簿")


PERSONAL_KINDS = frozenset({MoveInKind.ORDERS, MoveInKind.MEMBERS})


class MoveIn(models.Model):
    """One file of the system used before: read, mapped, checked, applied in batches, perhaps taken back.

    `mapping` is field → column. Units (a SKU, a set, a place's SKU, an order) are worked in the order of their keys;
    those up to `position` are done, each batch commits together with it.
    """

    class State(models.TextChoices):
        READ = "read", _("列の対応待ち")
        CHECKED = "checked", _("確認待ち")
        RUNNING = "running", _("取込中")
        APPLIED = "applied", _("取込済み")
        UNDOING = "undoing", _("取消中")
        UNDONE = "undone", _("取消済み")

    kind = models.CharField(_("種類"), max_length=10, choices=MoveInKind)
    name = models.CharField(_("ファイル名"), max_length=200)
    encoding = models.CharField(_("文字コード"), max_length=20)
    delimiter = models.CharField(_("区切り"), max_length=1)
    heads = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    preset = models.CharField(_("ひな形"), max_length=60, blank=True)
    shop = models.ForeignKey(Shop, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("店舗"))
    location = models.ForeignKey(
        Location, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("拠点")
    )
    state = models.CharField(_("状態"), max_length=8, choices=State, default=State.READ)
    total = models.PositiveIntegerField(_("行数"), default=0)
    bad = models.PositiveIntegerField(_("エラー行"), default=0)
    planned = models.JSONField(default=dict)  # outcome → how many units, before applying
    result = models.JSONField(default=dict)  # outcome → how many units, so far
    position = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(_("日時"))
    touched_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("担当"))

    class Meta:
        permissions = [("move_in", _("ほかのシステムからデータを移す"))]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def is_personal(self) -> bool:
        """Whether its lines name people."""
        return self.kind in PERSONAL_KINDS


class MoveInRow(models.Model):
    """One line of the file. `key` names its unit, empty while it cannot be read; `error` says why, for people.

    `outcome` and `before` stand on the first line of a unit: what became of it, and what was there before.
    """

    move = models.ForeignKey(MoveIn, models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField()
    cells = models.JSONField(default=list)
    key = models.CharField(max_length=200, blank=True)
    error = SaidField(blank=True)  # a sentence of at most 300 characters
    outcome = models.CharField(max_length=10, blank=True)
    before = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["move", "line"], name="move_in_line_once")]
        indexes = [models.Index(fields=["move", "key", "line"], name="move_in_unit")]

    def __str__(self) -> str:
        return f"{self.move_id}:{self.line}"


class MoveInEvent(models.Model):
    """Who did what with a file. Append-only."""

    move = models.ForeignKey(MoveIn, models.CASCADE, related_name="events")
    at = models.DateTimeField(_("日時"))
    kind = models.CharField(max_length=12)
    text = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.move_id} {self.kind}"


class MoveInPreset(models.Model):
    """A company's own mapping for a kind of file: field → head."""

    kind = models.CharField(_("種類"), max_length=10, choices=MoveInKind)
    name = models.CharField(_("名前"), max_length=60)
    heads = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="move_in_preset_once")]

    def __str__(self) -> str:
        return self.name
