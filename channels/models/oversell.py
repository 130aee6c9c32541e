from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import Sku
from oms.kernel.said_field import SaidField
from orders.models import Order, OrderLine


class OversellCase(models.Model):
    """A mall sold a unit that was not there any more: `line` holds no promise although the mall took its order.

    One case per order line, opened again if it happens again. `rival` is the order that holds what this one lacks.
    `timeline` is what was known when it opened: [{at, kind, …}], see `channels.services.oversell`.
    """

    class State(models.TextChoices):
        OPEN = "open", _("対応中")
        RESOLVED = "resolved", _("在庫が入り解消")
        DECIDED = "decided", _("対応済み")
        ENDED = "ended", _("受注が終了")

    class Decision(models.TextChoices):
        WAIT = "wait", _("入荷を待つ")
        TRANSFER = "transfer", _("店舗の在庫を回す")
        SWAP = "swap", _("この受注を優先する")
        CANCEL = "cancel", _("この受注をキャンセルする")

    line = models.OneToOneField(OrderLine, models.CASCADE, related_name="+")
    order = models.ForeignKey(Order, models.CASCADE, related_name="+")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="+")
    short = models.PositiveIntegerField(_("不足数"))
    rival = models.ForeignKey(Order, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(_("状態"), max_length=10, choices=State, default=State.OPEN)
    decision = models.CharField(_("対応"), max_length=10, choices=Decision, blank=True)
    timeline = models.JSONField(default=list)
    opened_at = models.DateTimeField(_("発生日時"))
    closed_at = models.DateTimeField(_("解消日時"), null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        permissions = [("decide_oversellcase", _("売り越しの対応を決める"))]
        indexes = [
            models.Index(fields=["state", "-opened_at", "-id"], name="oversell_state"),
            models.Index(fields=["order"], name="oversell_order"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.state}"


class OversellEvent(models.Model):
    """A case's journal. Append-only."""

    case = models.ForeignKey(OversellCase, models.CASCADE, related_name="events")
    at = models.DateTimeField(_("日時"))
    kind = models.CharField(max_length=12)
    text = SaidField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.case_id} {self.kind}"
