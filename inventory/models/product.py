from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from oms.kernel.search import gram_index


class Product(models.Model):
    """What a shopper recognises as one thing; its variants are SKUs."""

    code = models.CharField(_("商品コード"), max_length=60, unique=True)
    name = models.CharField(_("商品名"), max_length=255)
    brand = models.CharField(_("ブランド"), max_length=100, blank=True)
    category = models.CharField(_("カテゴリ"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("商品")
        verbose_name_plural = _("商品")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Coming:
    """A day on which goods are expected; late when it is over."""

    on: date
    is_release: bool = False
    is_late: bool = False


class SkuQuerySet(models.QuerySet["Sku"]):
    def active(self) -> "SkuQuerySet":
        return self.filter(active=True)

    def stocked(self) -> "SkuQuerySet":
        """SKUs with shelves of their own; a bundle has only its components' stock."""
        return self.filter(is_bundle=False)


class Sku(models.Model):
    """The unit that is stocked and sold. A bundle has no stock of its own: its components are promised and shipped."""

    class Temperature(models.TextChoices):
        AMBIENT = "ambient", _("常温")
        CHILLED = "chilled", _("冷蔵")
        FROZEN = "frozen", _("冷凍")

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="skus", verbose_name=_("商品"))
    code = models.CharField(_("SKUコード"), max_length=60, unique=True)
    jan = models.CharField(_("JANコード"), max_length=14, blank=True)
    name = models.CharField(_("商品名"), max_length=255)
    variant = models.CharField(_("バリエーション"), max_length=120, blank=True)
    price = models.PositiveIntegerField(_("販売価格（税込）"), default=0)
    tax_rate = models.PositiveSmallIntegerField(_("税率（%）"), default=10)
    temperature = models.CharField(_("温度帯"), max_length=8, choices=Temperature, default=Temperature.AMBIENT)
    size_factor = models.PositiveSmallIntegerField(_("サイズ係数"), default=1)
    release_date = models.DateField(_("発売日"), null=True, blank=True)
    # When more of it is expected; nobody promises by it, it is told to who waits.
    arrives_on = models.DateField(_("入荷予定日"), null=True, blank=True)
    preorder_limit = models.PositiveIntegerField(_("予約枠"), default=0)
    is_bundle = models.BooleanField(_("セット商品"), default=False)
    # Of a bundle: its components may leave in different parcels. Of others it says nothing.
    ships_apart = models.BooleanField(_("セットの一部出荷を許可"), default=False, db_default=False)
    # Of a bundle that is no single good in tax law: each component is taxed at its own rate, not the set at one.
    tax_by_component = models.BooleanField(_("構成品ごとの税率"), default=False, db_default=False)
    is_made_to_order = models.BooleanField(_("取寄せ商品"), default=False)
    active = models.BooleanField(_("有効"), default=True)
    shelf = models.CharField(_("棚番"), max_length=40, blank=True, default="")
    cost = models.PositiveIntegerField(_("仕入価格（税抜）"), null=True, blank=True)  # of one unit; None: not known
    supplier = models.CharField(_("仕入先"), max_length=100, blank=True, default="", db_default="")
    weight_g = models.PositiveIntegerField(_("重さ（g）"), null=True, blank=True)  # of one unit, packed for sale
    tags = models.JSONField(_("商品タグ"), default=list, blank=True)  # texts, each once
    custom = models.JSONField(_("自由項目"), default=dict, blank=True)  # the company's own fields: name → text
    # Normalised code, JAN, names and brand, filled by `inventory.services.catalogue`.
    search_text = models.TextField(blank=True, default="", db_default="", editable=False)

    objects: ClassVar = SkuQuerySet.as_manager()

    class Meta:
        verbose_name = _("SKU")
        verbose_name_plural = _("SKU")
        constraints = [models.CheckConstraint(condition=Q(tax_rate__in=[8, 10]), name="sku_tax_rate")]
        indexes = [
            models.Index(fields=["jan"], name="sku_jan", condition=~Q(jan="")),
            gram_index("search_text", name="sku_grams"),
        ]
        permissions = [("view_cost", _("仕入価格と粗利を見る"))]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def coming(self, today: date) -> "Coming | None":
        """When who waits for it may expect it: its release, else the next arrival that somebody wrote down."""
        if self.release_date is not None and self.release_date > today:
            return Coming(self.release_date, is_release=True)
        return Coming(self.arrives_on, is_late=self.arrives_on < today) if self.arrives_on else None

    def is_preorder(self, on: date) -> bool:
        """Sold on `on` before it exists: promises go to the pre-order pool row."""
        return self.release_date is not None and self.release_date > on


class SkuChange(models.Model):
    """What a person changed of a SKU's facts by hand: field → value, before and after. Append-only, by trigger."""

    sku = models.ForeignKey(Sku, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.sku_id}: {', '.join(self.after)}"


class BundleComponent(models.Model):
    """So many of `component` are in one `bundle`. Bundles nest at most two levels (held by the catalogue service)."""

    bundle = models.ForeignKey(Sku, on_delete=models.CASCADE, related_name="components", verbose_name=_("セット商品"))
    component = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="part_of", verbose_name=_("構成品"))
    quantity = models.PositiveSmallIntegerField(_("数量"), default=1)

    class Meta:
        verbose_name = _("構成品")
        verbose_name_plural = _("構成品")
        constraints = [
            models.UniqueConstraint(fields=["bundle", "component"], name="bundle_component_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="bundle_component_quantity"),
            models.CheckConstraint(condition=~Q(bundle=F("component")), name="bundle_not_in_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.bundle_id} ← {self.component_id} × {self.quantity}"


class FormerComponent(models.Model):
    """A component that a set had once: orders sold with it still wait for it."""

    bundle = models.ForeignKey(Sku, on_delete=models.CASCADE, related_name="+", db_index=False)
    component = models.ForeignKey(Sku, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bundle", "component"], name="former_component_once")]

    def __str__(self) -> str:
        return f"{self.bundle_id} ← {self.component_id}"
