from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fulfillment.models.shipment import Shipment
from inventory.models import Location
from oms.kernel.said_field import SaidField
from orders.models import Order


class StopRequest(models.Model):
    """出荷停止依頼: a location is asked not to send a parcel, and answers that it could or that it was too late."""

    class State(models.TextChoices):
        WAITING = "waiting", _("返事待ち")
        STOPPED = "stopped", _("停止済み")
        TOO_LATE = "too_late", _("間に合わず")
        WITHDRAWN = "withdrawn", _("取り下げ")

    class Purpose(models.TextChoices):
        CANCEL = "cancel", _("キャンセル")
        CHANGE = "change", _("内容の変更")

    class What(models.TextChoices):
        """What of the order shall be another."""

        RECIPIENT = "recipient", _("届け先")
        DELIVERY = "delivery", _("配達の希望日時")
        GOODS = "goods", _("商品・数量")
        PAYMENT = "payment", _("支払方法")
        OTHER = "other", _("その他")

    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="stops")
    order = models.ForeignKey(Order, models.CASCADE, related_name="stops")
    purpose = models.CharField(_("目的"), max_length=8, choices=Purpose)
    what = ArrayField(
        models.CharField(max_length=10, choices=What),
        verbose_name=_("変えるもの"),
        default=list,
        blank=True,
        db_default=[],
    )
    state = models.CharField(_("状態"), max_length=10, choices=State, default=State.WAITING)
    note = models.CharField(_("理由"), max_length=200, blank=True)
    asked_at = models.DateTimeField(_("依頼日時"))
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(_("返事の日時"), null=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    answer = SaidField(_("返事のメモ"), blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "order"], condition=models.Q(state="waiting"), name="stop_waits_once"
            )
        ]
        indexes = [
            models.Index(fields=["asked_at", "id"], name="stop_waiting", condition=models.Q(state="waiting")),
            models.Index(fields=["order", "-id"], name="stop_order"),
        ]
        permissions = [("reopen_shipment", _("出荷確定を取り消す")), ("ask_stop", _("出荷停止を依頼する"))]

    def __str__(self) -> str:
        return f"{self.shipment_id}: {self.state}"

    @property
    def what_text(self) -> str:
        return gettext("、").join(str(self.What(one).label) for one in self.what)


class StopPolicy(models.Model):
    """Whether a location's parcels stop by themselves while nobody has begun with them (nothing printed).

    Without a row our own warehouses do, and stores are asked.
    """

    location = models.OneToOneField(Location, models.CASCADE, related_name="stop_policy", verbose_name=_("拠点"))
    automatic = models.BooleanField(_("作業前の出荷は自動で止める"), default=True)

    def __str__(self) -> str:
        return f"{self.location_id}: {self.automatic}"
