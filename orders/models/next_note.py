from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Member
from orders.models.order import Order


class NextOrderNote(models.Model):
    """What somebody wants to be told of when the same buyer orders again; open until it is ticked off."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="next_notes")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    text = models.CharField(_("内容"), max_length=300)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(_("完了日時"), null=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["member"], name="next_note_open", condition=models.Q(done_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.member_id}"
