"""送り状データ: how places hand parcels to carriers, and every file that was written for the carriers' software."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import Location
from orders.models.order import Carrier


class WaybillSetting(models.Model):
    """One place's contract with one carrier (`fulfillment.waybills.parcel.Contract`); without a place, the company's,
    which serves places without one of their own."""

    location = models.ForeignKey(Location, models.CASCADE, null=True, related_name="+", verbose_name=_("拠点"))
    carrier = models.CharField(_("配送会社"), max_length=12, choices=Carrier)
    values = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["carrier", "location"], name="waybill_setting_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.location_id}: {self.carrier}"


class WaybillExport(models.Model):
    """Parcels written into files: chosen, looked at, written once. A draft holds the frozen choice alone."""

    class State(models.TextChoices):
        DRAFT = "draft", _("確認中")
        DONE = "done", _("出力済み")

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("担当"))
    created_at = models.DateTimeField(_("日時"))
    state = models.CharField(_("状態"), max_length=5, choices=State, default=State.DRAFT)
    shipment_ids = ArrayField(models.BigIntegerField())
    written = models.PositiveIntegerField(_("出力した件数"), default=0)
    again = models.PositiveIntegerField(_("うち再出力"), default=0)
    held = models.PositiveIntegerField(_("出力しなかった件数"), default=0)

    class Meta:
        indexes = [models.Index(fields=["-created_at", "-key"], name="waybill_export_newest")]
        permissions = [("export_waybill", _("送り状データを書き出す"))]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M} × {self.written}"


class WaybillFile(models.Model):
    """One file of an export. `data` is sealed (`oms.kernel.sealing`) and forgotten after some days; the row stays."""

    export = models.ForeignKey(WaybillExport, models.PROTECT, related_name="files")
    position = models.PositiveSmallIntegerField()
    location = models.ForeignKey(Location, models.PROTECT, related_name="+", verbose_name=_("出荷元"))
    layout = models.CharField(max_length=12)
    name = models.CharField(_("ファイル名"), max_length=120)
    shipment_ids = ArrayField(models.BigIntegerField())
    data = models.BinaryField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["export", "position"], name="waybill_file_position")]

    def __str__(self) -> str:
        return self.name


class WaybillEvent(models.Model):
    """Who wrote, took or forgot which file, and when: append-only, held by a trigger."""

    class Kind(models.TextChoices):
        WRITTEN = "written", _("ファイルを作成")
        TAKEN = "taken", _("ダウンロード")
        REMOVED = "removed", _("ファイルを削除")

    export = models.ForeignKey(WaybillExport, models.PROTECT, related_name="events")
    at = models.DateTimeField(_("日時"))
    kind = models.CharField(_("出来事"), max_length=8, choices=Kind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    count = models.PositiveIntegerField(_("件数"), default=0)
    text = models.CharField(_("内容"), max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["export", "id"], name="waybill_event_export")]

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"
