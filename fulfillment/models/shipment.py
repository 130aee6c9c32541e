from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from inventory.models import Location, Sku
from oms.kernel.said_field import SaidField
from orders.models import OrderLine, Recipient
from orders.models.order import Carrier


class Batch(models.Model):
    """One release to one or more locations (出荷バッチ): who released what, when."""

    created_at = models.DateTimeField(_("作成日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)

    def __str__(self) -> str:
        return f"B{self.pk:06d}"


class Shipment(models.Model):
    """One parcel-set from one location to one address. Lines may belong to several orders."""

    class State(models.TextChoices):
        PLANNED = "planned", _("予定")
        INSTRUCTED = "instructed", _("出荷指示済")
        STOP_REQUESTED = "stop_requested", _("出荷停止依頼中")
        STOPPED = "stopped", _("停止済")
        SHIPPED = "shipped", _("出荷済")
        RETURNED = "returned", _("持戻り")
        CANCELLED = "cancelled", _("取消")

    location = models.ForeignKey(Location, models.PROTECT, verbose_name=_("出荷元"))
    recipient = models.ForeignKey(Recipient, models.PROTECT, verbose_name=_("届け先"))
    batch = models.ForeignKey(Batch, models.SET_NULL, null=True, blank=True, related_name="shipments")
    state = models.CharField(_("状態"), max_length=16, choices=State, default=State.PLANNED)
    carrier = models.CharField(_("配送会社"), max_length=12, choices=Carrier, default=Carrier.YAMATO)
    # How cold it travels, where somebody said so; empty: as its goods ask.
    temperature = models.CharField(
        _("温度帯"), max_length=8, choices=Sku.Temperature, blank=True, default="", db_default=""
    )
    tracking_no = models.CharField(_("送り状番号"), max_length=40, blank=True)
    package_count = models.PositiveSmallIntegerField(_("個口"), default=1)
    reference = models.PositiveSmallIntegerField(default=1)  # per order, stable: 1, 2, 3 …
    created_at = models.DateTimeField(_("作成日時"))
    instructed_at = models.DateTimeField(_("出荷指示日時"), null=True)
    printed_at = models.DateTimeField(_("印刷日時"), null=True)
    shipped_at = models.DateTimeField(_("出荷日時"), null=True)
    waybill_at = models.DateTimeField(_("送り状データの出力日時"), null=True)  # the last time
    # Numbers of the pieces behind the first, as the carrier's file told them.
    more_tracking_nos = ArrayField(models.CharField(max_length=40), default=list, blank=True, db_default=[])

    class Meta:
        indexes = [
            models.Index(fields=["state", "-id"], name="shipment_state"),
            # Orders that go in several parcels: few, and asked for on the desk (`fulfillment.queries.desk_filters`).
            models.Index(
                fields=["recipient"],
                name="shipment_several",
                condition=models.Q(reference__gt=1) | models.Q(package_count__gt=1),
            ),
            models.Index(fields=["tracking_no"], name="shipment_tracking", condition=~models.Q(tracking_no="")),
        ]
        permissions = [
            ("ship_shipment", _("出荷を確定する")),
            ("print_document", _("帳票を印刷する")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"S{self.pk:07d}"

    @property
    def way(self) -> str:
        """The carrier, and how cold it travels where that was chosen: ヤマト運輸（冷蔵）."""
        carrier = str(self.get_carrier_display())
        if not self.temperature:
            return carrier
        return gettext("%(carrier)s（%(temperature)s）") % {
            "carrier": carrier,
            "temperature": self.get_temperature_display(),
        }


# Parcels that will never leave: their goods are placed anew, or were given up.
ENDED = (Shipment.State.STOPPED, Shipment.State.CANCELLED)


class ShipmentLine(models.Model):
    """So many units of one SKU for one order line. A bundle's line has one row per component."""

    shipment = models.ForeignKey(Shipment, models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(OrderLine, models.PROTECT)
    sku = models.ForeignKey(Sku, models.PROTECT)
    quantity = models.PositiveIntegerField(_("数量"))
    line_quantity = models.PositiveIntegerField(_("明細数量"))  # how many of the order line's quantity this serves

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shipment", "order_line", "sku"], name="shipment_line_once")]
        indexes = [models.Index(fields=["order_line"], name="shipment_line_order_line")]

    def __str__(self) -> str:
        return f"{self.shipment_id}: {self.sku_id} × {self.quantity}"


class ShipmentEvent(models.Model):
    """The shipment's journal; append-only, held by a trigger."""

    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="events")
    at = models.DateTimeField(_("日時"))
    kind = models.CharField(_("出来事"), max_length=30)
    text = SaidField(_("内容"), blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"
