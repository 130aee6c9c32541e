from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField
from orders.models.order import Order


class OrderEvent(models.Model):
    """The order's journal: append-only, held by a trigger. Personal values stand in `OrderEventValue`, erasable.

    `by` names a person; empty means the system. `action` groups what one human action did to many orders.
    """

    order = models.ForeignKey(Order, models.CASCADE, related_name="events")
    at = models.DateTimeField(_("日時"))
    kind = models.CharField(_("出来事"), max_length=30)
    text = SaidField(_("内容"), blank=True)
    fields = models.JSONField(default=list)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    action = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["order", "id"], name="event_order"),
            models.Index(fields=["action"], name="event_action", condition=~models.Q(action="")),
            models.Index(fields=["at"], name="event_by_hand", condition=models.Q(by__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"


class OrderEventValue(models.Model):
    """What a field was before and after; removed when personal data is purged."""

    event = models.ForeignKey(OrderEvent, models.CASCADE, related_name="values")
    field = models.CharField(max_length=40)
    before = SaidField(blank=True)
    after = SaidField(blank=True)

    def __str__(self) -> str:
        return self.field
