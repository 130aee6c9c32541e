from django.db import models
from django.utils.translation import gettext_lazy as _


class Location(models.Model):
    """A place where goods are. Damaged, display, inspection, in-transit and locker stock are places of their own kind.

    `sells_online`: its stock counts in the SKUs' pools. Changed only by `inventory.services.places.set_sells_online`,
    which moves the pools along.
    """

    class Kind(models.TextChoices):
        WAREHOUSE = "warehouse", _("倉庫")
        STORE = "store", _("店舗")
        DAMAGED = "damaged", _("不良")
        DISPLAY = "display", _("展示")
        INSPECTION = "inspection", _("検品中")
        IN_TRANSIT = "in_transit", _("移動中")
        LOCKER = "locker", _("ロッカー")
        SECOND = "second", _("B品")
        TO_MAKER = "to_maker", _("メーカー返送")

    code = models.CharField(_("拠点コード"), max_length=40, unique=True)
    name = models.CharField(_("拠点名"), max_length=100)
    kind = models.CharField(_("種別"), max_length=12, choices=Kind, default=Kind.WAREHOUSE)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("親拠点")
    )
    sells_online = models.BooleanField(_("通販在庫に含める"), default=True)
    postal_code = models.CharField(_("郵便番号"), max_length=8, blank=True)
    prefecture = models.CharField(_("都道府県"), max_length=8, blank=True)
    address = models.CharField(_("住所"), max_length=255, blank=True)
    phone = models.CharField(_("電話番号"), max_length=20, blank=True)
    priority = models.SmallIntegerField(_("出荷優先順位"), default=100)
    active = models.BooleanField(_("有効"), default=True)

    class Meta:
        verbose_name = _("拠点")
        verbose_name_plural = _("拠点")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sells_online=False) | models.Q(kind__in=["warehouse", "store"]),
                name="location_unsellable_not_online",
            )
        ]

    def __str__(self) -> str:
        return self.name
