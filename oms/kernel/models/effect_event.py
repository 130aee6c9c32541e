from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.models.effect import Effect
from oms.kernel.said_field import SaidField


class EffectEvent(models.Model):
    """The outbox's journal, append-only: what went wrong with an effect, and what people did about it.

    An effect that goes out at once leaves none: the effect itself says so.
    """

    class Kind(models.TextChoices):
        WAITS = "waits", _("もう一度試します")
        FAILED = "failed", _("失敗")
        RETRIED = "retried", _("もう一度送る操作")
        BY_HAND = "by_hand", _("手動で完了")

    effect = models.ForeignKey(Effect, models.CASCADE, related_name="events")
    at = models.DateTimeField(_("日時"))
    kind = models.CharField(max_length=8, choices=Kind)
    text = SaidField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.kind} {self.effect_id}"
